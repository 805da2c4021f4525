//! What a tick of the background loop changes. Pure: the same index, work and moment give the same
//! plan, and nothing is changed before the plan is durable.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, BinaryHeap},
    sync::Arc,
};

use super::{
    Entry, Reward,
    index::{Index, Key, Pool},
};
use crate::domain::TenantId;

/// Bounds of the lake, as far as a plan needs them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) max_entries: usize,
    pub(super) max_bytes: usize,
}

/// Why an entry changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    Rewarded,
    Disputed,
    Restored,
    Merged,
    Expired,
    Surplus,
    Embedded,
}

/// One entry before and after.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Change {
    pub(super) tenant: TenantId,
    pub(super) key: Key,
    pub(super) from: Arc<Entry>,
    /// `None` takes the entry away.
    pub(super) to: Option<Entry>,
    /// The last reason, where there are several.
    pub(super) why: Why,
}

/// The changes of one tick, and how much of the work they settle.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Plan {
    pub(super) changes: Vec<Change>,
    /// Rewards settled, from the front of the queue.
    pub(super) rewards: usize,
    /// Recent entries examined, from the front of the queue.
    pub(super) recent: usize,
    /// Entries reconsidered, from the front of the queue.
    pub(super) settled: usize,
    /// Intersections found at the recent entries.
    pub(super) intersections: usize,
}

/// What waits for a tick.
#[derive(Debug, Clone, Default)]
pub(super) struct Work {
    pub(super) rewards: Vec<Reward>,
    /// Entries to be compared with their neighbours.
    pub(super) recent: Vec<(TenantId, Key)>,
    /// Entries whose contradiction may have been settled.
    pub(super) settled: Vec<(TenantId, Key)>,
}

/// Plans at most about `budget` steps: a reward, an examined entry and an eviction are one each.
pub(super) fn plan(index: &Index, work: &Work, now_ms: i64, bounds: Bounds, budget: usize) -> Plan {
    let mut draft = Draft { index, changed: BTreeMap::new(), now_ms };
    let mut plan = Plan::default();
    let mut left = budget;
    for reward in work.rewards.iter().take(left) {
        draft.reward(reward);
        plan.rewards += 1;
    }
    left -= plan.rewards;
    for (tenant, key) in work.settled.iter().take(left) {
        draft.reconsider(tenant, key);
        plan.settled += 1;
    }
    left -= plan.settled;
    for (tenant, key) in work.recent.iter().take(left) {
        plan.intersections += draft.examine(tenant, key);
        plan.recent += 1;
    }
    left -= plan.recent;
    left -= draft.expire(now_ms, left);
    draft.evict_surplus(now_ms, bounds, left);
    plan.changes = draft.into_changes();
    plan
}

struct Draft<'i> {
    index: &'i Index,
    changed: BTreeMap<(TenantId, Key), (Option<Entry>, Why)>,
    now_ms: i64,
}

impl Draft<'_> {
    /// An outcome moves the entries that it speaks of along the ladder. A refutation also takes
    /// what rests on them out of use, until an outcome of its own, and settles what contradicted
    /// them alone.
    fn reward(&mut self, reward: &Reward) {
        let Some(pool) = self.index.pool(&reward.tenant) else { return };
        let by_meaning = reward.likeness.zip(reward.recalled_from);
        if let Some((likeness, origin)) = by_meaning {
            for key in pool.of_origin(origin) {
                self.change(&reward.tenant, pool, key, Why::Rewarded, |entry| {
                    entry.ladder.reward_by_meaning(likeness, reward.score, reward.previous);
                });
            }
        }
        let exactly = reward.recalled_from.filter(|_| by_meaning.is_none());
        let mut origins: Vec<_> = std::iter::once(reward.response).chain(exactly).collect();
        let judged: BTreeSet<&Key> = origins.iter().flat_map(|&o| pool.of_origin(o)).collect();
        for key in &judged {
            self.change(&reward.tenant, pool, key, Why::Rewarded, |entry| {
                entry.ladder.reward(reward.score, reward.previous);
            });
        }
        if reward.score >= 0.5 || judged.is_empty() {
            return;
        }
        for key in &judged {
            let Some(entry) = pool.entry(key) else { continue };
            for (other, agrees) in pool.intersections(key, &entry) {
                if !agrees {
                    self.reconsider(&reward.tenant, &other);
                }
            }
        }
        let mut seen: BTreeSet<Key> = judged.into_iter().map(Arc::clone).collect();
        origins.extend(
            seen.iter()
                .filter_map(|key| pool.entry(key))
                .flat_map(|e| e.origins().collect::<Vec<_>>()),
        );
        while let Some(origin) = origins.pop() {
            for key in pool.resting_on(origin) {
                if seen.insert(Arc::clone(&key)) {
                    origins.extend(
                        pool.entry(&key).into_iter().flat_map(|e| e.origins().collect::<Vec<_>>()),
                    );
                    self.change(&reward.tenant, pool, &key, Why::Disputed, |entry| {
                        entry.ladder.unfounded |= !entry.ladder.is_vindicated();
                    });
                }
            }
        }
    }

    /// A contradiction takes both sides out of use, unless outcomes have spoken for one, or an
    /// operator for one alone. Of near-duplicates that agree, the lower is merged into the higher.
    fn examine(&mut self, tenant: &TenantId, key: &Key) -> usize {
        let Some(pool) = self.index.pool(tenant) else { return 0 };
        let Some(entry) = pool.entry(key) else { return 0 };
        let found = pool.intersections(key, &entry);
        for (other, agrees) in &found {
            let (own, theirs) =
                (self.current(tenant, pool, key), self.current(tenant, pool, other));
            let (Some(entry), Some(neighbour)) = (own, theirs) else { continue };
            // What was refuted, or is over, speaks against nothing.
            if *agrees || !self.can_speak(&entry) || !self.can_speak(&neighbour) {
                continue;
            }
            for (side, vouched) in [
                (key, entry.curated && !neighbour.curated),
                (other, neighbour.curated && !entry.curated),
            ] {
                self.change(tenant, pool, side, Why::Disputed, |entry| {
                    entry.ladder.disputed |= !entry.ladder.is_vindicated() && !vouched;
                });
            }
        }
        for (other, agrees) in &found {
            if *agrees {
                self.merge(tenant, pool, key, other);
            }
        }
        found.len()
    }

    /// Makes the lower of two that agree another spelling of the higher. Both stay as they are while
    /// one of them is in doubt, or when something of it would be lost.
    fn merge(&mut self, tenant: &TenantId, pool: &Pool, a: &Key, b: &Key) {
        let (Some(first), Some(second)) =
            (self.current(tenant, pool, a), self.current(tenant, pool, b))
        else {
            return;
        };
        let sound = |entry: &Entry| entry.is_recallable(self.now_ms, entry.epoch);
        if !sound(&first) || !sound(&second) {
            return;
        }
        let place = |entry: &Entry| (entry.curated, entry.rank());
        let (pa, pb) = (place(&first), place(&second));
        let order = pa.0.cmp(&pb.0).then(pa.1.total_cmp(&pb.1));
        let order = order.then(second.created_ms.cmp(&first.created_ms)).then(b.cmp(a));
        let ((high, higher), (low, lower)) =
            if order.is_ge() { ((a, first), (b, second)) } else { ((b, second), (a, first)) };
        let Some(whole) = higher.absorbing(&lower, low) else { return };
        self.changed.insert((tenant.clone(), Arc::clone(high)), (Some(whole), Why::Merged));
        self.changed.insert((tenant.clone(), Arc::clone(low)), (None, Why::Merged));
    }

    /// What was disputed is in use again when everything that contradicts it has been refuted.
    fn reconsider(&mut self, tenant: &TenantId, key: &Key) {
        let Some(pool) = self.index.pool(tenant) else { return };
        let Some(entry) = self.current(tenant, pool, key).filter(|e| e.ladder.disputed) else {
            return;
        };
        let opposed = pool.intersections(key, &entry).into_iter().any(|(other, agrees)| {
            let other = self.current(tenant, pool, &other);
            !agrees && other.is_some_and(|other| self.can_speak(&other))
        });
        if !opposed {
            self.change(tenant, pool, key, Why::Restored, |entry| entry.ladder.disputed = false);
        }
    }

    /// Whether an entry can speak against others: not once it was refuted, or its time is over.
    fn can_speak(&self, entry: &Entry) -> bool {
        !entry.ladder.is_refuted() && !entry.is_expired(self.now_ms)
    }

    /// The entry as the plan has it so far; `None` when it takes it away.
    fn current(&self, tenant: &TenantId, pool: &Pool, key: &Key) -> Option<Entry> {
        match self.changed.get(&(tenant.clone(), Arc::clone(key))) {
            Some((to, _)) => to.clone(),
            None => pool.entry(key).map(|entry| Entry::clone(&entry)),
        }
    }

    fn expire(&mut self, now_ms: i64, most: usize) -> usize {
        let mut expired = 0;
        for (tenant, key) in self.index.expired(now_ms).take(most) {
            self.changed.insert((tenant.clone(), Arc::clone(key)), (None, Why::Expired));
            expired += 1;
        }
        expired
    }

    /// Over the size budget, the lowest ranks go, from whichever tenant has most entries: one
    /// tenant's questions cannot push out another's.
    fn evict_surplus(&mut self, now_ms: i64, bounds: Bounds, most: usize) {
        let gone = self.changed.values().filter(|(to, _)| to.is_none()).count();
        let totals = self.index.totals;
        let mut entries = totals.entries.saturating_sub(gone);
        let mut bytes = totals.bytes;
        if entries <= bounds.max_entries && bytes <= bounds.max_bytes {
            return;
        }
        // Some room beyond the bound, so that this is not needed again with the next entry.
        let enough = bounds.max_entries - bounds.max_entries / 32;
        let mut pools: BinaryHeap<_> = self
            .index
            .pools()
            .map(|(tenant, pool)| (pool.len(), Reverse(tenant), None::<Vec<Key>>))
            .collect();
        let mut evicted = 0;
        while evicted < most && (entries > enough || bytes > bounds.max_bytes) {
            let Some((count, Reverse(tenant), ladder)) = pools.pop() else { return };
            let Some(pool) = self.index.pool(tenant) else { continue };
            let mut ladder = ladder.unwrap_or_else(|| lowest_last(pool, now_ms));
            let Some(key) = ladder.pop() else { continue };
            pools.push((count.saturating_sub(1), Reverse(tenant), Some(ladder)));
            let place = (tenant.clone(), key);
            if self.changed.get(&place).is_some_and(|(to, _)| to.is_none()) {
                continue;
            }
            entries = entries.saturating_sub(1);
            bytes = bytes.saturating_sub(pool.entry(&place.1).map_or(0, |e| e.bytes()));
            self.changed.insert(place, (None, Why::Surplus));
            evicted += 1;
        }
    }

    fn change(
        &mut self,
        tenant: &TenantId,
        pool: &Pool,
        key: &Key,
        why: Why,
        change: impl FnOnce(&mut Entry),
    ) {
        let Some(before) = self.current(tenant, pool, key) else { return };
        let mut after = before.clone();
        change(&mut after);
        if after != before {
            self.changed.insert((tenant.clone(), Arc::clone(key)), (Some(after), why));
        }
    }

    fn into_changes(self) -> Vec<Change> {
        let index = self.index;
        let change = |((tenant, key), (to, why)): ((TenantId, Key), _)| {
            let pool = index.pool(&tenant)?;
            let (from, hits) = (pool.entry(&key)?, pool.hits(&key));
            let to = Option::<Entry>::map(to, |mut entry| {
                // Of what was merged into it, the hits are known to its own entry alone.
                let absorbed = entry.ladder.also_asked.iter();
                let absorbed = absorbed.filter(|s| !from.ladder.also_asked.contains(s));
                entry.ladder.hits = hits + absorbed.map(|s| pool.hits(s)).sum::<u64>();
                entry.ladder.revision = from.ladder.revision + 1;
                entry
            });
            Some(Change { tenant, key, from, to, why })
        };
        self.changed.into_iter().filter_map(change).collect()
    }
}

/// A pool's keys, the lowest of the ladder last.
fn lowest_last(pool: &Pool, now_ms: i64) -> Vec<Key> {
    let mut ladder: Vec<_> = pool.entries().collect();
    let place = |key: &Key, entry: &Entry| {
        (entry.is_recallable(now_ms, entry.epoch), entry.rank(), pool.hits(key), entry.created_ms)
    };
    ladder.sort_by(|(ka, a), (kb, b)| {
        let (pa, pb) = (place(ka, a), place(kb, b));
        pb.0.cmp(&pa.0)
            .then(pb.1.total_cmp(&pa.1))
            .then(pb.2.cmp(&pa.2))
            .then(pb.3.cmp(&pa.3))
            .then(kb.cmp(ka))
    });
    ladder.into_iter().map(|(key, _)| Arc::clone(key)).collect()
}
