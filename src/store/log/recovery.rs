//! Reading the log when the store is opened.

use std::{collections::BTreeMap, time::Duration};

use super::{
    super::{StoreError, Table, overlay::Overlay},
    Folder, Link, Log,
    frame::{self, HEADER, Header},
};

/// A segment with a whole header.
struct Found {
    header: Header,
    tables: Vec<Option<Table>>,
    bytes: Vec<u8>,
}

impl Log {
    /// Opens the log of a store whose database holds everything up to and including segment
    /// `applied`, and returns what it does not hold yet.
    ///
    /// # Errors
    /// [`StoreError::ForeignLog`] for another store's log, [`StoreError::Damaged`] when something
    /// is missing that was acknowledged, [`StoreError::Io`].
    pub(in crate::store) fn open(
        folder: Box<dyn Folder>,
        store: u64,
        applied: u64,
        patience: Duration,
    ) -> Result<(Self, Overlay), StoreError> {
        let mut ids = folder.list().map_err(|e| StoreError::from_file(&e))?;
        ids.sort_unstable();
        let last = ids.last().copied().unwrap_or(0).max(applied);
        let next_id = last.checked_add(1).ok_or(StoreError::Damaged)?;
        let mut found = read_all(folder.as_ref(), store, &ids, applied)?;
        let chain = chain(&mut found, applied)?;
        let mut changes = Overlay::above();
        let mut limits = chain.iter().skip(1).map(|next| next.header.previous);
        for segment in &chain {
            replay(segment, limits.next(), &mut changes)?;
        }
        let log = Self {
            folder,
            store,
            end: Link { id: applied, length: 0 },
            segment: None,
            next_id,
            begun: ids,
            written: 0,
            buffer: Vec::new(),
            failed: None,
            patience,
        };
        Ok((log, changes))
    }
}

/// The segments after `applied` that were begun. One without a whole header was not: it holds no
/// more than the beginning of one.
fn read_all(
    folder: &dyn Folder,
    store: u64,
    ids: &[u64],
    applied: u64,
) -> Result<BTreeMap<u64, Found>, StoreError> {
    let mut found = BTreeMap::new();
    for &id in ids.iter().filter(|&&id| id > applied) {
        let bytes = folder.read(id).map_err(|e| StoreError::from_file(&e))?;
        match Header::decode(&bytes) {
            Some((header, _)) if header.store != store => return Err(StoreError::ForeignLog),
            Some((header, _)) if header.id != id => return Err(StoreError::Damaged),
            Some((header, tables)) => drop(found.insert(id, Found { header, tables, bytes })),
            None if bytes.len() > HEADER => return Err(StoreError::Damaged),
            None => {}
        }
    }
    Ok(found)
}

/// The segments that follow each other up to the last one, oldest first. Others were begun by an
/// attempt that failed, and hold nothing.
fn chain(found: &mut BTreeMap<u64, Found>, applied: u64) -> Result<Vec<Found>, StoreError> {
    let mut chain: Vec<Found> = Vec::new();
    let mut next = found.keys().next_back().copied();
    while let Some(id) = next.filter(|&id| id > applied) {
        let segment = found.remove(&id).ok_or(StoreError::Damaged)?;
        if segment.header.previous.id >= id {
            return Err(StoreError::Damaged);
        }
        next = Some(segment.header.previous.id);
        chain.push(segment);
    }
    chain.reverse();
    if found.values().any(|left| left.bytes.len() > HEADER) {
        return Err(StoreError::Damaged);
    }
    Ok(chain)
}

/// Reads a segment's frames: up to `limit` where a later segment says where it ends, else up to
/// the first one that is torn.
fn replay(segment: &Found, limit: Option<Link>, into: &mut Overlay) -> Result<(), StoreError> {
    let salt = segment.header.salt;
    let end = match limit {
        Some(link) => usize::try_from(link.length).map_err(|_| StoreError::Damaged)?,
        None => segment.bytes.len(),
    };
    let mut rest = segment.bytes.get(HEADER..end).ok_or(StoreError::Damaged)?;
    let mut sequence = 0;
    while !rest.is_empty() {
        let whole = frame::decode(salt, rest).filter(|frame| frame.sequence == sequence + 1);
        let Some(whole) = whole else {
            if limit.is_some() || frame::has_later_frame(salt, sequence, rest) {
                return Err(StoreError::Damaged);
            }
            break;
        };
        frame::changes(&segment.tables, whole.payload, |table, key, change| {
            into.set(table, key, change);
        })?;
        sequence += 1;
        rest = rest.get(whole.length..).unwrap_or_default();
    }
    Ok(())
}
