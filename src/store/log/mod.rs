//! The write-ahead log: what was committed and is not yet in the database.
//!
//! A commit is one frame at the end of one file, and one flush. The log is a chain of segments,
//! each of which says which one came before it and how much of that holds. So:
//!
//! - After a write or a flush that failed, nobody knows what of it is on the disk, and a second
//!   flush would not tell: the kernel forgets what it could not write. That segment is never
//!   written again. The next one says where the acknowledged part of it ends, and what is beyond
//!   never happened. As long as there is no next one, for want of space say, nothing is written
//!   and hence nothing rests on it.
//! - Only the last frame of the last segment can be torn. Anything else that is not whole is
//!   damage, and is reported instead of being skipped.
//! - What recovery reads may be in the page cache alone. It goes into the database before anything
//!   new is written, and the chain begins anew.

mod folder;
mod frame;
mod recovery;

use std::time::{Duration, Instant};

use super::{Batch, StoreError};

pub(super) use folder::{DiskFolder, Folder, SegmentFile, sync_folder};
use frame::{HEADER, Header, Link};

/// Most bytes that the buffer keeps after a large group.
const KEPT_BUFFER: usize = 1024 * 1024;

/// The log, open for writing.
#[derive(Debug)]
pub(super) struct Log {
    folder: Box<dyn Folder>,
    /// The store that the log belongs to.
    store: u64,
    /// Where the acknowledged part ends.
    end: Link,
    /// The segment that is being written; `None` before the first commit and after a failure.
    segment: Option<Segment>,
    next_id: u64,
    /// Segments begun since the log was last sealed.
    begun: Vec<u64>,
    /// Bytes appended since then.
    written: usize,
    buffer: Vec<u8>,
    failed: Option<(StoreError, Instant)>,
    /// Shortest time between two attempts after a failure.
    patience: Duration,
}

#[derive(Debug)]
struct Segment {
    file: Box<dyn SegmentFile>,
    salt: u64,
    /// The number of its next frame.
    sequence: u64,
}

/// Segments that are complete.
#[derive(Debug, Default)]
pub(super) struct Sealed {
    /// No segment with a higher number is among them, and none with a lower one is elsewhere.
    pub(super) through: u64,
    segments: Vec<u64>,
}

impl Log {
    /// Appends a group, whole or not at all; it is durable when this returns `Ok`. After an error
    /// it is not part of the log, unless the process ends before the next success.
    pub(super) fn append<'b>(
        &mut self,
        batches: impl Iterator<Item = &'b Batch>,
    ) -> Result<(), StoreError> {
        if let Some((error, at)) = &self.failed
            && at.elapsed() < self.patience
        {
            return Err(error.clone());
        }
        let result = self.try_append(batches);
        self.failed = result.as_ref().err().map(|error| (error.clone(), Instant::now()));
        if result.is_err() {
            self.segment = None;
        }
        if self.buffer.capacity() > KEPT_BUFFER {
            self.buffer = Vec::new();
        }
        result
    }

    /// Bytes appended since the log was last sealed.
    pub(super) fn written(&self) -> usize {
        self.written
    }

    /// Ends the present segment; what follows goes into a new one.
    pub(super) fn seal(&mut self) -> Sealed {
        self.segment = None;
        self.written = 0;
        Sealed { through: self.next_id - 1, segments: std::mem::take(&mut self.begun) }
    }

    /// Removes segments whose content is durable elsewhere. One that cannot be removed is removed
    /// when the store is opened next.
    pub(super) fn discard(&mut self, sealed: &Sealed) {
        for id in &sealed.segments {
            let _ = self.folder.remove(*id);
        }
    }

    fn try_append<'b>(
        &mut self,
        batches: impl Iterator<Item = &'b Batch>,
    ) -> Result<(), StoreError> {
        let mut segment = match self.segment.take() {
            Some(segment) => segment,
            None => self.begin()?,
        };
        frame::encode(&mut self.buffer, segment.salt, segment.sequence, batches)?;
        segment.file.append(&self.buffer).map_err(|e| StoreError::from_file(&e))?;
        segment.file.sync().map_err(|e| StoreError::from_file(&e))?;
        segment.sequence += 1;
        self.end.length += self.buffer.len() as u64;
        self.written += self.buffer.len();
        self.segment = Some(segment);
        Ok(())
    }

    /// Begins a segment: durable, and empty.
    fn begin(&mut self) -> Result<Segment, StoreError> {
        let id = self.next_id;
        self.next_id += 1;
        let salt = rand::random();
        let header = Header { store: self.store, id, previous: self.end, salt }.encode()?;
        let created = || {
            let mut file = self.folder.create(id)?;
            file.append(&header)?;
            file.sync()?;
            self.folder.sync()?;
            Ok(file)
        };
        match created() {
            Ok(file) => {
                self.begun.push(id);
                self.end = Link { id, length: HEADER as u64 };
                Ok(Segment { file, salt, sequence: 1 })
            }
            Err(error) => {
                if self.folder.remove(id).is_err() {
                    self.begun.push(id);
                }
                Err(StoreError::from_file(&error))
            }
        }
    }
}
