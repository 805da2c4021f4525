//! The bytes of a segment: a header, then a frame for each group of batches.
//!
//! ```text
//! header   magic 8 · length of the body 4 · checksum of the body 4 · body · zeros up to 2048
//!   body   store 8 · segment 8 · previous segment 8 · its length 8 · salt 8 · names of the tables
//! frame    checksum 4 · length of the payload 4 · sequence 8 · payload
//!   payload  for each change: table 1 · length of the key 4 · length of the value 4 · key · value
//! ```
//!
//! Numbers are little-endian, checksums CRC-32 (IEEE). The salt, a random number of the segment's
//! own, is part of every frame's checksum, so that nothing that a stored value holds can be taken
//! for a frame. A table is written as its place in the header's list of names, so that the order
//! in which a version knows its tables does not matter.

use super::super::{Batch, StoreError, Table, overlay::Change};

/// Bytes of a header. The frames begin behind it.
pub(super) const HEADER: usize = 2048;
const MAGIC: &[u8; 8] = b"MO-LOG-1";
const FRAME: usize = 16;
/// The length of the value of a key that is removed.
const REMOVED: u32 = u32::MAX;

/// What a segment says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    /// The store that the segment belongs to.
    pub(super) store: u64,
    /// The segment's own number.
    pub(super) id: u64,
    /// The segment before it, and how much of that holds. What that one has beyond was never
    /// acknowledged, and is not to be read.
    pub(super) previous: Link,
    pub(super) salt: u64,
}

/// A segment up to a length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) id: u64,
    pub(super) length: u64,
}

impl Header {
    pub(super) fn encode(&self) -> Result<Vec<u8>, StoreError> {
        let mut body = Vec::with_capacity(256);
        for number in [self.store, self.id, self.previous.id, self.previous.length, self.salt] {
            body.extend_from_slice(&number.to_le_bytes());
        }
        for table in Table::ALL {
            let name = table.name().as_bytes();
            body.push(u8::try_from(name.len()).map_err(|_| StoreError::TooLarge)?);
            body.extend_from_slice(name);
        }
        let length = u32::try_from(body.len()).map_err(|_| StoreError::TooLarge)?;
        let mut bytes = Vec::with_capacity(HEADER);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(&crc32fast::hash(&body).to_le_bytes());
        bytes.extend_from_slice(&body);
        if bytes.len() > HEADER {
            return Err(StoreError::TooLarge);
        }
        bytes.resize(HEADER, 0);
        Ok(bytes)
    }

    /// The header at the beginning of a segment, with the tables by their number in it; `None`
    /// when it is not whole.
    pub(super) fn decode(segment: &[u8]) -> Option<(Self, Vec<Option<Table>>)> {
        let mut rest = segment.get(..HEADER)?.strip_prefix(MAGIC.as_slice())?;
        let length = usize::try_from(take_u32(&mut rest)?).ok()?;
        let checksum = take_u32(&mut rest)?;
        let mut body = rest.get(..length)?;
        if crc32fast::hash(body) != checksum {
            return None;
        }
        let mut number = || take_u64(&mut body);
        let header = Self {
            store: number()?,
            id: number()?,
            previous: Link { id: number()?, length: number()? },
            salt: number()?,
        };
        let mut tables = Vec::new();
        while let Some((&length, rest)) = body.split_first() {
            let (name, rest) = rest.split_at_checked(usize::from(length))?;
            tables.push(Table::ALL.iter().copied().find(|t| t.name().as_bytes() == name));
            body = rest;
        }
        Some((header, tables))
    }
}

/// Writes a frame with the changes of all batches into the buffer, in place of what is there.
pub(super) fn encode<'b>(
    buffer: &mut Vec<u8>,
    salt: u64,
    sequence: u64,
    batches: impl Iterator<Item = &'b Batch>,
) -> Result<(), StoreError> {
    buffer.clear();
    buffer.extend_from_slice(&[0; FRAME]);
    for (table, key, change) in batches.flat_map(|batch| &batch.changes) {
        buffer.push(u8::try_from(*table as usize).map_err(|_| StoreError::TooLarge)?);
        buffer.extend_from_slice(&length_of(key)?.to_le_bytes());
        let length = change.as_deref().map_or(Ok(REMOVED), length_of)?;
        buffer.extend_from_slice(&length.to_le_bytes());
        buffer.extend_from_slice(key);
        buffer.extend_from_slice(change.as_deref().unwrap_or_default());
    }
    let length = length_of(buffer.get(FRAME..).unwrap_or_default())?;
    if let Some(rest) = buffer.get_mut(4..FRAME) {
        let (for_length, for_sequence) = rest.split_at_mut(4);
        for_length.copy_from_slice(&length.to_le_bytes());
        for_sequence.copy_from_slice(&sequence.to_le_bytes());
    }
    let checksum = checksum(salt, buffer.get(4..).unwrap_or_default());
    if let Some(place) = buffer.get_mut(..4) {
        place.copy_from_slice(&checksum.to_le_bytes());
    }
    Ok(())
}

/// A whole frame.
pub(super) struct Frame<'s> {
    pub(super) sequence: u64,
    pub(super) payload: &'s [u8],
    /// Its bytes in all.
    pub(super) length: usize,
}

/// The frame at the beginning of these bytes; `None` when none is whole there.
pub(super) fn decode(salt: u64, bytes: &[u8]) -> Option<Frame<'_>> {
    let mut rest = bytes;
    let expected = take_u32(&mut rest)?;
    let length = usize::try_from(take_u32(&mut rest)?).ok()?;
    let sequence = take_u64(&mut rest)?;
    let payload = rest.get(..length)?;
    let whole = bytes.get(4..FRAME + length)?;
    // A frame without a change is never written; zeros are not taken for one.
    (length > 0 && checksum(salt, whole) == expected).then_some(Frame {
        sequence,
        payload,
        length: FRAME + length,
    })
}

/// Whether a whole frame that comes after `sequence` begins anywhere behind the first byte. Then
/// what is in its way is damage: a frame is only written once all before it are on the disk.
pub(super) fn has_later_frame(salt: u64, sequence: u64, bytes: &[u8]) -> bool {
    (1..bytes.len().saturating_sub(FRAME)).any(|at| {
        bytes.get(at..).is_some_and(|rest| {
            let mut number = rest.get(8..).unwrap_or_default();
            take_u64(&mut number)
                .is_some_and(|found| found > sequence && found - sequence < 1 << 32)
                && decode(salt, rest).is_some()
        })
    })
}

/// The changes in a frame's payload, in their order.
pub(super) fn changes(
    tables: &[Option<Table>],
    mut payload: &[u8],
    mut change: impl FnMut(Table, Vec<u8>, Change),
) -> Result<(), StoreError> {
    while let Some((&table, rest)) = payload.split_first() {
        payload = rest;
        // Only a newer version has a table that this one does not know.
        let table = tables.get(usize::from(table)).copied().flatten();
        let table = table.ok_or(StoreError::Unreadable("log"))?;
        let key_length = take_u32(&mut payload).ok_or(StoreError::Damaged)?;
        let value_length = take_u32(&mut payload).ok_or(StoreError::Damaged)?;
        let key = take(&mut payload, key_length)?.to_vec();
        let value = match value_length {
            REMOVED => None,
            length => Some(take(&mut payload, length)?.to_vec()),
        };
        change(table, key, value);
    }
    Ok(())
}

fn checksum(salt: u64, bytes: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&salt.to_le_bytes());
    hasher.update(bytes);
    hasher.finalize()
}

fn length_of(bytes: &[u8]) -> Result<u32, StoreError> {
    u32::try_from(bytes.len()).ok().filter(|&l| l != REMOVED).ok_or(StoreError::TooLarge)
}

fn take<'b>(bytes: &mut &'b [u8], length: u32) -> Result<&'b [u8], StoreError> {
    let length = usize::try_from(length).map_err(|_| StoreError::Damaged)?;
    let (taken, rest) = bytes.split_at_checked(length).ok_or(StoreError::Damaged)?;
    *bytes = rest;
    Ok(taken)
}

fn take_u32(bytes: &mut &[u8]) -> Option<u32> {
    let (number, rest) = bytes.split_first_chunk::<4>()?;
    *bytes = rest;
    Some(u32::from_le_bytes(*number))
}

fn take_u64(bytes: &mut &[u8]) -> Option<u64> {
    let (number, rest) = bytes.split_first_chunk::<8>()?;
    *bytes = rest;
    Some(u64::from_le_bytes(*number))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Changes = Vec<(Table, Vec<u8>, Change)>;

    fn tables() -> Vec<Option<Table>> {
        Table::ALL.iter().copied().map(Some).collect()
    }

    fn batch() -> impl Strategy<Value = Batch> {
        let change = (
            proptest::sample::select(Table::ALL.to_vec()),
            proptest::collection::vec(any::<u8>(), 0..20),
            proptest::option::of(proptest::collection::vec(any::<u8>(), 0..60)),
        );
        proptest::collection::vec(change, 1..5)
            .prop_map(|changes| Batch { changes, ..Batch::new() })
    }

    fn read(payload: &[u8]) -> Changes {
        let mut found = Vec::new();
        changes(&tables(), payload, |table, key, change| found.push((table, key, change))).unwrap();
        found
    }

    proptest! {
        #[test]
        fn what_a_frame_was_made_of_is_read_back(
            batches in proptest::collection::vec(batch(), 1..4), salt: u64, sequence: u64,
        ) {
            let mut bytes = Vec::new();
            encode(&mut bytes, salt, sequence, batches.iter()).unwrap();
            let frame = decode(salt, &bytes).unwrap();
            prop_assert_eq!((frame.sequence, frame.length), (sequence, bytes.len()));
            let written: Changes = batches.into_iter().flat_map(|b| b.changes).collect();
            prop_assert_eq!(read(frame.payload), written);
        }

        #[test]
        fn a_frame_that_is_torn_changed_or_of_another_segment_is_none(
            batch in batch(), salt: u64, cut: proptest::sample::Index, bit in 0..8u8,
        ) {
            let mut bytes = Vec::new();
            encode(&mut bytes, salt, 7, std::iter::once(&batch)).unwrap();
            prop_assert!(decode(salt ^ 1, &bytes).is_none());
            let at = cut.index(bytes.len());
            prop_assert!(decode(salt, &bytes[..at]).is_none());
            bytes[at] ^= 1 << bit;
            prop_assert!(decode(salt, &bytes).is_none());
        }

        #[test]
        fn a_whole_frame_behind_a_broken_one_is_found(first in batch(), second in batch(), salt: u64) {
            let (mut bytes, mut later) = (Vec::new(), Vec::new());
            encode(&mut bytes, salt, 7, std::iter::once(&first)).unwrap();
            prop_assert!(!has_later_frame(salt, 7, &bytes));
            encode(&mut later, salt, 8, std::iter::once(&second)).unwrap();
            bytes.extend_from_slice(&later);
            prop_assert!(has_later_frame(salt, 7, &bytes));
        }
    }

    #[test]
    fn a_header_is_read_back_and_a_changed_one_is_none() {
        let header =
            Header { store: 1, id: 2, previous: Link { id: 3, length: 4 }, salt: 0x0123_4567_89AB };
        let mut bytes = header.encode().unwrap();
        assert_eq!(Header::decode(&bytes), Some((header, tables())));
        assert_eq!(Header::decode(&bytes[..HEADER - 1]), None);
        bytes[20] ^= 1;
        assert_eq!(Header::decode(&bytes), None);
        assert_eq!(Header::decode(&[0; HEADER]), None);
    }
}
