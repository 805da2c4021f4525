//! Which model to take when only the address of a provider is known.

use std::time::Duration;

use reqwest::Url;
use serde::Deserialize;
use tokio::time::{Instant, timeout_at};

use super::client;
use crate::{
    domain::{Call, ModelError, Signal},
    settings::{Discovery, ModelSettings, ProviderSettings, is_label},
};

/// Time that a start may lose over asking.
const PATIENCE: Duration = Duration::from_secs(2);

/// A provider that has no model to offer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no model of provider `{provider}` was found: {reason}")]
pub struct Undiscovered {
    /// The provider's configured name.
    pub provider: String,
    /// Why.
    pub reason: ModelError,
}

/// Asks each provider without models for one, and adds it with the given prior. Providers that name
/// their models are not asked. Returns those that remain without; [`super::build`] passes over them.
pub async fn discover(providers: &mut [ProviderSettings], prior: Signal) -> Vec<Undiscovered> {
    let mut without = Vec::new();
    for provider in providers.iter_mut().filter(|provider| provider.models.is_empty()) {
        let Some(Discovery::OllamaTags) = provider.discovery else { continue };
        let deadline = Instant::now() + PATIENCE;
        let found = match timeout_at(deadline, first_of_tags(provider, deadline)).await {
            Ok(found) => found,
            Err(_) => Err(ModelError::Timeout),
        };
        match found {
            Ok(name) => provider.models.push(ModelSettings {
                max_tokens: Some(ModelSettings::UNCONFIGURED_MAX_TOKENS),
                ..ModelSettings::new(&name, prior)
            }),
            Err(reason) => {
                without.push(Undiscovered { provider: provider.name.clone(), reason });
            }
        }
    }
    without
}

#[derive(Deserialize)]
struct Tags {
    models: Vec<Tag>,
}

#[derive(Deserialize)]
struct Tag {
    name: String,
}

async fn first_of_tags(
    provider: &ProviderSettings,
    deadline: Instant,
) -> Result<String, ModelError> {
    let client = client::build(provider).map_err(|_| ModelError::Unreachable)?;
    let response = client
        .get(tags_address(&provider.base_url))
        .send()
        .await
        .map_err(|error| client::no_response(&error))?;
    if !response.status().is_success() {
        return Err(ModelError::Status { status: response.status().as_u16() });
    }
    let body =
        client::read_body(response, provider.max_response_bytes, Call::whole(deadline)).await?;
    let tags: Tags = serde_json::from_slice(&body).map_err(|_| ModelError::Malformed)?;
    tags.models.into_iter().map(|tag| tag.name).find(|name| chats(name)).ok_or(ModelError::Empty)
}

/// Embedding models are listed, too, and cannot answer.
fn chats(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    is_label(name) && !["embed", "minilm", "bge-"].iter().any(|mark| lower.contains(mark))
}

/// Ollama's own interface stands beside its `/v1`.
fn tags_address(base: &Url) -> Url {
    let mut url = base.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().pop().extend(["api", "tags"]);
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::testing::{Reply, Upstream};

    async fn discovered(reply: Reply) -> (Vec<ProviderSettings>, Vec<Undiscovered>) {
        let upstream = Upstream::start(vec![reply]).await;
        let mut provider = ProviderSettings::new("ollama", upstream.base_url());
        provider.discovery = Some(Discovery::OllamaTags);
        let mut providers = vec![provider];
        let without = discover(&mut providers, Signal::clamped(0.7)).await;
        assert!(upstream.requests()[0].starts_with("GET /api/tags HTTP/1.1\r\n"));
        (providers, without)
    }

    #[tokio::test]
    async fn the_first_model_that_chats_is_taken() {
        let tags = r#"{"models":[{"name":"nomic-embed-text:latest"},{"name":"llama3.2:3b"}]}"#;
        let (providers, without) = discovered(Reply::json(200, tags)).await;
        assert_eq!(without, []);
        assert_eq!(providers[0].models[0].model, "llama3.2:3b");
        assert_eq!(providers[0].models[0].prior, Signal::clamped(0.7));
    }

    #[tokio::test]
    async fn a_provider_without_models_is_named_and_nothing_falls() {
        for (reply, reason) in [
            (Reply::json(200, r#"{"models":[]}"#), ModelError::Empty),
            (Reply::json(404, "{}"), ModelError::Status { status: 404 }),
            (Reply::json(200, "[]"), ModelError::Malformed),
        ] {
            let (providers, without) = discovered(reply).await;
            assert!(providers[0].models.is_empty());
            assert_eq!(without, [Undiscovered { provider: "ollama".to_owned(), reason }]);
        }
    }
}
