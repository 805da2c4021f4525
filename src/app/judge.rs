//! The judge that requests are judged by: the model that ships, or one from a file.

use std::{fs, io, path::Path, sync::Arc};

use crate::{
    domain::SharedJudge,
    judgement::{self, CrossFitted, ModelFileError, Trained},
};

/// The model that ships.
const SHIPPED: &[u8] = include_bytes!("../../models/judgement.gz");
/// Stands for no model where a file is named.
const NONE: &str = "none";
/// Stands for the model that ships.
const SHIPPED_NAME: &str = "shipped";
/// Largest model file, in bytes.
const MOST_BYTES: u64 = 64 << 20;

/// Why a model cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JudgeError {
    /// The file cannot be read.
    #[error("the model {path}: {source}")]
    Read {
        /// As it was given.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// It is no model, or a damaged one.
    #[error("the model {path}: {source}")]
    Refused {
        /// As it was given.
        path: String,
        /// Why.
        source: ModelFileError,
    },
}

/// The judge of this file; the one that ships for none or `shipped`, and nobody for `none`: then the
/// rules judge alone. A file with several models judges every question by the one that was trained
/// without it.
///
/// # Errors
/// [`JudgeError`]; a file that is damaged or of another format is never used in part.
pub fn judge(file: Option<&Path>) -> Result<Option<SharedJudge>, JudgeError> {
    let (path, bytes) = match file {
        Some(path) if path.as_os_str() == NONE => return Ok(None),
        Some(path) if path.as_os_str() != SHIPPED_NAME => (path.display().to_string(), read(path)?),
        _ => ("that ships".to_owned(), SHIPPED.to_vec()),
    };
    let models = judgement::from_bytes(&bytes)
        .map_err(|source| JudgeError::Refused { path, source })?
        .into_iter()
        .map(|model| Trained(Arc::new(model)));
    let mut models: Vec<Trained> = models.collect();
    Ok(match models.len() {
        0 => None,
        1 => models.pop().map(|only| SharedJudge(Arc::new(only))),
        _ => Some(SharedJudge(Arc::new(CrossFitted(models)))),
    })
}

fn read(path: &Path) -> Result<Vec<u8>, JudgeError> {
    let told = |source| JudgeError::Read { path: path.display().to_string(), source };
    if fs::metadata(path).map_err(told)?.len() > MOST_BYTES {
        return Err(told(io::Error::new(io::ErrorKind::InvalidData, "is larger than 64 MiB")));
    }
    fs::read(path).map_err(told)
}
