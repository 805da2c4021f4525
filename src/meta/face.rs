//! What the orchestrator promises to those who call it: its errors, its state, its receipts.

use std::time::Duration;

use crate::{
    domain::{PolicyProblem, ResponseId},
    flux::LakeStats,
};

/// Why a request has no reply. The texts are for callers; they carry nothing internal.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ProcessError {
    /// Every expert of the AI tier failed and Flux had nothing to stand in with.
    #[error("no expert of the AI tier could answer")]
    AsiFailed {
        /// Who failed, and how.
        failures: Vec<FailedExpert>,
        /// How long the providers asked to wait, where they did.
        retry_after: Option<Duration>,
    },
    /// The deadline came before any answer.
    #[error("the deadline of {deadline:?} came before any answer")]
    DeadlineExceeded {
        /// The deadline that the request had.
        deadline: Duration,
    },
}

/// An expert that failed. Nothing of what its provider said is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedExpert {
    /// Its configured name.
    pub name: String,
    /// A fixed code of its failure.
    pub code: &'static str,
    /// The class of the cause: the code, or for a status its hundred, such as `status_5xx`.
    pub cause: &'static str,
}

impl ProcessError {
    /// A short, fixed code for labels and the ledger.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::AsiFailed { .. } => "asi_failed",
            Self::DeadlineExceeded { .. } => "deadline_exceeded",
        }
    }
}

/// Why a policy was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// It is not a sound policy; all that is wrong with it.
    #[error("the policy has {} problem(s)", .0.len())]
    Invalid(Vec<PolicyProblem>),
    /// Somebody else changed the policy at the same time.
    #[error("the policy was changed by somebody else at the same time")]
    Conflict,
    /// It could not be made durable.
    #[error("the policy could not be stored")]
    Unavailable,
}

/// Why feedback was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FeedbackError {
    /// This tenant has no such response.
    #[error("there is no such response")]
    UnknownResponse,
    /// The tenant judges more often than is taken.
    #[error("there is too much feedback")]
    TooMuch {
        /// When the next judgement is taken.
        retry_after: Duration,
    },
    /// It could not be made durable.
    #[error("the feedback could not be stored")]
    Unavailable,
}

/// Why the lake did not do what it was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LakeError {
    /// The configuration switches it off.
    #[error("the lake is switched off")]
    Off,
    /// It could not be made durable.
    #[error("the lake could not be written")]
    Unavailable,
}

/// What feedback did.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FeedbackReceipt {
    /// The response that was judged.
    pub response: ResponseId,
    /// The score now on record.
    pub score: f64,
    /// The score that it replaces, when the response had been judged before.
    pub previous_score: Option<f64>,
    /// Remembered answers that were evicted because of it.
    pub evicted: usize,
}

/// Whether a part does its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartState {
    /// It does.
    Ok,
    /// It does not, and the service does without.
    Degraded,
    /// It is not configured.
    Absent,
}

/// One part's state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartHealth {
    /// The part: `flux`, `asi`, `lake`, `documents`, `ledger`.
    pub name: &'static str,
    /// Whether it does its work.
    pub state: PartState,
    /// For people, in a few words.
    pub detail: String,
}

/// The state of the whole. Learned without calling any provider.
#[derive(Debug, Clone, PartialEq)]
pub struct Health {
    /// Since the start.
    pub uptime: Duration,
    /// The parts.
    pub parts: Vec<PartHealth>,
}

/// What the parts count beyond the figures per strategy and tier.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Internals {
    /// The lake and the Flux loop that tends it; all zero when the lake is off.
    pub lake: LakeStats,
    /// Events in the ledger.
    pub ledger_events: u64,
    /// Events waiting to be made durable.
    pub ledger_queued: u64,
    /// Events that were lost because the queue was full or the store failed, since the start.
    pub ledger_dropped: u64,
}
