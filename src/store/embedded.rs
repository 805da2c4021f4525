//! The embedded backend: one writer at a time, who takes along whoever is waiting.
//!
//! The first caller to find nobody writing starts the writer, and the writer goes on until nobody
//! waits. All of them share one flush of the log. The writer runs as a blocking task and not as a
//! thread of our own, because tokio's paused clock stands still while such a task runs: a commit
//! takes no simulated time. What has gathered in the log moves into the database in another such
//! task, while commits go on.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore, oneshot},
    task::spawn_blocking,
};

use super::{Batch, KeyRange, Row, StoreError, Table, layers::Layers};

/// Most batches that wait to be written; further callers wait for a place.
const QUEUE: u32 = 4096;
/// Most batches, and most bytes, of one group.
const GROUP_BATCHES: usize = 512;
const GROUP_BYTES: usize = 8 * 1024 * 1024;
/// Batches that came while the group before was written, from which on a group waits for company:
/// a flush costs the processor as much as many batches do, and who comes this often comes again.
const BUSY_FROM: usize = 3;
/// Longest that it waits; and the part of that time after which it goes when nobody new has come.
const LONGEST_HOLD: Duration = Duration::from_millis(1);
const HOLD_STEP: u32 = 4;

#[derive(Debug)]
pub(super) struct Embedded {
    layers: Layers,
    queue: Mutex<Queue>,
    /// Somebody joined the queue while the writer holds a group open.
    joined: Condvar,
    places: Arc<Semaphore>,
    /// Whether a task moves changes into the database, or is about to.
    settling: AtomicBool,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Waiting>,
    /// Whether there is a writer. Then whoever joins the queue is written, and starts none.
    writing: bool,
    /// With how many batches the writer, who waits for company, goes on at once.
    enough: Option<usize>,
}

#[derive(Debug)]
struct Waiting {
    batch: Batch,
    answer: oneshot::Sender<Result<(), StoreError>>,
    /// Held until the batch is written, so that closing can wait for all of them.
    _place: OwnedSemaphorePermit,
}

impl Embedded {
    pub(super) fn new(layers: Layers) -> Self {
        let places = Arc::new(Semaphore::new(QUEUE as usize));
        Self {
            layers,
            queue: Mutex::default(),
            joined: Condvar::new(),
            places,
            settling: AtomicBool::new(false),
        }
    }

    pub(super) async fn get(
        self: &Arc<Self>,
        table: Table,
        key: &[u8],
    ) -> Result<Option<Vec<u8>>, StoreError> {
        // A read takes about a microsecond, less than handing it to another thread.
        match self.layers.get(table, key) {
            Err(error) if self.layers.may_recover_from(&error) => {
                let key = key.to_vec();
                self.blocking(move |layers| layers.recovering(|l| l.get(table, &key))).await
            }
            other => other,
        }
    }

    pub(super) async fn scan(
        self: &Arc<Self>,
        table: Table,
        range: KeyRange,
        limit: usize,
        reverse: bool,
    ) -> Result<Vec<Row>, StoreError> {
        self.blocking(move |layers| {
            layers.recovering(|layers| layers.scan(table, &range, limit, reverse))
        })
        .await
    }

    pub(super) async fn commit(self: &Arc<Self>, batch: Batch) -> Result<(), StoreError> {
        if batch.is_empty() {
            return Ok(());
        }
        batch.check_sizes()?;
        let place = Arc::clone(&self.places).acquire_owned().await;
        let place = place.map_err(|_| StoreError::Closed)?;
        let (answer, written) = oneshot::channel();
        // No await between joining the queue and starting the writer: a caller who stops waiting
        // leaves neither a batch without a writer nor a writer without an end.
        if self.join(Waiting { batch, answer, _place: place }) {
            let writer = Writer { backend: Arc::clone(self), finished: false };
            if self.layers.blocks() && Handle::try_current().is_ok() {
                drop(spawn_blocking(move || writer.run()));
            } else {
                writer.run();
            }
        }
        written.await.unwrap_or(Err(StoreError::Unavailable))
    }

    pub(super) async fn close(self: &Arc<Self>) -> Result<(), StoreError> {
        // All places are free only when nothing is left to be written.
        let Ok(_all) = self.places.acquire_many(QUEUE).await else { return Ok(()) };
        self.places.close();
        self.blocking(Layers::close).await
    }

    async fn blocking<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Layers) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        if !self.layers.blocks() {
            return work(&self.layers);
        }
        let backend = Arc::clone(self);
        // The task fails only when the runtime shuts down.
        spawn_blocking(move || work(&backend.layers)).await.unwrap_or(Err(StoreError::Unavailable))
    }

    /// Moves into the database what is on its way there, without waiting for it.
    fn settle(self: &Arc<Self>) {
        if !self.layers.wants_settling() || self.settling.swap(true, Ordering::AcqRel) {
            return;
        }
        let turn = SettlingTurn(Arc::clone(self));
        let work = move || {
            if let Err(error) = turn.0.layers.settle() {
                tracing::warn!(%error, "the log of the store cannot be moved into its database");
            }
        };
        if Handle::try_current().is_ok() { drop(spawn_blocking(work)) } else { work() }
    }

    /// Joins the queue; returns whether the caller has to start the writer.
    fn join(&self, waiting: Waiting) -> bool {
        let mut queue = self.queue();
        queue.waiting.push_back(waiting);
        // Nobody else wakes the writer: he looks around by himself now and then.
        if queue.enough.is_some_and(|enough| queue.waiting.len() >= enough) {
            self.joined.notify_one();
        }
        !std::mem::replace(&mut queue.writing, true)
    }

    /// Where batches come often, waits a moment for as many as the group `before` had: one flush
    /// for them all costs less than one each, and they come out of it no later.
    fn company(&self, before: usize) -> MutexGuard<'_, Queue> {
        let mut queue = self.queue();
        if before < BUSY_FROM || !self.layers.blocks() {
            return queue;
        }
        let until = Instant::now() + LONGEST_HOLD;
        loop {
            let present = queue.waiting.len();
            let left = until.saturating_duration_since(Instant::now());
            if present == 0 || present >= before || left.is_zero() {
                queue.enough = None;
                return queue;
            }
            queue.enough = Some(before);
            let step = left.min(LONGEST_HOLD / HOLD_STEP);
            let waited = self.joined.wait_timeout(queue, step);
            queue = waited.unwrap_or_else(PoisonError::into_inner).0;
            if queue.waiting.len() == present {
                queue.enough = None;
                return queue;
            }
        }
    }

    /// The next batches to be written together, after a group of `before`; empty when the writer is
    /// done.
    fn next_group(&self, before: usize) -> Vec<Waiting> {
        let mut queue = self.company(before);
        let mut bytes = 0;
        let mut group = Vec::new();
        while let Some(next) = queue.waiting.front() {
            bytes += next.batch.bytes();
            if group.len() == GROUP_BATCHES || (bytes > GROUP_BYTES && !group.is_empty()) {
                break;
            }
            group.extend(queue.waiting.pop_front());
        }
        if group.is_empty() {
            queue.writing = false;
        }
        group
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right and the duty to write. Given back even when writing panics or the runtime ends before
/// it began: then nobody is left waiting, and the next caller starts a new writer.
struct Writer {
    backend: Arc<Embedded>,
    finished: bool,
}

impl Writer {
    fn run(mut self) {
        let mut before = 0;
        loop {
            let group = self.backend.next_group(before);
            if group.is_empty() {
                self.finished = true;
                return;
            }
            before = group.len();
            let (batches, waiting): (Vec<_>, Vec<_>) =
                group.into_iter().map(|w| (w.batch, (w.answer, w._place))).unzip();
            let results = self.backend.layers.write(batches);
            for ((answer, _place), result) in waiting.into_iter().zip(results) {
                // Whoever stopped waiting does not need to know.
                let _ = answer.send(result);
            }
            self.backend.settle();
        }
    }
}

/// The right to move changes into the database, given back even when the runtime ends first.
struct SettlingTurn(Arc<Embedded>);

impl Drop for SettlingTurn {
    fn drop(&mut self) {
        self.0.settling.store(false, Ordering::Release);
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if !self.finished {
            let abandoned = {
                let mut queue = self.backend.queue();
                queue.writing = false;
                std::mem::take(&mut queue.waiting)
            };
            drop(abandoned);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::{Store, StoreError, Table};
    use super::*;

    fn batch(key: &str) -> Batch {
        let mut batch = Batch::new();
        batch.put(Table::Meta, key, "value");
        batch
    }

    #[tokio::test(start_paused = true)]
    async fn a_commit_takes_no_simulated_time() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("store.redb")).unwrap();
        for i in 0..40 {
            let commit = store.commit(batch(&format!("key {i}")));
            tokio::time::timeout(Duration::from_secs(1), commit).await.unwrap().unwrap();
            let scan = store.scan(Table::Meta, super::super::keys::EVERYTHING, 100, false);
            let rows = tokio::time::timeout(Duration::from_secs(1), scan).await.unwrap().unwrap();
            assert_eq!(rows.len(), i + 1);
        }
    }

    #[tokio::test]
    async fn a_caller_who_stops_waiting_loses_nothing_and_blocks_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("store.redb")).unwrap();
        for i in 0..20 {
            let mut commit = Box::pin(store.commit(batch(&format!("left {i}"))));
            assert!(futures_util::poll!(commit.as_mut()).is_pending());
            drop(commit);
        }
        store.commit(batch("last")).await.unwrap();
        for i in 0..20 {
            let found = store.get(Table::Meta, format!("left {i}").as_bytes()).await.unwrap();
            assert!(found.is_some(), "batch {i} was lost");
        }
    }

    #[test]
    fn a_runtime_that_ends_does_not_wedge_the_store() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("store.redb")).unwrap();
        for i in 0..10 {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(async {
                let mut commit = Box::pin(store.commit(batch(&format!("first {i}"))));
                let _ = futures_util::poll!(commit.as_mut());
            });
            runtime.shutdown_background();
        }
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(store.commit(batch("second"))).unwrap();
    }

    #[tokio::test]
    async fn closing_waits_for_what_is_queued_and_refuses_the_rest() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.redb");
        let store = Store::open(&path).unwrap();
        let queued: Vec<_> = (0..50)
            .map(|i| {
                let store = store.clone();
                tokio::spawn(async move { store.commit(batch(&format!("key {i}"))).await })
            })
            .collect();
        tokio::task::yield_now().await;
        store.close().await.unwrap();
        assert_eq!(store.commit(batch("late")).await, Err(StoreError::Closed));
        assert_eq!(store.get(Table::Meta, b"late").await, Err(StoreError::Closed));
        let mut written = 0;
        for task in queued {
            written += usize::from(task.await.unwrap().is_ok());
        }
        let reopened = Store::open(&path).unwrap();
        let rows =
            reopened.scan(Table::Meta, super::super::keys::EVERYTHING, 100, false).await.unwrap();
        assert_eq!(rows.len(), written);
    }
}
