//! Candidate answers and the evidence they carry.

use std::{sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Canonical, Elp, Position, ResponseId, Signal, Tier};

/// What kind of mind a draft came from.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    /// An exact solver.
    Solver,
    /// The Confidence Lake.
    Lake,
    /// The local drafter.
    Drafter,
    /// A retrieval expert over documents.
    Document,
    /// A language model of a provider.
    Model,
    /// Several of these, fused.
    Fused,
}

/// Who drafted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Source {
    /// The tier it belongs to.
    pub tier: Tier,
    /// The kind of mind.
    pub kind: SourceKind,
    /// Its name: a solver, an expert, a configured model. Bounded by the configuration.
    pub name: Arc<str>,
}

impl Source {
    /// Names a source.
    #[must_use]
    pub fn new(tier: Tier, kind: SourceKind, name: &str) -> Self {
        Self { tier, kind, name: Arc::from(name) }
    }
}

/// One candidate answer with its evidence.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// Who drafted it.
    pub source: Source,
    /// The answer as it would be shown.
    pub content: String,
    /// Its comparable core; `None` when the text gives no answer.
    pub answer: Option<Canonical>,
    /// Probability that it is right.
    pub signal: Signal,
    /// The stage that produced it: 4 for Flux, 8 for ASI, 6 when fused.
    pub stage: Position,
    /// What the checkpoints said of it, in the order of checking.
    pub checks: Vec<Check>,
    /// Working shown by a solver.
    pub steps: Vec<Step>,
    /// Where it can be read up.
    pub citations: Vec<Citation>,
    /// Whether the text is whole. One that ran into a length limit is never remembered.
    pub complete: bool,
    /// Calls of the caller's tools, in the form of OpenAI's dialect; an answer of another kind than
    /// text, which nothing compares or remembers.
    pub tool_calls: Vec<serde_json::Value>,
    /// The response whose remembered answer this is.
    pub recalled_from: Option<ResponseId>,
    /// Probability that the remembered question asks what this one asks, where it is not the same;
    /// `None` where it is, and where nothing was recalled.
    pub recalled_likeness: Option<f64>,
    /// Tokens and cost.
    pub usage: Usage,
    /// From being asked to having answered.
    pub latency: Duration,
    /// How the text speaks.
    pub elp: Elp,
    /// How much a strong model is expected to improve on it, on the scale that orders escalations
    /// (see [`super::Judged`]); `None` where there is no experience with such drafts.
    pub escalation: Option<f64>,
}

impl Draft {
    /// A draft with nothing but its text; the rest is filled in by who knows it.
    #[must_use]
    pub fn new(
        source: Source,
        content: impl Into<String>,
        answer: Option<Canonical>,
        signal: Signal,
    ) -> Self {
        let stage = match source.tier {
            Tier::Flux => Position::DRAFTED,
            Tier::Asi => Position::EXPANDED,
        };
        Self {
            source,
            content: content.into(),
            answer,
            signal,
            stage,
            checks: Vec::new(),
            steps: Vec::new(),
            citations: Vec::new(),
            complete: true,
            tool_calls: Vec::new(),
            recalled_from: None,
            recalled_likeness: None,
            usage: Usage::default(),
            latency: Duration::ZERO,
            elp: Elp::default(),
            escalation: None,
        }
    }

    /// Whether this checkpoint had something to say and no objection.
    #[must_use]
    pub fn passed(&self, checkpoint: Position) -> bool {
        let mut verdicts =
            self.checks.iter().filter(|c| c.position == checkpoint).map(|c| c.verdict);
        let mut any_passed = false;
        let none_failed = verdicts.all(|v| {
            any_passed |= v == Verdict::Passed;
            v != Verdict::Failed
        });
        none_failed && any_passed
    }

    /// Whether any check objected.
    #[must_use]
    pub fn failed_a_check(&self) -> bool {
        self.checks.iter().any(|c| c.verdict == Verdict::Failed)
    }

    /// The highest checkpoint passed, else the stage that produced the draft.
    #[must_use]
    pub fn position(&self) -> Position {
        [Position::VERIFIED, Position::FUSION, Position::CONTEXT]
            .into_iter()
            .find(|&p| self.passed(p))
            .unwrap_or(self.stage)
    }

    /// Whether any checkpoint was passed, which is what fusion's sacred weight rewards.
    #[must_use]
    pub fn passed_a_checkpoint(&self) -> bool {
        self.position().is_checkpoint() && self.position() != self.stage
    }
}

/// What a check found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It applied and found nothing wrong.
    Passed,
    /// It applied and objects.
    Failed,
    /// It had nothing to examine.
    NotApplicable,
}

/// One check of one draft at a checkpoint.
#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    /// The checkpoint: 3, 6 or 9.
    pub position: Position,
    /// The check's name, from a fixed set.
    pub name: &'static str,
    /// What it found.
    pub verdict: Verdict,
    /// In a few words, for people: what was examined, what was wrong.
    pub note: String,
}

/// One step of a solver's working, such as `0.15 × 80 = 12`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Step {
    /// The step in words or symbols.
    pub text: String,
}

/// Where a statement can be read up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Citation {
    /// The document: its path relative to the configured folder, or `builtin:…`.
    pub document: String,
    /// The heading it stands under, when it has one.
    pub section: Option<String>,
    /// First line of the passage, counted from 1.
    pub line: u32,
    /// The cited sentence.
    pub quote: String,
    /// Relevance as the retrieval experts see it, 0 to 1.
    pub score: f64,
}

/// Tokens and money.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Usage {
    /// Tokens sent.
    pub prompt_tokens: u64,
    /// Tokens received.
    pub completion_tokens: u64,
    /// Cost in US dollars; absent where nothing was spent, and where a model has no configured price.
    pub cost_usd: Option<f64>,
}

impl Usage {
    /// Whether tokens were spent whose price nobody knows.
    #[must_use]
    pub const fn is_unpriced(&self) -> bool {
        self.cost_usd.is_none() && self.prompt_tokens + self.completion_tokens > 0
    }

    /// Adds another call's usage. A sum of which one part is not known is not known.
    pub fn add(&mut self, other: &Self) {
        let unpriced = self.is_unpriced() || other.is_unpriced();
        self.prompt_tokens += other.prompt_tokens;
        self.completion_tokens += other.completion_tokens;
        self.cost_usd = match (self.cost_usd, other.cost_usd) {
            _ if unpriced => None,
            (None, None) => None,
            (a, b) => Some(a.unwrap_or(0.0) + b.unwrap_or(0.0)),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_with_an_unknown_part_is_unknown_and_never_too_low() {
        let spent = |cost_usd| Usage { prompt_tokens: 3, completion_tokens: 4, cost_usd };
        for (parts, sum) in [
            (&[Some(0.5), Some(0.25)][..], Some(0.75)),
            (&[Some(0.5), None], None),
            (&[None, Some(0.5)], None),
            (&[None, Some(0.5), Some(0.5)], None),
            (&[None], None),
            (&[], None),
        ] {
            let mut usage = Usage::default();
            parts.iter().for_each(|cost| usage.add(&spent(*cost)));
            assert_eq!(usage.cost_usd, sum, "{parts:?}");
        }
        let mut usage = spent(Some(0.5));
        usage.add(&Usage::default());
        assert_eq!(usage.cost_usd, Some(0.5), "who spent nothing takes nothing away");
    }
}
