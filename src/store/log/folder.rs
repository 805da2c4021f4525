//! Where the segments are kept: a folder of the disk, or in tests one that fails.

use std::{
    fmt,
    fs::{DirBuilder, File, OpenOptions, TryLockError},
    io::{self, Write},
    path::{Path, PathBuf},
};

use super::super::StoreError;

/// A folder of segments. What is created or removed is there for good only after [`Folder::sync`].
pub(in crate::store) trait Folder: Send + fmt::Debug {
    /// The segments that are there, in any order.
    fn list(&self) -> io::Result<Vec<u64>>;
    /// All of a segment's bytes.
    fn read(&self, id: u64) -> io::Result<Vec<u8>>;
    /// A new, empty segment.
    fn create(&self, id: u64) -> io::Result<Box<dyn SegmentFile>>;
    /// Removes a segment.
    fn remove(&self, id: u64) -> io::Result<()>;
    /// Makes durable which segments there are.
    fn sync(&self) -> io::Result<()>;
}

/// A segment that is being written.
pub(in crate::store) trait SegmentFile: Send + fmt::Debug {
    /// Writes all of the bytes behind those that are there.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Makes durable what was appended.
    fn sync(&mut self) -> io::Result<()>;
}

/// A folder on the disk, locked for as long as this lives. redb's own lock would not do: it is
/// loose for a moment whenever the database is opened anew.
#[derive(Debug)]
pub(in crate::store) struct DiskFolder {
    path: PathBuf,
    _lock: File,
}

const LOCK: &str = "lock";
const EXTENSION: &str = "segment";

impl DiskFolder {
    /// Opens the folder, and creates it where it is absent.
    pub(in crate::store) fn open(path: &Path) -> Result<Self, StoreError> {
        let failed = |e: io::Error| StoreError::from_file(&e);
        let mut builder = DirBuilder::new();
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        #[cfg(unix)]
        {
            use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
            builder.mode(0o700);
            options.mode(0o600);
        }
        match builder.create(path) {
            Ok(()) => {
                let parent = path.parent().filter(|p| !p.as_os_str().is_empty());
                sync_folder(parent.unwrap_or(Path::new("."))).map_err(failed)?;
            }
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(failed(e)),
        }
        let lock = options.open(path.join(LOCK)).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(StoreError::InUse),
            Err(TryLockError::Error(e)) => Err(failed(e)),
        }
    }

    fn file(&self, id: u64) -> PathBuf {
        self.path.join(format!("{id:020}.{EXTENSION}"))
    }
}

impl Folder for DiskFolder {
    fn list(&self) -> io::Result<Vec<u64>> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(&self.path)? {
            let path = entry?.path();
            let id: Option<u64> = path.file_stem().and_then(|stem| stem.to_str()?.parse().ok());
            if path.extension().is_some_and(|e| e == EXTENSION) {
                found.extend(id);
            }
        }
        Ok(found)
    }

    fn read(&self, id: u64) -> io::Result<Vec<u8>> {
        std::fs::read(self.file(id))
    }

    fn create(&self, id: u64) -> io::Result<Box<dyn SegmentFile>> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        Ok(Box::new(options.open(self.file(id))?))
    }

    fn remove(&self, id: u64) -> io::Result<()> {
        std::fs::remove_file(self.file(id))
    }

    fn sync(&self) -> io::Result<()> {
        sync_folder(&self.path)
    }
}

impl SegmentFile for File {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}

/// Makes durable which files a folder has. Only Unix lets a folder be opened like a file.
pub(in crate::store) fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(path)?.sync_all() } else { Ok(()) }
}
