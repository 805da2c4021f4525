//! What all handles of a lake share, and how a change reaches the store and the readers.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
};

use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use super::{
    ATTEMPTS, Entry, EpochBegun, LakeOptions, Reward, Sentences, TickReport,
    embedded::OwnSentences,
    index::{Epoch, Index, Key, Pool},
    plan::{Change, Plan, Why, Work as Waiting},
    rows::{Rows, curated_epoch_key, epoch_key},
};
use crate::{
    domain::TenantId,
    paraphrase::{Acceptance, Matcher},
    seal::Keyring,
    store::{Batch, Store, StoreError, Table, decode, encode},
};

/// The lake itself.
#[derive(Debug)]
pub(super) struct Inner {
    pub(super) store: Store,
    pub(super) rows: Rows,
    pub(super) options: LakeOptions,
    index: RwLock<Index>,
    work: Mutex<Work>,
    /// Whether there is work, so that an idle tick asks for no lock.
    pub(super) has_work: AtomicBool,
    /// Wakes whoever waits for work.
    pub(super) arrived: Notify,
    /// Whether a tick is under way.
    ticking: AtomicBool,
    /// When the next entry expires.
    pub(super) next_expiry: AtomicI64,
    /// Place of the newest outcome whose effect is durable.
    pub(super) rewarded_seq: AtomicU64,
    pub(super) hits: AtomicU64,
    pub(super) hits_by_meaning: AtomicU64,
    /// From which likeness on an answer is recalled by meaning.
    pub(super) acceptance: Acceptance,
    /// The same where a sentence model was asked.
    pub(super) sentences: Option<OwnSentences>,
    pub(super) misses: AtomicU64,
    pub(super) evicted: AtomicU64,
    pub(super) rewards_dropped: AtomicU64,
    /// Near-duplicates merged since the start.
    pub(super) merged: AtomicU64,
}

/// What waits for a tick.
#[derive(Debug, Default)]
struct Work {
    rewards: VecDeque<Reward>,
    recent: VecDeque<(TenantId, Key)>,
    /// Entries whose contradiction may have been settled.
    settled: VecDeque<(TenantId, Key)>,
    last_seq: u64,
}

/// What the lake notes about itself.
#[derive(Debug, Serialize, Deserialize)]
struct Note {
    rewarded_seq: u64,
}

const NOTE: &[u8] = b"lake";
/// Most outcomes, and most recent entries, that wait for a tick.
const WAITING: usize = 65_536;

/// The right to tick, given back when it is dropped.
pub(super) struct TickTurn<'i>(&'i AtomicBool);

impl Drop for TickTurn<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

/// What became of showing a written entry to the readers.
pub(super) enum Published {
    Done,
    /// The key was taken away by somebody in between: only the store knows.
    InDoubt,
    /// What the entry rests on was forgotten in between.
    Forgotten,
}

impl Inner {
    pub(super) async fn open(
        store: Store,
        options: LakeOptions,
        keyring: Keyring,
        sentences: Option<Sentences>,
    ) -> Result<Self, StoreError> {
        let rows = Rows::new(keyring);
        let mut index = rows.load(&store).await?;
        // What was waiting when the program ended is not known.
        index.free_all();
        let note = store.get(Table::Meta, NOTE).await?;
        let note: Option<Note> = note.map(|v| decode(Table::Meta, &v)).transpose()?;
        let rewarded_seq = note.map_or(0, |note| note.rewarded_seq);
        let inner = Self {
            store,
            rows,
            options,
            index: RwLock::new(index),
            work: Mutex::new(Work { last_seq: rewarded_seq, ..Work::default() }),
            has_work: AtomicBool::new(false),
            arrived: Notify::new(),
            ticking: AtomicBool::new(false),
            next_expiry: AtomicI64::new(i64::MAX),
            rewarded_seq: AtomicU64::new(rewarded_seq),
            hits: AtomicU64::new(0),
            hits_by_meaning: AtomicU64::new(0),
            acceptance: Matcher::shipped().acceptance(options.max_wrong_hit_rate),
            sentences: sentences.map(|s| OwnSentences::new(s, options.max_wrong_hit_rate)),
            misses: AtomicU64::new(0),
            evicted: AtomicU64::new(0),
            rewards_dropped: AtomicU64::new(0),
            merged: AtomicU64::new(0),
        };
        inner.note_bounds();
        Ok(inner)
    }

    /// Shows a written entry to the readers, unless something came in between.
    pub(super) fn publish(
        &self,
        tenant: &TenantId,
        key: &Key,
        old: Option<&Arc<Entry>>,
        new: Entry,
        removals: u64,
    ) -> Published {
        let mut index = self.write();
        let forgotten = index.is_entry_forgotten(tenant, &new);
        let present = index.pool(tenant).and_then(|pool| pool.entry(key));
        let unchanged = present.as_ref().map(|e| e.ladder.revision)
            == old.map(|e| e.ladder.revision)
            && (present.is_some() || index.removals == removals);
        if unchanged {
            index.set(tenant, key, Some(Arc::new(new)));
        }
        drop(index);
        self.note_bounds();
        match (forgotten, unchanged) {
            (true, _) => Published::Forgotten,
            (false, true) => Published::Done,
            (false, false) => Published::InDoubt,
        }
    }

    /// Takes an entry over from the store as it is there. What was forgotten, or is stale, is not
    /// taken over; it is returned, so that it can be written over before it is deleted.
    pub(super) async fn refresh(
        &self,
        tenant: &TenantId,
        key: &Key,
    ) -> Result<Option<Entry>, StoreError> {
        let row = self.rows.key(tenant, key);
        let seen = |index: &Index| {
            let present = index.pool(tenant).and_then(|pool| pool.entry(key));
            (present.map(|e| e.ladder.revision), index.removals)
        };
        for _ in 0..ATTEMPTS {
            let before = seen(&self.read());
            let found = self.stored(&row).await?;
            let mut index = self.write();
            // What is being forgotten may still be in the store; it must not come back from there.
            let (gone, found) = match found {
                Some(entry) if index.is_entry_forgotten(tenant, &entry) => (Some(entry), None),
                found => (None, found),
            };
            // When somebody showed something newer in between, what was read may be older.
            if seen(&index) == before {
                index.set(tenant, key, found.map(Arc::new));
                drop(index);
                self.note_bounds();
                return Ok(gone);
            }
        }
        Ok(None)
    }

    async fn stored(&self, row: &[u8]) -> Result<Option<Entry>, StoreError> {
        let found = self.store.get(Table::Lake, row).await?;
        found.map(|value| self.rows.entry(row, &value)).transpose()
    }

    /// Deletes entries from the store, unless somebody has written better ones in their place
    /// meanwhile: those are shown to the readers. Returns how many it deleted.
    pub(super) async fn delete(
        &self,
        tenant: &TenantId,
        mut gone: Vec<(Key, Arc<Entry>)>,
    ) -> Result<usize, StoreError> {
        for _ in 0..ATTEMPTS {
            let mut batch = Batch::new();
            for (key, entry) in &gone {
                let row = self.rows.key(tenant, key);
                batch.require(Table::Lake, row.as_slice(), Some(self.rows.value(&row, entry)?));
                batch.delete(Table::Lake, row);
            }
            match self.store.commit(batch).await {
                Ok(()) => return Ok(gone.len()),
                Err(StoreError::Conflict) => {}
                Err(error) => return Err(error),
            }
            let mut left = Vec::new();
            for (key, _) in gone {
                let found = self.stored(&self.rows.key(tenant, &key)).await?;
                match found.filter(|entry| self.read().is_entry_forgotten(tenant, entry)) {
                    Some(entry) => left.push((key, Arc::new(entry))),
                    None => drop(self.refresh(tenant, &key).await?),
                }
            }
            gone = left;
        }
        Err(StoreError::Conflict)
    }

    /// Makes a plan durable; fails with a conflict when somebody changed the same entries first.
    pub(super) async fn write_down(
        &self,
        plan: &Plan,
        rewards: &[Reward],
    ) -> Result<(), StoreError> {
        let mut batch = Batch::new();
        for change in &plan.changes {
            let row = self.rows.key(&change.tenant, &change.key);
            let from = self.rows.value(&row, &change.from)?;
            batch.require(Table::Lake, row.as_slice(), Some(from));
            match &change.to {
                Some(entry) => {
                    let value = self.rows.value(&row, entry)?;
                    batch.put(Table::Lake, row, value);
                }
                None => batch.delete(Table::Lake, row),
            }
        }
        // Outcomes without an effect are noted, too: replayed after a restart, they might have one.
        if let Some(last) = rewards.iter().take(plan.rewards).next_back() {
            batch.put(Table::Meta, NOTE, encode(Table::Meta, &Note { rewarded_seq: last.seq })?);
        }
        if batch.is_empty() {
            return Ok(());
        }
        self.store.commit(batch).await
    }

    /// Shows a durable plan to the readers.
    pub(super) fn carry_out(&self, plan: Plan, rewards: &[Reward]) -> TickReport {
        let mut report = TickReport {
            rewarded: plan.rewards,
            examined: plan.recent,
            intersections: plan.intersections,
            ..TickReport::default()
        };
        {
            let mut index = self.write();
            for Change { tenant, key, from, to, why } in plan.changes {
                report.disputed += usize::from(why == Why::Disputed);
                report.restored += usize::from(why == Why::Restored);
                report.merged += usize::from(why == Why::Merged && to.is_none());
                report.evicted += usize::from(matches!(why, Why::Expired | Why::Surplus));
                let present = index.pool(&tenant).and_then(|pool| pool.entry(&key));
                if present.is_some_and(|e| e.ladder.revision == from.ladder.revision) {
                    index.set(&tenant, &key, to.map(Arc::new));
                }
            }
        }
        {
            let mut work = self.work();
            work.rewards.drain(..plan.rewards);
            work.recent.drain(..plan.recent);
            work.settled.drain(..plan.settled);
            self.has_work.store(!work.is_empty(), Ordering::Release);
        }
        if let Some(last) = rewards.iter().take(plan.rewards).next_back() {
            self.rewarded_seq.store(last.seq, Ordering::Release);
        }
        self.evicted.fetch_add(report.evicted as u64, Ordering::Relaxed);
        self.merged.fetch_add(report.merged as u64, Ordering::Relaxed);
        self.note_bounds();
        report
    }

    /// Queues an outcome for the next tick; `false` when too many wait.
    pub(super) fn apply_later(&self, reward: Reward) -> bool {
        let mut work = self.work();
        if reward.seq <= work.last_seq {
            return true;
        }
        if work.rewards.len() >= WAITING {
            self.rewards_dropped.fetch_add(1, Ordering::Relaxed);
            return false;
        }
        work.last_seq = reward.seq;
        work.rewards.push_back(reward);
        self.wake();
        true
    }

    /// The right to tick; `None` while somebody else has it.
    pub(super) fn begin_tick(&self) -> Option<TickTurn<'_>> {
        let taken = self.ticking.swap(true, Ordering::AcqRel);
        (!taken).then(|| TickTurn(&self.ticking))
    }

    /// What is next, left in its place until it is done.
    pub(super) fn next_work(&self, most: usize) -> Waiting {
        let work = self.work();
        Waiting {
            rewards: work.rewards.iter().take(most).cloned().collect(),
            recent: work.recent.iter().take(most).cloned().collect(),
            settled: work.settled.iter().take(most).cloned().collect(),
        }
    }

    pub(super) fn rewards_waiting(&self) -> usize {
        self.work().rewards.len()
    }

    /// Queues an entry to be compared with its neighbours in the next tick.
    pub(super) fn examine_later(&self, tenant: &TenantId, key: &Key) {
        let mut work = self.work();
        // Beyond the bound an entry is not compared: it is recalled all the same.
        if work.recent.len() < WAITING {
            work.recent.push_back((tenant.clone(), Arc::clone(key)));
            self.wake();
        }
    }

    /// Queues entries that contradicted one which is gone: nothing may speak against them any longer.
    fn reconsider_later(&self, freed: Vec<(TenantId, Key)>) {
        let mut work = self.work();
        for place in freed {
            if work.settled.len() < WAITING {
                work.settled.push_back(place);
                self.wake();
            }
        }
    }

    /// Lets the next tick run, though it finds nothing to do: whoever watches ticks hears that
    /// something has changed.
    pub(super) fn wake(&self) {
        self.has_work.store(true, Ordering::Release);
        self.arrived.notify_one();
    }

    /// Makes stale what a tenant has remembered up to a moment, with what is `curated` or without it,
    /// durably; the rows go afterwards, and at the latest with the next start.
    pub(super) async fn begin_epoch(
        &self,
        tenant: &TenantId,
        at_ms: i64,
        curated: bool,
    ) -> Result<EpochBegun, StoreError> {
        /// Rows that are deleted at once.
        const GROUP: usize = 512;
        let mut batch = Batch::new();
        let curated_ms = if curated { at_ms } else { i64::MIN };
        // A clock that was set back takes no epoch back.
        let epoch = self.read().epoch(tenant).joined(Epoch { learned_ms: at_ms, curated_ms });
        batch.put(Table::Meta, epoch_key(tenant), encode(Table::Meta, &epoch.learned_ms)?);
        if curated {
            let value = encode(Table::Meta, &epoch.curated_ms)?;
            batch.put(Table::Meta, curated_epoch_key(tenant), value);
        }
        self.store.commit(batch).await?;
        let (gone, curated_kept) = {
            let mut index = self.write();
            let gone = index.begin_epoch(tenant, epoch);
            (gone, index.pool(tenant).map_or(0, Pool::curated))
        };
        self.evicted.fetch_add(gone.len() as u64, Ordering::Relaxed);
        self.note_bounds();
        self.wake();
        for group in gone.chunks(GROUP) {
            if let Err(error) = self.delete(tenant, group.to_vec()).await {
                tracing::warn!(%error, "stale answers stay in the store until the next start");
                break;
            }
        }
        Ok(EpochBegun { evicted: gone.len(), curated_kept })
    }

    /// Notes when the next entry expires, whether there is a surplus to evict, and what is to be
    /// reconsidered after what has changed.
    pub(super) fn note_bounds(&self) {
        if self.read().has_freed() {
            let freed = self.write().take_freed();
            self.reconsider_later(freed);
        }
        let index = self.read();
        let surplus = index.totals.entries > self.options.max_entries
            || index.totals.bytes > self.options.max_bytes;
        let next = if surplus { i64::MIN } else { index.next_expiry().unwrap_or(i64::MAX) };
        if next < self.next_expiry.swap(next, Ordering::AcqRel) {
            self.arrived.notify_one();
        }
    }

    /// Whether nothing more may come in before a tick has evicted the surplus.
    pub(super) fn is_overfull(&self, index: &Index) -> bool {
        let LakeOptions { max_entries, max_bytes, .. } = self.options;
        index.totals.entries > max_entries.saturating_add(max_entries / 16)
            || index.totals.bytes > max_bytes.saturating_add(max_bytes / 16)
    }

    pub(super) fn read(&self) -> RwLockReadGuard<'_, Index> {
        self.index.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn write(&self) -> RwLockWriteGuard<'_, Index> {
        self.index.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Work {
    fn is_empty(&self) -> bool {
        self.rewards.is_empty() && self.recent.is_empty() && self.settled.is_empty()
    }
}
