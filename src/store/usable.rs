//! Whether a store can be had in a folder, without opening it: a service may be at work there.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read},
    path::Path,
};

use super::StoreError;

/// What every file of redb begins with.
const MAGIC: &[u8] = b"redb";

/// Whether the file at `path` is a store or absent, and its folder can be written, or made. Nothing
/// stays changed, and a store that is open elsewhere is left alone. What only opening it can tell
/// (its format, its key, damage) is not looked for.
///
/// # Errors
/// [`StoreError::NotAStore`], [`StoreError::DiskFull`] or [`StoreError::Io`].
pub fn usable(path: &Path) -> Result<(), StoreError> {
    let failed = |error: io::Error| StoreError::from_file(&error);
    match File::open(path) {
        Ok(file) => {
            let mut begin = Vec::new();
            file.take(MAGIC.len() as u64).read_to_end(&mut begin).map_err(failed)?;
            // A file without a byte is one that was made and not written yet.
            if !begin.is_empty() && begin != MAGIC {
                return Err(StoreError::NotAStore);
            }
            OpenOptions::new().write(true).open(path).map_err(failed)?;
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
    }
    let here = Path::new(".");
    let folder = path
        .ancestors()
        .skip(1)
        .map(|folder| if folder.as_os_str().is_empty() { here } else { folder })
        .find(|folder| folder.exists())
        .unwrap_or(here);
    let attempt = folder.join(format!(".write-check-{:016x}", rand::random::<u64>()));
    File::create_new(&attempt).map_err(failed)?;
    fs::remove_file(&attempt).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_judged_and_left_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::write(at("letter"), "Dear Ada").unwrap();
        assert_eq!(usable(&at("store")), Ok(()));
        assert_eq!(usable(&at("to/be/made/store")), Ok(()));
        fs::write(at("empty"), "").unwrap();
        assert_eq!(usable(&at("empty")), Ok(()));
        fs::remove_file(at("empty")).unwrap();
        assert_eq!(usable(&at("letter")), Err(StoreError::NotAStore));
        assert!(matches!(usable(&at("letter/store")), Err(StoreError::Io(_))));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_store_that_is_open_is_usable() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("store");
        let _open = super::super::Store::open(&path).unwrap();
        assert_eq!(usable(&path), Ok(()));
    }
}
