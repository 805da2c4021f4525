//! OpenAI's dialect: `POST {base}/chat/completions`, not streamed.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use jiff::Timestamp;
use reqwest::{
    Client, Response, StatusCode, Url, Version,
    header::{
        ACCEPT, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderValue, TRANSFER_ENCODING,
    },
};
use tokio::time::{Instant, sleep, timeout_at};

use super::{
    ProviderError, client,
    retry::{Failure, retry_after},
    wire,
};
use crate::{
    domain::{Completion, LanguageModel, ModelError, ModelFuture, ModelProfile, Prompt, Usage},
    settings::{ModelSettings, ProviderSettings},
    telemetry::Metrics,
};

/// The models of one provider; they share its connections.
pub(super) fn models(
    provider: &ProviderSettings,
    metrics: &Metrics,
) -> Result<Vec<Arc<dyn LanguageModel>>, ProviderError> {
    let client = client::build(provider)?;
    let endpoint = endpoint(&provider.base_url);
    let authorization = match &provider.api_key {
        Some(key) => {
            let mut header = HeaderValue::try_from(format!("Bearer {}", key.expose()))
                .map_err(|_| ProviderError::Key { provider: provider.name.clone() })?;
            header.set_sensitive(true);
            Some(header)
        }
        None => None,
    };
    if authorization.is_some() && sends_in_the_clear(&endpoint) {
        tracing::warn!(provider = provider.name, "the key of this provider travels unencrypted");
    }
    let name: Arc<str> = Arc::from(provider.name.as_str());
    let model = |settings: &ModelSettings| -> Arc<dyn LanguageModel> {
        let profile = ModelProfile {
            name: Arc::from(settings.name.as_str()),
            provider: Arc::clone(&name),
            prior: settings.prior,
            weight: settings.weight,
            price_per_million: settings.price_per_million,
        };
        metrics.know_model(&profile);
        Arc::new(OpenAiModel {
            profile,
            settings: settings.clone(),
            client: client.clone(),
            endpoint: endpoint.clone(),
            authorization: authorization.clone(),
            max_response_bytes: provider.max_response_bytes,
            metrics: metrics.clone(),
        })
    };
    Ok(provider.models.iter().map(model).collect())
}

/// One model behind OpenAI's dialect.
struct OpenAiModel {
    profile: ModelProfile,
    settings: ModelSettings,
    client: Client,
    endpoint: Url,
    authorization: Option<HeaderValue>,
    max_response_bytes: usize,
    metrics: Metrics,
}

impl LanguageModel for OpenAiModel {
    fn profile(&self) -> &ModelProfile {
        &self.profile
    }

    fn complete<'a>(&'a self, prompt: &'a Prompt, deadline: Instant) -> ModelFuture<'a> {
        Box::pin(async move {
            let call = Call::begin(self);
            let result = match timeout_at(deadline, self.with_one_retry(prompt, deadline)).await {
                Ok(result) => result,
                Err(_) => Err(ModelError::Timeout),
            };
            call.end(result)
        })
    }
}

impl OpenAiModel {
    async fn with_one_retry(
        &self,
        prompt: &Prompt,
        deadline: Instant,
    ) -> Result<Completion, ModelError> {
        let body = Bytes::from(wire::request(&self.settings, prompt)?);
        let failure = match self.attempt(body.clone()).await {
            Ok(completion) => return Ok(completion),
            Err(failure) => failure,
        };
        let left = deadline.saturating_duration_since(Instant::now());
        let Some(wait) = failure.wait(left, rand::random()) else { return Err(failure.error) };
        sleep(wait).await;
        self.metrics.upstream_retry(&self.profile);
        self.attempt(body).await.map_err(|failure| failure.error)
    }

    async fn attempt(&self, body: Bytes) -> Result<Completion, Failure> {
        let mut request = self
            .client
            .post(self.endpoint.clone())
            .header(CONTENT_TYPE, "application/json")
            .header(ACCEPT, "application/json")
            .body(body);
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization.clone());
        }
        let response = request.send().await.map_err(|error| {
            let meaning = client::no_response(&error);
            self.explain(&meaning, &client::causes(&error));
            Failure::early(meaning)
        })?;
        if !response.status().is_success() {
            let refusal = refusal(&response);
            self.explain(&refusal.error, response.status().as_str());
            return Err(refusal);
        }
        self.understand(response).await.map_err(|error| {
            self.explain(&error, "the answer's body");
            Failure::late(error)
        })
    }

    async fn understand(&self, response: Response) -> Result<Completion, ModelError> {
        if !is_plain_json(&response) {
            return Err(ModelError::Malformed);
        }
        let whole = announces_its_end(&response);
        let body = client::read_body(response, self.max_response_bytes).await?;
        let understood = wire::response(&body, whole)?;
        Ok(Completion {
            content: understood.content,
            model: understood.model.unwrap_or_else(|| self.settings.model.clone()),
            finish: understood.finish,
            usage: self.priced(understood.usage),
            upstream: Duration::ZERO,
        })
    }

    /// For an operator who wants to know more than the code; who handles the failure logs it.
    fn explain(&self, error: &ModelError, cause: &str) {
        let ModelProfile { provider, name, .. } = &self.profile;
        tracing::debug!(%provider, model = %name, %error, cause, "an attempt failed");
    }

    /// What a provider did not count has no cost that we know of.
    fn priced(&self, usage: Option<Usage>) -> Usage {
        let Some(usage) = usage else { return Usage::default() };
        // Tokens are bounded far below 2^52, where a float is exact.
        let cost = |(prompt, completion): (f64, f64)| {
            (usage.prompt_tokens as f64 * prompt + usage.completion_tokens as f64 * completion)
                / 1_000_000.0
        };
        Usage { cost_usd: self.profile.price_per_million.map(cost), ..usage }
    }
}

/// Measures one call, also when nobody waits for its end. The pause before a retry is the
/// upstream's time, not ours.
struct Call<'a> {
    model: &'a OpenAiModel,
    began: Instant,
    ended: bool,
}

impl<'a> Call<'a> {
    fn begin(model: &'a OpenAiModel) -> Self {
        Self { model, began: Instant::now(), ended: false }
    }

    fn end(mut self, result: Result<Completion, ModelError>) -> Result<Completion, ModelError> {
        self.ended = true;
        let took = self.began.elapsed();
        let result = result.map(|completion| Completion { upstream: took, ..completion });
        self.model.metrics.upstream(&self.model.profile, result.as_ref(), took);
        result
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.model.metrics.upstream_cancelled(&self.model.profile);
        }
    }
}

/// `{base}/chat/completions`, whether or not the base ends in a slash.
fn endpoint(base: &Url) -> Url {
    let mut url = base.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(["chat", "completions"]);
    }
    url
}

fn sends_in_the_clear(url: &Url) -> bool {
    let at_home = match url.host_str() {
        Some("localhost") => true,
        Some(host) => host
            .trim_matches(['[', ']'])
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback()),
        None => false,
    };
    url.scheme() == "http" && !at_home
}

/// What another status than success means. Its body is not read: it may echo the prompt.
fn refusal(response: &Response) -> Failure {
    let retry_after = retry_after(response.headers(), Timestamp::now());
    let error = match response.status() {
        StatusCode::TOO_MANY_REQUESTS => ModelError::RateLimited { retry_after },
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => ModelError::Unauthorized,
        status => ModelError::Status { status: status.as_u16() },
    };
    Failure { retry_after, ..Failure::early(error) }
}

/// JSON, not compressed: we ask for no compression, and would not unpack it without a bound.
fn is_plain_json(response: &Response) -> bool {
    let header = |name| response.headers().get(name).map(|value| value.to_str().unwrap_or("?"));
    let json = header(CONTENT_TYPE).is_none_or(|value| {
        let kind = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        kind == "application/json" || kind.ends_with("+json")
    });
    json && header(CONTENT_ENCODING).is_none_or(|value| value.eq_ignore_ascii_case("identity"))
}

/// Whether the transport would notice that the body's end is missing.
fn announces_its_end(response: &Response) -> bool {
    response.version() >= Version::HTTP_2
        || response.content_length().is_some()
        || response.headers().contains_key(TRANSFER_ENCODING)
}

#[cfg(test)]
mod tests;
