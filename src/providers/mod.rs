//! Language models behind HTTP, one file a dialect.
//!
//! A call has a deadline, at most one retry within its provider's budget, a cap on what it reads, and
//! a typed failure. A provider that fails is held back, and so are calls beyond its places. A key goes
//! to its own provider's address and nowhere else: redirects are not followed, proxies of the
//! environment are not used, and no request can name an address.

mod anthropic;
mod client;
mod dialect;
mod discovery;
mod frames;
mod guard;
mod latency;
mod model;
mod ollama;
mod openai;
mod render;
mod retry;
#[cfg(test)]
mod testing;

use std::sync::Arc;

pub use discovery::{Undiscovered, discover};
pub use guard::Fleet;

use crate::{
    domain::LanguageModel,
    settings::{Dialect, ProviderSettings},
    telemetry::Metrics,
};

/// Why a provider cannot be used at all.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// The HTTP client cannot be built; almost always a missing certificate store.
    #[error(
        "the HTTPS client of provider `{provider}` cannot be built: {source}; install the system's \
         CA certificates (Debian: ca-certificates)"
    )]
    Client {
        /// The provider's configured name.
        provider: String,
        /// What the client says.
        source: reqwest::Error,
    },
    /// The key cannot be sent in a header.
    #[error("the key of provider `{provider}` has characters that no header may carry")]
    Key {
        /// The provider's configured name.
        provider: String,
    },
}

/// Makes every model of these providers ready to be asked, in the order of the configuration, and
/// lets its name be a metric label. Connects to nothing. All providers of a service share one fleet.
///
/// # Errors
/// [`ProviderError`] for the first provider that cannot be used.
pub fn build(
    settings: &[ProviderSettings],
    metrics: &Metrics,
    fleet: &Arc<Fleet>,
) -> Result<Vec<Arc<dyn LanguageModel>>, ProviderError> {
    let mut models: Vec<Arc<dyn LanguageModel>> = Vec::new();
    for provider in settings.iter().filter(|provider| !provider.models.is_empty()) {
        let dialect: Arc<dyn dialect::Dialect> = match provider.kind {
            Dialect::OpenAi => Arc::new(openai::OpenAi),
            Dialect::Anthropic => Arc::new(anthropic::Anthropic),
            Dialect::Ollama => Arc::new(ollama::Ollama),
        };
        models.extend(model::models(provider, dialect, fleet, metrics)?);
    }
    Ok(models)
}
