//! A disk in memory that knows what has been flushed, and that fails on demand.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use redb::{Database, StorageBackend};

use super::super::{
    Store, StoreError,
    engine::Engine,
    layers::{Layers, Limits},
    log::{Folder, SegmentFile},
};

/// Small enough for a test to move changes into the database many times.
const LIMITS: Limits = Limits { gather: 20_000, most: 60_000, patience: Duration::ZERO };

/// The disk.
#[derive(Default)]
pub(crate) struct Disk {
    image: Mutex<Image>,
    full: AtomicBool,
    doubtful: AtomicBool,
    forgetful: AtomicBool,
    lying: AtomicBool,
    /// How many commits the test has seen come to an end.
    pub(super) ended: AtomicUsize,
    /// Whether the disk is noted down before and after each thing that happens to it.
    pub(super) watched: AtomicBool,
    moments: Mutex<Vec<Moment>>,
}

/// The disk at some moment, with the number of commits that had come to an end by then.
pub(super) struct Moment {
    pub(super) ended: usize,
    image: Image,
}

#[derive(Default, Clone)]
struct Image {
    database: Content,
    /// Segments by number; some may have no name any more, or none yet.
    segments: BTreeMap<u64, Content>,
    /// Which segments there are, and which of them will be after a power cut.
    names: BTreeSet<u64>,
    durable_names: BTreeSet<u64>,
}

/// The bytes of a file.
#[derive(Default, Clone)]
struct Content {
    current: Vec<u8>,
    flushed: Vec<u8>,
    /// Writes since the last flush, in order.
    pending: Vec<Pending>,
}

#[derive(Clone)]
enum Pending {
    Write(usize, Vec<u8>),
    Length(usize),
}

impl Disk {
    /// A store on this disk.
    pub(crate) fn store(self: &Arc<Self>) -> Result<Store, StoreError> {
        let handle = Handle(Arc::clone(self));
        let open = move || {
            Database::builder().create_with_backend(handle.clone()).map_err(StoreError::from_redb)
        };
        let engine = Engine::opened_by(Box::new(open), Duration::ZERO)?;
        let folder = Box::new(Handle(Arc::clone(self)));
        Ok(Store::of(Layers::over(engine, folder, LIMITS)?))
    }

    /// Makes it full, or gives it room again. Then everything fails that needs more of it; what a
    /// file has already can be written over.
    pub(crate) fn set_full(&self, full: bool) {
        self.full.store(full, Ordering::SeqCst);
    }

    /// Makes the next flush of a commit reach the disk and nevertheless report a failure, after
    /// which the disk is full: a commit in doubt.
    pub(crate) fn doubt_next_flush(&self) {
        self.doubtful.store(true, Ordering::SeqCst);
    }

    /// Makes the next flush of a commit fail as Linux does: what was to be flushed is not on the
    /// disk, can be read until the power goes, and later flushes succeed without it.
    pub(crate) fn forget_next_flush(&self) {
        self.forgetful.store(true, Ordering::SeqCst);
    }

    /// Makes the next flush of a commit do nothing and report success: what a killed process leaves
    /// behind, in the page cache and not on the disk.
    pub(super) fn lie_at_next_flush(&self) {
        self.lying.store(true, Ordering::SeqCst);
    }

    /// The moments that were noted down.
    pub(super) fn take_moments(&self) -> Vec<Moment> {
        std::mem::take(&mut self.moments.lock().unwrap())
    }

    /// The disk as it is now.
    pub(super) fn now(&self) -> Moment {
        let image = self.image.lock().unwrap().clone();
        Moment { ended: self.ended.load(Ordering::SeqCst), image }
    }

    /// Spoils a byte of a segment, `at` from its end.
    pub(super) fn spoil_segment(&self, newest: usize, at_from_end: usize) {
        let mut image = self.image.lock().unwrap();
        let id = *image.names.iter().rev().nth(newest).unwrap();
        let content = image.segments.get_mut(&id).unwrap();
        let at = content.current.len() - at_from_end;
        content.current[at] ^= 0xFF;
    }

    pub(super) fn segments(&self) -> usize {
        self.image.lock().unwrap().names.len()
    }

    /// Notes the disk down, always at a thing that happens to the log, else now and then.
    fn note(&self, image: &Image, share: f64) {
        if self.watched.load(Ordering::SeqCst) && rand::random_bool(share) {
            let ended = self.ended.load(Ordering::SeqCst);
            self.moments.lock().unwrap().push(Moment { ended, image: image.clone() });
        }
    }

    fn change<T>(
        &self,
        share: f64,
        change: impl FnOnce(&mut Image) -> io::Result<T>,
    ) -> io::Result<T> {
        let mut image = self.image.lock().unwrap();
        self.note(&image, share);
        let result = change(&mut image);
        self.note(&image, share);
        result
    }

    fn has_room(&self) -> io::Result<()> {
        let full = self.full.load(Ordering::SeqCst);
        if full { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }
}

impl Moment {
    /// The disk after a power cut at this moment. Of what was not flushed each part may have
    /// reached the disk or not, and a write in part; with `nothing_more`, none of it has.
    pub(super) fn after_power_cut(&self, nothing_more: bool) -> Arc<Disk> {
        let mut image = self.image.clone();
        let lucky = || !nothing_more && rand::random_bool(0.5);
        image.database.cut(nothing_more);
        image.segments.values_mut().for_each(|content| content.cut(nothing_more));
        for id in image.names.symmetric_difference(&image.durable_names.clone()) {
            if lucky() && !image.durable_names.remove(id) {
                image.durable_names.insert(*id);
            }
        }
        image.names.clone_from(&image.durable_names);
        let names = image.names.clone();
        image.segments.retain(|id, _| names.contains(id));
        Arc::new(Disk { image: Mutex::new(image), ..Disk::default() })
    }
}

impl Content {
    fn write(&mut self, pending: Pending) {
        pending.apply(&mut self.current);
        self.pending.push(pending);
    }

    fn flush(&mut self) {
        for pending in self.pending.drain(..) {
            pending.apply(&mut self.flushed);
        }
    }

    fn cut(&mut self, nothing_more: bool) {
        for mut pending in self.pending.drain(..) {
            if nothing_more || rand::random_bool(0.3) {
                continue;
            }
            if let Pending::Write(_, data) = &mut pending
                && rand::random_bool(0.5)
            {
                data.truncate(rand::random_range(0..=data.len()));
            }
            pending.apply(&mut self.flushed);
        }
        self.current.clone_from(&self.flushed);
    }
}

impl Pending {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Length(length) => bytes.resize(*length, 0),
            Self::Write(offset, data) => {
                let end = offset + data.len();
                if bytes.len() < end {
                    bytes.resize(end, 0);
                }
                bytes[*offset..end].copy_from_slice(data);
            }
        }
    }
}

/// The disk as the store holds it.
#[derive(Clone)]
struct Handle(Arc<Disk>);

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Handle")
    }
}

impl StorageBackend for Handle {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.image.lock().unwrap().database.current.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let image = self.0.image.lock().unwrap();
        let start = usize::try_from(offset).unwrap();
        let found = image.database.current.get(start..start + out.len());
        out.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.change(0.2, |image| {
            let len = usize::try_from(len).unwrap();
            if len > image.database.current.len() {
                self.0.has_room()?;
            }
            image.database.write(Pending::Length(len));
            Ok(())
        })
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.change(0.2, |image| {
            image.database.flush();
            Ok(())
        })
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.change(0.2, |image| {
            let offset = usize::try_from(offset).unwrap();
            if offset + data.len() > image.database.current.len() {
                self.0.has_room()?;
            }
            image.database.write(Pending::Write(offset, data.to_vec()));
            Ok(())
        })
    }
}

impl Folder for Handle {
    fn list(&self) -> io::Result<Vec<u64>> {
        Ok(self.0.image.lock().unwrap().names.iter().copied().collect())
    }

    fn read(&self, id: u64) -> io::Result<Vec<u8>> {
        let image = self.0.image.lock().unwrap();
        let found = image.segments.get(&id).filter(|_| image.names.contains(&id));
        Ok(found.ok_or(io::ErrorKind::NotFound)?.current.clone())
    }

    fn create(&self, id: u64) -> io::Result<Box<dyn SegmentFile>> {
        self.0.has_room()?;
        self.0.change(1.0, |image| {
            if !image.names.insert(id) {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            image.segments.insert(id, Content::default());
            Ok(())
        })?;
        Ok(Box::new(Segment { disk: self.clone(), id }))
    }

    fn remove(&self, id: u64) -> io::Result<()> {
        self.0.change(1.0, |image| {
            if image.names.remove(&id) { Ok(()) } else { Err(io::ErrorKind::NotFound.into()) }
        })
    }

    fn sync(&self) -> io::Result<()> {
        self.0.has_room()?;
        self.0.change(1.0, |image| {
            image.durable_names.clone_from(&image.names);
            let Image { segments, names, .. } = image;
            segments.retain(|id, _| names.contains(id));
            Ok(())
        })
    }
}

#[derive(Debug)]
struct Segment {
    disk: Handle,
    id: u64,
}

impl Segment {
    fn change<T>(&self, change: impl FnOnce(&mut Content) -> io::Result<T>) -> io::Result<T> {
        self.disk.0.change(1.0, |image| change(image.segments.get_mut(&self.id).unwrap()))
    }
}

impl SegmentFile for Segment {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let room = self.disk.0.has_room();
        // On a disk that fills up, part of a write may succeed.
        let fits = if room.is_ok() { bytes.len() } else { rand::random_range(0..bytes.len()) };
        self.change(|content| {
            content.write(Pending::Write(content.current.len(), bytes[..fits].to_vec()));
            Ok(())
        })?;
        room
    }

    fn sync(&mut self) -> io::Result<()> {
        let disk = &self.disk.0;
        disk.has_room()?;
        self.change(|content| {
            // The flush of the header is no commit's.
            let commits = content.pending.iter().any(|p| matches!(p, Pending::Write(1.., _)));
            if commits && disk.forgetful.swap(false, Ordering::SeqCst) {
                content.pending.clear();
                return Err(io::ErrorKind::Other.into());
            }
            if commits && disk.lying.swap(false, Ordering::SeqCst) {
                return Ok(());
            }
            content.flush();
            if commits && disk.doubtful.swap(false, Ordering::SeqCst) {
                disk.set_full(true);
                return Err(io::ErrorKind::StorageFull.into());
            }
            Ok(())
        })
    }
}
