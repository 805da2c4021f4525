//! What a language model is to this service, whoever hosts it. Providers implement
//! [`LanguageModel`]; so do the recordings that an evaluation replays.

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

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
    /// The text; never empty.
    pub content: String,
    /// The model that really answered, as the provider names it.
    pub model: String,
    /// Why it stopped.
    pub finish: FinishReason,
    /// Tokens and cost.
    pub usage: Usage,
    /// Time the upstream took.
    pub upstream: Duration,
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
            Self::OverBudget => "over_budget",
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

/// Something that completes prompts. Dropping the future cancels the call.
pub trait LanguageModel: Send + Sync {
    /// What is known of it before it is asked.
    fn profile(&self) -> &ModelProfile;

    /// Answers before `deadline`, or says why not.
    fn complete<'a>(&'a self, prompt: &'a Prompt, deadline: Instant) -> ModelFuture<'a>;
}
