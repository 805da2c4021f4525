//! What can go wrong with a store, in terms that an operator can act on.

use std::io::ErrorKind;

/// Why the store did not do what it was asked. Never carries keys or values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Another process has the file open.
    #[error("another process holds the store; stop it, or choose another data directory")]
    InUse,
    /// The file was written by a newer version.
    #[error("the store has format {found}, and this version reads formats up to {known}")]
    NewerFormat {
        /// The format of the file.
        found: u32,
        /// The newest format that this version reads.
        known: u32,
    },
    /// The file is not one of ours.
    #[error("the file is no store of this service; choose another data directory")]
    NotAStore,
    /// No space is left, or the quota is used up.
    #[error("the disk that holds the store is full")]
    DiskFull,
    /// The operating system refused.
    #[error("the store's file cannot be used: {0}")]
    Io(ErrorKind),
    /// The file is damaged.
    #[error("the store's file is damaged; restore it from a copy")]
    Damaged,
    /// The log beside the file belongs to another one.
    #[error("the log beside the store's file belongs to another store; move one of the two away")]
    ForeignLog,
    /// A stored record is not what this version expects.
    #[error("a record of table `{0}` cannot be read")]
    Unreadable(&'static str),
    /// Something that the batch required does not hold.
    #[error("the store has changed since it was read")]
    Conflict,
    /// A key or value is longer than the store takes.
    #[error("a key or a value is larger than the store takes")]
    TooLarge,
    /// An earlier failure has not been overcome yet; the next attempt may succeed.
    #[error("the store is recovering from a failure")]
    Unavailable,
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
}

impl StoreError {
    /// What redb reports, in our terms. All of redb's errors convert into `redb::Error`.
    pub(super) fn from_redb(error: impl Into<redb::Error>) -> Self {
        match error.into() {
            redb::Error::DatabaseAlreadyOpen | redb::Error::LockProtocolMismatch => Self::InUse,
            // How redb says that the file has another beginning than its own.
            redb::Error::Io(e) if e.kind() == ErrorKind::InvalidData => Self::NotAStore,
            redb::Error::Io(e) => Self::from_file(&e),
            // A file of another kind, or of a redb that this one no longer reads.
            redb::Error::UpgradeRequired(_)
            | redb::Error::TableTypeMismatch { .. }
            | redb::Error::TableIsMultimap(_)
            | redb::Error::TypeDefinitionChanged { .. } => Self::NotAStore,
            redb::Error::Corrupted(_) | redb::Error::RepairAborted => Self::Damaged,
            redb::Error::ValueTooLarge(_) => Self::TooLarge,
            // After an I/O error redb refuses everything until the file is opened anew.
            _ => Self::Unavailable,
        }
    }

    /// What the operating system reports, in our terms.
    pub(super) fn from_file(error: &std::io::Error) -> Self {
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::DiskFull,
            kind => Self::Io(kind),
        }
    }
}
