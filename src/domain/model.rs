//! What a language model is to this service, whoever hosts it. Providers implement
//! [`LanguageModel`]; so do the recordings that an evaluation replays.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;

use super::{Passage, Signal, Usage};

/// What is known of a model before it is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelProfile {
    /// The configured name; unique, a metric label.
    pub name: Arc<str>,
    /// The provider's configured name; a metric label.
    pub provider: Arc<str>,
    /// Probability of a right answer before anything is known of the question.
    pub prior: Signal,
    /// The operator's weight in `custom_weights` consensus.
    pub weight: f64,
    /// US dollars per million prompt tokens, and per million completion tokens.
    pub price_per_million: Option<(f64, f64)>,
    /// Most tokens of one answer, where the configuration bounds them.
    pub max_answer_tokens: Option<u32>,
    /// Whether it takes what is passed through: [`Passthrough`].
    pub passthrough: bool,
}

/// What a model is asked.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Prompt {
    /// Standing instructions; the system message.
    pub instructions: Option<String>,
    /// The conversation so far, oldest first.
    pub turns: Vec<Turn>,
    /// Evidence to answer from.
    pub passages: Vec<Passage>,
    /// The question itself, exactly as the request put it.
    pub input: String,
    /// Set when an earlier answer was found wanting and goes back once.
    pub revision: Option<Revision>,
    /// How the caller wants the answer to be drawn.
    pub sampling: Sampling,
    /// What the caller wants passed through as it is.
    pub passthrough: Option<Arc<Passthrough>>,
}

/// How an answer is drawn, where the caller says; the model's configuration holds elsewhere.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sampling {
    /// Most tokens of the answer; the model's configured bound holds beside it.
    pub max_tokens: Option<u32>,
    /// From 0 to 2.
    pub temperature: Option<f64>,
    /// From 0 to 1.
    pub top_p: Option<f64>,
    /// Texts that end the answer.
    pub stop: Vec<String>,
    /// For answers that can be drawn again.
    pub seed: Option<i64>,
}

impl Sampling {
    /// Whether a text that was not drawn for this caller keeps to his limits: about four characters
    /// make a token, and nothing of what ends an answer is in it.
    #[must_use]
    pub fn allows(&self, text: &str) -> bool {
        const CHARS_A_TOKEN: usize = 4;
        let most = self.max_tokens.map(|n| usize::try_from(n).unwrap_or(usize::MAX));
        most.is_none_or(|most| text.chars().count() <= most.saturating_mul(CHARS_A_TOKEN))
            && !self.stop.iter().any(|stop| text.contains(stop.as_str()))
    }
}

/// Parts of a request in OpenAI's dialect that this service neither reads nor changes. Only models
/// that speak the dialect can be given them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Passthrough {
    /// The whole conversation, where it has parts that are not text.
    pub messages: Option<serde_json::Value>,
    /// Further members of the request, such as `tools` and `response_format`.
    pub members: serde_json::Map<String, serde_json::Value>,
}

/// Who spoke.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The caller.
    User,
    /// The service.
    Assistant,
}

/// One turn of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Turn {
    /// Who spoke.
    pub role: Role,
    /// What was said.
    pub content: String,
}

/// An answer sent back with what failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// The answer as it was.
    pub previous: String,
    /// What the checks objected to, a sentence each.
    pub objections: Vec<String>,
}

/// Why a model stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FinishReason {
    /// It had finished.
    Stop,
    /// It ran into its token limit: the answer is cut and never stored.
    Length,
    /// A filter took the answer away.
    Filtered,
    /// The provider did not say, or said something unknown.
    Unknown,
}

/// A model's answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Completion {
    /// The text; empty only beside calls of tools.
    pub content: String,
    /// The model that really answered, as the provider names it.
    pub model: String,
    /// Why it stopped.
    pub finish: FinishReason,
    /// Tokens and cost.
    pub usage: Usage,
    /// Time the upstream took.
    pub upstream: Duration,
    /// Calls of the caller's tools, in the form of OpenAI's dialect; then `content` may be empty.
    pub tool_calls: Vec<serde_json::Value>,
    /// The upstream's own name of the call, for a complaint to its operator; short and printable.
    pub request_id: Option<String>,
}

/// Why a model gave no answer. The texts are safe to log: no body, no header, no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// No connection: refused, reset, unresolved, TLS failed.
    #[error("the provider cannot be reached")]
    Unreachable,
    /// The deadline came first.
    #[error("the provider did not answer in time")]
    Timeout,
    /// Status 429.
    #[error("the provider limits the rate")]
    RateLimited {
        /// How long it asks to wait.
        retry_after: Option<Duration>,
    },
    /// Status 401 or 403.
    #[error("the provider refused the credentials")]
    Unauthorized,
    /// Any other status than success.
    #[error("the provider answered with status {status}")]
    Status {
        /// The HTTP status.
        status: u16,
    },
    /// The answer is not what the dialect promises.
    #[error("the provider's answer could not be understood")]
    Malformed,
    /// The answer is larger than the configured cap.
    #[error("the provider's answer is larger than the cap")]
    TooLarge,
    /// The connection broke before the answer was whole.
    #[error("the provider's answer was cut off")]
    Cut,
    /// The answer is empty, or a filter removed it.
    #[error("the provider returned no answer")]
    Empty,
    /// As many calls are under way as the provider is allowed, or it asked for a pause: the call was
    /// not made.
    #[error("the provider takes no more calls at the moment")]
    Busy {
        /// When a call may be taken again.
        retry_after: Duration,
    },
    /// The provider failed so often that calls are held back; the call was not made.
    #[error("the provider fails, and calls are held back")]
    Suspended {
        /// When the next one may try.
        retry_after: Duration,
    },
    /// The provider's dialect cannot express what was asked.
    #[error("the provider cannot take {what}")]
    Unsupported {
        /// What it cannot take.
        what: &'static str,
    },
    /// The request's cost budget does not allow the call.
    #[error("the call would exceed the request's cost budget")]
    OverBudget,
}

impl ModelError {
    /// A short, fixed code for labels and the ledger.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Timeout => "timeout",
            Self::RateLimited { .. } => "rate_limited",
            Self::Unauthorized => "unauthorized",
            Self::Status { .. } => "status",
            Self::Malformed => "malformed",
            Self::TooLarge => "too_large",
            Self::Cut => "cut",
            Self::Empty => "empty",
            Self::Busy { .. } => "busy",
            Self::Suspended { .. } => "suspended",
            Self::Unsupported { .. } => "unsupported",
            Self::OverBudget => "over_budget",
        }
    }

    /// The class of its cause, for callers: as the code, and for a status its hundred.
    #[must_use]
    pub const fn cause(&self) -> &'static str {
        match self {
            Self::Status { status: 500.. } => "status_5xx",
            Self::Status { status: 400..=499 } => "status_4xx",
            Self::Status { .. } => "status_other",
            other => other.code(),
        }
    }

    /// How long to wait before asking again, where the provider or our own bounds say so.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after } => *retry_after,
            Self::Busy { retry_after } | Self::Suspended { retry_after } => Some(*retry_after),
            _ => None,
        }
    }

    /// Whether asking once more could help.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable | Self::RateLimited { .. } | Self::Cut => true,
            Self::Status { status } => matches!(status, 408 | 500 | 502 | 503 | 504 | 529),
            _ => false,
        }
    }
}

/// The future of an answer.
pub type ModelFuture<'a> =
    Pin<Box<dyn Future<Output = Result<Completion, ModelError>> + Send + 'a>>;

/// Hears the text of an answer while it is being written.
pub trait DeltaSink: Send + Sync {
    /// More of the text. Everything that was said of one call, joined, is the answer's beginning.
    fn delta(&self, text: &str);
}

/// When the last bytes of an answer came, for whoever waits for its end.
#[derive(Debug)]
pub struct Pulse {
    began: Instant,
    /// Microseconds from the beginning to the last bytes, and one; 0 before the first.
    last: AtomicU64,
}

impl Pulse {
    /// Nothing has come yet.
    #[must_use]
    pub fn silent() -> Self {
        Self { began: Instant::now(), last: AtomicU64::new(0) }
    }

    /// Bytes came.
    pub fn beat(&self) {
        let since = self.began.elapsed().as_micros();
        self.last.store(u64::try_from(since).unwrap_or(u64::MAX - 1) + 1, Ordering::Relaxed);
    }

    /// When the last bytes came; `None` before the first.
    #[must_use]
    pub fn last(&self) -> Option<Instant> {
        let since = self.last.load(Ordering::Relaxed).checked_sub(1)?;
        Some(self.began + Duration::from_micros(since))
    }
}

/// How one prompt is to be completed.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    /// When to have answered.
    pub deadline: Instant,
    /// Who hears the text as it comes. Without one the answer is asked for as a whole.
    pub deltas: Option<&'a dyn DeltaSink>,
    /// Told of each piece of the answer's body, whether or not it holds text.
    pub pulse: Option<&'a Pulse>,
    /// Set before the call is dropped because another model was quicker: then, and only then, may long
    /// silence say something of its model. A call that is dropped for any other reason (the client went,
    /// enough experts agreed) says nothing.
    pub overtaken: Option<&'a AtomicBool>,
}

impl<'a> Call<'a> {
    /// A call for the whole answer.
    #[must_use]
    pub const fn whole(deadline: Instant) -> Self {
        Self { deadline, deltas: None, pulse: None, overtaken: None }
    }

    /// The same call, whose text is heard as it comes.
    #[must_use]
    pub const fn heard_by(self, deltas: &'a dyn DeltaSink) -> Self {
        Self { deltas: Some(deltas), ..self }
    }

    /// Bytes of the answer came.
    pub fn beat(&self) {
        if let Some(pulse) = self.pulse {
            pulse.beat();
        }
    }
}

/// Something that completes prompts. Dropping the future cancels the call.
pub trait LanguageModel: Send + Sync {
    /// What is known of it before it is asked.
    fn profile(&self) -> &ModelProfile;

    /// Whether a call now would be refused or is likely to fail: calls are held back, a pause was
    /// asked for, or all places are taken. Who has another model asks that one first.
    fn is_ailing(&self) -> bool {
        false
    }

    /// Whether its provider has failed so often, and not answered since, that calls are held back.
    fn is_down(&self) -> bool {
        false
    }

    /// Since when the provider refuses the key for this model; `None` where the last answer was none
    /// of that.
    fn refused_since(&self) -> Option<Instant> {
        None
    }

    /// The 95th percentile of the time that recent good answers took; `None` while too few are
    /// known. A call that takes longer is unusually slow.
    fn p95(&self) -> Option<Duration> {
        None
    }

    /// Answers before the call's deadline, or says why not.
    fn complete<'a>(&'a self, prompt: &'a Prompt, call: Call<'a>) -> ModelFuture<'a>;
}
