//! What was committed lately, in memory: newer than the database below it.

use std::{collections::BTreeMap, ops::Bound};

use super::{KeyRange, Table};

/// A key's latest change: a value, or `None` for its removal.
pub(super) type Change = Option<Vec<u8>>;

/// What a change takes beside its key and value, about.
const PER_CHANGE: usize = 64;

/// The latest change of each key that changed.
#[derive(Debug)]
pub(super) struct Overlay {
    tables: Vec<BTreeMap<Vec<u8>, Change>>,
    bytes: usize,
    /// Whether there is nothing below in which a removed key could still be.
    is_ground: bool,
}

impl Overlay {
    /// Over a database: it remembers removals.
    pub(super) fn above() -> Self {
        Self { tables: vec![BTreeMap::new(); Table::ALL.len()], bytes: 0, is_ground: false }
    }

    /// Over nothing: what is not in it is nowhere.
    pub(super) fn ground() -> Self {
        Self { is_ground: true, ..Self::above() }
    }

    pub(super) fn get(&self, table: Table, key: &[u8]) -> Option<&Change> {
        self.tables.get(table as usize)?.get(key)
    }

    pub(super) fn set(&mut self, table: Table, key: Vec<u8>, change: Change) {
        let Some(rows) = self.tables.get_mut(table as usize) else { return };
        if self.is_ground && change.is_none() {
            rows.remove(&key);
            return;
        }
        self.bytes += PER_CHANGE + key.len() + change.as_ref().map_or(0, Vec::len);
        rows.insert(key, change);
    }

    /// Bytes of memory that the changes took, about; those since overwritten count, too.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn is_empty(&self) -> bool {
        self.tables.iter().all(BTreeMap::is_empty)
    }

    /// The changes of a range that is not inverted, in the order of their keys or its opposite.
    pub(super) fn range(
        &self,
        table: Table,
        range: &KeyRange,
        reverse: bool,
    ) -> Box<dyn Iterator<Item = (&[u8], &Change)> + '_> {
        let Some(rows) = self.tables.get(table as usize) else {
            return Box::new(std::iter::empty());
        };
        let bounds = (as_slice(&range.0), as_slice(&range.1));
        let changes = rows.range::<[u8], _>(bounds).map(|(key, change)| (key.as_slice(), change));
        if reverse { Box::new(changes.rev()) } else { Box::new(changes) }
    }

    /// All changes, table by table, in the order of their keys.
    pub(super) fn changes(&self) -> impl Iterator<Item = (Table, &BTreeMap<Vec<u8>, Change>)> {
        Table::ALL.iter().copied().zip(&self.tables).filter(|(_, rows)| !rows.is_empty())
    }
}

pub(super) fn as_slice(bound: &Bound<Vec<u8>>) -> Bound<&[u8]> {
    match bound {
        Bound::Included(key) => Bound::Included(key.as_slice()),
        Bound::Excluded(key) => Bound::Excluded(key.as_slice()),
        Bound::Unbounded => Bound::Unbounded,
    }
}

/// Whether a range can hold no key. A `BTreeMap` panics on some of these.
pub(super) fn is_inverted(range: &KeyRange) -> bool {
    match range {
        (Bound::Included(from), Bound::Included(to)) => from > to,
        (
            Bound::Included(from) | Bound::Excluded(from),
            Bound::Excluded(to) | Bound::Included(to),
        ) => from >= to,
        _ => false,
    }
}
