//! What was asked.

use std::{sync::Arc, time::Duration};

use super::{
    AsiMode, Consensus, Passthrough, ResponseId, Sampling, SessionId, Strategy, TenantId, Turn,
};

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
    /// What a chat client brings beside its question.
    pub dialogue: Option<Dialogue>,
    /// The one model that is to answer, by its configured name; nobody else is then asked.
    pub expert: Option<String>,
    /// Neither recall this from the lake nor remember it there.
    pub no_store: bool,
    /// Do not recall this from the lake: the answer is to be found anew, and may be remembered.
    pub fresh: bool,
}

impl Request {
    /// Whether the answer depends on nothing but the input, so that remembering it is sound.
    #[must_use]
    pub fn stands_alone(&self) -> bool {
        self.context.is_empty()
            && self.session.is_none()
            && self.dialogue.as_ref().is_none_or(Dialogue::is_bare)
    }

    /// Whether a text that was not drawn for this request keeps to the caller's limits on answers.
    #[must_use]
    pub fn allows(&self, text: &str) -> bool {
        self.dialogue.as_ref().is_none_or(|dialogue| dialogue.sampling.allows(text))
    }

    /// What the caller wants passed through as it is.
    #[must_use]
    pub fn passthrough(&self) -> Option<&Passthrough> {
        self.dialogue.as_ref()?.passthrough.as_deref()
    }

    /// Whether whoever knows the answer may give it. A solver does not know what a caller's
    /// instructions ask of an answer, nor his tools, so it is silent there.
    #[must_use]
    pub fn is_open_to_all(&self) -> bool {
        let instructed = |d: &Dialogue| d.instructions.is_some() || d.passthrough.is_some();
        self.expert.is_none() && !self.dialogue.as_ref().is_some_and(instructed)
    }
}

/// What a chat client brings beside its question.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Dialogue {
    /// The caller's standing instructions: the system prompt.
    pub instructions: Option<String>,
    /// The conversation before the question, oldest first.
    pub turns: Vec<Turn>,
    /// How the answer is to be drawn.
    pub sampling: Sampling,
    /// What is passed on as it is.
    pub passthrough: Option<Arc<Passthrough>>,
}

impl Dialogue {
    /// An answer that ended where this caller wanted it to end is half an answer for others.
    fn is_bare(&self) -> bool {
        self.instructions.is_none()
            && self.turns.is_empty()
            && self.sampling.stop.is_empty()
            && self.passthrough.is_none()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_drawn_for_the_caller_keeps_to_his_limits() {
        let limited = Sampling { max_tokens: Some(2), ..Sampling::default() };
        assert!(limited.allows("12345678") && limited.allows("äöüäöüäö"));
        assert!(!limited.allows("123456789"));
        let stopped = Sampling { stop: vec!["END".to_owned()], ..Sampling::default() };
        assert!(stopped.allows("the end") && !stopped.allows("the END."));
        assert!(Sampling::default().allows(&"x".repeat(1_000_000)));
    }

    #[test]
    fn an_answer_that_a_caller_lets_end_early_is_his_alone() {
        let bare = Dialogue::default();
        let limited = Sampling { max_tokens: Some(9), seed: Some(1), ..Sampling::default() };
        let stopped = Sampling { stop: vec!["END".to_owned()], ..Sampling::default() };
        assert!(bare.is_bare());
        assert!(Dialogue { sampling: limited, ..bare.clone() }.is_bare());
        assert!(!Dialogue { sampling: stopped, ..bare }.is_bare());
    }
}
