//! What one dialect has to know: how a prompt is written, and how an answer is understood, whole or
//! in pieces. Sending, bounds, retries and accounts are the same for all ([`super::model`]).

use reqwest::{
    Url,
    header::{AUTHORIZATION, HeaderMap},
};
use serde::de::DeserializeOwned;

use super::frames::{Frame, Framing};
use crate::{
    domain::{FinishReason, ModelError, Prompt, Usage},
    settings::{ModelSettings, Secret},
};

/// Longest model name taken from an answer, in characters.
const MAX_MODEL_CHARS: usize = 128;

/// How a provider is spoken to.
pub(super) trait Dialect: Send + Sync {
    /// Where prompts go.
    fn endpoint(&self, base: &Url) -> Url;

    /// The headers of every call. The key's header is marked as sensitive. `None` when the key has
    /// characters that no header may carry.
    fn headers(&self, key: Option<&Secret>) -> Option<HeaderMap>;

    /// The body of a request.
    ///
    /// # Errors
    /// [`ModelError::Unsupported`] for what the dialect cannot express.
    fn request(
        &self,
        model: &ModelSettings,
        prompt: &Prompt,
        streamed: bool,
    ) -> Result<Vec<u8>, ModelError>;

    /// Understands the body of a success. `whole` says that its end was announced and came; without
    /// that, JSON that ends too early was cut off.
    ///
    /// # Errors
    /// [`ModelError::Malformed`], [`ModelError::Cut`], or [`ModelError::Empty`] when there is no
    /// text: refused, filtered, or all tokens spent on thinking.
    fn whole(&self, body: &[u8], whole: bool) -> Result<Understood, ModelError>;

    /// How a streamed answer separates its frames.
    fn framing(&self) -> Framing;

    /// Understands a streamed answer.
    fn reader(&self) -> Box<dyn StreamReader>;
}

/// Understands one streamed answer, frame by frame.
pub(super) trait StreamReader: Send {
    /// Takes in a frame.
    ///
    /// # Errors
    /// [`ModelError`] when the upstream reports a failure or is not understood.
    fn frame(&mut self, frame: &Frame, heard: &mut Heard) -> Result<(), ModelError>;

    /// Whether the stream said that it is complete. The end of the connection alone never does.
    fn is_complete(&self) -> bool;
}

/// What was heard of a streamed answer so far.
#[derive(Debug, Default)]
pub(super) struct Heard {
    pub(super) content: String,
    /// Bytes of `content` that were passed on.
    pub(super) passed_on: usize,
    pub(super) model: Option<String>,
    pub(super) finish: Option<FinishReason>,
    pub(super) usage: Option<Usage>,
    /// Whether the model refused in a field of its own.
    pub(super) refused: bool,
    /// Calls of the caller's tools, in the form of OpenAI's dialect.
    pub(super) tool_calls: Vec<serde_json::Value>,
}

impl Heard {
    /// Notes the model that answers, once and in a printable form.
    pub(super) fn note_model(&mut self, model: Option<&str>) {
        if self.model.is_none() {
            self.model = model.and_then(printable);
        }
    }

    /// The answer, once the stream was complete.
    ///
    /// # Errors
    /// [`ModelError::Empty`] where there is none.
    pub(super) fn understood(self) -> Result<Understood, ModelError> {
        if self.refused || (self.content.trim().is_empty() && self.tool_calls.is_empty()) {
            return Err(ModelError::Empty);
        }
        Ok(Understood {
            content: self.content,
            model: self.model,
            finish: self.finish.unwrap_or(FinishReason::Unknown),
            usage: self.usage,
            tool_calls: self.tool_calls,
        })
    }
}

/// What an answer says, before it is priced.
#[derive(Debug, PartialEq)]
pub(super) struct Understood {
    pub(super) content: String,
    pub(super) model: Option<String>,
    pub(super) finish: FinishReason,
    /// Absent when the provider counted nothing.
    pub(super) usage: Option<Usage>,
    /// Calls of the caller's tools, in the form of OpenAI's dialect.
    pub(super) tool_calls: Vec<serde_json::Value>,
}

/// A name out of an answer, kept short and free of control characters; `None` when nothing is left.
pub(super) fn printable(name: &str) -> Option<String> {
    let name: String = name.chars().filter(|c| !c.is_control()).take(MAX_MODEL_CHARS).collect();
    (!name.is_empty()).then_some(name)
}

/// A count of tokens; at most what any answer can have, so that a strange upstream cannot blow up a
/// counter.
pub(super) fn tokens(value: Option<&serde_json::Value>) -> Option<u64> {
    Some(value?.as_u64()?.min(u64::from(u32::MAX)))
}

/// `base` with these segments behind its path, whether or not it ends in a slash.
pub(super) fn below(base: &Url, segments: &[&str]) -> Url {
    let mut url = base.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
    url
}

/// A whole body as JSON. `whole` says that its end was announced and came; without that, JSON that
/// ends too early was cut off.
pub(super) fn body_as<T: DeserializeOwned>(body: &[u8], whole: bool) -> Result<T, ModelError> {
    serde_json::from_slice(body).map_err(|error| {
        if error.is_eof() && !whole { ModelError::Cut } else { ModelError::Malformed }
    })
}

/// The header that carries a key as a bearer token (RFC 6750), where there is a key.
pub(super) fn bearer(key: Option<&Secret>) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    if let Some(key) = key {
        headers.insert(AUTHORIZATION, sensitive(&format!("Bearer {}", key.expose()))?);
    }
    Some(headers)
}

/// A header's value that no log shows; `None` when no header may carry it.
pub(super) fn sensitive(value: &str) -> Option<reqwest::header::HeaderValue> {
    let mut value = reqwest::header::HeaderValue::try_from(value).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
pub(super) mod testing {
    use super::*;
    use crate::providers::frames::Frames;

    /// What a dialect makes of a stream that ends after these bytes.
    pub(in crate::providers) fn streamed(
        dialect: &dyn Dialect,
        bytes: &[u8],
    ) -> Result<Understood, ModelError> {
        let mut frames = Frames::new(dialect.framing(), 1 << 20);
        let (mut reader, mut heard) = (dialect.reader(), Heard::default());
        frames.push(bytes, |frame| reader.frame(&frame, &mut heard))?;
        if reader.is_complete() { heard.understood() } else { Err(ModelError::Cut) }
    }
}
