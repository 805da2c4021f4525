//! The tables, and changes to them that belong together.

use super::{Store, StoreError};

macro_rules! tables {
    ($($(#[$doc:meta])* $table:ident = $name:literal),+ $(,)?) => {
        /// One ordered table of bytes.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Table { $($(#[$doc])* $table),+ }

        impl Table {
            /// Every table.
            pub const ALL: &'static [Self] = &[$(Self::$table),+];

            /// The table's name in the log, and in messages.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$table => $name),+ }
            }

            /// Its name in the database.
            pub(super) const fn blocks(self) -> &'static str {
                match self { $(Self::$table => concat!($name, ".blocks")),+ }
            }
        }
    };
}

tables! {
    /// The ledger's rows, by place.
    Ledger = "ledger",
    /// The place of each decision, by tenant and response.
    Decisions = "decisions",
    /// The latest outcome of each response, by tenant and response.
    Outcomes = "outcomes",
    /// The policy that an operator set.
    Policy = "policy",
    /// Snapshots of what was folded from the ledger, by name.
    Statistics = "statistics",
    /// Remembered answers, by tenant and question.
    Lake = "lake",
    /// Conversations, by tenant and session.
    Sessions = "sessions",
    /// Conversations in the order in which they expire.
    SessionExpiry = "session_expiry",
    /// Documents that tenants added, by tenant and id.
    Documents = "documents",
    /// What the rooms note about their own tables.
    Meta = "meta",
}

/// Changes that are written whole or not at all.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    pub(super) required: Vec<(Table, Vec<u8>, Option<Vec<u8>>)>,
    pub(super) changes: Vec<(Table, Vec<u8>, Option<Vec<u8>>)>,
}

impl Batch {
    /// A batch that changes nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a value. Of several changes to one key the last one stands.
    pub fn put(&mut self, table: Table, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) {
        self.changes.push((table, key.into(), Some(value.into())));
    }

    /// Removes a key; one that is absent stays so.
    pub fn delete(&mut self, table: Table, key: impl Into<Vec<u8>>) {
        self.changes.push((table, key.into(), None));
    }

    /// Demands that a key has this value, or with `None` is absent, just before the batch is
    /// written. Otherwise the batch alone fails with [`StoreError::Conflict`].
    pub fn require(&mut self, table: Table, key: impl Into<Vec<u8>>, expected: Option<Vec<u8>>) {
        self.required.push((table, key.into(), expected));
    }

    /// Whether there is nothing to write and nothing to check.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.required.is_empty()
    }

    /// Bytes of all keys and values.
    pub(super) fn bytes(&self) -> usize {
        self.parts().map(|(key, value)| key.len() + value.map_or(0, Vec::len)).sum()
    }

    pub(super) fn check_sizes(&self) -> Result<(), StoreError> {
        let fits = self.bytes() <= Store::MAX_BATCH
            && self.parts().all(|(key, value)| {
                key.len() <= Store::MAX_KEY && value.is_none_or(|v| v.len() <= Store::MAX_VALUE)
            });
        if fits { Ok(()) } else { Err(StoreError::TooLarge) }
    }

    fn parts(&self) -> impl Iterator<Item = (&Vec<u8>, Option<&Vec<u8>>)> {
        self.required.iter().chain(&self.changes).map(|(_, key, value)| (key, value.as_ref()))
    }
}
