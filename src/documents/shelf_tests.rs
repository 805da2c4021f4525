use super::{super::tests::ask, *};
use crate::documents::{Documents, Query};

struct Setting {
    documents: Arc<Documents>,
    store: Store,
    shelf: Shelf,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

impl Setting {
    async fn new(store: Store, options: ShelfOptions) -> Self {
        let documents = Arc::new(Documents::bundled().unwrap());
        let (shelf, task) =
            Shelf::open(Arc::clone(&documents), store.clone(), options).await.unwrap();
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
