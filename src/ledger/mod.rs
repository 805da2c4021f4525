//! The append-only record of what was decided and what came of it. Learning reads it, replay
//! reuses it; nothing else connects answering with learning.
//!
//! One task writes ([`LedgerTask`]): it takes whatever is queued, writes it in one commit, shows
//! it to the observers and acknowledges it, in that order. So an acknowledged event is durable,
//! and whoever reads a statistic after feedback was accepted finds the feedback in it.

mod lost;
mod rows;
mod writer;

#[cfg(test)]
mod tests;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::sync::{mpsc, oneshot};

use crate::{
    domain::{DecisionRecord, LedgerEvent, Policy, Recorded},
    store::{Batch, Store, StoreError, Table, keys},
};

pub use writer::LedgerTask;

/// Follows the ledger.
pub trait LedgerObserver: Send + Sync {
    /// Sees events after they were committed and before they are acknowledged, in the order of the
    /// ledger, each one once per process. `took` is what the commit cost. Must be quick, and must
    /// not wait for the ledger.
    fn observe(&self, recorded: &[Recorded], took: Duration);

    /// So many events could not be written. Whoever appended them may have stopped waiting, so this
    /// is where they are counted.
    fn lost(&self, events: usize);
}

/// Bounds of the ledger.
#[derive(Debug, Clone, Copy)]
pub struct LedgerOptions {
    /// Most events that wait to be written; more are refused.
    pub queue: usize,
    /// Decisions that are kept, with what was learned of them. Older ones are removed as new ones
    /// come, a few hundred at a time. About 1 KB of disk each.
    pub retain_decisions: u64,
}

impl Default for LedgerOptions {
    fn default() -> Self {
        Self { queue: 4096, retain_decisions: 1_000_000 }
    }
}

/// What became of an event.
#[derive(Debug, Clone, PartialEq)]
pub struct Appended {
    /// Its place in the ledger; that of the first one where the event is a repetition.
    pub seq: u64,
    /// Whether the very same thing had been recorded before, so that nothing was appended.
    pub repeated: bool,
    /// For an outcome: the decision it judges.
    pub decision: Option<Arc<DecisionRecord>>,
    /// For an outcome that revises an earlier one: the earlier score.
    pub previous_score: Option<f64>,
}

/// Why an event was not recorded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// Too many events wait to be written.
    #[error("the ledger's queue is full")]
    Full,
    /// No such response: never given, given to another tenant, or too long ago.
    #[error("no response of this id is known")]
    UnknownResponse,
    /// No such response is known, and the store has lost records lately, so that there may be one.
    #[error("no response of this id is known, and the latest could not be recorded")]
    Unsure,
    /// The policy does not follow the current one: somebody else changed it in between.
    #[error("the policy has changed since it was read; its version is {current} now")]
    PolicyConflict {
        /// The version of the current policy.
        current: u64,
    },
    /// A value is outside of its range, or no number.
    #[error("the {0} is not valid")]
    Invalid(&'static str),
    /// The store failed. The event counts as dropped.
    #[error("the ledger cannot be written or read: {0}")]
    Store(#[from] StoreError),
    /// The ledger has been shut down.
    #[error("the ledger is closed")]
    Closed,
}

/// The ledger's condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LedgerStatus {
    /// Place of the newest event; 0 when there is none.
    pub last_seq: u64,
    /// Place of the oldest event that is still kept; `last_seq + 1` when there is none.
    pub first_seq: u64,
    /// Events that wait to be written.
    pub queued: usize,
    /// Events lost since the start: refused by a full queue or a failing store.
    pub dropped: u64,
    /// Whether an attempt failed, and nothing has been written since.
    pub store_failing: bool,
}

/// A handle to the ledger. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Ledger {
    store: Store,
    queue: mpsc::Sender<Message>,
    shared: Arc<Shared>,
}

impl Ledger {
    /// Opens the ledger in a store. Nothing is written before the task runs, so that the observers
    /// can first catch up by [`Ledger::replay`].
    ///
    /// # Errors
    /// [`LedgerError::Store`].
    pub async fn open(
        store: Store,
        observers: Vec<Arc<dyn LedgerObserver>>,
        options: LedgerOptions,
    ) -> Result<(Self, LedgerTask), LedgerError> {
        let (queue, waiting) = mpsc::channel(options.queue.max(1));
        let shared = Arc::new(Shared::default());
        let task = LedgerTask::open(
            store.clone(),
            waiting,
            Arc::clone(&shared),
            observers,
            options.retain_decisions.max(1),
        )
        .await?;
        Ok((Self { store, queue, shared }, task))
    }

    /// Records an event. It is durable when this returns `Ok`.
    ///
    /// A decision or an outcome that was recorded before is acknowledged and not recorded again; a
    /// different outcome of the same response revises the earlier one. An outcome of a decision that
    /// could lately not be recorded brings that record with it. Any first policy is taken;
    /// after that its version must be one more than the current one's.
    ///
    /// # Errors
    /// See [`LedgerError`]. After [`LedgerError::Store`] the event may have been recorded
    /// nevertheless; recording it again is safe.
    pub async fn append(&self, event: LedgerEvent) -> Result<Appended, LedgerError> {
        let (answer, appended) = oneshot::channel();
        self.hand_over(event, Some(answer))?;
        appended.await.unwrap_or(Err(LedgerError::Closed))
    }

    /// Hands an event over to be recorded soon, and waits for nothing. Such events are gathered for
    /// a moment, so that many share one commit; a crash loses those of that moment.
    ///
    /// # Errors
    /// [`LedgerError::Full`], [`LedgerError::Invalid`] or [`LedgerError::Closed`]. What goes wrong
    /// later is told to the observers alone.
    pub fn send(&self, event: LedgerEvent) -> Result<(), LedgerError> {
        self.hand_over(event, None)
    }

    fn hand_over(&self, event: LedgerEvent, answer: Option<Answer>) -> Result<(), LedgerError> {
        rows::check(&event)?;
        self.queue.try_send(Message { event, answer }).map_err(|refused| match refused {
            mpsc::error::TrySendError::Full(message) => {
                self.shared.dropped.fetch_add(1, Ordering::Relaxed);
                self.shared.lost.keep([&message.event]);
                LedgerError::Full
            }
            mpsc::error::TrySendError::Closed(_) => LedgerError::Closed,
        })
    }

    /// The policy that an operator set last.
    ///
    /// # Errors
    /// [`LedgerError::Store`].
    pub async fn policy(&self) -> Result<Option<Policy>, LedgerError> {
        rows::policy(&self.store).await
    }

    /// The first `limit` events after a place, oldest first.
    ///
    /// # Errors
    /// [`LedgerError::Store`].
    pub async fn replay(&self, after_seq: u64, limit: usize) -> Result<Vec<Recorded>, LedgerError> {
        rows::replay(&self.store, after_seq, limit).await
    }

    /// Keeps what was folded from the events up to `seq`, under a name, so that the fold can go on
    /// from there after a restart.
    ///
    /// # Errors
    /// [`LedgerError::Store`].
    pub async fn save_snapshot(
        &self,
        name: &str,
        seq: u64,
        bytes: &[u8],
    ) -> Result<(), LedgerError> {
        let mut batch = Batch::new();
        let mut value = keys::number(seq);
        value.extend_from_slice(bytes);
        batch.put(Table::Statistics, name, value);
        Ok(self.store.commit(batch).await?)
    }

    /// What [`Ledger::save_snapshot`] kept under this name, with its place.
    ///
    /// # Errors
    /// [`LedgerError::Store`].
    pub async fn load_snapshot(&self, name: &str) -> Result<Option<(u64, Vec<u8>)>, LedgerError> {
        let found = self.store.get(Table::Statistics, name.as_bytes()).await?;
        let Some(value) = found else { return Ok(None) };
        let (seq, bytes) =
            keys::split_number(&value).ok_or(StoreError::Unreadable(Table::Statistics.name()))?;
        Ok(Some((seq, bytes.to_vec())))
    }

    /// The ledger's condition now.
    #[must_use]
    pub fn status(&self) -> LedgerStatus {
        LedgerStatus {
            last_seq: self.shared.last_seq.load(Ordering::Acquire),
            first_seq: self.shared.first_seq.load(Ordering::Acquire),
            queued: self.queue.max_capacity() - self.queue.capacity(),
            dropped: self.shared.dropped.load(Ordering::Relaxed),
            store_failing: self.shared.store_failing.load(Ordering::Relaxed),
        }
    }
}

/// An event on its way to the task.
#[derive(Debug)]
struct Message {
    event: LedgerEvent,
    /// `None` where nobody waits for it.
    answer: Option<Answer>,
}

type Answer = oneshot::Sender<Result<Appended, LedgerError>>;

impl Message {
    fn is_awaited(&self) -> bool {
        self.answer.as_ref().is_some_and(|answer| !answer.is_closed())
    }
}

/// What the task tells the handles.
#[derive(Debug, Default)]
struct Shared {
    last_seq: AtomicU64,
    first_seq: AtomicU64,
    dropped: AtomicU64,
    store_failing: AtomicBool,
    lost: lost::Lost,
}
