//! Reading documents from folders, within bounds.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use rustc_hash::{FxHashMap, FxHashSet};

use super::{DocumentsError, DocumentsOptions, LoadReport, SkipReason, markdown::Format};

/// A document as read.
#[derive(Debug)]
pub(super) struct Document {
    pub name: String,
    pub text: Arc<str>,
    pub format: Format,
}

/// A file's size, and when it was last written.
type Stamp = (u64, SystemTime);

/// The texts of files that were read before, so that only what has changed is read again.
#[derive(Debug, Default)]
pub(super) struct Known(FxHashMap<PathBuf, (Stamp, Arc<str>)>);

/// A file that was written this shortly before it was read may be written again within one tick of
/// the file system's clock: it is read again, whatever its stamp says.
const SETTLED: Duration = Duration::from_secs(2);

/// Reads all documents of the folders in the order of their names. Hidden files and folders
/// (`.git` and the like) are left out.
///
/// # Errors
/// [`DocumentsError::Folder`] when a configured folder is missing or cannot be listed. What is
/// wrong further down is reported and skipped.
pub(super) fn read(
    folders: &[PathBuf],
    options: &DocumentsOptions,
    known: &mut Known,
    report: &mut LoadReport,
) -> Result<Vec<Document>, DocumentsError> {
    let mut reader = Reader {
        options,
        report,
        seen: FxHashSet::default(),
        documents: Vec::new(),
        bytes: 0,
        now: SystemTime::now(),
        known: std::mem::take(known),
        read: Known::default(),
    };
    for folder in folders {
        let failed = |source| DocumentsError::Folder { path: folder.clone(), source };
        let root = fs::canonicalize(folder).map_err(failed)?;
        let prefix = if folders.len() > 1 {
            let name = root.file_name().unwrap_or_default().to_string_lossy();
            format!("{name}/")
        } else {
            String::new()
        };
        reader.folder(&root, &root, &prefix, 0).map_err(failed)?;
    }
    *known = reader.read;
    Ok(reader.documents)
}

struct Reader<'a> {
    options: &'a DocumentsOptions,
    report: &'a mut LoadReport,
    /// Files read, by canonical path: links and overlapping folders do not count twice.
    seen: FxHashSet<PathBuf>,
    documents: Vec<Document>,
    bytes: u64,
    now: SystemTime,
    /// What was read the last time, and what is read now.
    known: Known,
    read: Known,
}

impl Reader<'_> {
    fn folder(&mut self, root: &Path, at: &Path, prefix: &str, depth: usize) -> io::Result<()> {
        let mut entries: Vec<fs::DirEntry> = fs::read_dir(at)?.collect::<Result<_, _>>()?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let path = entry.path();
            let file_name = entry.file_name();
            let hidden = file_name.to_string_lossy().starts_with('.');
            let is_folder = entry.file_type().is_ok_and(|t| t.is_dir());
            if hidden {
                continue;
            }
            if is_folder {
                if depth >= self.options.max_depth {
                    self.skip(root, &path, prefix, SkipReason::TooDeep);
                } else if let Err(error) = self.folder(root, &path, prefix, depth + 1) {
                    self.skip(root, &path, prefix, SkipReason::Unreadable(error.kind()));
                }
            } else if let Some(format) = format(&path)
                && let Err(reason) = self.file(root, &path, prefix, format)
            {
                self.skip(root, &path, prefix, reason);
            }
        }
        Ok(())
    }

    fn file(
        &mut self,
        root: &Path,
        path: &Path,
        prefix: &str,
        format: Format,
    ) -> Result<(), SkipReason> {
        let unreadable = |error: io::Error| SkipReason::Unreadable(error.kind());
        // A link is followed only to a file within the folder; linked folders are not entered.
        let real = fs::canonicalize(path).map_err(unreadable)?;
        if !real.starts_with(root) {
            return Err(SkipReason::LinksOutside);
        }
        let about = fs::metadata(&real).map_err(unreadable)?;
        // Opening a pipe would wait for its writer.
        if !about.is_file() {
            return Err(SkipReason::NotAFile);
        }
        let size = about.len();
        let stamp = about.modified().ok().map(|modified| (size, modified));
        if !self.seen.insert(real.clone()) {
            return Ok(());
        }
        if self.documents.len() >= self.options.max_files {
            return Err(SkipReason::TooManyFiles);
        }
        let most = self.options.max_file_bytes;
        if size > most {
            return Err(SkipReason::TooLarge);
        }
        if self.bytes.saturating_add(size) > self.options.max_total_bytes {
            return Err(SkipReason::TooMuchText);
        }
        let name = name(root, path, prefix);
        let text = match self.unchanged(&real, stamp) {
            Some(text) => text,
            None => Arc::from(whole_text(&real, most)?.as_str()),
        };
        self.bytes = self.bytes.saturating_add(text.len() as u64);
        let settled =
            |(_, at): &Stamp| self.now.duration_since(*at).is_ok_and(|since| since >= SETTLED);
        if let Some(stamp) = stamp.filter(settled) {
            self.read.0.insert(real, (stamp, Arc::clone(&text)));
        }
        self.documents.push(Document { name, text, format });
        Ok(())
    }

    /// The text of a file that has not changed since it was read.
    fn unchanged(&self, real: &Path, stamp: Option<Stamp>) -> Option<Arc<str>> {
        let (known, text) = self.known.0.get(real)?;
        (Some(*known) == stamp).then(|| Arc::clone(text))
    }

    fn skip(&mut self, root: &Path, path: &Path, prefix: &str, reason: SkipReason) {
        self.report.skip(name(root, path, prefix), reason);
    }
}

/// The text of a file of at most `most` bytes.
fn whole_text(path: &Path, most: u64) -> Result<String, SkipReason> {
    let unreadable = |error: io::Error| SkipReason::Unreadable(error.kind());
    let mut bytes = Vec::new();
    // The file may have grown since it was measured.
    let file = File::open(path).map_err(unreadable)?;
    file.take(most.saturating_add(1)).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > most {
        return Err(SkipReason::TooLarge);
    }
    let text = String::from_utf8(bytes).map_err(|_| SkipReason::NotUtf8)?;
    Ok(text.strip_prefix('\u{FEFF}').map(str::to_owned).unwrap_or(text))
}

/// The path relative to the folder, with `/` between the parts and safe to log.
fn name(root: &Path, path: &Path, prefix: &str) -> String {
    let relative = path.strip_prefix(root).unwrap_or(path);
    let parts: Vec<_> = relative.components().map(|c| c.as_os_str().to_string_lossy()).collect();
    format!("{prefix}{}", parts.join("/"))
        .chars()
        .map(|c| if c.is_control() { '\u{FFFD}' } else { c })
        .collect()
}

fn format(path: &Path) -> Option<Format> {
    let extension = path.extension()?.to_str()?.to_ascii_lowercase();
    match extension.as_str() {
        "md" | "markdown" => Some(Format::Markdown),
        "txt" => Some(Format::Plain),
        "html" | "htm" => Some(Format::Html),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(
        folders: &[PathBuf],
        options: &DocumentsOptions,
    ) -> (Vec<String>, Vec<(String, SkipReason)>) {
        let mut report = LoadReport::default();
        let documents = read(folders, options, &mut Known::default(), &mut report).unwrap();
        let skipped = report.skipped.into_iter().map(|s| (s.document, s.reason)).collect();
        (documents.into_iter().map(|d| d.name).collect(), skipped)
    }

    #[test]
    fn documents_are_found_below_and_others_are_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir_all(root.join("b/.git")).unwrap();
        for name in ["a.md", "b/c.TXT", "b/d.markdown", "e.rs", ".hidden.md", "b/.git/x.md"] {
            fs::write(root.join(name), "Text.").unwrap();
        }
        let (names, skipped) = load(&[root.to_owned()], &DocumentsOptions::default());
        assert_eq!(names, ["a.md", "b/c.TXT", "b/d.markdown"]);
        assert!(skipped.is_empty());
    }

    #[test]
    fn what_cannot_be_read_is_reported_and_not_fatal() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::write(root.join("big.md"), "x".repeat(65)).unwrap();
        fs::write(root.join("latin.txt"), b"caf\xe9").unwrap();
        fs::write(root.join("ok.md"), "\u{FEFF}Text.").unwrap();
        fs::create_dir_all(root.join("one/two")).unwrap();
        let options =
            DocumentsOptions { max_file_bytes: 64, max_depth: 1, ..DocumentsOptions::default() };
        let (names, skipped) = load(&[root.to_owned()], &options);
        assert_eq!(names, ["ok.md"]);
        assert_eq!(
            skipped,
            [
                ("big.md".to_owned(), SkipReason::TooLarge),
                ("latin.txt".to_owned(), SkipReason::NotUtf8),
                ("one/two".to_owned(), SkipReason::TooDeep),
            ]
        );
    }

    #[test]
    fn the_number_of_files_and_their_text_are_bounded() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.md", "b.md", "c.md"] {
            fs::write(folder.path().join(name), "Text.").unwrap();
        }
        let few = DocumentsOptions { max_files: 2, ..DocumentsOptions::default() };
        assert_eq!(
            load(&[folder.path().to_owned()], &few).1,
            [("c.md".to_owned(), SkipReason::TooManyFiles)]
        );
        let little = DocumentsOptions { max_total_bytes: 12, ..DocumentsOptions::default() };
        assert_eq!(
            load(&[folder.path().to_owned()], &little).1,
            [("c.md".to_owned(), SkipReason::TooMuchText)]
        );
    }

    #[test]
    fn only_what_has_changed_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let long_ago = SystemTime::now() - Duration::from_secs(60);
        for name in ["a.md", "b.md"] {
            fs::write(folder.path().join(name), "Text.").unwrap();
            let file = File::options().write(true).open(folder.path().join(name)).unwrap();
            file.set_modified(long_ago).unwrap();
        }
        let mut known = Known::default();
        let mut again = || {
            let mut report = LoadReport::default();
            let folders = [folder.path().to_owned()];
            read(&folders, &DocumentsOptions::default(), &mut known, &mut report).unwrap()
        };
        let first = again();
        fs::write(folder.path().join("b.md"), "Other.").unwrap();
        let second = again();
        assert!(Arc::ptr_eq(&first[0].text, &second[0].text), "a.md was not read again");
        assert_eq!(&*second[1].text, "Other.");
        // As long as it may still be written within the same tick, a file is read each time.
        assert!(!Arc::ptr_eq(&second[1].text, &again()[1].text));
    }

    #[test]
    fn a_missing_folder_is_the_operators_error() {
        let missing = PathBuf::from("/nonexistent/documents");
        let mut report = LoadReport::default();
        let result =
            read(&[missing], &DocumentsOptions::default(), &mut Known::default(), &mut report);
        assert!(matches!(result, Err(DocumentsError::Folder { .. })));
    }

    #[cfg(unix)]
    #[test]
    fn links_out_of_the_folder_are_not_followed_and_links_within_are_read_once() {
        use std::os::unix::fs::symlink;
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("secret.md"), "Secret.").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir(root.join("..data")).unwrap();
        fs::write(root.join("..data/real.md"), "Text.").unwrap();
        symlink("..data/real.md", root.join("a.md")).unwrap();
        symlink("..data/real.md", root.join("b.md")).unwrap();
        symlink(outside.path().join("secret.md"), root.join("out.md")).unwrap();
        symlink(outside.path(), root.join("outdir")).unwrap();
        symlink(".", root.join("loop")).unwrap();
        symlink("nowhere.md", root.join("void.md")).unwrap();
        let (names, skipped) = load(&[root.to_owned()], &DocumentsOptions::default());
        assert_eq!(names, ["a.md"]);
        assert_eq!(
            skipped,
            [
                ("out.md".to_owned(), SkipReason::LinksOutside),
                ("void.md".to_owned(), SkipReason::Unreadable(io::ErrorKind::NotFound)),
            ]
        );
    }

    #[test]
    fn documents_of_several_folders_keep_their_names_apart() {
        let parent = tempfile::tempdir().unwrap();
        let folders: Vec<PathBuf> = ["one", "two"].map(|n| parent.path().join(n)).into();
        for folder in &folders {
            fs::create_dir(folder).unwrap();
            fs::write(folder.join("a.md"), "Text.").unwrap();
        }
        assert_eq!(load(&folders, &DocumentsOptions::default()).0, ["one/a.md", "two/a.md"]);
    }
}
