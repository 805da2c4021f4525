//! The judge that requests are judged by: the model that ships, or one from a file.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use tokio_util::sync::CancellationToken;

use crate::{
    domain::{PolicyCell, SharedJudge},
    judgement::{self, CrossFitted, ModelFileError, Trained},
    learning::Learning,
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

/// A model's file, looked at for changes.
#[derive(Debug)]
pub(super) struct JudgeFile {
    path: PathBuf,
    seen: Option<(SystemTime, u64)>,
}

impl JudgeFile {
    /// The file of this name as it is now; `None` where the name stands for no file. To be taken
    /// before the file is read for the first time, so that no change goes unseen.
    pub(super) fn of(model: &str) -> Option<Self> {
        let path = PathBuf::from(model);
        let seen = state(&path);
        (model != NONE && model != SHIPPED_NAME).then_some(Self { path, seen })
    }

    /// The judge of the file where it has changed since the last look. A file that is refused is
    /// reported once, and again only when it has changed again; one that is gone is no change.
    fn look(&mut self) -> Option<Result<SharedJudge, JudgeError>> {
        let now = state(&self.path)?;
        if self.seen.replace(now) == Some(now) {
            return None;
        }
        judge(Some(&self.path)).transpose()
    }
}

fn state(path: &Path) -> Option<(SystemTime, u64)> {
    let file = fs::metadata(path).ok()?;
    Some((file.modified().ok()?, file.len()))
}

/// Takes each new model that the file comes to hold into use, until stopped. Requests under way are
/// judged to their end by the one that they began with.
pub(super) async fn watch(
    mut file: JudgeFile,
    every: Duration,
    policy: PolicyCell,
    learning: Arc<Learning>,
    stop: CancellationToken,
) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(every) => {}
        }
        let looked = tokio::task::spawn_blocking(move || (file.look(), file)).await;
        // A panic while reading ends the watch, which is logged as a task that ended early.
        let Ok((found, same)) = looked else { return };
        file = same;
        match found {
            None => {}
            Some(Ok(judge)) => {
                let version = judge.version().to_owned();
                policy.judged_by(&judge);
                learning.judged_anew();
                tracing::info!(version, "a new judgement model is in use");
            }
            Some(Err(error)) => {
                tracing::warn!(%error, "the new judgement model is refused; the old one stays in use");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_file_is_read_once_and_a_broken_one_reported_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("own.gz");
        fs::write(&path, SHIPPED).unwrap();
        let mut file = JudgeFile::of(path.to_str().unwrap()).unwrap();
        assert!(file.look().is_none(), "it is as it was");
        fs::write(&path, &SHIPPED[..SHIPPED.len() / 2]).unwrap();
        assert!(matches!(file.look(), Some(Err(JudgeError::Refused { .. }))));
        assert!(file.look().is_none(), "a refusal is said once");
        fs::remove_file(&path).unwrap();
        assert!(file.look().is_none(), "what is gone is no model");
        fs::write(&path, SHIPPED).unwrap();
        let judge = file.look().unwrap().unwrap();
        assert!(!judge.version().is_empty());
        assert!(file.look().is_none());
    }

    #[test]
    fn what_ships_and_no_model_are_no_files_to_look_at() {
        assert!(JudgeFile::of("shipped").is_none());
        assert!(JudgeFile::of("none").is_none());
    }
}
