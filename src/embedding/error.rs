//! Why there is no model, and why a text got no point.

use std::{io, path::PathBuf};

/// Why the model cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddingError {
    /// The program was built without it.
    #[error(
        "this program was built without all-MiniLM-L6-v2: build it with `cargo build --release \
         --features minilm`, or set lake.embedding to \"hashed\""
    )]
    NotBuiltIn,
    /// A file of it cannot be read.
    #[error("the file {} of all-MiniLM-L6-v2 cannot be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is another one than the release has.
    #[error(
        "the file {} is not that of all-MiniLM-L6-v2: its SHA-256 is {found}, and should be \
         {expected}; fetch it anew (docs/guide.md, \"Recall with a sentence model\")",
        path.display()
    )]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it has.
        found: String,
        /// What the release has.
        expected: &'static str,
    },
    /// The weights make no model, though they are those of the release.
    #[error("the weights of all-MiniLM-L6-v2 make no model: {0}")]
    Unsound(String),
    /// The thread could not be started.
    #[error("the thread of all-MiniLM-L6-v2 could not be started: {0}")]
    Thread(io::Error),
}

/// Why a text got no point. The text is asked for its words only, then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unanswered {
    /// More texts wait than may.
    #[error("more texts wait for all-MiniLM-L6-v2 than may")]
    Busy,
    /// It took longer than whoever asks will wait.
    #[error("all-MiniLM-L6-v2 took too long")]
    TooLate,
    /// The model failed at this text.
    #[error("all-MiniLM-L6-v2 failed")]
    Failed,
}
