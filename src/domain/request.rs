//! What was asked.

use std::time::Duration;

use super::{AsiMode, Consensus, ResponseId, SessionId, Strategy, TenantId};

/// One request, parsed and within its bounds.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The id that the response will carry.
    pub id: ResponseId,
    /// Whose request it is.
    pub tenant: TenantId,
    /// The conversation it belongs to.
    pub session: Option<SessionId>,
    /// The question or task; never empty.
    pub input: String,
    /// Passages that the caller offers as evidence.
    pub context: Vec<Passage>,
    /// The caller's choice of strategy; the policy's where absent.
    pub strategy: Option<Strategy>,
    /// The caller's choice of ASI mode; by complexity where absent.
    pub mode: Option<AsiMode>,
    /// The caller's choice of consensus; the policy's where absent.
    pub consensus: Option<Consensus>,
    /// How long and how dear the answer may be.
    pub budget: Budget,
    /// Neither recall this from the lake nor remember it there.
    pub no_store: bool,
}

impl Request {
    /// Whether the answer depends on nothing but the input, so that remembering it is sound.
    #[must_use]
    pub fn stands_alone(&self) -> bool {
        self.context.is_empty() && self.session.is_none()
    }
}

/// A piece of text offered as evidence, with the name of where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passage {
    /// Where it came from: a title, a path, `context 1`.
    pub source: String,
    /// The text.
    pub text: String,
}

/// Limits of one request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Budget {
    /// Time from receipt to response.
    pub deadline: Duration,
    /// Most that provider calls may cost together, in US dollars.
    pub max_cost_usd: Option<f64>,
}
