//! How entries stand in the store: under which key, and in which bytes.

use std::ops::Bound;

use super::{
    Entry,
    index::{Epoch, Index, Key},
};
use crate::{
    domain::TenantId,
    seal::{Keyring, UnsealError},
    store::{Batch, KeyRange, Store, StoreError, Table, decode, encode, keys},
    text::normal_key,
};

/// Rows that are read at once.
const PAGE: usize = 1024;

/// Writes and reads rows with the keys of this service.
#[derive(Debug, Clone)]
pub(super) struct Rows {
    keyring: Keyring,
}

/// An entry as it was found in the store.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) tenant: TenantId,
    pub(super) key: Key,
    pub(super) entry: Entry,
    /// The key of its row.
    pub(super) row: Vec<u8>,
    /// The row as it would be written now, when that is not how it was found.
    pub(super) anew: Option<(Vec<u8>, Vec<u8>)>,
}

/// One page of rows, where one that is no entry is given by its key alone, and the range of the
/// rows after it.
type Page = (Vec<Result<Found, Vec<u8>>>, KeyRange);

impl Rows {
    pub(super) fn new(keyring: Keyring) -> Self {
        Self { keyring }
    }

    /// The key of a question's row.
    pub(super) fn key(&self, tenant: &TenantId, question: &Key) -> Vec<u8> {
        keys::scoped(tenant, &self.keyring.row_key(question.as_bytes()))
    }

    /// An entry as its row holds it; the same entry is always the same bytes.
    pub(super) fn value(&self, row: &[u8], entry: &Entry) -> Result<Vec<u8>, StoreError> {
        let value = encode(Table::Lake, entry)?;
        Ok(self.keyring.seal(Table::Lake.name(), row, value))
    }

    /// The entry that a row should hold, where there should be one.
    pub(super) fn expected(
        &self,
        row: &[u8],
        entry: Option<&Entry>,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        entry.map(|entry| self.value(row, entry)).transpose()
    }

    /// The entry in a row's value.
    pub(super) fn entry(&self, row: &[u8], value: &[u8]) -> Result<Entry, StoreError> {
        let unreadable = |_: UnsealError| StoreError::Unreadable(Table::Lake.name());
        let opened = self.keyring.open(Table::Lake.name(), row, value).map_err(unreadable)?;
        decode(Table::Lake, &opened.value)
    }

    /// The next page of a range; `None` at its end.
    ///
    /// # Errors
    /// What keeps the store from being read; [`StoreError::Unreadable`] for a row whose key is not
    /// configured, which nobody may take for a damaged one.
    pub(super) async fn page(
        &self,
        store: &Store,
        range: KeyRange,
    ) -> Result<Option<Page>, StoreError> {
        let rows = store.scan(Table::Lake, range, PAGE, false).await?;
        let Some((last, _)) = rows.last() else { return Ok(None) };
        let next = (Bound::Excluded(last.clone()), Bound::Unbounded);
        let mut page = Vec::with_capacity(rows.len());
        for (row, value) in rows {
            page.push(self.found(&row, &value)?.ok_or(row));
        }
        Ok(Some((page, next)))
    }

    fn found(&self, row: &[u8], value: &[u8]) -> Result<Option<Found>, StoreError> {
        let Some((tenant, _)) = keys::split(row) else { return Ok(None) };
        let opened = match self.keyring.open(Table::Lake.name(), row, value) {
            Ok(opened) => opened,
            Err(UnsealError::Damaged) => return Ok(None),
            Err(UnsealError::UnknownKey(_)) => {
                return Err(StoreError::Unreadable(Table::Lake.name()));
            }
        };
        let Ok(entry) = decode::<Entry>(Table::Lake, &opened.value) else { return Ok(None) };
        let key = Key::from(normal_key(&entry.question));
        let place = self.key(&tenant, &key);
        let value = encode(Table::Lake, &entry)?;
        let is_current = opened.is_current && place == row && *value == *opened.value;
        let anew = (!is_current).then(|| {
            let value = self.keyring.seal(Table::Lake.name(), &place, value);
            (place, value)
        });
        Ok(Some(Found { tenant, key, entry, row: row.to_vec(), anew }))
    }

    /// Loads all entries. One that an older version wrote, or that is sealed with an earlier key, is
    /// written anew, so that the store holds exactly what [`Rows::value`] says; one that is stale
    /// goes; one that cannot be read is dropped, which costs a recall.
    pub(super) async fn load(&self, store: &Store) -> Result<Index, StoreError> {
        let mut index = Index::default();
        for (tenant, learned_ms) in epochs(store, EPOCH).await? {
            index.begin_epoch(&tenant, Epoch { learned_ms, ..Epoch::default() });
        }
        for (tenant, curated_ms) in epochs(store, CURATED_EPOCH).await? {
            index.begin_epoch(&tenant, Epoch { curated_ms, ..Epoch::default() });
        }
        let (mut range, mut unreadable) = (keys::EVERYTHING, 0_usize);
        while let Some((page, next)) = self.page(store, range).await? {
            range = next;
            let mut batch = Batch::new();
            for found in page {
                match found {
                    Ok(found) if index.is_entry_forgotten(&found.tenant, &found.entry) => {
                        batch.delete(Table::Lake, found.row);
                    }
                    Ok(found) => {
                        write_anew(&mut batch, found.row, found.anew);
                        index.set(&found.tenant, &found.key, Some(found.entry.into()));
                    }
                    Err(row) => {
                        unreadable += 1;
                        batch.delete(Table::Lake, row);
                    }
                }
            }
            store.commit(batch).await?;
        }
        if unreadable > 0 {
            tracing::error!(unreadable, "remembered answers could not be read and were dropped");
        }
        Ok(index)
    }
}

/// Moves a row to where, and to how, it would be written now.
pub(super) fn write_anew(batch: &mut Batch, row: Vec<u8>, anew: Option<(Vec<u8>, Vec<u8>)>) {
    let Some((place, value)) = anew else { return };
    if place != row {
        batch.delete(Table::Lake, row);
    }
    batch.put(Table::Lake, place, value);
}

/// Under these, followed by a tenant, stand the moments up to which his answers are stale: those that
/// were learned, and those that an operator vouches for.
const EPOCH: &[u8] = b"lake epoch:";
const CURATED_EPOCH: &[u8] = b"lake epoch of curated:";

/// The key of a tenant's epoch.
pub(super) fn epoch_key(tenant: &TenantId) -> Vec<u8> {
    [EPOCH, tenant.as_str().as_bytes()].concat()
}

/// The key of the epoch of what was vouched for to a tenant.
pub(super) fn curated_epoch_key(tenant: &TenantId) -> Vec<u8> {
    [CURATED_EPOCH, tenant.as_str().as_bytes()].concat()
}

/// The epochs of all tenants under this beginning, in milliseconds since the Unix epoch.
async fn epochs(store: &Store, under: &[u8]) -> Result<Vec<(TenantId, i64)>, StoreError> {
    let mut found = Vec::new();
    let mut end = under.to_vec();
    if let Some(colon) = end.last_mut() {
        *colon += 1;
    }
    let mut range = (Bound::Included(under.to_vec()), Bound::Excluded(end));
    loop {
        let rows = store.scan(Table::Meta, range.clone(), PAGE, false).await?;
        let Some((last, _)) = rows.last() else { return Ok(found) };
        range.0 = Bound::Excluded(last.clone());
        for (key, value) in rows {
            let tenant = key.strip_prefix(under).and_then(|name| std::str::from_utf8(name).ok());
            let Some(Ok(tenant)) = tenant.map(TenantId::new) else { continue };
            found.push((tenant, decode(Table::Meta, &value)?));
        }
    }
}
