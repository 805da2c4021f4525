//! `[[providers]]`: where language models are reached, and which.

use std::time::Duration;

use super::Secret;
use crate::domain::Signal;
use reqwest::Url;

/// Most configured models, all providers together: each is a metric label.
pub const MAX_MODELS: usize = 64;

/// How a provider is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// OpenAI's chat completions.
    OpenAi,
    /// Anthropic's messages.
    Anthropic,
    /// Ollama's own chat.
    Ollama,
}

/// How a provider's models become known that the configuration does not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Discovery {
    /// The first model of Ollama's `GET /api/tags`.
    OllamaTags,
}

/// One provider.
#[derive(Debug, Clone, PartialEq)]
pub struct ProviderSettings {
    /// Its name; unique, a metric label.
    pub name: String,
    /// How it is spoken to.
    pub kind: Dialect,
    /// Where it is: http or https, no credentials, no query, no fragment.
    pub base_url: Url,
    /// The key, when it wants one.
    pub api_key: Option<Secret>,
    /// Time for a connection to stand, TLS included.
    pub connect_timeout: Duration,
    /// Longest silence of the upstream within an answer.
    pub read_idle_timeout: Duration,
    /// Larger answers are refused, in bytes.
    pub max_response_bytes: usize,
    /// Most calls under way at once; further ones are refused, not queued.
    pub max_concurrent_calls: usize,
    /// Its models; empty only while they are to be discovered.
    pub models: Vec<ModelSettings>,
    /// How models become known when none is named.
    pub discovery: Option<Discovery>,
}

impl ProviderSettings {
    /// A provider with the usual bounds, without key and models.
    #[must_use]
    pub fn new(name: &str, base_url: Url) -> Self {
        Self {
            name: name.to_owned(),
            kind: Dialect::OpenAi,
            base_url,
            api_key: None,
            connect_timeout: Duration::from_secs(3),
            read_idle_timeout: Duration::from_secs(60),
            max_response_bytes: 4 << 20,
            max_concurrent_calls: 64,
            models: Vec::new(),
            discovery: None,
        }
    }
}

/// One model of a provider.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelSettings {
    /// As this service calls it; unique, a metric label.
    pub name: String,
    /// As the provider calls it.
    pub model: String,
    /// Weight in `custom_weights` consensus.
    pub weight: f64,
    /// Probability of a right answer before anything is known of the question.
    pub prior: Signal,
    /// US dollars per million prompt tokens, and per million completion tokens.
    pub price_per_million: Option<(f64, f64)>,
    /// Sent as `max_tokens`.
    pub max_tokens: Option<u32>,
    /// Sent as `max_completion_tokens`.
    pub max_completion_tokens: Option<u32>,
    /// Sent as `temperature`; the provider's default where absent.
    pub temperature: Option<f64>,
}

impl ModelSettings {
    /// Bounds what one answer can cost where nobody configured a bound.
    pub const UNCONFIGURED_MAX_TOKENS: u32 = 2048;

    /// A model with nothing known of it but its name.
    #[must_use]
    pub fn new(model: &str, prior: Signal) -> Self {
        Self {
            name: model.to_owned(),
            model: model.to_owned(),
            weight: 1.0,
            prior,
            price_per_million: None,
            max_tokens: None,
            max_completion_tokens: None,
            temperature: None,
        }
    }
}

/// Whether a name is safe as a metric label, in a log and in a path. `other` is the label of what is
/// not known.
#[must_use]
pub fn is_label(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.:@/".contains(c))
        && name != "other"
}
