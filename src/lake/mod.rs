//! The Confidence Lake: answers that were likely to be right and passed verification, remembered
//! per tenant and recalled when the same question is put again.
//!
//! Recall is by the question's normal form, else by what it means ([`Likeness`]), from memory,
//! without waiting for anything. Every
//! entry is durable before [`Lake::remember`] says so. The background loop calls [`Lake::tick`],
//! which compares near-duplicate questions, lets outcomes move entries along the ladder, and
//! evicts what is stale or ranks lowest.
//!
//! No lock is held while the store writes. Each write demands that the entry in the store is still
//! the one that it was decided on, so that two writers never undo each other.

mod curate;
mod elsewhere;
mod embedded;
mod entry;
mod guard;
mod index;
mod inner;
mod meaning;
mod plan;
mod recall;
mod rows;
mod shelf;
mod volatile;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod keeping;
#[cfg(test)]
mod tests;

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use crate::{
    domain::{LedgerEvent, Recorded, ResponseId, TenantId},
    seal::Keyring,
    store::{Batch, Store, StoreError, Table},
    text::normal_key,
};

pub use curate::{Curated, Refusal};
pub use embedded::{Embedded, Sentences};
pub use entry::{Entry, FLOOR, Ladder, RecalledByMeaning};
pub use guard::worth_remembering;
pub use meaning::{BYTES_PER_PLACE, Meanings};
pub use recall::{Likeness, Nearest, Recalled};
pub use shelf::{Kept, Shelf, ShelfStats};

use index::Key;
use inner::{Inner, Published};
use plan::{Bounds, plan};

/// Bounds of the lake.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LakeOptions {
    /// How long an answer is remembered; `None` is for ever.
    pub ttl: Option<Duration>,
    /// Most entries, of all tenants together. Within a tick or two it may be a little more.
    pub max_entries: usize,
    /// Most bytes of memory that the entries take, about.
    pub max_bytes: usize,
    /// Greatest share of differently meant questions that may get an answer by meaning, 0 to 1; with
    /// 0, answers are recalled exactly only.
    pub max_wrong_hit_rate: f64,
}

impl Default for LakeOptions {
    fn default() -> Self {
        Self {
            ttl: Some(Duration::from_hours(30 * 24)),
            max_entries: 50_000,
            max_bytes: 256 * 1024 * 1024,
            max_wrong_hit_rate: 0.01,
        }
    }
}

/// What a new epoch did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EpochBegun {
    /// Answers that went.
    pub evicted: usize,
    /// Answers that an operator vouches for, which stay.
    pub curated_kept: usize,
}

/// An outcome on its way to the entries that it speaks of.
#[derive(Debug, Clone, PartialEq)]
pub struct Reward {
    /// Place of the outcome in the ledger.
    pub seq: u64,
    /// Whose it is.
    pub tenant: TenantId,
    /// The response that was judged.
    pub response: ResponseId,
    /// The remembered response that its answer came from.
    pub recalled_from: Option<ResponseId>,
    /// Probability that the remembered question asks the same, where it was recalled by meaning.
    pub likeness: Option<f64>,
    /// 1 is right, 0 is wrong.
    pub score: f64,
    /// The earlier score of the judged response, which this one replaces.
    pub previous: Option<f64>,
}

impl Reward {
    /// The reward in an event of the ledger; `None` when it is no outcome.
    #[must_use]
    pub fn of(recorded: &Recorded) -> Option<Self> {
        let LedgerEvent::Outcome(outcome) = &recorded.event else { return None };
        Some(Self {
            seq: recorded.seq,
            tenant: outcome.tenant.clone(),
            response: outcome.response,
            recalled_from: recorded.decision.as_ref().and_then(|d| d.recalled_from),
            likeness: recorded.decision.as_ref().and_then(|d| d.recalled_likeness),
            score: outcome.score,
            previous: recorded.previous_score,
        })
    }
}

/// What a tick did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TickReport {
    /// Outcomes applied.
    pub rewarded: usize,
    /// Recently changed entries compared with their neighbours.
    pub examined: usize,
    /// Near-duplicates found at them.
    pub intersections: usize,
    /// Entries taken out of use by a contradiction, or by the refutation of what they rest on.
    pub disputed: usize,
    /// Entries that are in use again because what contradicted them was refuted.
    pub restored: usize,
    /// Entries merged into a near-duplicate with the same answer.
    pub merged: usize,
    /// Entries evicted.
    pub evicted: usize,
    /// Whether somebody else changed the same entries first; then nothing was done, and the next
    /// tick does it.
    pub conflict: bool,
}

/// The lake's condition.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct LakeStats {
    /// Entries, of all tenants together.
    pub entries: usize,
    /// Bytes that they take, about.
    pub bytes: usize,
    /// Entries out of use by a contradiction, or by the refutation of what they rest on.
    pub disputed: usize,
    /// Entries that an operator put in.
    pub curated: usize,
    /// Spellings that entries answer beside their own, after merging.
    pub spellings: usize,
    /// Near-duplicates merged since the start.
    pub merged: u64,
    /// Recalls that found an answer, since the start.
    pub hits: u64,
    /// Those among them that found one by meaning.
    pub hits_by_meaning: u64,
    /// Recalls that found none, since the start.
    pub misses: u64,
    /// Entries evicted or forgotten, since the start.
    pub evicted: u64,
    /// Outcomes that wait for the next tick.
    pub rewards_waiting: usize,
    /// Outcomes that came while too many waited, since the start.
    pub rewards_dropped: u64,
    /// Near-duplicates whose answers agree, those that were merged included.
    pub agreeing: usize,
    /// Pairs whose answers contradict each other.
    pub contradicting: usize,
    /// Share of the pairs that agree; `None` when there are none.
    pub coherence: Option<f64>,
}

/// The lake. Cheap to clone; all clones are one lake.
#[derive(Debug, Clone)]
pub struct Lake {
    inner: Arc<Inner>,
}

/// Longest answer, in bytes, and most citations.
const MAX_CONTENT: usize = 64 * 1024;
const MAX_CITATIONS: usize = 32;
/// Attempts to write an entry that others are writing, too.
const ATTEMPTS: usize = 16;

impl Lake {
    /// Opens the lake in a store and loads its entries.
    ///
    /// # Errors
    /// What keeps the store from being read or written.
    pub async fn open(store: Store, options: LakeOptions) -> Result<Self, StoreError> {
        Self::open_sealed(store, options, Keyring::plain()).await
    }

    /// [`Lake::open`] with keys: rows are sealed with the first of them, and what an earlier one
    /// sealed is written anew. `admit` of the room `seal` has said before that the keys fit.
    ///
    /// # Errors
    /// As [`Lake::open`]; [`StoreError::Unreadable`] when a row's key is not among these.
    pub async fn open_sealed(
        store: Store,
        options: LakeOptions,
        keyring: Keyring,
    ) -> Result<Self, StoreError> {
        Self::open_embedding(store, options, keyring, None).await
    }

    /// [`Lake::open_sealed`] with a sentence model, by which questions are recalled, too.
    ///
    /// # Errors
    /// As [`Lake::open_sealed`].
    pub async fn open_embedding(
        store: Store,
        options: LakeOptions,
        keyring: Keyring,
        sentences: Option<Sentences>,
    ) -> Result<Self, StoreError> {
        Ok(Self { inner: Arc::new(Inner::open(store, options, keyring, sentences).await?) })
    }

    /// Remembers an answer; durable when this returns `true`. `false` says that it was not worth
    /// it: below the floor, volatile, empty or too large, resting on something forgotten, no
    /// better than what is there, or no room until the next tick.
    ///
    /// # Errors
    /// What keeps the store from being written.
    pub async fn remember(&self, tenant: &TenantId, entry: Entry) -> Result<bool, StoreError> {
        self.remember_at(tenant, entry, None).await
    }

    /// [`Lake::remember`] with the present fingerprint of the documents, where it is known: what was
    /// remembered from others is stale, and keeps nothing out.
    ///
    /// # Errors
    /// As [`Lake::remember`].
    pub async fn remember_at(
        &self,
        tenant: &TenantId,
        entry: Entry,
        epoch: Option<u64>,
    ) -> Result<bool, StoreError> {
        let Some(entry) = self.admitted(entry) else { return Ok(false) };
        let key: Key = Arc::from(normal_key(&entry.question));
        let row = self.inner.rows.key(tenant, &key);
        // What is forgotten or stale and still stands where this one is to be written.
        let mut gone: Option<Entry> = None;
        for _ in 0..ATTEMPTS {
            let (old, removals) = {
                let index = self.inner.read();
                if index.is_entry_forgotten(tenant, &entry) {
                    return Ok(false);
                }
                let old = index.pool(tenant).and_then(|pool| pool.entry(&key));
                if old.is_none() && self.inner.is_overfull(&index) {
                    return Ok(false);
                }
                (old, index.removals)
            };
            let Some(new) = entry.clone().in_place_of(old.as_deref(), epoch) else {
                return Ok(false);
            };
            let mut batch = Batch::new();
            let expected = self.inner.rows.expected(&row, old.as_deref().or(gone.as_ref()))?;
            batch.require(Table::Lake, row.as_slice(), expected);
            batch.put(Table::Lake, row.as_slice(), self.inner.rows.value(&row, &new)?);
            match self.inner.store.commit(batch).await {
                Ok(()) => return self.show(tenant, &key, old.as_ref(), new, removals).await,
                // Somebody else wrote the entry; perhaps he has not shown it to us yet.
                Err(StoreError::Conflict) => gone = self.inner.refresh(tenant, &key).await?,
                Err(error) => return Err(error),
            }
        }
        Err(StoreError::Conflict)
    }

    /// Shows a written entry to the readers; `false` when what it rests on was forgotten meanwhile,
    /// and it went, too.
    async fn show(
        &self,
        tenant: &TenantId,
        key: &Key,
        old: Option<&Arc<Entry>>,
        new: Entry,
        removals: u64,
    ) -> Result<bool, StoreError> {
        let (written, origin) = (Arc::new(new.clone()), new.origin);
        match self.inner.publish(tenant, key, old, new, removals) {
            Published::Done => self.inner.examine_later(tenant, key),
            Published::InDoubt => drop(self.inner.refresh(tenant, key).await?),
            Published::Forgotten => {
                self.forget(tenant, origin).await?;
                // Where nobody was shown it, forgetting did not find it.
                self.inner.delete(tenant, vec![(Arc::clone(key), written)]).await?;
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Evicts the answer of a response and all that rests on it; returns how many entries went.
    /// They are out of use at once, and for good when this returns `Ok`.
    ///
    /// # Errors
    /// What keeps the store from being written; then they are back.
    pub async fn forget(&self, tenant: &TenantId, origin: ResponseId) -> Result<usize, StoreError> {
        let gone = self.inner.write().forget(tenant, origin);
        if let Err(error) = self.inner.delete(tenant, gone.clone()).await {
            let mut index = self.inner.write();
            for (key, entry) in gone {
                if index.pool(tenant).is_none_or(|pool| pool.entry(&key).is_none()) {
                    index.set(tenant, &key, Some(entry));
                }
            }
            return Err(error);
        }
        self.inner.evicted.fetch_add(gone.len() as u64, Ordering::Relaxed);
        self.inner.note_bounds();
        self.inner.wake();
        Ok(gone.len())
    }

    /// Makes stale what a tenant has remembered up to this moment; what an operator vouches for only
    /// where `curated`. It is out of use at once, and for good when this returns `Ok`.
    ///
    /// # Errors
    /// What keeps the store from being written; then nothing has changed.
    pub async fn begin_epoch(
        &self,
        tenant: &TenantId,
        now_ms: i64,
        curated: bool,
    ) -> Result<EpochBegun, StoreError> {
        self.inner.begin_epoch(tenant, now_ms, curated).await
    }

    /// Hands over an outcome; the next tick applies it. Outcomes come in the order of the ledger,
    /// and one that came before is ignored, so that replaying the ledger from
    /// [`Lake::rewarded_seq`] after a restart loses and repeats nothing. Returns `false` when too
    /// many wait already.
    pub fn reward(&self, reward: Reward) -> bool {
        (0.0..=1.0).contains(&reward.score) && self.inner.apply_later(reward)
    }

    /// Place in the ledger up to which outcomes have had their durable effect.
    #[must_use]
    pub fn rewarded_seq(&self) -> u64 {
        self.inner.rewarded_seq.load(Ordering::Acquire)
    }

    /// Whether a tick at this moment would have nothing to do; three atomic loads.
    #[must_use]
    pub fn is_idle(&self, now_ms: i64) -> bool {
        !self.inner.has_work.load(Ordering::Acquire)
            && self.inner.next_expiry.load(Ordering::Acquire) > now_ms
    }

    /// Returns when there may be something to do: at once, when something comes, or when the next
    /// entry expires. Now and then it returns for nothing, so ask [`Lake::is_idle`].
    pub async fn until_work(&self, now_ms: i64) {
        /// Longest sleep: the time of day may be set.
        const NAP: Duration = Duration::from_secs(60);
        if !self.is_idle(now_ms) {
            return;
        }
        let left = self.inner.next_expiry.load(Ordering::Acquire).saturating_sub(now_ms);
        let left = Duration::from_millis(u64::try_from(left).unwrap_or(0));
        tokio::select! {
            () = self.inner.arrived.notified() => {}
            () = tokio::time::sleep(left.min(NAP)) => {}
        }
    }

    /// One pass of the background loop, of about `budget` steps at most: applies outcomes, compares
    /// recently changed entries with their near-duplicates, evicts. What it changes is durable when
    /// it returns. While one tick is under way, another does nothing.
    ///
    /// # Errors
    /// What keeps the store from being written; then nothing was done, and the next tick does it.
    pub async fn tick(&self, now_ms: i64, budget: usize) -> Result<TickReport, StoreError> {
        if self.is_idle(now_ms) {
            return Ok(TickReport::default());
        }
        let Some(_turn) = self.inner.begin_tick() else { return Ok(TickReport::default()) };
        let work = self.inner.next_work(budget);
        let bounds = Bounds {
            max_entries: self.inner.options.max_entries,
            max_bytes: self.inner.options.max_bytes,
        };
        let plan = plan(&self.inner.read(), &work, now_ms, bounds, budget);
        match self.inner.write_down(&plan, &work.rewards).await {
            Ok(()) => Ok(self.inner.carry_out(plan, &work.rewards)),
            Err(StoreError::Conflict) => {
                for change in &plan.changes {
                    self.inner.refresh(&change.tenant, &change.key).await?;
                }
                Ok(TickReport { conflict: true, ..TickReport::default() })
            }
            Err(error) => Err(error),
        }
    }

    /// The lake's condition now.
    #[must_use]
    pub fn stats(&self) -> LakeStats {
        let totals = self.inner.read().totals;
        let agreeing = totals.agreeing + totals.merged;
        let pairs = agreeing + totals.contradicting;
        let rewards_waiting = self.inner.rewards_waiting();
        #[expect(clippy::cast_precision_loss, reason = "a share of counted pairs")]
        let coherence = (pairs > 0).then(|| agreeing as f64 / pairs as f64);
        LakeStats {
            entries: totals.entries,
            bytes: totals.bytes,
            disputed: totals.disputed,
            curated: totals.curated,
            spellings: totals.merged,
            merged: self.inner.merged.load(Ordering::Relaxed),
            hits: self.inner.hits.load(Ordering::Relaxed),
            hits_by_meaning: self.inner.hits_by_meaning.load(Ordering::Relaxed),
            misses: self.inner.misses.load(Ordering::Relaxed),
            evicted: self.inner.evicted.load(Ordering::Relaxed),
            rewards_waiting,
            rewards_dropped: self.inner.rewards_dropped.load(Ordering::Relaxed),
            agreeing,
            contradicting: totals.contradicting,
            coherence,
        }
    }

    /// The entry as it would be kept; `None` when it is not worth keeping.
    fn admitted(&self, mut entry: Entry) -> Option<Entry> {
        let fits = entry.signal.get() >= FLOOR
            && !entry.content.trim().is_empty()
            && entry.content.len() <= MAX_CONTENT
            && entry.citations.len() <= MAX_CITATIONS
            && entry.citations.iter().all(|c| c.score.is_finite())
            && worth_remembering(&entry.question)
            && !entry.curated;
        let ttl = self.inner.options.ttl.map(|ttl| i64::try_from(ttl.as_millis()));
        if let Some(Ok(ttl)) = ttl {
            let end = entry.created_ms.saturating_add(ttl);
            entry.expires_ms = Some(entry.expires_ms.map_or(end, |own| own.min(end)));
        }
        (fits && !entry.is_expired(entry.created_ms)).then_some(entry)
    }
}
