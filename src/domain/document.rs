//! Documents that a tenant adds to what its questions are answered from.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::DocumentId;

/// How a document is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DocumentFormat {
    /// Prose as it reads.
    Text,
    /// Markdown.
    #[default]
    Markdown,
    /// HTML; scripts, styles and navigation are left out.
    Html,
}

/// A document to be added, or to take the place of the one with the same id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDocument {
    /// Its id; one is made where there is none.
    pub id: Option<DocumentId>,
    /// Stands above its headings.
    pub title: Option<String>,
    /// How it is written.
    pub format: DocumentFormat,
    /// The whole text.
    pub content: String,
}

/// What is known of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DocumentInfo {
    /// Its id; citations name it.
    #[schema(value_type = String)]
    pub id: DocumentId,
    /// Its title, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub title: Option<String>,
    /// How it is written.
    pub format: DocumentFormat,
    /// Bytes of its text.
    pub bytes: usize,
    /// Sentences that can be found in it.
    pub sentences: usize,
    /// When it was added, in milliseconds since the Unix epoch.
    pub added_ms: i64,
}

/// Why a document was not added or removed. Nothing has changed then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// It has no sentence.
    #[error("the document has no sentence")]
    Empty,
    /// The tenant has as many documents as it may have.
    #[error("a tenant has at most {most} documents")]
    TooMany {
        /// As many.
        most: usize,
    },
    /// There is no room for so much text.
    #[error("there is room for {most} bytes and {sentences} sentences of documents")]
    NoRoom {
        /// Bytes that all tenants' documents may have together.
        most: usize,
        /// Sentences that one tenant's may have.
        sentences: usize,
    },
    /// Too many changes wait to be made.
    #[error("too many changes to documents are under way")]
    Busy,
    /// It could not be made durable, or not be indexed.
    #[error("the document could not be stored")]
    Unavailable,
}
