//! What the lake holds in memory. A pool belongs to one tenant, and there is no way from an index
//! to an entry but through a pool: no code can search without a tenant.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{
    Entry,
    guard::{asks_the_same, signature},
    meaning::Meanings,
};
use crate::{
    domain::{ResponseId, TenantId},
    embedding::Embedding,
    paraphrase::{Matcher, Place},
};

/// A question's normal form.
pub(super) type Key = Arc<str>;

/// Most entries of one signature that are compared with each other.
const GROUP: usize = 16;
/// Points that a search by meaning looks at: some 2 ms.
const MOST_POINTS: usize = 1 << 15;
/// Forgotten origins that are kept in mind, so that an answer still on its way does not return.
const FORGOTTEN: usize = 4096;

/// All pools, with what is counted over them.
#[derive(Debug, Default)]
pub(super) struct Index {
    pools: BTreeMap<TenantId, Pool>,
    expiries: BTreeSet<(i64, TenantId, Key)>,
    forgotten: VecDeque<(TenantId, ResponseId)>,
    /// The moment up to which a tenant's answers are stale.
    epochs: BTreeMap<TenantId, Epoch>,
    pub(super) totals: Totals,
    /// Disputed entries of which a contradiction may be gone.
    freed: Vec<(TenantId, Key)>,
    /// Counts removals, so that a late insertion can tell that its key may have gone since.
    pub(super) removals: u64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) entries: usize,
    pub(super) bytes: usize,
    pub(super) disputed: usize,
    pub(super) agreeing: usize,
    pub(super) contradicting: usize,
    /// Near-duplicates that became another spelling of an entry.
    pub(super) merged: usize,
    pub(super) curated: usize,
    /// Entries that have a point.
    pub(super) embedded: usize,
}

impl Totals {
    fn add(&mut self, other: &Self) {
        for (mine, theirs) in self.fields().into_iter().zip({ *other }.fields()) {
            *mine += *theirs;
        }
    }

    fn subtract(&mut self, other: &Self) {
        for (mine, theirs) in self.fields().into_iter().zip({ *other }.fields()) {
            *mine = mine.saturating_sub(*theirs);
        }
    }

    fn fields(&mut self) -> [&mut usize; 8] {
        let Self { entries, bytes, disputed, agreeing, contradicting, merged, curated, embedded } =
            self;
        [entries, bytes, disputed, agreeing, contradicting, merged, curated, embedded]
    }
}

/// Up to when answers are stale, in milliseconds since the Unix epoch: those that were learned, and
/// those that an operator vouches for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Epoch {
    pub(super) learned_ms: i64,
    pub(super) curated_ms: i64,
}

impl Default for Epoch {
    fn default() -> Self {
        Self { learned_ms: i64::MIN, curated_ms: i64::MIN }
    }
}

impl Epoch {
    pub(super) fn joined(self, other: Self) -> Self {
        Self {
            learned_ms: self.learned_ms.max(other.learned_ms),
            curated_ms: self.curated_ms.max(other.curated_ms),
        }
    }

    fn covers(&self, entry: &Entry) -> bool {
        let until_ms = if entry.curated { self.curated_ms } else { self.learned_ms };
        entry.created_ms <= until_ms
    }
}

/// The entries of one tenant.
#[derive(Debug, Default)]
pub(super) struct Pool {
    slots: BTreeMap<Key, Slot>,
    /// Which entries an outcome of a response speaks of.
    by_origin: HashMap<ResponseId, BTreeSet<Key>>,
    /// Which entries rest on a response.
    by_base: HashMap<ResponseId, BTreeSet<Key>>,
    /// Questions that may ask the same.
    by_signature: HashMap<String, BTreeSet<Key>>,
    /// Other spellings of a question, and the entry that answers them.
    spellings: HashMap<Key, Key>,
    /// What is counted over this pool.
    totals: Totals,
    /// Questions by their place among others.
    meanings: Meanings,
    /// The question of each number that `meanings` knows; numbers without one are free.
    numbered: Vec<Option<Key>>,
    free: Vec<u32>,
    /// What a sentence model takes the question of each number to mean.
    points: Vec<Option<Arc<Embedding>>>,
}

#[derive(Debug)]
struct Slot {
    entry: Arc<Entry>,
    /// The signature of its question.
    signature: String,
    /// Its number among the meanings.
    number: u32,
    /// Recalls since the entry was last written.
    hits: AtomicU64,
}

impl Index {
    pub(super) fn pool(&self, tenant: &TenantId) -> Option<&Pool> {
        self.pools.get(tenant)
    }

    /// Every pool with its tenant, in the tenants' order.
    pub(super) fn pools(&self) -> impl Iterator<Item = (&TenantId, &Pool)> {
        self.pools.iter()
    }

    /// Up to when a tenant's answers are stale.
    pub(super) fn epoch(&self, tenant: &TenantId) -> Epoch {
        self.epochs.get(tenant).copied().unwrap_or_default()
    }

    /// Makes stale what a tenant has remembered up to a moment: it is out of use at once, and nothing
    /// that is as old comes in. Returns what was there.
    pub(super) fn begin_epoch(
        &mut self,
        tenant: &TenantId,
        begun: Epoch,
    ) -> Vec<(Key, Arc<Entry>)> {
        let epoch = self.epochs.entry(tenant.clone()).or_default();
        *epoch = epoch.joined(begun);
        let epoch = *epoch;
        // The pool goes as a whole: entry by entry, readers would wait for a second.
        let Some(pool) = self.pools.remove(tenant) else { return Vec::new() };
        self.totals.subtract(&pool.totals);
        self.expiries.retain(|(_, owner, _)| owner != tenant);
        self.removals += 1;
        let mut gone = Vec::new();
        for (key, slot) in pool.slots {
            if epoch.covers(&slot.entry) {
                gone.push((key, slot.entry));
            } else {
                if slot.entry.ladder.disputed {
                    self.freed.push((tenant.clone(), Arc::clone(&key)));
                }
                self.set(tenant, &key, Some(slot.entry));
            }
        }
        gone
    }

    /// The earliest moment at which an entry expires.
    pub(super) fn next_expiry(&self) -> Option<i64> {
        self.expiries.first().map(|(at, ..)| *at)
    }

    /// Where expired entries are, the longest expired first.
    pub(super) fn expired(&self, now_ms: i64) -> impl Iterator<Item = (&TenantId, &Key)> {
        self.expiries
            .iter()
            .take_while(move |(at, ..)| *at <= now_ms)
            .map(|(_, tenant, key)| (tenant, key))
    }

    /// Puts an entry in a key's place, or takes away what is there.
    pub(super) fn set(&mut self, tenant: &TenantId, key: &Key, entry: Option<Arc<Entry>>) {
        self.free_opposed(tenant, key, entry.as_deref());
        let old = self.pools.get_mut(tenant).and_then(|p| p.remove(key, &mut self.totals));
        // A question that stays where it is keeps its place among the meanings.
        let number = old.as_ref().map(|(_, number)| *number);
        if let Some((old, _)) = &old {
            if let Some(at) = old.expires_ms {
                self.expiries.remove(&(at, tenant.clone(), Arc::clone(key)));
            }
            self.removals += u64::from(entry.is_none());
        }
        if let Some(entry) = entry {
            if let Some(at) = entry.expires_ms {
                self.expiries.insert((at, tenant.clone(), Arc::clone(key)));
            }
            let pool = self.pools.entry(tenant.clone()).or_default();
            pool.insert(key, entry, number, &mut self.totals);
        } else if let Some(pool) = self.pools.get_mut(tenant) {
            if let Some((old, number)) = old {
                pool.give_up(number, &old.question);
            }
            if pool.slots.is_empty() {
                self.pools.remove(tenant);
            }
        }
    }

    /// Takes an origin's entries away, and all that rests on them; returns what was there. Until
    /// many others were forgotten, entries that rest on any of them count as forgotten, too.
    pub(super) fn forget(
        &mut self,
        tenant: &TenantId,
        origin: ResponseId,
    ) -> Vec<(Key, Arc<Entry>)> {
        let mut gone = Vec::new();
        let mut origins = vec![origin];
        while let Some(origin) = origins.pop() {
            if self.is_forgotten(tenant, origin) && !self.holds(tenant, origin) {
                continue;
            }
            self.forgotten.push_back((tenant.clone(), origin));
            if self.forgotten.len() > FORGOTTEN {
                self.forgotten.pop_front();
            }
            for key in self.pool(tenant).map(|pool| pool.resting_on(origin)).unwrap_or_default() {
                let Some(entry) = self.pool(tenant).and_then(|p| p.entry(&key)) else { continue };
                origins.extend(entry.origins());
                self.set(tenant, &key, None);
                gone.push((key, entry));
            }
        }
        gone
    }

    /// Whether there are disputed entries of which a contradiction may be gone.
    pub(super) fn has_freed(&self) -> bool {
        !self.freed.is_empty()
    }

    /// Takes those out.
    pub(super) fn take_freed(&mut self) -> Vec<(TenantId, Key)> {
        std::mem::take(&mut self.freed)
    }

    /// Notes all disputed entries: it may not be known what has become of the contradictions.
    pub(super) fn free_all(&mut self) {
        let entries = self.pools.iter().flat_map(|(tenant, pool)| {
            pool.entries().map(move |(key, entry)| (tenant, key, entry))
        });
        let disputed = entries.filter(|(.., entry)| entry.ladder.disputed);
        self.freed = disputed.map(|(tenant, key, _)| (tenant.clone(), Arc::clone(key))).collect();
    }

    /// Notes the disputed entries that the one under a key contradicts, before another answer takes
    /// its place or it goes.
    fn free_opposed(&mut self, tenant: &TenantId, key: &Key, new: Option<&Entry>) {
        let Some(pool) = self.pools.get(tenant) else { return };
        let Some(old) = pool.entry(key) else { return };
        if new.is_some_and(|new| new.agrees_with(&old) == Some(true)) {
            return;
        }
        let opposed = pool.intersections(key, &old).into_iter().filter(|(other, agrees)| {
            !agrees && pool.entry(other).is_some_and(|entry| entry.ladder.disputed)
        });
        self.freed.extend(opposed.map(|(other, _)| (tenant.clone(), other)));
    }

    fn is_forgotten(&self, tenant: &TenantId, origin: ResponseId) -> bool {
        self.forgotten.iter().any(|(t, o)| *o == origin && t == tenant)
    }

    /// Whether an entry is stale, or what it rests on was forgotten.
    pub(super) fn is_entry_forgotten(&self, tenant: &TenantId, entry: &Entry) -> bool {
        self.epochs.get(tenant).is_some_and(|epoch| epoch.covers(entry))
            || entry
                .origins()
                .chain(entry.derived_from)
                .any(|origin| self.is_forgotten(tenant, origin))
    }

    fn holds(&self, tenant: &TenantId, origin: ResponseId) -> bool {
        self.pool(tenant).is_some_and(|pool| !pool.resting_on(origin).is_empty())
    }
}

impl Pool {
    /// Entries that an operator vouches for.
    pub(super) fn curated(&self) -> usize {
        self.totals.curated
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(super) fn entry(&self, key: &str) -> Option<Arc<Entry>> {
        self.slots.get(key).map(|slot| Arc::clone(&slot.entry))
    }

    /// The entry that answers a question, by its own spelling or, where none has that, by another
    /// one; with the key of the entry.
    pub(super) fn answering(&self, key: &str) -> Option<(&Key, &Arc<Entry>)> {
        let spelled = || self.spellings.get(key).and_then(|own| self.slots.get_key_value(own));
        let (key, slot) = self.slots.get_key_value(key).or_else(spelled)?;
        Some((key, &slot.entry))
    }

    /// All entries with their keys, in the keys' order.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&Key, &Arc<Entry>)> {
        self.slots.iter().map(|(key, slot)| (key, &slot.entry))
    }

    pub(super) fn count_hit(&self, key: &str) {
        if let Some(slot) = self.slots.get(key) {
            slot.hits.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Recalls of an entry, those since it was last written included.
    pub(super) fn hits(&self, key: &str) -> u64 {
        self.slots
            .get(key)
            .map_or(0, |slot| slot.entry.ladder.hits + slot.hits.load(Ordering::Relaxed))
    }

    /// The entries that an outcome of this response speaks of.
    pub(super) fn of_origin(&self, origin: ResponseId) -> impl Iterator<Item = &Key> {
        self.by_origin.get(&origin).into_iter().flatten()
    }

    /// The near-duplicates of an entry that answer alike (`true`) or contradict it (`false`).
    pub(super) fn intersections(&self, key: &Key, entry: &Entry) -> Vec<(Key, bool)> {
        let group = self.slots.get(key).and_then(|slot| self.by_signature.get(&slot.signature));
        let Some(group) = group.filter(|group| group.contains(key)) else { return Vec::new() };
        let others = group.iter().filter(|other| *other != key);
        others
            .filter_map(|other| {
                let neighbour = &self.slots.get(other)?.entry;
                let agrees = entry.agrees_with(neighbour)?;
                asks_the_same(&entry.question, &neighbour.question)
                    .then(|| (Arc::clone(other), agrees))
            })
            .collect()
    }

    /// The entries of a response, and those that rest on it.
    pub(super) fn resting_on(&self, origin: ResponseId) -> BTreeSet<Key> {
        let bases = self.by_base.get(&origin).into_iter().flatten();
        self.of_origin(origin).chain(bases).map(Arc::clone).collect()
    }

    /// The entries whose questions are nearest, the nearest first.
    pub(super) fn nearest(&self, question: &Place, most: usize) -> Vec<(Key, Arc<Entry>)> {
        let near = self.meanings.nearest(question, most);
        let key = |number: u32| self.numbered.get(number as usize)?.as_ref();
        near.into_iter()
            .filter_map(|(_, number)| {
                let key = key(number)?;
                Some((Arc::clone(key), self.entry(key)?))
            })
            .collect()
    }

    /// The entries whose questions mean most nearly what a point does, the nearest first. All are
    /// looked at or, where there are very many, those of the highest numbers.
    pub(super) fn nearest_in_meaning(
        &self,
        point: &Embedding,
        most: usize,
    ) -> Vec<(Key, Arc<Entry>)> {
        let first = self.points.len().saturating_sub(MOST_POINTS);
        let points = self.points.iter().zip(&self.numbered).skip(first);
        let mut near: Vec<(f32, &Key)> = points
            .filter_map(|(theirs, key)| Some((theirs.as_ref()?.cosine(point), key.as_ref()?)))
            .collect();
        if near.len() > most && most > 0 {
            near.select_nth_unstable_by(most - 1, |a, b| b.0.total_cmp(&a.0));
            near.truncate(most);
        }
        near.sort_by(|a, b| b.0.total_cmp(&a.0));
        near.into_iter().filter_map(|(_, key)| Some((Arc::clone(key), self.entry(key)?))).collect()
    }

    /// A number for a new question, and the question's place under it.
    fn number(&mut self, key: &Key, question: &str) -> u32 {
        let number = self.free.pop().unwrap_or_else(|| {
            self.numbered.push(None);
            self.numbered.len() as u32 - 1
        });
        if let Some(own) = self.numbered.get_mut(number as usize) {
            *own = Some(Arc::clone(key));
        }
        self.meanings.insert(number, &Matcher::shipped().place(question));
        number
    }

    fn give_up(&mut self, number: u32, question: &str) {
        self.put_point(number, None);
        self.meanings.remove(number, &Matcher::shipped().place(question));
        if let Some(own) = self.numbered.get_mut(number as usize) {
            *own = None;
        }
        self.free.push(number);
    }

    fn put_point(&mut self, number: u32, point: Option<Arc<Embedding>>) {
        let number = number as usize;
        // Without a sentence model there are no points, and none of this takes memory.
        if point.is_some() && self.points.len() <= number {
            self.points.resize(number + 1, None);
        }
        if let Some(own) = self.points.get_mut(number) {
            *own = point;
        }
    }

    fn insert(&mut self, key: &Key, entry: Arc<Entry>, number: Option<u32>, totals: &mut Totals) {
        let number = number.unwrap_or_else(|| self.number(key, &entry.question));
        self.put_point(number, entry.point.clone());
        for origin in entry.origins() {
            self.by_origin.entry(origin).or_default().insert(Arc::clone(key));
        }
        if let Some(base) = entry.derived_from {
            self.by_base.entry(base).or_default().insert(Arc::clone(key));
        }
        let signature = signature(&entry.question);
        let group = self.by_signature.entry(signature.clone()).or_default();
        if group.len() < GROUP {
            group.insert(Arc::clone(key));
        }
        for spelling in &entry.ladder.also_asked {
            self.spellings.insert(Key::from(spelling.as_str()), Arc::clone(key));
        }
        let hits = AtomicU64::new(0);
        let slot = Slot { entry: Arc::clone(&entry), signature, number, hits };
        self.slots.insert(Arc::clone(key), slot);
        let counts = self.counts(key, &entry);
        self.totals.add(&counts);
        totals.add(&counts);
    }

    /// What an entry in its place adds to the totals.
    fn counts(&self, key: &Key, entry: &Entry) -> Totals {
        let pairs = self.intersections(key, entry);
        let agreeing = pairs.iter().filter(|(_, agrees)| *agrees).count();
        Totals {
            entries: 1,
            bytes: entry.bytes(),
            disputed: usize::from(entry.ladder.is_in_doubt()),
            agreeing,
            contradicting: pairs.len() - agreeing,
            merged: entry.ladder.also_asked.len(),
            curated: usize::from(entry.curated),
            embedded: usize::from(entry.point.is_some()),
        }
    }

    /// Takes an entry away; its number and its place stay, for who puts another in its place.
    fn remove(&mut self, key: &Key, totals: &mut Totals) -> Option<(Arc<Entry>, u32)> {
        let entry = self.entry(key)?;
        let counts = self.counts(key, &entry);
        self.totals.subtract(&counts);
        totals.subtract(&counts);
        for spelling in &entry.ladder.also_asked {
            // Another entry may have taken the spelling over.
            if self.spellings.get(spelling.as_str()).is_some_and(|own| own == key) {
                self.spellings.remove(spelling.as_str());
            }
        }
        for origin in entry.origins() {
            drop_key(&mut self.by_origin, &origin, key);
        }
        if let Some(base) = entry.derived_from {
            drop_key(&mut self.by_base, &base, key);
        }
        let slot = self.slots.remove(key)?;
        drop_key(&mut self.by_signature, &slot.signature, key);
        Some((slot.entry, slot.number))
    }
}

fn drop_key<K: std::hash::Hash + Eq>(map: &mut HashMap<K, BTreeSet<Key>>, of: &K, key: &Key) {
    if let Some(keys) = map.get_mut(of) {
        keys.remove(key);
        if keys.is_empty() {
            map.remove(of);
        }
    }
}
