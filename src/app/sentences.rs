//! The sentence model of the lake, where one is configured.

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use crate::{
    embedding::{self, Embedder, EmbeddingError, Model},
    lake::{Embedded, Lake, Sentences},
    paraphrase::Matcher,
    settings::{LakeEmbedding, LakeSettings},
    telemetry::Metrics,
};

/// Entries that get their points in one commit.
const GROUP: usize = 32;
/// Time between two looks for entries without a point.
const LOOK: Duration = Duration::from_millis(500);
/// The same after a failure.
const LOOK_AFTER_FAILURE: Duration = Duration::from_secs(30);

/// Opens the sentence model, if one is wanted.
///
/// # Errors
/// [`EmbeddingError`].
pub(super) fn sentences(
    settings: &LakeSettings,
    metrics: &Metrics,
) -> Result<Option<Sentences>, EmbeddingError> {
    if settings.embedding == LakeEmbedding::Hashed || !settings.enabled {
        return Ok(None);
    }
    let model = embedding::open(&settings.embedding_folder)?;
    let matcher = Matcher::shipped_for_points().ok_or(EmbeddingError::NotBuiltIn)?;
    let metrics = metrics.clone();
    let embedder = Embedder::start(model, Box::new(move |took| metrics.embedded(took)))?;
    Ok(Some(Sentences { embedder, matcher }))
}

/// A sentence model with the matcher that ships for it, for measuring.
///
/// # Errors
/// [`EmbeddingError`].
pub fn sentences_of(model: Arc<dyn Model>) -> Result<Sentences, EmbeddingError> {
    let matcher = Matcher::shipped_for_points().ok_or(EmbeddingError::NotBuiltIn)?;
    let embedder = Embedder::start(model, Box::new(|_| {}))?;
    Ok(Sentences { embedder, matcher })
}

/// Whether the configured sentence model can be used: what a start would find out.
///
/// # Errors
/// [`EmbeddingError`].
pub(super) fn check_sentences(settings: &LakeSettings) -> Result<(), EmbeddingError> {
    sentences(settings, &Metrics::new()).map(drop)
}

/// Gives each entry its point, until stopped.
pub(super) async fn embed_entries(lake: Lake, stop: CancellationToken) {
    let mut wait = Duration::ZERO;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(wait) => {}
        }
        let given = tokio::select! {
            () = stop.cancelled() => return,
            given = lake.embed_missing(GROUP) => given,
        };
        wait = match given {
            Ok(Embedded { given: 0, failed: 0 }) => LOOK,
            Ok(Embedded { given: 0, .. }) => LOOK_AFTER_FAILURE,
            Ok(_) => Duration::ZERO,
            Err(error) => {
                tracing::warn!(%error, "remembered questions got no embedding; they are tried again");
                LOOK_AFTER_FAILURE
            }
        };
    }
}
