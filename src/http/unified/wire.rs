//! The result of `process`, as it is written on the wire. Floats are always finite: JSON has no
//! others, and a client should not need to know that.

use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::{
    Alternative, Arm, AsiMode, Check, Citation, Complexity, ComplexityTier, ConsensusReport,
    Decision, Dimension, Elp, ExpertReport, OrchestratorKind, Reply, Route, SourceKind, Stage,
    Step, Strategy, Tier, TraceEntry, Verdict,
};

/// The answer, how it came about and what it cost.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ProcessResult {
    /// Names this response; feedback refers to it.
    #[schema(example = "resp_019a8f5e0c7a7bd2a1c5e0b8f3d2c1a0")]
    pub id: String,
    /// The answer, or the words of an abstention.
    pub content: String,
    /// Calibrated probability that the answer is right, 0 to 1.
    #[schema(minimum = 0, maximum = 1)]
    pub confidence: f64,
    /// Highest checkpoint (3, 6, 9) that the answer passed, else the stage that produced it.
    #[schema(minimum = 1, maximum = 9)]
    pub flux_position: u8,
    /// How the answer speaks.
    pub elp: Elp,
    /// Which minds made the answer.
    pub orchestrators_used: OrchestratorsUsed,
    /// Whether evidence that passed a checkpoint weighed more in fusion.
    pub sacred_boost: bool,
    /// Whether nobody knew; `content` then says what would help.
    pub abstained: bool,
    /// Whether Flux stood in for a failed ASI.
    pub recovered: bool,
    /// From receipt to response, in milliseconds with fractions.
    #[schema(minimum = 0)]
    pub duration_ms: f64,
    /// How it came about.
    pub metadata: Metadata,
}

/// Which minds made the answer, and with what share.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct OrchestratorsUsed {
    /// Which minds.
    pub kind: OrchestratorKind,
    /// Each mind's share.
    pub weights: TierWeights,
}

/// Each tier's share in the answer; they sum to 1, or are both 0 for an abstention.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct TierWeights {
    /// Share of the runtime tier.
    #[schema(minimum = 0, maximum = 1)]
    pub flux: f64,
    /// Share of the AI tier.
    #[schema(minimum = 0, maximum = 1)]
    pub asi: f64,
}

/// How the answer came about and what it cost.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Metadata {
    /// The strategy in force.
    pub routing_strategy: Strategy,
    /// The ASI mode in force; null when ASI was not asked.
    #[schema(required, inline)]
    pub asi_mode: Option<AsiMode>,
    /// Passes through the doubling cycle: 1, and 1 more for each escalation or revision.
    pub vortex_cycles: u32,
    /// Whether the answer was recalled from the Confidence Lake.
    pub confidence_lake_hit: bool,
    /// The response whose remembered answer this is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub recalled_from: Option<String>,
    /// How: `exact` for the same question, `meaning` for one that asks the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub recalled_by: Option<&'static str>,
    /// Probability that the two questions ask the same, where it was recalled by meaning.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 0, maximum = 1)]
    pub recalled_likeness: Option<f64>,
    /// Whether the answer was remembered in the Confidence Lake.
    pub remembered: bool,
    /// The analysis of the request.
    pub complexity: ComplexityReport,
    /// What routing decided.
    pub decision: DecisionReport,
    /// The response explained.
    pub explanation: Explanation,
    /// Where the request has been, in the order in which the visits ended.
    pub trace: Vec<TraceVisit>,
    /// Everyone who was asked.
    pub experts: Vec<Expert>,
    /// The vote, when there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub consensus: Option<ConsensusReport>,
    /// Where the answer can be read up.
    pub citations: Vec<Citation>,
    /// Working shown by a solver.
    pub steps: Vec<Step>,
    /// Tokens of all provider calls together.
    pub usage: TokenUsage,
    /// Cost of all provider calls together.
    pub cost: Cost,
    /// Time spent outside of provider calls, in microseconds.
    pub overhead_us: u64,
    /// What could not be honoured, such as a mode that wants more experts than are configured.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub shortfall: Option<String>,
}

/// The analysis of the request.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ComplexityReport {
    /// Chance that the fast tier would be wrong where the slow tier would be right, 0 to 1.
    #[schema(minimum = 0, maximum = 1)]
    pub score: f64,
    /// The score's tier under the policy's thresholds.
    pub tier: ComplexityTier,
    /// The parts of the score, most telling first.
    pub dimensions: Vec<Dimension>,
}

/// What routing decided.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct DecisionReport {
    /// Where the request went first.
    pub route: Route,
    /// Why, in one plain sentence.
    pub reason: String,
    /// Chance with which this way was chosen; 1 unless Adaptive chose it.
    #[schema(minimum = 0, maximum = 1)]
    pub probability: f64,
    /// The strategy or mode that Adaptive chose.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub arm: Option<Arm>,
    /// All ways that Adaptive could have chosen, and what it expected of each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub alternatives: Vec<Alternative>,
}

/// How likely each mind was to be right: by its own draft where it gave one, else by what such
/// requests came to so far; absent where neither is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, ToSchema)]
pub struct Chances {
    /// The runtime tier.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 0, maximum = 1)]
    pub flux: Option<f64>,
    /// The AI tier.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 0, maximum = 1)]
    pub asi: Option<f64>,
}

/// The response explained: in one sentence, and in the numbers behind it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Explanation {
    /// Why this way, what it came to, what was checked, what it cost.
    pub sentence: String,
    /// How likely each mind was to be right.
    pub chances: Chances,
    /// Checks of the answer that found nothing wrong.
    pub checks_passed: usize,
    /// Checks of the answer that object, by name.
    pub checks_failed: Vec<String>,
}

/// One visit to a position of the vortex.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct TraceVisit {
    /// The position.
    #[schema(minimum = 1, maximum = 9)]
    pub position: u8,
    /// What happens there.
    pub stage: Stage,
    /// How long it took, in microseconds.
    pub duration_us: u64,
    /// In a few words, for people.
    pub note: String,
}

/// What became of one expert that was asked.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Expert {
    /// Its configured name.
    pub name: String,
    /// Its kind.
    pub kind: SourceKind,
    /// Its tier.
    pub tier: Tier,
    /// The model that really answered, where a provider said.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub model: Option<String>,
    /// Probability that its draft is right; absent when it gave none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 0, maximum = 1)]
    pub signal: Option<f64>,
    /// Highest checkpoint that its draft passed, else its stage; absent without a draft.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1, maximum = 9)]
    pub flux_position: Option<u8>,
    /// What the checkpoints said of its draft.
    pub checks: Vec<CheckReport>,
    /// How long it took, in milliseconds with fractions.
    #[schema(minimum = 0)]
    pub latency_ms: f64,
    /// A fixed code when it failed, such as `timeout`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub error: Option<String>,
    /// The provider's own name of the call, to quote to its support.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub request_id: Option<String>,
}

/// One check of one draft.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct CheckReport {
    /// The checkpoint: 3, 6 or 9.
    #[schema(minimum = 3, maximum = 9, multiple_of = 3)]
    pub position: u8,
    /// The check's name, from a fixed set.
    pub name: String,
    /// What it found.
    pub verdict: Verdict,
    /// In a few words, for people.
    pub note: String,
}

/// Tokens of all provider calls together.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct TokenUsage {
    /// Tokens sent.
    pub prompt_tokens: u64,
    /// Tokens received.
    pub completion_tokens: u64,
}

/// Cost of all provider calls together.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Cost {
    /// In US dollars; 0 where no model was called, null where one was whose price is not known.
    #[schema(required, minimum = 0)]
    pub usd: Option<f64>,
}

impl From<Reply> for ProcessResult {
    fn from(reply: Reply) -> Self {
        let share = |wanted| {
            let of_tier = reply.weights.iter().filter(|(tier, _)| *tier == wanted);
            finite(of_tier.map(|(_, weight)| weight).sum())
        };
        Self {
            id: reply.id.to_string(),
            confidence: reply.confidence.get(),
            flux_position: reply.position.get(),
            elp: finite_elp(reply.elp),
            orchestrators_used: OrchestratorsUsed {
                kind: reply.kind,
                weights: TierWeights { flux: share(Tier::Flux), asi: share(Tier::Asi) },
            },
            sacred_boost: reply.sacred_boost,
            abstained: reply.abstained,
            recovered: reply.recovered,
            duration_ms: millis(reply.duration),
            content: reply.content,
            metadata: Metadata {
                routing_strategy: reply.decision.strategy,
                asi_mode: reply.mode,
                vortex_cycles: reply.vortex_cycles,
                confidence_lake_hit: reply.recalled_from.is_some(),
                recalled_from: reply.recalled_from.map(|id| id.to_string()),
                recalled_by: reply.recalled_from.map(|_| match reply.recalled_likeness {
                    Some(_) => "meaning",
                    None => "exact",
                }),
                recalled_likeness: reply.recalled_likeness,
                remembered: reply.remembered,
                decision: DecisionReport::from(&reply.decision),
                explanation: Explanation {
                    sentence: reply.explanation.sentence,
                    chances: Chances::from(reply.explanation.chances),
                    checks_passed: reply.explanation.checks_passed,
                    checks_failed: reply
                        .explanation
                        .checks_failed
                        .into_iter()
                        .map(str::to_owned)
                        .collect(),
                },
                complexity: ComplexityReport::from(reply.complexity),
                trace: reply.trace.into_iter().map(TraceVisit::from).collect(),
                experts: reply.experts.into_iter().map(Expert::from).collect(),
                consensus: reply.consensus,
                citations: reply.citations,
                steps: reply.steps,
                usage: TokenUsage {
                    prompt_tokens: reply.usage.prompt_tokens,
                    completion_tokens: reply.usage.completion_tokens,
                },
                cost: Cost { usd: reply.usage.cost_usd.filter(|usd| usd.is_finite()) },
                overhead_us: micros(reply.overhead),
                shortfall: reply.shortfall,
            },
        }
    }
}

impl From<Complexity> for ComplexityReport {
    fn from(complexity: Complexity) -> Self {
        Self {
            score: finite(complexity.score),
            tier: complexity.tier,
            dimensions: complexity.dimensions.into_iter().map(dimension).collect(),
        }
    }
}

impl From<&Decision> for DecisionReport {
    fn from(decision: &Decision) -> Self {
        Self {
            route: decision.route,
            reason: decision.reason.clone(),
            probability: finite(decision.probability),
            arm: decision.arm,
            alternatives: decision.alternatives.clone(),
        }
    }
}

impl From<[Option<f64>; 2]> for Chances {
    fn from([flux, asi]: [Option<f64>; 2]) -> Self {
        let known = |chance: Option<f64>| chance.filter(|c| c.is_finite());
        Self { flux: known(flux), asi: known(asi) }
    }
}

impl From<TraceEntry> for TraceVisit {
    fn from(entry: TraceEntry) -> Self {
        Self {
            position: entry.stage.position().get(),
            stage: entry.stage,
            duration_us: micros(entry.duration),
            note: entry.note,
        }
    }
}

impl From<ExpertReport> for Expert {
    fn from(report: ExpertReport) -> Self {
        Self {
            name: report.name,
            kind: report.kind,
            tier: report.tier,
            model: report.model,
            signal: report.signal.map(|signal| signal.get()),
            flux_position: report.position.map(|position| position.get()),
            checks: report.checks.into_iter().map(CheckReport::from).collect(),
            latency_ms: millis(report.latency),
            error: report.error.map(str::to_owned),
            request_id: report.request_id,
        }
    }
}

impl From<Check> for CheckReport {
    fn from(check: Check) -> Self {
        Self {
            position: check.position.get(),
            name: check.name.to_owned(),
            verdict: check.verdict,
            note: check.note,
        }
    }
}

fn dimension(dimension: Dimension) -> Dimension {
    Dimension {
        value: finite(dimension.value),
        contribution: finite(dimension.contribution),
        ..dimension
    }
}

fn finite_elp(elp: Elp) -> Elp {
    Elp::clamped(elp.ethos, elp.logos, elp.pathos)
}

fn finite(number: f64) -> f64 {
    if number.is_finite() { number } else { 0.0 }
}

/// Milliseconds with fractions, exact to the microsecond.
#[expect(clippy::cast_precision_loss, reason = "durations are far below 2^52 µs")]
pub(super) fn millis(duration: Duration) -> f64 {
    micros(duration) as f64 / 1000.0
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::{
        Complexity, Consensus, Decision, Position, ResponseId, Signal, Usage, Vote,
    };

    fn reply() -> Reply {
        Reply {
            id: ResponseId::generate(),
            content: "12".to_owned(),
            confidence: Signal::ONE,
            position: Position::VERIFIED,
            elp: Elp::clamped(1.0, 8.0, 0.0),
            kind: OrchestratorKind::Flux,
            weights: [(Tier::Asi, 0.25), (Tier::Flux, 0.75)],
            sacred_boost: true,
            abstained: false,
            recovered: false,
            duration: Duration::from_nanos(1_234_567),
            overhead: Duration::from_micros(200),
            decision: Decision {
                strategy: Strategy::Hybrid,
                follows: Strategy::Hybrid,
                arm: None,
                route: Route::FluxThenAsi,
                mode: AsiMode::Balanced,
                ask_drafter: false,
                may_escalate: true,
                keep_signal: Some(0.75),
                promised: false,
                probability: 1.0,
                reason: "it looked simple".to_owned(),
                alternatives: Vec::new(),
            },
            mode: None,
            shortfall: None,
            vortex_cycles: 1,
            recalled_from: None,
            recalled_likeness: None,
            remembered: true,
            complexity: Complexity {
                score: f64::NAN,
                tier: ComplexityTier::Simple,
                dimensions: vec![Dimension {
                    name: "length".into(),
                    value: f64::INFINITY,
                    contribution: -0.5,
                }],
                elp: Elp::default(),
                needs_asi: false,
                forecast: None,
            },
            trace: vec![TraceEntry {
                stage: Stage::FusionCheckpoint,
                duration: Duration::from_micros(3),
                note: "two agree".to_owned(),
            }],
            experts: vec![ExpertReport {
                name: "gpt".to_owned(),
                kind: SourceKind::Model,
                tier: Tier::Asi,
                model: None,
                signal: None,
                position: None,
                checks: vec![Check {
                    position: Position::VERIFIED,
                    name: "arithmetic",
                    verdict: Verdict::NotApplicable,
                    note: String::new(),
                }],
                latency: Duration::from_micros(1500),
                error: Some("timeout"),
                request_id: None,
            }],
            consensus: None,
            citations: Vec::new(),
            steps: vec![Step { text: "0.15 × 80 = 12".to_owned() }],
            usage: Usage::default(),
            tool_calls: Vec::new(),
            model: None,
            complete: true,
            explanation: crate::domain::Explanation::default(),
        }
    }

    fn written(reply: Reply) -> Value {
        serde_json::to_value(ProcessResult::from(reply)).unwrap()
    }

    fn keys(value: &Value) -> Vec<&str> {
        value.as_object().unwrap().keys().map(String::as_str).collect()
    }

    #[test]
    fn a_plain_answer_has_exactly_the_promised_fields() {
        let result = written(reply());
        let of_result = "abstained confidence content duration_ms elp flux_position id metadata \
            orchestrators_used recovered sacred_boost";
        assert_eq!(keys(&result).join(" "), of_result);
        let of_metadata = "asi_mode citations complexity confidence_lake_hit cost decision experts \
            explanation overhead_us remembered routing_strategy steps trace usage vortex_cycles";
        assert_eq!(keys(&result["metadata"]).join(" "), of_metadata);
        let of_expert = "checks error kind latency_ms name tier";
        assert_eq!(keys(&result["metadata"]["experts"][0]).join(" "), of_expert);
        assert_eq!(result["metadata"]["asi_mode"], Value::Null);
        assert_eq!(result["metadata"]["cost"], json!({"usd": null}));
    }

    #[test]
    fn what_there_is_more_to_say_is_said() {
        let origin = ResponseId::generate();
        let result = written(Reply {
            mode: Some(AsiMode::Thorough),
            shortfall: Some("one expert of three".to_owned()),
            recalled_from: Some(origin),
            recalled_likeness: None,
            consensus: Some(ConsensusReport {
                strategy: Consensus::MajorityVote,
                agreement: 1.0,
                votes: vec![Vote {
                    expert: "gpt".to_owned(),
                    answer: "12".to_owned(),
                    weight: 1.0,
                    boosted: false,
                    won: true,
                }],
                dissent: Vec::new(),
            }),
            ..reply()
        });
        let metadata = &result["metadata"];
        assert_eq!(metadata["asi_mode"], "thorough");
        assert_eq!(metadata["shortfall"], "one expert of three");
        assert_eq!(metadata["recalled_from"], origin.to_string());
        assert_eq!(metadata["recalled_by"], "exact");
        assert_eq!(metadata["confidence_lake_hit"], true);
        assert_eq!(metadata["consensus"]["strategy"], "majority_vote");
    }

    #[test]
    fn numbers_keep_their_fractions_and_are_always_finite() {
        let result = written(reply());
        assert_eq!(result["duration_ms"], 1.234);
        assert_eq!(result["metadata"]["experts"][0]["latency_ms"], 1.5);
        assert_eq!(result["orchestrators_used"]["weights"], json!({"flux": 0.75, "asi": 0.25}));
        assert_eq!(result["metadata"]["complexity"]["score"], 0.0);
        assert_eq!(result["metadata"]["complexity"]["dimensions"][0]["value"], 0.0);
        let visit = json!({"position": 6, "stage": "fusion_checkpoint", "duration_us": 3, "note": "two agree"});
        assert_eq!(result["metadata"]["trace"][0], visit);
    }
}
