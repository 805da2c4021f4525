use super::{super::tests::ask, *};
use crate::{
    documents::{Documents, Query, reseal},
    seal::{admit, settle},
    store::{decode, encode, keys},
};

struct Setting {
    documents: Arc<Documents>,
    store: Store,
    shelf: Shelf,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

impl Setting {
    async fn new(store: Store, options: ShelfOptions) -> Self {
        Self::sealed(store, options, Keyring::plain()).await
    }

    async fn sealed(store: Store, options: ShelfOptions, keyring: Keyring) -> Self {
        admit(&store, &keyring).await.unwrap();
        let documents = Arc::new(Documents::bundled().unwrap());
        let opened =
            Shelf::open_sealed(Arc::clone(&documents), store.clone(), options, keyring).await;
        let (shelf, task) = opened.unwrap();
        let stop = CancellationToken::new();
        let task = tokio::spawn(task.run(stop.clone()));
        Self { documents, store, shelf, stop, task }
    }

    async fn in_memory() -> Self {
        Self::new(Store::in_memory().unwrap(), ShelfOptions::default()).await
    }

    async fn add(&self, tenant: &TenantId, id: &str, text: &str) -> Result<bool, DocumentError> {
        let document = document(id, text);
        self.shelf.add(tenant, document, 7).await.map(|(_, replaced)| replaced)
    }

    fn answer(&self, tenant: &TenantId, text: &str) -> Option<String> {
        let query = Query { tenant, text, context: &[], guide: true };
        self.documents.answer(&query).drafts.first().map(|draft| draft.content.clone())
    }

    async fn stop(self) -> Store {
        self.stop.cancel();
        self.task.await.unwrap();
        self.store
    }
}

fn document(id: &str, text: &str) -> NewDocument {
    NewDocument {
        id: Some(DocumentId::new(id).unwrap()),
        title: None,
        format: DocumentFormat::Text,
        content: text.to_owned(),
    }
}

fn tenant(name: &str) -> TenantId {
    TenantId::new(name).unwrap()
}

const QUESTION: &str = "when does the zebra crossing open?";
const MAY: &str = "The zebra crossing opens in May.";

#[tokio::test]
async fn what_was_acknowledged_is_found_and_survives_a_restart() {
    let setting = Setting::in_memory().await;
    let alice = tenant("alice");
    let before = setting.documents.epoch(&alice);
    assert_eq!(setting.add(&alice, "crossing", MAY).await, Ok(false));
    assert_eq!(setting.answer(&alice, QUESTION).as_deref(), Some(MAY));
    let epoch = setting.documents.epoch(&alice);
    assert_ne!(epoch, before);
    let store = setting.stop().await;
    let setting = Setting::new(store, ShelfOptions::default()).await;
    assert_eq!(setting.answer(&alice, QUESTION).as_deref(), Some(MAY));
    assert_eq!(setting.documents.epoch(&alice), epoch);
    assert_eq!(setting.shelf.list(&alice, None, 10)[0].id.as_str(), "crossing");
}

#[tokio::test]
async fn no_tenant_is_answered_from_anothers_documents() {
    let setting = Setting::in_memory().await;
    let (alice, bob) = (tenant("alice"), tenant("bob"));
    let epoch = setting.documents.epoch(&bob);
    setting.add(&alice, "crossing", MAY).await.unwrap();
    assert_eq!(setting.answer(&bob, QUESTION), None);
    assert_eq!(ask(&setting.documents, QUESTION, &[]).passages, []);
    assert_eq!(setting.shelf.list(&bob, None, 10), []);
    assert_eq!(setting.documents.epoch(&bob), epoch, "nothing of his has changed");
    assert_eq!(setting.shelf.remove(&bob, &DocumentId::new("crossing").unwrap()).await, Ok(false));
    assert_eq!(setting.answer(&alice, QUESTION).as_deref(), Some(MAY));
}

#[tokio::test]
async fn the_same_id_again_takes_the_place_and_removing_is_for_good() {
    let setting = Setting::in_memory().await;
    let alice = tenant("alice");
    setting.add(&alice, "crossing", MAY).await.unwrap();
    let june = "The zebra crossing opens in June.";
    assert_eq!(setting.add(&alice, "crossing", june).await, Ok(true));
    assert_eq!(setting.answer(&alice, QUESTION).as_deref(), Some(june));
    assert_eq!(setting.shelf.list(&alice, None, 10).len(), 1);
    let id = DocumentId::new("crossing").unwrap();
    assert_eq!(setting.shelf.remove(&alice, &id).await, Ok(true));
    assert_eq!(setting.shelf.remove(&alice, &id).await, Ok(false));
    assert_eq!(setting.answer(&alice, QUESTION), None);
    let store = setting.stop().await;
    let setting = Setting::new(store, ShelfOptions::default()).await;
    assert_eq!(setting.answer(&alice, QUESTION), None);
}

#[tokio::test]
async fn the_bounds_hold_within_a_group_and_over_tenants() {
    let options = ShelfOptions { max_documents: 2, max_bytes: 100 };
    let setting = Setting::new(Store::in_memory().unwrap(), options).await;
    let (alice, bob) = (tenant("alice"), tenant("bob"));
    let added = futures_util::future::join_all(
        ["a", "b", "c"].map(|id| setting.add(&alice, id, "The gate opens at nine.")),
    )
    .await;
    assert_eq!(added.iter().filter(|a| a.is_ok()).count(), 2);
    assert!(added.contains(&Err(DocumentError::TooMany { most: 2 })));
    let long = "The bridge is closed. ".repeat(4);
    let refused = setting.add(&bob, "long", &long).await;
    assert!(matches!(refused, Err(DocumentError::NoRoom { most: 100, .. })), "{refused:?}");
    assert_eq!(setting.add(&bob, "void", " ... ").await, Err(DocumentError::Empty));
    assert_eq!(setting.add(&bob, "fits", "The bridge is closed.").await, Ok(false));
    // Room that a removed document leaves can be used again.
    let gone = ["a", "b", "c"].map(|id| DocumentId::new(id).unwrap());
    for id in &gone {
        setting.shelf.remove(&alice, id).await.unwrap();
    }
    assert_eq!(setting.add(&bob, "more", &long[..60]).await, Ok(false));
}

#[tokio::test]
async fn a_list_goes_on_after_an_id() {
    let setting = Setting::in_memory().await;
    let alice = tenant("alice");
    for id in ["c", "a", "b"] {
        setting.add(&alice, id, MAY).await.unwrap();
    }
    let ids = |after: Option<&DocumentId>, limit| -> Vec<String> {
        let found = setting.shelf.list(&alice, after, limit);
        found.into_iter().map(|info| info.id.to_string()).collect()
    };
    assert_eq!(ids(None, 2), ["a", "b"]);
    assert_eq!(ids(Some(&DocumentId::new("b").unwrap()), 2), ["c"]);
}

#[tokio::test]
async fn a_title_stands_above_the_text_and_html_is_read() {
    let setting = Setting::in_memory().await;
    let alice = tenant("alice");
    let page = NewDocument {
        id: None,
        title: Some("Parking in Arlen".to_owned()),
        format: DocumentFormat::Html,
        content: "<script>var price=1</script><p>An hour costs <b>2 euros</b>.</p>".to_owned(),
    };
    let (info, _) = setting.shelf.add(&alice, page, 7).await.unwrap();
    assert!(info.id.as_str().starts_with("doc_") && info.sentences == 1);
    let query = Query {
        tenant: &alice,
        text: "how much does an hour of parking in Arlen cost?",
        context: &[],
        guide: true,
    };
    let draft = setting.documents.answer(&query).drafts.remove(0);
    assert_eq!(draft.content, "An hour costs 2 euros.");
    assert_eq!(draft.citations[0].section.as_deref(), Some("Parking in Arlen"));
    assert_eq!(draft.citations[0].document, info.id.as_str());
}

/// A keyring of keys by their digit, the first in use; `-` stands for `plain`.
fn ring(keys: &str) -> Keyring {
    let line = |key: char| key.to_string().repeat(64);
    let lines = keys.chars().map(|c| if c == '-' { "plain".to_owned() } else { line(c) });
    Keyring::parse(&lines.collect::<Vec<_>>().join("\n")).unwrap()
}

async fn opened(store: Store, keys: &str) -> Setting {
    Setting::sealed(store, ShelfOptions::default(), ring(keys)).await
}

async fn rows(store: &Store) -> Vec<(Vec<u8>, Vec<u8>)> {
    store.scan(Table::Documents, keys::EVERYTHING, 99, false).await.unwrap()
}

/// Whether a text stands anywhere in the rows, keys or values.
async fn shows(store: &Store, text: &str) -> bool {
    let rows = rows(store).await;
    let mut bytes = rows.iter().flat_map(|(key, value)| [key, value]);
    bytes.any(|bytes| bytes.windows(text.len()).any(|part| part == text.as_bytes()))
}

fn titled(id: &str, title: &str, content: &str) -> NewDocument {
    NewDocument { title: Some(title.to_owned()), ..document(id, content) }
}

#[tokio::test]
async fn text_title_and_id_are_readable_without_a_key_and_not_with_one() {
    for (keys, readable) in [("-1", true), ("1", false)] {
        let setting = opened(Store::in_memory().unwrap(), keys).await;
        let alice = tenant("alice");
        let page = titled("crossing", "Animals in Arlen", MAY);
        setting.shelf.add(&alice, page, 7).await.unwrap();
        assert_eq!(setting.answer(&alice, QUESTION).as_deref(), Some(MAY));
        for text in ["crossing", "Animals", "zebra"] {
            assert_eq!(shows(&setting.store, text).await, readable, "{text}, {keys}");
        }
        let before = rows(&setting.store).await;
        let setting = opened(setting.stop().await, keys).await;
        assert_eq!(setting.answer(&alice, QUESTION).as_deref(), Some(MAY));
        assert_eq!(rows(&setting.store).await, before, "a restart rewrites nothing");
        let id = DocumentId::new("crossing").unwrap();
        assert_eq!(setting.shelf.remove(&alice, &id).await, Ok(true));
        assert_eq!(rows(&setting.store).await, []);
    }
}

#[tokio::test]
async fn documents_from_before_the_key_are_read_and_sealed() {
    let setting = Setting::in_memory().await;
    let (alice, bob) = (tenant("alice"), tenant("bob"));
    for n in 0..20 {
        let id = format!("crossing-{n}");
        setting.add(&alice, &id, &format!("Gate {n} opens in May.")).await.unwrap();
    }
    setting.add(&bob, "crossing", MAY).await.unwrap();
    let list = setting.shelf.list(&alice, None, 99);
    let epoch = setting.documents.epoch(&alice);
    let store = setting.stop().await;
    // As the rows were before they named their document themselves.
    let mut batch = Batch::new();
    for (key, value) in rows(&store).await {
        let mut row: serde_json::Value = decode(Table::Documents, &value).unwrap();
        row.as_object_mut().unwrap().remove("id").unwrap();
        batch.put(Table::Documents, key, encode(Table::Documents, &row).unwrap());
    }
    store.commit(batch).await.unwrap();

    let setting = opened(store, "1").await;
    assert_eq!(setting.shelf.list(&alice, None, 99), list);
    assert_eq!(setting.shelf.list(&bob, None, 99).len(), 1);
    assert_eq!(setting.documents.epoch(&alice), epoch, "none was taken in twice");
    assert_eq!(setting.answer(&bob, QUESTION).as_deref(), Some(MAY));
    assert_eq!(rows(&setting.store).await.len(), 21);
    for text in ["crossing", "opens"] {
        assert!(!shows(&setting.store, text).await, "{text}");
    }
}

#[tokio::test]
async fn a_wrong_key_opens_no_document_and_loses_none() {
    let setting = opened(Store::in_memory().unwrap(), "1").await;
    let alice = tenant("alice");
    setting.add(&alice, "crossing", MAY).await.unwrap();
    let store = setting.stop().await;
    let before = rows(&store).await;
    for wrong in ["2", "-"] {
        assert!(admit(&store, &ring(wrong)).await.is_err());
        let documents = Arc::new(Documents::bundled().unwrap());
        let options = ShelfOptions::default();
        let opened = Shelf::open_sealed(documents, store.clone(), options, ring(wrong)).await;
        assert_eq!(opened.err(), Some(StoreError::Unreadable("documents")));
        assert_eq!(rows(&store).await, before, "nothing is lost");
    }
    // Moved to another tenant, a sealed row is no document of his.
    let (key, value) = before[0].clone();
    let (_, rest) = keys::split(&key).unwrap();
    let mut batch = Batch::new();
    batch.put(Table::Documents, keys::scoped(&tenant("bob"), rest), value);
    store.commit(batch).await.unwrap();
    assert!(reseal(&store, &ring("1")).await.is_err());
}

#[tokio::test]
async fn a_rotated_key_is_no_longer_needed_once_everything_is_written_anew() {
    let setting = opened(Store::in_memory().unwrap(), "1").await;
    let alice = tenant("alice");
    setting.add(&alice, "crossing", MAY).await.unwrap();
    let store = setting.stop().await;
    admit(&store, &ring("21")).await.unwrap();
    assert_eq!(reseal(&store, &ring("21")).await, Ok(1));
    assert_eq!(reseal(&store, &ring("21")).await, Ok(0));
    settle(&store, &ring("21")).await.unwrap();
    let setting = opened(store, "2").await;
    assert_eq!(setting.answer(&alice, QUESTION).as_deref(), Some(MAY));
    let setting = opened(setting.stop().await, "-2").await;
    assert_eq!(setting.answer(&alice, QUESTION).as_deref(), Some(MAY));
    assert!(shows(&setting.store, "zebra").await, "plain again");
}
