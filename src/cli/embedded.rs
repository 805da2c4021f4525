//! A sentence model for the commands that train and measure recall by meaning.

use std::{path::PathBuf, sync::Arc};

use clap::Args;
use indicatif::ProgressBar;

use crate::{
    embedding::{self, Cached},
    paraphrase::LabelledPair,
};

/// Where the sentence model is.
#[derive(Debug, Clone, Args)]
pub(super) struct EmbeddedArgs {
    /// Folder of all-MiniLM-L6-v2 (model.safetensors, vocab.txt); without it questions are compared
    /// by their words alone.
    #[arg(long, value_name = "DIR")]
    embedding: Option<PathBuf>,
    /// File that keeps what the sentence model said, so that each text is embedded once.
    #[arg(long, value_name = "FILE", requires = "embedding")]
    embedding_cache: Option<PathBuf>,
}

impl EmbeddedArgs {
    /// The model, with what the cache knows; `None` where none was named.
    pub(super) fn model(&self) -> Result<Option<Arc<Cached>>, String> {
        let Some(folder) = &self.embedding else { return Ok(None) };
        let model = embedding::open(folder).map_err(|error| error.to_string())?;
        let cache = self.embedding_cache.as_deref();
        let cached = Cached::open(model, cache).map_err(|error| self.about_cache(&error))?;
        Ok(Some(Arc::new(cached)))
    }

    /// Embeds the texts of all pairs, and writes the cache.
    pub(super) fn embed_all<'p>(
        &self,
        model: &Cached,
        pairs: impl Iterator<Item = &'p LabelledPair>,
        bar: &ProgressBar,
    ) -> Result<(), String> {
        let texts = pairs.flat_map(|pair| [pair.a.as_str(), pair.b.as_str()]);
        model.embed_all(texts, |done, of| {
            bar.set_length(of as u64);
            bar.set_position(done as u64);
        });
        let Some(path) = &self.embedding_cache else { return Ok(()) };
        model.save(path).map_err(|error| self.about_cache(&error))
    }

    fn about_cache(&self, error: &std::io::Error) -> String {
        let path = self.embedding_cache.clone().unwrap_or_default();
        format!("{}: {error}", path.display())
    }
}
