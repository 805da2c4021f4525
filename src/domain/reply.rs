//! What is returned: the answer, how it came about and what it cost.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    AsiMode, Check, Citation, Complexity, Consensus, Decision, Draft, Elp, LanguageModel, Position,
    ResponseId, Signal, SourceKind, Step, Tier, TraceEntry, Usage,
};

/// Which minds made the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OrchestratorKind {
    /// Flux alone.
    Flux,
    /// ASI alone.
    Asi,
    /// Both.
    Fused,
    /// None: the answer is an abstention.
    None,
}

/// One expert's vote.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Vote {
    /// Who voted.
    pub expert: String,
    /// For what, canonically.
    pub answer: String,
    /// With what weight.
    pub weight: f64,
    /// Whether it weighed `fusion.sacred_weight` times as much as it would have, for a checkpoint
    /// passed.
    pub boosted: bool,
    /// Whether for the answer that won.
    pub won: bool,
}

/// Experts who agreed on an answer that lost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Dissent {
    /// Their answer, in the canonical form of the best draft among theirs.
    pub answer: String,
    /// Who stood for it, the weightiest first.
    pub experts: Vec<String>,
    /// Their votes' weight together.
    pub weight: f64,
}

/// How experts' answers became one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ConsensusReport {
    /// The strategy used.
    pub strategy: Consensus,
    /// Share of the weight behind the winner, 0 to 1.
    pub agreement: f64,
    /// All votes, the winner's first.
    pub votes: Vec<Vote>,
    /// The answers that lost, the strongest first; who gave no answer dissents from none.
    pub dissent: Vec<Dissent>,
}

/// What became of one expert that was asked.
#[derive(Debug, Clone, PartialEq)]
pub struct ExpertReport {
    /// Its configured name.
    pub name: String,
    /// Its kind.
    pub kind: SourceKind,
    /// Its tier.
    pub tier: Tier,
    /// The model that really answered, where a provider said.
    pub model: Option<String>,
    /// Signal of its draft; `None` when it gave none.
    pub signal: Option<Signal>,
    /// Highest checkpoint its draft passed, else its stage.
    pub position: Option<Position>,
    /// What the checkpoints said of its draft.
    pub checks: Vec<Check>,
    /// How long it took.
    pub latency: Duration,
    /// A fixed code when it failed.
    pub error: Option<&'static str>,
    /// The upstream's own name of the call, where it gave one.
    pub request_id: Option<String>,
}

impl ExpertReport {
    /// The report on a model that was asked, before anything is known of its answer.
    #[must_use]
    pub fn asked(model: &dyn LanguageModel, latency: Duration) -> Self {
        Self {
            name: model.profile().name.to_string(),
            kind: SourceKind::Model,
            tier: Tier::Asi,
            model: None,
            signal: None,
            position: None,
            checks: Vec::new(),
            latency,
            error: None,
            request_id: None,
        }
    }

    /// The report on an expert that gave this draft.
    #[must_use]
    pub fn of(draft: &Draft) -> Self {
        Self {
            name: draft.source.name.to_string(),
            kind: draft.source.kind,
            tier: draft.source.tier,
            model: None,
            signal: Some(draft.signal),
            position: Some(draft.position()),
            checks: draft.checks.clone(),
            latency: draft.latency,
            error: None,
            request_id: None,
        }
    }
}

/// A response explained.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Explanation {
    /// Why this way, what it came to, what was checked, what it cost; one sentence.
    pub sentence: String,
    /// How likely each tier was to be right, Flux first: by its own draft where it gave one, else by
    /// what such requests came to so far.
    pub chances: [Option<f64>; 2],
    /// Checks of the answer that found nothing wrong.
    pub checks_passed: usize,
    /// Checks of the answer that object.
    pub checks_failed: Vec<&'static str>,
}

/// The answer to a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// Names this response; feedback refers to it.
    pub id: ResponseId,
    /// The answer, or the words of an abstention.
    pub content: String,
    /// Signal of the answer.
    pub confidence: Signal,
    /// Highest checkpoint that the answer passed, else the stage that produced it.
    pub position: Position,
    /// How the answer speaks.
    pub elp: Elp,
    /// Which minds made it.
    pub kind: OrchestratorKind,
    /// Each tier's share in the answer; they sum to 1, or are both 0 for an abstention.
    pub weights: [(Tier, f64); 2],
    /// Whether evidence that passed a checkpoint weighed more in fusion.
    pub sacred_boost: bool,
    /// Whether nobody knew.
    pub abstained: bool,
    /// Whether Flux stood in for a failed ASI.
    pub recovered: bool,
    /// From receipt to response.
    pub duration: Duration,
    /// Time spent outside of upstream calls.
    pub overhead: Duration,
    /// What was decided and why.
    pub decision: Decision,
    /// The ASI mode that was in force, when ASI was asked.
    pub mode: Option<AsiMode>,
    /// What could not be honoured: a mode that wants more experts than there are.
    pub shortfall: Option<String>,
    /// Passes through the doubling cycle: 1, and 1 more each time the request went round again
    /// for a second opinion, a revision, or a stand-in for a failed ASI.
    pub vortex_cycles: u32,
    /// The remembered response that the answer came from.
    pub recalled_from: Option<ResponseId>,
    /// Probability that the remembered question asks what this one asks, where the answer was
    /// recalled by meaning.
    pub recalled_likeness: Option<f64>,
    /// Whether the answer was remembered in the lake.
    pub remembered: bool,
    /// The analysis.
    pub complexity: Complexity,
    /// Where the request has been.
    pub trace: Vec<TraceEntry>,
    /// Everyone who was asked.
    pub experts: Vec<ExpertReport>,
    /// The vote, when there was one.
    pub consensus: Option<ConsensusReport>,
    /// Where the answer can be read up.
    pub citations: Vec<Citation>,
    /// Working shown by a solver.
    pub steps: Vec<Step>,
    /// Tokens and cost of all calls together.
    pub usage: Usage,
    /// Calls of the caller's tools, in the form of OpenAI's dialect; then `content` may be empty.
    pub tool_calls: Vec<serde_json::Value>,
    /// The model whose own words the answer is, as its provider names it; `None` where it is a
    /// solver's, the lake's, the documents', nobody's or several models' together.
    pub model: Option<String>,
    /// Why it came out as it did.
    pub explanation: Explanation,
    /// Whether the answer is whole; `false` where a limit on its length cut it.
    pub complete: bool,
}
