//! What was read of the folders, and what was not.

use std::io;

/// Why a file or subfolder was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SkipReason {
    /// The system refused it.
    #[error("cannot be read: {0}")]
    Unreadable(io::ErrorKind),
    /// It is not text in UTF-8.
    #[error("is not UTF-8")]
    NotUtf8,
    /// It is larger than `max_file_bytes`.
    #[error("is larger than the limit for one file")]
    TooLarge,
    /// `max_files` have been read.
    #[error("comes after the limit on files")]
    TooManyFiles,
    /// `max_total_bytes` have been read.
    #[error("would exceed the limit on the size of all files")]
    TooMuchText,
    /// `max_sentences` have been read; the document was taken only in part.
    #[error("was cut at the limit on sentences")]
    TooManySentences,
    /// It lies deeper than `max_depth`.
    #[error("lies deeper than the limit on subfolders")]
    TooDeep,
    /// It is a link that leads out of the folder.
    #[error("links to a place outside of the folder")]
    LinksOutside,
    /// It is a pipe, a socket or a device.
    #[error("is not a regular file")]
    NotAFile,
}

/// Something that was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Its path relative to the configured folder.
    pub document: String,
    /// Why.
    pub reason: SkipReason,
}

/// What was read and what was not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LoadReport {
    /// The extent of what was read.
    pub stats: DocumentsStats,
    /// What was left out; the first hundred.
    pub skipped: Vec<Skipped>,
    /// How many more were left out.
    pub skipped_further: usize,
}

impl LoadReport {
    const MAX_SKIPPED: usize = 100;

    pub(super) fn skip(&mut self, document: String, reason: SkipReason) {
        if self.skipped.len() < Self::MAX_SKIPPED {
            self.skipped.push(Skipped { document, reason });
        } else {
            self.skipped_further += 1;
        }
    }
}

/// How much there is to search.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DocumentsStats {
    /// Documents.
    pub documents: usize,
    /// Passages in them.
    pub passages: usize,
    /// Sentences in these.
    pub sentences: usize,
}

impl DocumentsStats {
    pub(super) fn add(&mut self, more: Self) {
        self.documents += more.documents;
        self.passages += more.passages;
        self.sentences += more.sentences;
    }
}
