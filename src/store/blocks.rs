//! Many rows in one value of the database.
//!
//! redb pays some ten thousand instructions for a row, whatever its size, and the store has many
//! small ones. So rows that follow each other are kept together: a block is a run of them, and its
//! key in the database says where it begins. It ends where the next one begins; the first one of a
//! table begins at the empty key. Changes come in the order of their keys and many at a time, so
//! that a block is seldom written for the sake of one row.
//!
//! ```text
//! block    number of rows 4 · end of each row 4 · rows
//!   row      length of the key 2 · key · value
//! ```

use std::{cmp::Ordering, ops::Bound};

use redb::ReadableTable;

use super::{KeyRange, Row, StoreError, Table, overlay::Change};

/// Most bytes of a block, unless a single row is longer: a little less than two pages of 4 KiB.
/// Larger ones make appending cheaper still, and a row in the midst of others dearer.
const MOST: usize = 8_000;
/// What a row takes in a block beside its key and value.
const PER_ROW: usize = 6;

/// A table of blocks, open for writing.
pub(super) type Blocks<'t> = redb::Table<'t, &'static [u8], &'static [u8]>;

/// The rows of a block.
#[derive(Debug, Clone, Copy)]
pub(super) struct Block<'b> {
    count: usize,
    ends: &'b [u8],
    rows: &'b [u8],
}

impl<'b> Block<'b> {
    pub(super) fn new(bytes: &'b [u8]) -> Result<Self, StoreError> {
        let (count, rest) = bytes.split_first_chunk::<4>().ok_or(StoreError::Damaged)?;
        let count = u32::from_le_bytes(*count) as usize;
        let ends = count.checked_mul(4).ok_or(StoreError::Damaged)?;
        let (ends, rows) = rest.split_at_checked(ends).ok_or(StoreError::Damaged)?;
        Ok(Self { count, ends, rows })
    }

    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// The row at a place.
    pub(super) fn row(&self, at: usize) -> Result<(&'b [u8], &'b [u8]), StoreError> {
        let from = match at.checked_sub(1) {
            Some(before) => self.end(before),
            None => Some(0),
        };
        self.between(from, self.end(at)).ok_or(StoreError::Damaged)
    }

    fn between(&self, from: Option<usize>, to: Option<usize>) -> Option<(&'b [u8], &'b [u8])> {
        let (length, rest) = self.rows.get(from?..to?)?.split_first_chunk::<2>()?;
        rest.split_at_checked(usize::from(u16::from_le_bytes(*length)))
    }

    fn end(&self, at: usize) -> Option<usize> {
        let bytes = self.ends.get(at * 4..)?.first_chunk::<4>()?;
        Some(u32::from_le_bytes(*bytes) as usize)
    }

    /// Where a key is, or would be.
    fn place(&self, key: &[u8]) -> Result<Result<usize, usize>, StoreError> {
        let (mut from, mut to) = (0, self.count);
        while from < to {
            let middle = from + (to - from) / 2;
            match self.row(middle)?.0.cmp(key) {
                Ordering::Less => from = middle + 1,
                Ordering::Greater => to = middle,
                Ordering::Equal => return Ok(Ok(middle)),
            }
        }
        Ok(Err(from))
    }

    /// The places of a range.
    fn places(&self, range: &KeyRange) -> Result<std::ops::Range<usize>, StoreError> {
        let from = match &range.0 {
            Bound::Unbounded => 0,
            Bound::Included(key) => self.place(key)?.unwrap_or_else(|at| at),
            Bound::Excluded(key) => self.place(key)?.map_or_else(|at| at, |at| at + 1),
        };
        let to = match &range.1 {
            Bound::Unbounded => self.count,
            Bound::Included(key) => self.place(key)?.map_or_else(|at| at, |at| at + 1),
            Bound::Excluded(key) => self.place(key)?.unwrap_or_else(|at| at),
        };
        Ok(from..to)
    }
}

/// The value under a key.
pub(super) fn get(
    table: &impl ReadableTable<&'static [u8], &'static [u8]>,
    key: &[u8],
) -> Result<Option<Vec<u8>>, StoreError> {
    let before = table.range::<&[u8]>(..=key).map_err(StoreError::from_redb)?.next_back();
    let Some((_, bytes)) = before.transpose().map_err(StoreError::from_redb)? else {
        return Ok(None);
    };
    let block = Block::new(bytes.value())?;
    match block.place(key)? {
        Ok(at) => Ok(Some(block.row(at)?.1.to_vec())),
        Err(_) => Ok(None),
    }
}

/// Goes through the rows of a range, which is not inverted, in the order of their keys or its
/// opposite.
pub(super) fn rows<'t>(
    table: &'t impl ReadableTable<&'static [u8], &'static [u8]>,
    range: &'t KeyRange,
    reverse: bool,
) -> Result<impl Iterator<Item = Result<Row, StoreError>> + 't, StoreError> {
    // The range may begin in the midst of a block.
    let first = match &range.0 {
        Bound::Included(key) | Bound::Excluded(key) => {
            let before = table.range::<&[u8]>(..=key.as_slice());
            let before = before.map_err(StoreError::from_redb)?.next_back();
            before.transpose().map_err(StoreError::from_redb)?.map(|(key, _)| key.value().to_vec())
        }
        Bound::Unbounded => None,
    };
    let last = match &range.1 {
        Bound::Included(key) | Bound::Excluded(key) => Bound::Included(key.as_slice()),
        Bound::Unbounded => Bound::Unbounded,
    };
    let first = first.as_deref().map_or(Bound::Unbounded, Bound::Included);
    let mut blocks = table.range::<&[u8]>((first, last)).map_err(StoreError::from_redb)?;
    let mut next_block = move || {
        let next = if reverse { blocks.next_back() } else { blocks.next() }?;
        Some(next.map_err(StoreError::from_redb).and_then(|(_, bytes)| {
            let bytes = bytes.value().to_vec();
            let places = Block::new(&bytes)?.places(range)?;
            Ok((bytes, places))
        }))
    };
    let mut current = (Vec::new(), 0..0);
    Ok(std::iter::from_fn(move || {
        loop {
            let at = if reverse { current.1.next_back() } else { current.1.next() };
            if let Some(at) = at {
                let block = Block::new(&current.0);
                return Some(block.and_then(|block| {
                    let (key, value) = block.row(at)?;
                    Ok((key.to_vec(), value.to_vec()))
                }));
            }
            match next_block()? {
                Ok(next) => current = next,
                Err(error) => return Some(Err(error)),
            }
        }
    }))
}

/// Writes changes that come in the order of their keys.
pub(super) fn absorb<'c>(
    table: &mut Blocks<'_>,
    changes: impl Iterator<Item = (&'c [u8], Option<&'c [u8]>)>,
) -> Result<(), StoreError> {
    let mut changes = changes.peekable();
    while let Some((key, _)) = changes.peek() {
        let (begin, old, end) = block_of(table, key)?;
        let old = old.as_deref().map(Block::new).transpose()?;
        let mut kept: Vec<(&[u8], &[u8])> = Vec::new();
        let mut at = 0;
        // Whether all that comes is behind all that was there.
        let mut appends = true;
        let mut next_old = |before: Option<&[u8]>, kept: &mut Vec<_>| {
            let Some(old) = old else { return Ok(true) };
            while at < old.len() {
                let row = old.row(at)?;
                match before.map_or(Ordering::Less, |before| row.0.cmp(before)) {
                    Ordering::Less => kept.push(row),
                    // What is there is being replaced or removed.
                    Ordering::Equal => {}
                    Ordering::Greater => return Ok(false),
                }
                at += 1;
            }
            Ok::<_, StoreError>(true)
        };
        while let Some((key, change)) =
            changes.next_if(|(key, _)| end.as_deref().is_none_or(|end| *key < end))
        {
            appends &= next_old(Some(key), &mut kept)?;
            kept.extend(change.map(|value| (key, value)));
        }
        next_old(None, &mut kept)?;
        if kept.is_empty() {
            table.remove(begin.as_slice()).map_err(StoreError::from_redb)?;
        }
        let mut begin = Some(begin);
        for piece in pieces(&kept, appends) {
            let first = piece.first().map(|(key, _)| *key).unwrap_or_default();
            let begin = begin.take().unwrap_or_else(|| first.to_vec());
            table
                .insert(begin.as_slice(), encode(piece)?.as_slice())
                .map_err(StoreError::from_redb)?;
        }
    }
    Ok(())
}

/// Where a block begins, what is in it, and where the next one begins.
type Found = (Vec<u8>, Option<Vec<u8>>, Option<Vec<u8>>);

/// The block that a key belongs to.
fn block_of(table: &Blocks<'_>, key: &[u8]) -> Result<Found, StoreError> {
    let before = table.range::<&[u8]>(..=key).map_err(StoreError::from_redb)?.next_back();
    let (begin, old) = match before.transpose().map_err(StoreError::from_redb)? {
        Some((begin, old)) => (begin.value().to_vec(), Some(old.value().to_vec())),
        None => (Vec::new(), None),
    };
    let after = (Bound::Excluded(key), Bound::Unbounded);
    let after = table.range::<&[u8]>(after).map_err(StoreError::from_redb)?.next();
    let after = after.transpose().map_err(StoreError::from_redb)?;
    Ok((begin, old, after.map(|(key, _)| key.value().to_vec())))
}

/// Cuts rows into blocks: full ones where rows were appended, for nothing will come between them;
/// else of about one size, with room for more.
fn pieces<'r, 'k>(
    rows: &'r [(&'k [u8], &'k [u8])],
    appends: bool,
) -> impl Iterator<Item = &'r [(&'k [u8], &'k [u8])]> {
    let size = |(key, value): &(&[u8], &[u8])| PER_ROW + key.len() + value.len();
    let total: usize = rows.iter().map(size).sum();
    let most = if appends { MOST } else { total.div_ceil(total.div_ceil(MOST).max(1)) };
    let mut rest = rows;
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let fits = rest.iter().take_while(|row| {
            bytes += size(row);
            bytes <= most
        });
        let (piece, left) = rest.split_at_checked(fits.count().max(1))?;
        rest = left;
        Some(piece)
    })
}

fn encode(rows: &[(&[u8], &[u8])]) -> Result<Vec<u8>, StoreError> {
    let number = |n: usize| u32::try_from(n).map(u32::to_le_bytes).or(Err(StoreError::TooLarge));
    let total: usize = rows.iter().map(|(key, value)| PER_ROW + key.len() + value.len()).sum();
    let mut bytes = Vec::with_capacity(4 + total);
    bytes.extend_from_slice(&number(rows.len())?);
    let mut end = 0;
    for (key, value) in rows {
        end += 2 + key.len() + value.len();
        bytes.extend_from_slice(&number(end)?);
    }
    for (key, value) in rows {
        let length = u16::try_from(key.len()).map_err(|_| StoreError::TooLarge)?;
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(key);
        bytes.extend_from_slice(value);
    }
    Ok(bytes)
}

/// A change of an overlay as [`absorb`] takes it.
pub(super) fn as_change<'c>(
    (key, change): (&'c Vec<u8>, &'c Change),
) -> (&'c [u8], Option<&'c [u8]>) {
    (key, change.as_deref())
}

/// The name of a table of blocks in the database.
pub(super) fn definition(table: Table) -> super::format::Definition {
    super::format::Definition::new(table.blocks())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use redb::{Database, ReadableDatabase, ReadableTableMetadata, backends::InMemoryBackend};

    use super::*;

    type Changes = BTreeMap<Vec<u8>, Change>;

    fn key() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            proptest::collection::vec(0..3u8, 0..4),
            (0..200u64).prop_map(|n| n.to_be_bytes().to_vec()),
        ]
    }

    fn changes() -> impl Strategy<Value = Changes> {
        let value = (any::<u8>(), 0..5000usize).prop_map(|(byte, length)| vec![byte; length]);
        proptest::collection::btree_map(key(), proptest::option::weighted(0.7, value), 1..40)
    }

    fn write(database: &Database, changes: &Changes) {
        let transaction = database.begin_write().unwrap();
        let mut table = transaction.open_table(definition(Table::Ledger)).unwrap();
        absorb(&mut table, changes.iter().map(as_change)).unwrap();
        drop(table);
        transaction.commit().unwrap();
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn blocks_hold_what_a_map_would(
            groups in proptest::collection::vec(changes(), 1..6), from in key(), to in key(),
        ) {
            let database =
                Database::builder().create_with_backend(InMemoryBackend::new()).unwrap();
            let mut expected = BTreeMap::new();
            for changes in &groups {
                write(&database, changes);
                for (key, change) in changes {
                    match change {
                        Some(value) => expected.insert(key.clone(), value.clone()),
                        None => expected.remove(key),
                    };
                }
            }
            let transaction = database.begin_read().unwrap();
            let table = transaction.open_table(definition(Table::Ledger)).unwrap();
            for key in groups.iter().flat_map(BTreeMap::keys).chain([&from, &to]) {
                prop_assert_eq!(get(&table, key).unwrap(), expected.get(key).cloned());
            }
            for range in [
                (Bound::Unbounded, Bound::Unbounded),
                (Bound::Excluded(from.clone()), Bound::Unbounded),
                (Bound::Unbounded, Bound::Included(to.clone())),
                (Bound::Included((&from).min(&to).clone()), Bound::Included((&to).max(&from).clone())),
            ] {
                let mut rows_of: Vec<Row> =
                    expected.range(range.clone()).map(|(k, v)| (k.clone(), v.clone())).collect();
                let found: Result<Vec<_>, _> = rows(&table, &range, false).unwrap().collect();
                prop_assert_eq!(found.unwrap(), rows_of.clone());
                rows_of.reverse();
                let found: Result<Vec<_>, _> = rows(&table, &range, true).unwrap().collect();
                prop_assert_eq!(found.unwrap(), rows_of);
            }
        }
    }

    #[test]
    fn rows_that_are_appended_fill_their_blocks() {
        let database = Database::builder().create_with_backend(InMemoryBackend::new()).unwrap();
        let mut next = 0_u64;
        for _ in 0..20 {
            let changes = (0..100).map(|_| {
                next += 1;
                (next.to_be_bytes().to_vec(), Some(vec![b'x'; 100]))
            });
            write(&database, &changes.collect());
        }
        let transaction = database.begin_read().unwrap();
        let table = transaction.open_table(definition(Table::Ledger)).unwrap();
        let least = 2000 * (100 + 8 + PER_ROW) / MOST;
        let blocks = table.len().unwrap();
        assert!((least as u64..=least as u64 + 2).contains(&blocks), "{blocks} of {least}");
        // All of them removed, nothing is left.
        drop((table, transaction));
        write(&database, &(1..=next).map(|n| (n.to_be_bytes().to_vec(), None)).collect());
        let transaction = database.begin_read().unwrap();
        assert_eq!(transaction.open_table(definition(Table::Ledger)).unwrap().len().unwrap(), 0);
    }
}
