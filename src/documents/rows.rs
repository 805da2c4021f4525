//! How added documents stand in the store: under which key, and in which bytes.

use serde::{Deserialize, Serialize};

use crate::{
    domain::{DocumentFormat, DocumentId, NewDocument, TenantId},
    seal::Keyring,
    store::{Batch, KeyRange, Store, StoreError, Table, decode, encode, keys},
};

/// Rows that are read, and where needed written anew, at a time: as large as a row may be, so many
/// fit one batch.
const PAGE: usize = 8;

/// A document as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Row {
    /// Its id, which a row's key hides where there is an encryption key. Absent in rows from before
    /// that: there the key has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    title: Option<String>,
    format: DocumentFormat,
    content: String,
    pub(super) added_ms: i64,
}

/// A document as it was found in the store.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) tenant: TenantId,
    pub(super) id: DocumentId,
    pub(super) row: Row,
}

/// Writes and reads rows with the keys of this service.
#[derive(Debug, Clone)]
pub(super) struct Rows {
    store: Store,
    keyring: Keyring,
}

impl Row {
    pub(super) fn new(id: &DocumentId, document: &NewDocument, added_ms: i64) -> Self {
        Self {
            id: Some(id.as_str().to_owned()),
            title: document.title.clone(),
            format: document.format,
            content: document.content.clone(),
            added_ms,
        }
    }
}

impl From<Row> for NewDocument {
    fn from(row: Row) -> Self {
        Self { id: None, title: row.title, format: row.format, content: row.content }
    }
}

impl Rows {
    /// The rows in this store, with the keys that it was admitted with.
    pub(super) fn new(store: Store, keyring: Keyring) -> Self {
        Self { store, keyring }
    }

    /// The key of a document's row.
    pub(super) fn key(&self, tenant: &TenantId, id: &DocumentId) -> Vec<u8> {
        keys::scoped(tenant, &self.keyring.row_key(id.as_str().as_bytes()))
    }

    /// A document as its row holds it.
    pub(super) fn value(&self, key: &[u8], row: &Row) -> Result<Vec<u8>, StoreError> {
        let value = encode(Table::Documents, row)?;
        Ok(self.keyring.seal(Table::Documents.name(), key, value))
    }

    pub(super) async fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        self.store.commit(batch).await
    }

    /// Hands every document to `each`, once it stands in the store as it would be written now, and
    /// returns how many had to be written anew. One that is written anew to another key may be
    /// handed over twice.
    ///
    /// # Errors
    /// What keeps the store from being read or written, and [`StoreError::Unreadable`] for a row that
    /// cannot be read: what somebody added is never dropped for that.
    pub(super) async fn each(&self, mut each: impl FnMut(Found)) -> Result<usize, StoreError> {
        let (mut range, mut rewritten): (KeyRange, usize) = (keys::EVERYTHING, 0);
        loop {
            let page = self.store.scan(Table::Documents, range, PAGE, false).await?;
            let Some((last, _)) = page.last() else { return Ok(rewritten) };
            range = keys::after(last.clone());
            let mut batch = Batch::new();
            let mut found = Vec::with_capacity(page.len());
            for (key, value) in page {
                let (document, is_current) = self.found(&key, &value)?;
                if !is_current {
                    rewritten += 1;
                    let place = self.key(&document.tenant, &document.id);
                    let value = self.value(&place, &document.row)?;
                    if place != key {
                        batch.delete(Table::Documents, key);
                    }
                    batch.put(Table::Documents, place, value);
                }
                found.push(document);
            }
            if !batch.is_empty() {
                self.store.commit(batch).await?;
            }
            found.into_iter().for_each(&mut each);
        }
    }

    /// The document in a row, and whether the row is as it would be written now.
    fn found(&self, key: &[u8], value: &[u8]) -> Result<(Found, bool), StoreError> {
        let unreadable = StoreError::Unreadable(Table::Documents.name());
        let (tenant, rest) = keys::split(key).ok_or_else(|| unreadable.clone())?;
        let opened = self.keyring.open(Table::Documents.name(), key, value);
        let opened = opened.map_err(|_| unreadable.clone())?;
        let mut row: Row = decode(Table::Documents, &opened.value)?;
        let id = match row.id.take() {
            Some(id) => id,
            None => std::str::from_utf8(rest).map_err(|_| unreadable.clone())?.to_owned(),
        };
        let id = DocumentId::new(&id).map_err(|_| unreadable)?;
        row.id = Some(id.as_str().to_owned());
        let is_current = opened.is_current && self.key(&tenant, &id) == key;
        Ok((Found { tenant, id, row }, is_current))
    }
}

/// Writes every added document anew that is not sealed with the key in use; returns how many. For
/// the command line: [`super::Shelf::open_sealed`] does it by itself.
///
/// # Errors
/// What keeps the store from being read or written; what was written anew stays so.
pub async fn reseal(store: &Store, keyring: &Keyring) -> Result<usize, StoreError> {
    Rows::new(store.clone(), keyring.clone()).each(drop).await
}
