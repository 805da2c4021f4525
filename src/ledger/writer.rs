//! The one task that writes the ledger.

use std::{
    collections::HashMap,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use tokio::{
    sync::mpsc,
    time::{Instant, timeout_at},
};
use tokio_util::sync::CancellationToken;

use super::{
    Appended, LedgerError, LedgerObserver, Message, Shared,
    rows::{self, HEAD, Head, LedgerRow, OutcomeRow, POLICY, Weight, response_key},
};
use crate::{
    domain::{AgreementRecord, DecisionRecord, LedgerEvent, OutcomeRecord, PolicyRecord, Recorded},
    store::{Batch, Store, StoreError, Table, decode, encode, keys},
};

/// Most events of one commit.
const GROUP: usize = 256;
/// Time for which events that nobody waits for are gathered. A commit costs as much as a good many
/// events, whatever their number.
const GATHERING: Duration = Duration::from_millis(20);
/// Decisions beyond the bound before pruning begins, and the most rows it removes at a time: many
/// at once and seldom is cheaper than one with every append.
const PRUNE_SLACK: u64 = 256;
const PRUNE_ROWS: usize = 1024;
/// Rows that are kept per decision that is kept. Revised outcomes add rows without decisions.
const ROWS_PER_DECISION: u64 = 4;
/// Events that are shown to the observers at a time when they catch up.
const PAGE: usize = 1024;

/// The task behind a [`super::Ledger`]; the caller spawns [`LedgerTask::run`] and waits for it.
pub struct LedgerTask {
    store: Store,
    waiting: mpsc::Receiver<Message>,
    shared: Arc<Shared>,
    observers: Vec<Arc<dyn LedgerObserver>>,
    retain: u64,
    /// The head as it is stored; `None` when a failed commit has left it in doubt.
    head: Option<StoredHead>,
    /// Place of the newest event that the observers have seen.
    observed: u64,
}

/// A head with the bytes it was read from or written as.
#[derive(Debug, Clone)]
struct StoredHead {
    head: Head,
    bytes: Option<Vec<u8>>,
}

impl LedgerTask {
    /// The task's name, for supervision.
    pub const NAME: &'static str = "ledger";

    pub(super) async fn open(
        store: Store,
        waiting: mpsc::Receiver<Message>,
        shared: Arc<Shared>,
        observers: Vec<Arc<dyn LedgerObserver>>,
        retain: u64,
    ) -> Result<Self, LedgerError> {
        let stored = load_head(&store).await?;
        let observed = stored.head.last_seq;
        let task = Self { store, waiting, shared, observers, retain, head: None, observed };
        Ok(task.with_head(stored))
    }

    /// Writes what is queued until `shutdown` is cancelled or every handle is gone; what is queued
    /// by then is still written. Later events are refused.
    pub async fn run(mut self, shutdown: CancellationToken) {
        let mut closing = false;
        loop {
            let mut group = Vec::new();
            let taken = tokio::select! {
                biased;
                () = shutdown.cancelled(), if !closing => {
                    self.waiting.close();
                    closing = true;
                    continue;
                }
                taken = self.waiting.recv_many(&mut group, GROUP) => taken,
            };
            if taken == 0 {
                return;
            }
            if !closing {
                self.gather(&mut group, &shutdown).await;
            }
            self.write(group).await;
        }
    }

    /// Lets more events join, as long as nobody waits for any of them.
    async fn gather(&mut self, group: &mut Vec<Message>, shutdown: &CancellationToken) {
        let until = Instant::now() + GATHERING;
        let mut known = 0;
        while group.len() < GROUP && !group.iter().skip(known).any(Message::is_awaited) {
            known = group.len();
            tokio::select! {
                () = shutdown.cancelled() => return,
                more = timeout_at(until, self.waiting.recv_many(group, GROUP - known)) => {
                    if !matches!(more, Ok(1..)) {
                        return;
                    }
                }
            }
        }
    }

    async fn write(&mut self, group: Vec<Message>) {
        let (events, answers): (Vec<_>, Vec<_>) =
            group.into_iter().map(|m| (m.event, m.answer)).unzip();
        let results = match self.try_write(&events).await {
            Ok(results) => results,
            Err(error) => {
                self.head = None;
                self.shared.store_failing.store(true, Ordering::Relaxed);
                self.shared.lost.keep(&events);
                self.shared.dropped.fetch_add(events.len() as u64, Ordering::Relaxed);
                self.observers.iter().for_each(|observer| observer.lost(events.len()));
                vec![Err(error); events.len()]
            }
        };
        for (answer, result) in answers.into_iter().zip(results) {
            // Whoever does not wait does not need to know.
            let _ = answer.map(|answer| answer.send(result));
        }
    }

    /// The inner results are the events' own; an outer error concerns all of them.
    async fn try_write(
        &mut self,
        events: &[LedgerEvent],
    ) -> Result<Vec<Result<Appended, LedgerError>>, LedgerError> {
        let stored = self.caught_up().await?;
        let mut page = Page::new(&self.store, &self.shared, stored.head);
        let mut results = Vec::with_capacity(events.len());
        for event in events {
            results.push(match page.add(event).await {
                // A record that cannot be read concerns those who need it; a store that fails
                // concerns everybody.
                Err(LedgerError::Store(error)) if !matches!(error, StoreError::Unreadable(_)) => {
                    return Err(LedgerError::Store(error));
                }
                own => own,
            });
        }
        if page.recorded.is_empty() {
            return Ok(results);
        }
        page.prune(self.retain).await?;
        let Page { head, mut batch, recorded, .. } = page;
        let bytes = encode(Table::Meta, &head)?;
        batch.require(Table::Meta, HEAD, stored.bytes);
        batch.put(Table::Meta, HEAD, bytes.as_slice());
        let since = Instant::now();
        self.store.commit(batch).await?;
        // Nothing less proves that the disk is well: a group that had nothing to write says nothing.
        self.shared.store_failing.store(false, Ordering::Relaxed);
        self.shared.lost.written(recorded.iter().map(|recorded| &recorded.event));
        self.set_head(StoredHead { head, bytes: Some(bytes) });
        self.show(&recorded, since.elapsed());
        Ok(results)
    }

    /// The stored head. After a commit that failed it is read again, and where the commit turns
    /// out to have been written the observers are shown its events.
    async fn caught_up(&mut self) -> Result<StoredHead, LedgerError> {
        if let Some(stored) = &self.head {
            return Ok(stored.clone());
        }
        let stored = load_head(&self.store).await?;
        while self.observed < stored.head.last_seq {
            let missed = rows::replay(&self.store, self.observed, PAGE).await?;
            if missed.is_empty() {
                break;
            }
            self.show(&missed, Duration::ZERO);
        }
        self.set_head(stored.clone());
        Ok(stored)
    }

    fn show(&mut self, recorded: &[Recorded], took: Duration) {
        for observer in &self.observers {
            observer.observe(recorded, took);
        }
        self.observed = recorded.last().map_or(self.observed, |r| r.seq);
    }

    fn set_head(&mut self, stored: StoredHead) {
        self.shared.last_seq.store(stored.head.last_seq, Ordering::Release);
        self.shared.first_seq.store(stored.head.first_seq, Ordering::Release);
        self.head = Some(stored);
    }

    fn with_head(mut self, stored: StoredHead) -> Self {
        self.set_head(stored);
        self
    }
}

impl std::fmt::Debug for LedgerTask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LedgerTask").field("head", &self.head).finish_non_exhaustive()
    }
}

async fn load_head(store: &Store) -> Result<StoredHead, LedgerError> {
    let bytes = store.get(Table::Meta, HEAD).await?;
    let head = match &bytes {
        Some(bytes) => decode(Table::Meta, bytes)?,
        None => Head::EMPTY,
    };
    Ok(StoredHead { head, bytes })
}

/// The events of one commit, each seeing those before it.
struct Page<'s> {
    store: &'s Store,
    shared: &'s Shared,
    head: Head,
    batch: Batch,
    recorded: Vec<Recorded>,
    decisions: HashMap<Vec<u8>, (u64, Arc<DecisionRecord>)>,
    outcomes: HashMap<Vec<u8>, OutcomeRow>,
    /// Version of the policy that this page sets.
    policy: Option<u64>,
}

impl<'s> Page<'s> {
    fn new(store: &'s Store, shared: &'s Shared, head: Head) -> Self {
        Self {
            store,
            shared,
            head,
            batch: Batch::new(),
            recorded: Vec::new(),
            decisions: HashMap::new(),
            outcomes: HashMap::new(),
            policy: None,
        }
    }

    async fn add(&mut self, event: &LedgerEvent) -> Result<Appended, LedgerError> {
        match event {
            LedgerEvent::Decision(decision) => self.decision(decision).await,
            LedgerEvent::Outcome(outcome) => self.outcome(outcome).await,
            LedgerEvent::Agreement(_) => Err(LedgerError::Invalid("agreement")),
            LedgerEvent::Policy(record) => self.policy(record).await,
        }
    }

    async fn decision(&mut self, decision: &Arc<DecisionRecord>) -> Result<Appended, LedgerError> {
        let key = response_key(&decision.tenant, decision.id);
        if let Some((seq, _)) = self.known(&key).await? {
            return Ok(Appended { seq, repeated: true, decision: None, previous_score: None });
        }
        let event = LedgerEvent::Decision(Arc::clone(decision));
        let appended = self.append(event, None, None)?;
        self.batch.put(Table::Decisions, key.as_slice(), keys::number(appended.seq));
        self.decisions.insert(key, (appended.seq, Arc::clone(decision)));
        self.head.decisions += 1;
        Ok(appended)
    }

    async fn outcome(&mut self, outcome: &OutcomeRecord) -> Result<Appended, LedgerError> {
        // Another tenant's response is under another key, hence as unknown as any other.
        let key = response_key(&outcome.tenant, outcome.response);
        let decision = self.judged(&key).await?;
        let earlier = match self.outcomes.get(&key) {
            Some(row) => Some(*row),
            None => {
                let found = self.store.get(Table::Outcomes, &key).await?;
                found.map(|v| decode::<OutcomeRow>(Table::Outcomes, &v)).transpose()?
            }
        };
        let weighed = earlier.map(|row| (row, row.weigh(outcome)));
        let (appended, row) = match weighed {
            Some((row, Weight::Repeats)) => {
                let (seq, decision) = (row.seq, Some(decision));
                return Ok(Appended { seq, repeated: true, decision, previous_score: None });
            }
            Some((row, Weight::Agreement)) => {
                let event = LedgerEvent::Agreement(AgreementRecord {
                    response: outcome.response,
                    tenant: outcome.tenant.clone(),
                    at_ms: outcome.at_ms,
                    agrees: outcome.score >= 0.5,
                });
                let appended = self.append(event, Some(decision), None)?;
                (appended, OutcomeRow { audited: true, ..row })
            }
            Some((_, Weight::Revises)) | None => {
                let event = LedgerEvent::Outcome(outcome.clone());
                let appended = self.append(event, Some(decision), earlier)?;
                let row = OutcomeRow {
                    seq: appended.seq,
                    score: outcome.score,
                    source: outcome.source,
                    probability: outcome.probability,
                    audited: earlier.is_some_and(|row| row.is_audited()),
                };
                (appended, row)
            }
        };
        self.batch.put(Table::Outcomes, key.as_slice(), encode(Table::Outcomes, &row)?);
        self.outcomes.insert(key, row);
        Ok(appended)
    }

    async fn policy(&mut self, record: &PolicyRecord) -> Result<Appended, LedgerError> {
        let current = match self.policy {
            Some(version) => Some(version),
            None => rows::policy(self.store).await?.map(|policy| policy.version),
        };
        let version = record.policy.version;
        if let Some(current) = current.filter(|c| c.checked_add(1) != Some(version)) {
            return Err(LedgerError::PolicyConflict { current });
        }
        let appended = self.append(LedgerEvent::Policy(record.clone()), None, None)?;
        self.batch.put(Table::Policy, POLICY, encode(Table::Policy, record.policy.as_ref())?);
        self.policy = Some(version);
        Ok(appended)
    }

    fn append(
        &mut self,
        event: LedgerEvent,
        decision: Option<Arc<DecisionRecord>>,
        previous: Option<OutcomeRow>,
    ) -> Result<Appended, LedgerError> {
        let row = LedgerRow {
            record: event,
            decision,
            previous_score: previous.map(|row| row.score),
            previous_probability: previous.and_then(|row| row.probability),
        };
        let value = encode(Table::Ledger, &row)?;
        self.head.last_seq += 1;
        let seq = self.head.last_seq;
        self.batch.put(Table::Ledger, keys::number(seq), value);
        let LedgerRow { record: event, decision, previous_score, previous_probability } = row;
        let decision_again = decision.clone();
        self.recorded.push(Recorded {
            seq,
            event,
            decision: decision_again,
            previous_score,
            previous_probability,
        });
        Ok(Appended { seq, repeated: false, decision, previous_score })
    }

    /// The decision of a response that is judged; one that was lost is recorded now, so that a disk
    /// that is still full refuses the judgement instead of denying the response.
    async fn judged(&mut self, key: &[u8]) -> Result<Arc<DecisionRecord>, LedgerError> {
        if let Some((_, decision)) = self.known(key).await? {
            return Ok(decision);
        }
        let Some(decision) = self.shared.lost.find(key) else {
            let failing = self.shared.store_failing.load(Ordering::Relaxed);
            let unsure = failing && self.shared.lost.overflowed();
            return Err(if unsure { LedgerError::Unsure } else { LedgerError::UnknownResponse });
        };
        self.decision(&decision).await?;
        Ok(decision)
    }

    async fn known(&self, key: &[u8]) -> Result<Option<(u64, Arc<DecisionRecord>)>, LedgerError> {
        match self.decisions.get(key) {
            Some(found) => Ok(Some(found.clone())),
            None => rows::decision(self.store, key).await,
        }
    }

    /// Removes the oldest events when there are too many, with all that belongs to a decision.
    async fn prune(&mut self, retain: u64) -> Result<(), LedgerError> {
        let most_rows = retain.saturating_mul(ROWS_PER_DECISION);
        let over = |head: &Head, slack: u64| {
            head.decisions > retain.saturating_add(slack)
                || head.rows() > most_rows.saturating_add(slack)
        };
        if !over(&self.head, PRUNE_SLACK) {
            return Ok(());
        }
        for row in self.store.scan(Table::Ledger, keys::EVERYTHING, PRUNE_ROWS, false).await? {
            if !over(&self.head, 0) {
                break;
            }
            let Some((seq, _)) = keys::split_number(&row.0) else { continue };
            if let Ok(Recorded { event: LedgerEvent::Decision(decision), .. }) =
                rows::recorded(&row)
            {
                let key = response_key(&decision.tenant, decision.id);
                self.batch.delete(Table::Decisions, key.as_slice());
                self.batch.delete(Table::Outcomes, key);
                self.head.decisions = self.head.decisions.saturating_sub(1);
            }
            self.batch.delete(Table::Ledger, row.0);
            self.head.first_seq = seq + 1;
        }
        Ok(())
    }
}
