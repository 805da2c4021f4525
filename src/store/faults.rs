//! Disks that fail: full, refusing, and losing what was not flushed when the power goes.

use std::{
    fmt, io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use redb::{Database, StorageBackend};

use super::{
    Batch, Store, StoreError, Table,
    engine::{Engine, prepared},
};

/// A disk in memory that knows what has been flushed.
#[derive(Default)]
pub(crate) struct Disk {
    image: Mutex<Image>,
    full: AtomicBool,
    doubtful: AtomicBool,
    /// How many commits the test has seen acknowledged.
    acknowledged: AtomicUsize,
    /// The disk at random moments, with the number of commits acknowledged by then.
    moments: Mutex<Vec<(usize, Image)>>,
}

impl Disk {
    /// A store on this disk.
    pub(crate) fn store(self: &Arc<Self>) -> Result<Store, StoreError> {
        let handle = Handle(Arc::clone(self));
        let open = move || {
            let database = Database::builder()
                .create_with_backend(handle.clone())
                .map_err(StoreError::from_redb)?;
            prepared(database)
        };
        Ok(Store::with_engine(Engine::reopening(Box::new(open), Duration::ZERO)?))
    }

    /// Makes every write and flush fail from now on, or work again.
    pub(crate) fn set_full(&self, full: bool) {
        self.full.store(full, Ordering::SeqCst);
    }

    /// Makes the next flush reach the disk and nevertheless report a failure, after which the
    /// disk is full: a commit in doubt.
    pub(crate) fn doubt_next_flush(&self) {
        self.doubtful.store(true, Ordering::SeqCst);
    }
}

#[derive(Default, Clone)]
struct Image {
    current: Vec<u8>,
    flushed: Vec<u8>,
    /// Writes since the last flush, in order.
    pending: Vec<Pending>,
}

#[derive(Clone)]
enum Pending {
    Write(usize, Vec<u8>),
    Length(usize),
}

impl Pending {
    fn apply(&self, image: &mut Vec<u8>) {
        match self {
            Self::Length(length) => image.resize(*length, 0),
            Self::Write(offset, data) => {
                let end = offset + data.len();
                if image.len() < end {
                    image.resize(end, 0);
                }
                image[*offset..end].copy_from_slice(data);
            }
        }
    }
}

#[derive(Clone)]
struct Handle(Arc<Disk>);

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Handle")
    }
}

impl Handle {
    fn change(&self, pending: Pending) -> io::Result<()> {
        if self.0.full.load(Ordering::SeqCst) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let mut image = self.0.image.lock().unwrap();
        if rand::random_bool(0.3) {
            let acknowledged = self.0.acknowledged.load(Ordering::SeqCst);
            self.0.moments.lock().unwrap().push((acknowledged, image.clone()));
        }
        pending.apply(&mut image.current);
        image.pending.push(pending);
        Ok(())
    }
}

impl StorageBackend for Handle {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.image.lock().unwrap().current.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let image = self.0.image.lock().unwrap();
        let start = usize::try_from(offset).unwrap();
        let found = image.current.get(start..start + out.len());
        out.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.change(Pending::Length(usize::try_from(len).unwrap()))
    }

    fn sync_data(&self) -> io::Result<()> {
        if self.0.full.load(Ordering::SeqCst) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let mut image = self.0.image.lock().unwrap();
        image.flushed = image.current.clone();
        image.pending.clear();
        if self.0.doubtful.swap(false, Ordering::SeqCst) {
            self.0.full.store(true, Ordering::SeqCst);
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.change(Pending::Write(usize::try_from(offset).unwrap(), data.to_vec()))
    }
}

fn put(key: &str, length: usize) -> Batch {
    let mut batch = Batch::new();
    batch.put(Table::Ledger, key, vec![b'x'; length]);
    batch
}

#[tokio::test]
async fn a_full_disk_is_named_and_overcome_once_there_is_room() {
    let disk = Arc::new(Disk::default());
    let store = disk.store().unwrap();
    store.commit(put("before", 10)).await.unwrap();
    disk.set_full(true);
    for _ in 0..3 {
        assert_eq!(store.commit(put("during", 10)).await, Err(StoreError::DiskFull));
    }
    disk.set_full(false);
    let found = store.get(Table::Ledger, b"before").await.unwrap();
    assert!(found.is_some(), "reading recovers by itself");
    store.commit(put("after", 10)).await.unwrap();
    assert!(store.get(Table::Ledger, b"after").await.unwrap().is_some());
}

/// Unlike `kill -9`, which leaves the page cache alone, this loses what was not flushed: all of
/// it, or any part of it in any combination, at any moment of a commit.
#[tokio::test]
async fn what_was_acknowledged_survives_a_power_cut() {
    for round in 0..12 {
        let disk = Arc::new(Disk::default());
        let store = disk.store().unwrap();
        for i in 0..8 {
            store.commit(put(&i.to_string(), rand::random_range(0..9000))).await.unwrap();
            disk.acknowledged.store(i + 1, Ordering::SeqCst);
        }
        let moments = std::mem::take(&mut *disk.moments.lock().unwrap());
        for (acknowledged, mut image) in moments {
            for pending in &image.pending {
                if rand::random_bool(if round == 0 { 0.0 } else { 0.5 }) {
                    pending.apply(&mut image.flushed);
                }
            }
            image.current.clone_from(&image.flushed);
            image.pending.clear();
            let survivor = Disk { image: Mutex::new(image), ..Disk::default() };
            let store = match Arc::new(survivor).store() {
                Ok(store) => store,
                // Before the first acknowledgement there may not even be a file.
                Err(error) => {
                    assert_eq!(acknowledged, 0, "{error}");
                    continue;
                }
            };
            for i in 0..acknowledged {
                let found = store.get(Table::Ledger, i.to_string().as_bytes()).await.unwrap();
                assert!(found.is_some(), "commit {i} of {acknowledged} is lost");
            }
        }
    }
}

#[tokio::test]
async fn a_file_in_use_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.redb");
    let store = Store::open(&path).unwrap();
    assert_eq!(Store::open(&path).unwrap_err(), StoreError::InUse);
    // The refused attempt must not have loosened the first one's hold.
    assert_eq!(Store::open(&path).unwrap_err(), StoreError::InUse);
    store.commit(put("key", 1)).await.unwrap();
    store.close().await.unwrap();
    Store::open(&path).unwrap();
}

#[tokio::test]
async fn a_newer_format_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.redb");
    let store = Store::open(&path).unwrap();
    let mut batch = Batch::new();
    batch.put(Table::Meta, "format", "7");
    store.commit(batch).await.unwrap();
    store.close().await.unwrap();
    for _ in 0..2 {
        let refused = Store::open(&path).unwrap_err();
        assert_eq!(refused, StoreError::NewerFormat { found: 7, known: 1 });
    }
}

#[test]
fn a_file_of_another_kind_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    let text = "not a store. ".repeat(1000);
    std::fs::write(&path, &text).unwrap();
    assert_eq!(Store::open(&path).unwrap_err(), StoreError::NotAStore);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);

    let path = folder.path().join("other.redb");
    let other = Database::create(&path).unwrap();
    let transaction = other.begin_write().unwrap();
    let definition: redb::TableDefinition<'_, u64, u64> = redb::TableDefinition::new("somebody's");
    transaction.open_table(definition).unwrap().insert(1, 1).unwrap();
    transaction.commit().unwrap();
    drop(other);
    assert_eq!(Store::open(&path).unwrap_err(), StoreError::NotAStore);
}

#[test]
fn a_path_that_cannot_be_used_is_an_error_with_its_cause() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let refused = Store::open(&file.join("below/store.redb")).unwrap_err();
    assert!(matches!(refused, StoreError::Io(_)), "{refused:?}");
    let refused = Store::open(folder.path()).unwrap_err();
    assert!(matches!(refused, StoreError::Io(_)), "{refused:?}");
}
