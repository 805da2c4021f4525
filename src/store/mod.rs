//! Durable tables with atomic, grouped commits.
//!
//! A [`Store`] is a handful of ordered tables of bytes. A [`Batch`] of changes to any of them is
//! written whole or not at all, and is on the disk when [`Store::commit`] returns. Whoever commits
//! at the same moment shares one disk flush. Values are JSON by convention ([`encode`],
//! [`decode`]), so that records can grow fields; keys are built in [`keys`], where the tenant comes
//! first.
//!
//! A commit appends to a write-ahead log (`log`) and to what is kept of it in memory (`overlay`);
//! from there it goes on into a database file (`engine`), many commits at a time (`layers`). A
//! store in memory has the middle one alone. The contract suite in `contract.rs` runs over both,
//! and is what a third backend has to pass.

mod batch;
mod blocks;
mod embedded;
mod engine;
mod error;
mod format;
pub mod keys;
mod layers;
mod log;
mod overlay;
mod usable;

#[cfg(test)]
mod contract;
#[cfg(test)]
pub(crate) mod faults;
#[cfg(test)]
mod kill;

use std::{ops::Bound, path::Path, sync::Arc};

use serde::{Serialize, de::DeserializeOwned};

pub use batch::{Batch, Table};
pub use error::StoreError;
pub use usable::usable;

use embedded::Embedded;
use engine::Engine;
use layers::{Layers, Limits};
use log::DiskFolder;

/// A range of keys, as [`Store::scan`] takes it.
pub type KeyRange = (Bound<Vec<u8>>, Bound<Vec<u8>>);

/// A key with its value.
pub type Row = (Vec<u8>, Vec<u8>);

/// The tables. Cheap to clone; all clones are one store.
#[derive(Debug, Clone)]
pub struct Store {
    backend: Arc<Embedded>,
}

impl Store {
    /// Longest key, in bytes.
    pub const MAX_KEY: usize = 8 * 1024;
    /// Longest value, in bytes.
    pub const MAX_VALUE: usize = 16 * 1024 * 1024;
    /// Most bytes of all keys and values of a batch.
    pub const MAX_BATCH: usize = 256 * 1024 * 1024;

    /// Opens the store in the file at `path`, and creates it, with its folder, where it is absent.
    /// Its log is in a folder beside the file, of the same name with `-log` behind it; the two
    /// belong together. Blocks: call it before serving.
    ///
    /// # Errors
    /// [`StoreError::InUse`] when another process has it open, [`StoreError::NewerFormat`] when a
    /// newer version wrote it, [`StoreError::NotAStore`] when the file is something else,
    /// [`StoreError::ForeignLog`] when the log is another store's, [`StoreError::DiskFull`],
    /// [`StoreError::Damaged`], [`StoreError::Io`].
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open_with(path, Limits::DEFAULT)
    }

    /// A store that ends with the process: for tests and evaluations.
    ///
    /// # Errors
    /// None in practice; the type is that of [`Store::open`].
    pub fn in_memory() -> Result<Self, StoreError> {
        Ok(Self::of(Layers::memory()))
    }

    fn open_with(path: &Path, limits: Limits) -> Result<Self, StoreError> {
        let engine = Engine::file(path)?;
        let mut log = path.as_os_str().to_owned();
        log.push("-log");
        let folder = DiskFolder::open(Path::new(&log))?;
        Ok(Self::of(Layers::over(engine, Box::new(folder), limits)?))
    }

    fn of(layers: Layers) -> Self {
        Self { backend: Arc::new(Embedded::new(layers)) }
    }

    /// The value under a key.
    ///
    /// # Errors
    /// [`StoreError::Closed`], or what kept the store from being read.
    pub async fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.backend.get(table, key).await
    }

    /// The first `limit` rows of a range in the order of their keys, or the last ones in the
    /// opposite order when `reverse`. An empty or inverted range has no rows.
    ///
    /// # Errors
    /// [`StoreError::Closed`], or what kept the store from being read.
    pub async fn scan(
        &self,
        table: Table,
        range: KeyRange,
        limit: usize,
        reverse: bool,
    ) -> Result<Vec<Row>, StoreError> {
        self.backend.scan(table, range, limit, reverse).await
    }

    /// Writes a batch, whole or not at all. It is durable when this returns `Ok`. A caller that
    /// stops waiting does not take its batch back.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when something that the batch required does not hold, and
    /// [`StoreError::TooLarge`]: nothing was written. [`StoreError::Closed`]: neither. Any other
    /// error leaves open whether the batch was written; read it back where that matters.
    pub async fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        self.backend.commit(batch).await
    }

    /// Finishes the commits under way and lets go of the file, in which then everything is. Every clone is closed with it.
    ///
    /// # Errors
    /// What kept the file from being closed properly. What was committed is safe in any case.
    pub async fn close(&self) -> Result<(), StoreError> {
        self.backend.close().await
    }
}

/// A record as the bytes of a value.
///
/// # Errors
/// [`StoreError::Unreadable`] for a record that JSON cannot hold.
pub fn encode<T: Serialize>(table: Table, record: &T) -> Result<Vec<u8>, StoreError> {
    crate::json::to_vec(record).map_err(|_| StoreError::Unreadable(table.name()))
}

/// The record in the bytes of a value.
///
/// # Errors
/// [`StoreError::Unreadable`] when the bytes are no such record.
pub fn decode<T: DeserializeOwned>(table: Table, value: &[u8]) -> Result<T, StoreError> {
    serde_json::from_slice(value).map_err(|_| StoreError::Unreadable(table.name()))
}
