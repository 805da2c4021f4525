//! A model behind HTTP, whatever its dialect: sending, bounds, retries, accounts.

use std::{
    sync::{Arc, Mutex, PoisonError, atomic::Ordering},
    time::Duration,
};

use bytes::Bytes;
use jiff::Timestamp;
use reqwest::{
    Client, Response, StatusCode, Url, Version,
    header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, TRANSFER_ENCODING},
};
use tokio::time::{Instant, sleep, timeout_at};

use super::{
    ProviderError, client,
    dialect::{Dialect, Heard, Understood, printable},
    frames::{Frames, Framing},
    guard::{Admission, Fleet, Guard},
    latency::Latencies,
    retry::{Failure, retry_after},
};
use crate::{
    domain::{
        Call, Completion, LanguageModel, ModelError, ModelFuture, ModelProfile, Prompt, Pulse,
        Usage,
    },
    settings::{ModelSettings, ProviderSettings},
    telemetry::Metrics,
};

/// Longest pause that a provider may impose on us: who asks for more is asked again after it.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// The models of one provider; they share its connections and its guard.
pub(super) fn models(
    provider: &ProviderSettings,
    dialect: Arc<dyn Dialect>,
    fleet: &Arc<Fleet>,
    metrics: &Metrics,
) -> Result<Vec<Arc<dyn LanguageModel>>, ProviderError> {
    let client = client::build(provider)?;
    let endpoint = dialect.endpoint(&provider.base_url);
    let headers = dialect
        .headers(provider.api_key.as_ref())
        .ok_or_else(|| ProviderError::Key { provider: provider.name.clone() })?;
    if provider.api_key.is_some() && sends_in_the_clear(&endpoint) {
        tracing::warn!(provider = provider.name, "the key of this provider travels unencrypted");
    }
    let name: Arc<str> = Arc::from(provider.name.as_str());
    let guard = fleet.guard(provider.max_concurrent_calls);
    let model = |settings: &ModelSettings| -> Arc<dyn LanguageModel> {
        let profile = ModelProfile {
            name: Arc::from(settings.name.as_str()),
            provider: Arc::clone(&name),
            prior: settings.prior,
            weight: settings.weight,
            price_per_million: settings.price_per_million,
            max_answer_tokens: settings.max_tokens.or(settings.max_completion_tokens),
            passthrough: settings.passthrough,
        };
        metrics.know_model(&profile);
        Arc::new(HttpModel {
            profile,
            settings: settings.clone(),
            dialect: Arc::clone(&dialect),
            client: client.clone(),
            endpoint: endpoint.clone(),
            headers: headers.clone(),
            max_response_bytes: provider.max_response_bytes,
            guard: Arc::clone(&guard),
            latencies: Latencies::default(),
            paused_until: Mutex::new(None),
            refused_since: Mutex::new(None),
            metrics: metrics.clone(),
        })
    };
    Ok(provider.models.iter().map(model).collect())
}

/// One model behind HTTP.
struct HttpModel {
    profile: ModelProfile,
    settings: ModelSettings,
    dialect: Arc<dyn Dialect>,
    client: Client,
    endpoint: Url,
    headers: HeaderMap,
    max_response_bytes: usize,
    guard: Arc<Guard>,
    latencies: Latencies,
    /// Set when the provider limits the rate of this model and says for how long.
    paused_until: Mutex<Option<Instant>>,
    /// Set while the provider refuses the key.
    refused_since: Mutex<Option<Instant>>,
    metrics: Metrics,
}

impl LanguageModel for HttpModel {
    fn profile(&self) -> &ModelProfile {
        &self.profile
    }

    fn is_ailing(&self) -> bool {
        self.guard.is_ailing() || self.pause().is_some()
    }

    fn is_down(&self) -> bool {
        self.guard.is_down()
    }

    fn refused_since(&self) -> Option<Instant> {
        *self.refused_since.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn p95(&self) -> Option<Duration> {
        self.latencies.p95()
    }

    fn complete<'a>(&'a self, prompt: &'a Prompt, call: Call<'a>) -> ModelFuture<'a> {
        Box::pin(async move {
            let account = Account::open(self);
            let result = match timeout_at(call.deadline, self.with_one_retry(prompt, call)).await {
                Ok(result) => result,
                Err(_) => Err(ModelError::Timeout),
            };
            account.close(result)
        })
    }
}

impl HttpModel {
    async fn with_one_retry(
        &self,
        prompt: &Prompt,
        call: Call<'_>,
    ) -> Result<Completion, ModelError> {
        if let Some(retry_after) = self.pause() {
            return Err(ModelError::Busy { retry_after });
        }
        let request = self.dialect.request(&self.settings, prompt, call.deltas.is_some())?;
        let body = Bytes::from(request);
        self.guard.requested();
        let failure = match self.guarded(body.clone(), call, 1).await {
            Ok(completion) => return Ok(completion),
            Err(failure) => failure,
        };
        let left = call.deadline.saturating_duration_since(Instant::now());
        let Some(wait) = failure.wait(left, rand::random()) else { return Err(failure.error) };
        if !self.guard.may_retry() {
            return Err(failure.error);
        }
        sleep(wait).await;
        self.metrics.upstream_retry(&self.profile);
        self.guarded(body, call, 2).await.map_err(|failure| failure.error)
    }

    /// One attempt, the first or the second, if the guard lets it through; the guard learns how it
    /// ended, and the log where it failed.
    async fn guarded(
        &self,
        body: Bytes,
        call: Call<'_>,
        attempt: u8,
    ) -> Result<Completion, Failure> {
        let watched = Watched {
            admission: Some(self.guard.admit().map_err(Failure::early)?),
            call,
            model: self,
        };
        let began = Instant::now();
        let result = match timeout_at(call.deadline, self.attempt(body, call)).await {
            Ok(result) => result,
            Err(_) => Err(Failure::early(ModelError::Timeout)),
        };
        match &result {
            Ok(_) => {
                self.latencies.note(began.elapsed());
                self.log_success();
            }
            Err(Failure { error: ModelError::RateLimited { retry_after: Some(wait) }, .. }) => {
                let until = Instant::now() + (*wait).min(LONGEST_PAUSE);
                *self.paused_until.lock().unwrap_or_else(PoisonError::into_inner) = Some(until);
            }
            Err(_) => {}
        }
        if let Err(failure) = &result {
            self.log(failure, attempt, began.elapsed());
        }
        self.note_the_key(result.as_ref().map_err(|failure| &failure.error));
        watched.ended(result.as_ref().map(|_| ()).map_err(|failure| &failure.error));
        result
    }

    /// Keeps since when the key is refused. Only an answer shows that it is taken again.
    fn note_the_key(&self, result: Result<&Completion, &ModelError>) {
        let mut since = self.refused_since.lock().unwrap_or_else(PoisonError::into_inner);
        match result {
            Err(ModelError::Unauthorized) => *since = since.or_else(|| Some(Instant::now())),
            Ok(_) | Err(ModelError::Empty) => *since = None,
            Err(_) => {}
        }
    }

    /// How much longer the provider wants to be left alone.
    fn pause(&self) -> Option<Duration> {
        let until = (*self.paused_until.lock().unwrap_or_else(PoisonError::into_inner))?;
        until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
    }

    async fn attempt(&self, body: Bytes, call: Call<'_>) -> Result<Completion, Failure> {
        let accepted = match (call.deltas.is_some(), self.dialect.framing()) {
            (true, Framing::Events) => "text/event-stream",
            (true, Framing::Lines) => "application/x-ndjson",
            (false, _) => "application/json",
        };
        let request = self
            .client
            .post(self.endpoint.clone())
            .headers(self.headers.clone())
            .header(CONTENT_TYPE, "application/json")
            .header(ACCEPT, accepted)
            .body(body);
        let response = request.send().await.map_err(|error| {
            let meaning = client::no_response(&error);
            self.explain(&meaning, &client::causes(&error));
            Failure { cause: client::cause(&error), ..Failure::early(meaning) }
        })?;
        if !response.status().is_success() {
            return Err(refusal(&response));
        }
        self.understand(response, call).await.map_err(Failure::late)
    }

    async fn understand(
        &self,
        response: Response,
        call: Call<'_>,
    ) -> Result<Completion, ModelError> {
        let request_id = request_id(&response);
        let understood = match (call.deltas, content_type(&response)?) {
            (Some(_), ContentType::Stream) => self.listen(response, call).await?,
            // Some servers do not stream what they were asked to.
            (_, ContentType::Json) => {
                let whole = announces_its_end(&response);
                let body = client::read_body(response, self.max_response_bytes, call).await?;
                self.dialect.whole(&body, whole)?
            }
            (None, ContentType::Stream) => return Err(ModelError::Malformed),
        };
        Ok(Completion {
            content: understood.content,
            model: understood.model.unwrap_or_else(|| self.settings.model.clone()),
            finish: understood.finish,
            usage: self.priced(understood.usage),
            upstream: Duration::ZERO,
            tool_calls: understood.tool_calls,
            request_id,
        })
    }

    /// Reads a streamed answer, passing its text on as it comes. It is whole only when the stream
    /// says so: the end of the connection alone is a cut.
    async fn listen(
        &self,
        mut response: Response,
        call: Call<'_>,
    ) -> Result<Understood, ModelError> {
        let mut frames = Frames::new(self.dialect.framing(), self.max_response_bytes);
        let mut reader = self.dialect.reader();
        let mut heard = Heard::default();
        let mut left = self.max_response_bytes;
        while !reader.is_complete() {
            let chunk = response.chunk().await.map_err(|error| {
                if error.is_timeout() { ModelError::Timeout } else { ModelError::Cut }
            })?;
            let Some(chunk) = chunk else { return Err(ModelError::Cut) };
            call.beat();
            // Who never pauses keeps a timer from being looked at.
            if Instant::now() >= call.deadline {
                return Err(ModelError::Timeout);
            }
            left = left.checked_sub(chunk.len()).ok_or(ModelError::TooLarge)?;
            frames.push(&chunk, |frame| reader.frame(&frame, &mut heard))?;
            if let Some(deltas) = call.deltas
                && heard.passed_on < heard.content.len()
            {
                deltas.delta(&heard.content[heard.passed_on..]);
                heard.passed_on = heard.content.len();
            }
        }
        // What follows the marker is read, so that the connection can serve again.
        client::drain(response).await;
        heard.understood()
    }

    /// An attempt that came to nothing, without a word of the prompt or the provider. Of many that fail
    /// alike only some are a warning; each is in the debug log.
    fn log(&self, failure: &Failure, attempt: u8, took: Duration) {
        let ModelProfile { provider, name, .. } = &self.profile;
        let Failure { error, cause, .. } = failure;
        let status = if let ModelError::Status { status } = error { Some(*status) } else { None };
        let duration_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        match self.guard.failed(cause, attempt) {
            Some(0) => tracing::warn!(%provider, model = %name, %error, status, cause, attempt,
                duration_us, "a call of a provider failed"),
            Some(unsaid) => {
                tracing::warn!(%provider, model = %name, %error, status, cause, attempt,
                duration_us, unsaid, "a call of a provider failed, as others have since it was last said")
            }
            None => tracing::debug!(%provider, model = %name, %error, status, cause, attempt,
                duration_us, "a call of a provider failed"),
        }
    }

    /// The provider works again, after failures that nobody was told of one by one.
    fn log_success(&self) {
        let unsaid = self.guard.succeeded();
        if unsaid > 0 {
            let ModelProfile { provider, name, .. } = &self.profile;
            tracing::info!(%provider, model = %name, unsaid, "a provider has answered after failures");
        }
    }

    /// For an operator who wants to know more of a connection than its class.
    fn explain(&self, error: &ModelError, cause: &str) {
        let ModelProfile { provider, name, .. } = &self.profile;
        tracing::debug!(%provider, model = %name, %error, cause, "no response came");
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

/// An attempt whose guard learns how it ended, also when nobody waits for the end.
struct Watched<'a> {
    admission: Option<Admission>,
    call: Call<'a>,
    model: &'a HttpModel,
}

impl Watched<'_> {
    fn ended(mut self, result: Result<(), &ModelError>) {
        if let Some(admission) = self.admission.take() {
            admission.ended(result);
        }
    }
}

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        let overtaken = self.call.overtaken.is_some_and(|flag| flag.load(Ordering::Relaxed));
        if overtaken && let Some(admission) = self.admission.take() {
            let last_heard = self.call.pulse.and_then(Pulse::last);
            admission.overtaken(last_heard, self.model.p95());
        }
    }
}

/// Measures one call, also when nobody waits for its end. The pause before a retry is the
/// upstream's time, not ours.
struct Account<'a> {
    model: &'a HttpModel,
    began: Instant,
    closed: bool,
}

impl<'a> Account<'a> {
    fn open(model: &'a HttpModel) -> Self {
        Self { model, began: Instant::now(), closed: false }
    }

    fn close(mut self, result: Result<Completion, ModelError>) -> Result<Completion, ModelError> {
        self.closed = true;
        let took = self.began.elapsed();
        let result = result.map(|completion| Completion { upstream: took, ..completion });
        self.model.metrics.upstream(&self.model.profile, result.as_ref(), took);
        result
    }
}

impl Drop for Account<'_> {
    fn drop(&mut self) {
        if !self.closed {
            self.model.metrics.upstream_cancelled(&self.model.profile);
        }
    }
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

/// What kind of body comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ContentType {
    Json,
    Stream,
}

/// The kind of body, which must not be compressed: we ask for no compression, and would not unpack
/// it without a bound. A body without a type is taken for JSON.
fn content_type(response: &Response) -> Result<ContentType, ModelError> {
    let header = |name| response.headers().get(name).map(|value| value.to_str().unwrap_or("?"));
    if header(CONTENT_ENCODING).is_some_and(|coding| !coding.eq_ignore_ascii_case("identity")) {
        return Err(ModelError::Malformed);
    }
    let Some(value) = header(CONTENT_TYPE) else { return Ok(ContentType::Json) };
    let kind = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match kind.as_str() {
        "text/event-stream" | "application/x-ndjson" | "application/jsonl" => {
            Ok(ContentType::Stream)
        }
        "application/json" => Ok(ContentType::Json),
        other if other.ends_with("+json") => Ok(ContentType::Json),
        _ => Err(ModelError::Malformed),
    }
}

/// The upstream's own name of the call.
fn request_id(response: &Response) -> Option<String> {
    ["x-request-id", "request-id"]
        .iter()
        .find_map(|name| response.headers().get(*name)?.to_str().ok())
        .and_then(printable)
}

/// Whether the transport would notice that the body's end is missing.
fn announces_its_end(response: &Response) -> bool {
    response.version() >= Version::HTTP_2
        || response.content_length().is_some()
        || response.headers().contains_key(TRANSFER_ENCODING)
}

#[cfg(test)]
mod tests;
