//! What every backend promises; one suite, run over each.

use std::ops::Bound;

use super::{Batch, KeyRange, Store, StoreError, Table, keys};

/// A backend under test. Where it is durable, `reopen` closes and opens it again.
struct Fixture {
    store: Store,
    file: Option<tempfile::TempDir>,
}

impl Fixture {
    fn file() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("new/folder/store.redb")).unwrap();
        Self { store, file: Some(folder) }
    }

    fn memory() -> Self {
        Self { store: Store::in_memory().unwrap(), file: None }
    }

    async fn reopen(&mut self) {
        if let Some(folder) = &self.file {
            self.store.close().await.unwrap();
            self.store = Store::open(&folder.path().join("new/folder/store.redb")).unwrap();
        }
    }
}

fn put(rows: &[(&str, &str)]) -> Batch {
    let mut batch = Batch::new();
    for (key, value) in rows {
        batch.put(Table::Lake, *key, *value);
    }
    batch
}

async fn value(store: &Store, key: &str) -> Option<String> {
    let found = store.get(Table::Lake, key.as_bytes()).await.unwrap();
    found.map(|v| String::from_utf8(v).unwrap())
}

async fn keys_of(store: &Store, range: KeyRange, limit: usize, reverse: bool) -> String {
    let rows = store.scan(Table::Lake, range, limit, reverse).await.unwrap();
    rows.into_iter().map(|(key, _)| String::from_utf8(key).unwrap()).collect::<Vec<_>>().join(" ")
}

macro_rules! contract {
    ($($name:ident),+ $(,)?) => {
        mod file {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() { super::$name(super::Fixture::file()).await; })+
        }
        mod memory {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() { super::$name(super::Fixture::memory()).await; })+
        }
    };
}

contract!(
    what_was_put_is_read_back,
    tables_do_not_mix,
    a_batch_is_written_whole_or_not_at_all,
    only_the_batch_whose_requirement_fails_is_refused,
    of_many_who_require_the_same_one_wins,
    the_last_change_of_a_key_stands,
    scans_keep_to_their_range_order_and_limit,
    what_is_too_large_is_refused_alone,
    many_writers_lose_nothing,
    a_closed_store_says_so,
);

async fn what_was_put_is_read_back(mut fixture: Fixture) {
    let store = &fixture.store;
    assert_eq!(value(store, "a").await, None);
    store.commit(put(&[("a", "1"), ("b", ""), ("", "empty key")])).await.unwrap();
    store.commit(put(&[("a", "2")])).await.unwrap();
    let mut removal = Batch::new();
    removal.delete(Table::Lake, "never there");
    store.commit(removal).await.unwrap();
    store.commit(Batch::new()).await.unwrap();
    fixture.reopen().await;
    let store = &fixture.store;
    assert_eq!(value(store, "a").await.as_deref(), Some("2"));
    assert_eq!(value(store, "b").await.as_deref(), Some(""));
    assert_eq!(value(store, "").await.as_deref(), Some("empty key"));
}

async fn tables_do_not_mix(fixture: Fixture) {
    let mut batch = Batch::new();
    for table in Table::ALL {
        batch.put(*table, "key", table.name());
    }
    fixture.store.commit(batch).await.unwrap();
    for table in Table::ALL {
        let found = fixture.store.get(*table, b"key").await.unwrap();
        assert_eq!(found.as_deref(), Some(table.name().as_bytes()));
    }
}

async fn a_batch_is_written_whole_or_not_at_all(mut fixture: Fixture) {
    fixture.store.commit(put(&[("a", "1")])).await.unwrap();
    let mut batch = put(&[("a", "2"), ("b", "2")]);
    batch.delete(Table::Lake, "a");
    batch.require(Table::Lake, "a", Some(b"other".to_vec()));
    assert_eq!(fixture.store.commit(batch).await, Err(StoreError::Conflict));
    fixture.reopen().await;
    assert_eq!(value(&fixture.store, "a").await.as_deref(), Some("1"));
    assert_eq!(value(&fixture.store, "b").await, None);
}

async fn only_the_batch_whose_requirement_fails_is_refused(fixture: Fixture) {
    let store = &fixture.store;
    let mut bad = put(&[("bad", "1")]);
    bad.require(Table::Lake, "absent", Some(Vec::new()));
    let mut good = put(&[("good", "1")]);
    good.require(Table::Lake, "absent", None);
    let (first, refused, last) =
        tokio::join!(store.commit(put(&[("x", "1")])), store.commit(bad), store.commit(good));
    assert_eq!((first, refused, last), (Ok(()), Err(StoreError::Conflict), Ok(())));
    assert_eq!(keys_of(store, keys::EVERYTHING, 10, false).await, "good x");
    // A batch that only checks is checked.
    let mut check = Batch::new();
    check.require(Table::Lake, "x", Some(b"1".to_vec()));
    store.commit(check.clone()).await.unwrap();
    check.require(Table::Lake, "x", None);
    assert_eq!(store.commit(check).await, Err(StoreError::Conflict));
}

async fn of_many_who_require_the_same_one_wins(fixture: Fixture) {
    let attempts: Vec<_> = (0..32)
        .map(|i| {
            let store = fixture.store.clone();
            tokio::spawn(async move {
                let mut batch = put(&[("owner", &i.to_string())]);
                batch.require(Table::Lake, "owner", None);
                store.commit(batch).await.map(|()| i)
            })
        })
        .collect();
    let mut winners = Vec::new();
    for attempt in attempts {
        winners.extend(attempt.await.unwrap());
    }
    assert_eq!(winners.len(), 1);
    assert_eq!(value(&fixture.store, "owner").await, winners.first().map(ToString::to_string));
}

async fn the_last_change_of_a_key_stands(fixture: Fixture) {
    let mut batch = put(&[("a", "1"), ("a", "2")]);
    batch.put(Table::Lake, "b", "1");
    batch.delete(Table::Lake, "b");
    fixture.store.commit(batch).await.unwrap();
    assert_eq!(value(&fixture.store, "a").await.as_deref(), Some("2"));
    assert_eq!(value(&fixture.store, "b").await, None);
}

async fn scans_keep_to_their_range_order_and_limit(fixture: Fixture) {
    let store = &fixture.store;
    store.commit(put(&[("c", ""), ("a", ""), ("d", ""), ("b", ""), ("ab", "")])).await.unwrap();
    let at = |key: &str| key.as_bytes().to_vec();
    let (included, excluded) = (|k| Bound::Included(at(k)), |k| Bound::Excluded(at(k)));
    assert_eq!(keys_of(store, keys::EVERYTHING, 10, false).await, "a ab b c d");
    assert_eq!(keys_of(store, keys::EVERYTHING, 10, true).await, "d c b ab a");
    assert_eq!(keys_of(store, keys::EVERYTHING, 2, false).await, "a ab");
    assert_eq!(keys_of(store, keys::EVERYTHING, 2, true).await, "d c");
    assert_eq!(keys_of(store, keys::EVERYTHING, 0, false).await, "");
    assert_eq!(keys_of(store, (included("ab"), included("c")), 10, false).await, "ab b c");
    assert_eq!(keys_of(store, (excluded("ab"), excluded("c")), 10, true).await, "b");
    assert_eq!(keys_of(store, keys::after(at("b")), 10, false).await, "c d");
    assert_eq!(keys_of(store, (Bound::Unbounded, excluded("b")), 10, true).await, "ab a");
    assert_eq!(keys_of(store, (included("d"), included("a")), 10, false).await, "", "inverted");
    assert_eq!(keys_of(store, (excluded("b"), excluded("b")), 10, false).await, "", "empty");
    assert_eq!(keys_of(store, (excluded("b"), included("b")), 10, true).await, "", "empty");
}

async fn what_is_too_large_is_refused_alone(fixture: Fixture) {
    let store = &fixture.store;
    let mut key = Batch::new();
    key.put(Table::Lake, vec![0; Store::MAX_KEY + 1], "");
    let mut value = Batch::new();
    value.put(Table::Lake, "large", vec![0; Store::MAX_VALUE + 1]);
    let results = tokio::join!(store.commit(key), store.commit(put(&[("a", "1")])));
    assert_eq!(results, (Err(StoreError::TooLarge), Ok(())));
    assert_eq!(store.commit(value).await, Err(StoreError::TooLarge));
    let mut largest = Batch::new();
    largest.put(Table::Lake, vec![0; Store::MAX_KEY], "");
    store.commit(largest).await.unwrap();
}

async fn many_writers_lose_nothing(mut fixture: Fixture) {
    let writers: Vec<_> = (0..8)
        .map(|writer| {
            let store = fixture.store.clone();
            tokio::spawn(async move {
                for i in 0..25 {
                    store.commit(put(&[(&format!("{writer}/{i:02}"), "")])).await.unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    fixture.reopen().await;
    let rows = fixture.store.scan(Table::Lake, keys::EVERYTHING, 1000, false).await.unwrap();
    assert_eq!(rows.len(), 200);
}

async fn a_closed_store_says_so(fixture: Fixture) {
    let clone = fixture.store.clone();
    fixture.store.close().await.unwrap();
    fixture.store.close().await.unwrap();
    assert_eq!(clone.commit(put(&[("a", "1")])).await, Err(StoreError::Closed));
    assert_eq!(clone.get(Table::Lake, b"a").await, Err(StoreError::Closed));
    let rows = clone.scan(Table::Lake, keys::EVERYTHING, 1, false).await;
    assert_eq!(rows, Err(StoreError::Closed));
}
