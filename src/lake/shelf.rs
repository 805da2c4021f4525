//! The lake's rows without the lake: for the command line, while no service has the store open.
//!
//! Nothing is kept in memory, so that a large table comes in and goes out at the pace of the store.
//! What comes in is held against its neighbours and against the lake's bounds when the service runs.

use std::collections::BTreeMap;

use super::{
    Curated, Entry, Refusal,
    curate::admitted,
    rows::{Rows, write_anew},
};
use crate::{
    domain::{ResponseId, TenantId},
    seal::Keyring,
    store::{Batch, KeyRange, Store, StoreError, Table, keys},
};

/// The rows of a lake.
#[derive(Debug)]
pub struct Shelf {
    store: Store,
    rows: Rows,
}

/// An entry and whose it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Kept {
    /// Whose it is.
    pub tenant: TenantId,
    /// The entry.
    pub entry: Entry,
}

/// What a lake holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ShelfStats {
    /// Entries of each tenant.
    pub tenants: BTreeMap<String, usize>,
    /// Entries that an operator put in.
    pub curated: usize,
    /// Entries out of use by a doubt that no outcome has settled.
    pub disputed: usize,
    /// Entries whose time is over; the service evicts them.
    pub expired: usize,
    /// Entries that outcomes spoke against.
    pub refuted: usize,
    /// Spellings that entries answer beside their own.
    pub spellings: usize,
    /// Recalls that were counted.
    pub hits: u64,
    /// Bytes of memory that they take in the service, about.
    pub bytes: usize,
    /// Rows that cannot be read.
    pub unreadable: usize,
}

impl ShelfStats {
    /// Entries, of all tenants together.
    #[must_use]
    pub fn entries(&self) -> usize {
        self.tenants.values().sum()
    }

    fn count(&mut self, kept: &Kept, now_ms: i64) {
        let Kept { tenant, entry } = kept;
        match self.tenants.get_mut(tenant.as_str()) {
            Some(entries) => *entries += 1,
            None => drop(self.tenants.insert(tenant.as_str().to_owned(), 1)),
        }
        self.curated += usize::from(entry.curated);
        self.disputed += usize::from(entry.ladder.is_in_doubt());
        self.expired += usize::from(entry.is_expired(now_ms));
        self.refuted += usize::from(entry.ladder.is_refuted());
        self.spellings += entry.ladder.also_asked.len();
        self.hits += entry.ladder.hits;
        self.bytes += entry.bytes();
    }
}

impl Shelf {
    /// The rows in this store, with the keys that it was opened with.
    #[must_use]
    pub fn new(store: Store, keyring: Keyring) -> Self {
        Self { store, rows: Rows::new(keyring) }
    }

    /// Puts in what an operator vouches for, as [`super::Lake::curate`] does.
    ///
    /// # Errors
    /// What keeps the store from being read or written; then none came in.
    pub async fn curate(
        &self,
        tenant: &TenantId,
        given: Vec<Curated>,
        now_ms: i64,
    ) -> Result<Vec<Result<ResponseId, Refusal>>, StoreError> {
        let (taken, results) = admitted(given, now_ms);
        let mut batch = Batch::new();
        for (key, (_, entry)) in taken {
            let row = self.rows.key(tenant, &key);
            let old = self.store.get(Table::Lake, &row).await?;
            let old = old.and_then(|value| self.rows.entry(&row, &value).ok());
            if let Some(new) = entry.in_place_of(old.as_ref(), None) {
                let value = self.rows.value(&row, &new)?;
                batch.put(Table::Lake, row, value);
            }
        }
        self.store.commit(batch).await?;
        Ok(results)
    }

    /// Hands every entry to `each`, tenant by tenant, until it says to stop with `false`. Returns
    /// how many rows cannot be read.
    ///
    /// # Errors
    /// What keeps the store from being read.
    pub async fn each(
        &self,
        tenant: Option<&TenantId>,
        mut each: impl FnMut(Kept) -> bool,
    ) -> Result<usize, StoreError> {
        let mut unreadable = 0;
        let mut range: KeyRange = keys::EVERYTHING;
        if let Some(tenant) = tenant {
            range.0 = std::ops::Bound::Included(keys::scoped(tenant, b""));
        }
        while let Some((page, next)) = self.rows.page(&self.store, range).await? {
            range = next;
            for found in page {
                let Ok(found) = found else {
                    unreadable += 1;
                    continue;
                };
                if tenant.is_some_and(|wanted| *wanted != found.tenant) {
                    return Ok(unreadable);
                }
                if !each(Kept { tenant: found.tenant, entry: found.entry }) {
                    return Ok(unreadable);
                }
            }
        }
        Ok(unreadable)
    }

    /// Counts what there is.
    ///
    /// # Errors
    /// What keeps the store from being read.
    pub async fn stats(&self, now_ms: i64) -> Result<ShelfStats, StoreError> {
        let mut stats = ShelfStats::default();
        let unreadable = self.each(None, |kept| {
            stats.count(&kept, now_ms);
            true
        });
        let unreadable = unreadable.await?;
        stats.unreadable = unreadable;
        Ok(stats)
    }

    /// Writes every row anew that is not sealed with the key in use; returns how many. `progress`
    /// hears how many rows were looked at.
    ///
    /// # Errors
    /// What keeps the store from being read or written; what was written anew stays so.
    pub async fn reseal(&self, progress: impl Fn(u64)) -> Result<usize, StoreError> {
        let (mut range, mut rewritten) = (keys::EVERYTHING, 0);
        while let Some((page, next)) = self.rows.page(&self.store, range).await? {
            range = next;
            progress(page.len() as u64);
            let mut batch = Batch::new();
            for found in page.into_iter().flatten() {
                rewritten += usize::from(found.anew.is_some());
                write_anew(&mut batch, found.row, found.anew);
            }
            self.store.commit(batch).await?;
        }
        Ok(rewritten)
    }
}
