//! What a text means, as a point: near points mean alike.
//!
//! [`Embedding`] is such a point, [`Embedder`] makes them on a thread of its own, and the model that
//! it asks is all-MiniLM-L6-v2, in process, where the program was built with the feature `minilm`
//! ([`open`]). Without it, the points of a store that another build wrote are kept and not used.

mod cached;
mod embedder;
mod error;
mod point;

#[cfg(feature = "minilm")]
mod minilm;

use std::{path::Path, sync::Arc};

pub use cached::Cached;
pub use embedder::{Embedder, Heard, Model};
pub use error::{EmbeddingError, Unanswered};
pub use point::{DIMENSIONS, Embedding};

/// The model's name, as people know it.
pub const MODEL: &str = "all-MiniLM-L6-v2";
/// Whether this build has the model.
pub const IS_BUILT_IN: bool = cfg!(feature = "minilm");

/// Reads the model from a folder and holds its files against the known release.
///
/// # Errors
/// [`EmbeddingError`]: a build without the model, a file that is missing, or one that is not the
/// release's.
#[cfg(feature = "minilm")]
pub fn open(folder: &Path) -> Result<Arc<dyn Model>, EmbeddingError> {
    Ok(Arc::new(minilm::MiniLm::open(folder)?))
}

/// Says that this build has no model.
///
/// # Errors
/// [`EmbeddingError::NotBuiltIn`], always.
#[cfg(not(feature = "minilm"))]
pub fn open(_folder: &Path) -> Result<Arc<dyn Model>, EmbeddingError> {
    Err(EmbeddingError::NotBuiltIn)
}
