//! What an evaluation found. Serialises to the object that `--json` prints; a figure that cannot
//! be measured is `null`, never 0.

use serde::Serialize;

use crate::{
    domain::{QualityTarget, Strategy},
    performance::{Cut, HeldOut},
};

/// The whole of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// File name of the table.
    pub data: String,
    /// Rows replayed.
    pub rows: usize,
    /// Rows that were not.
    pub skipped: Skipped,
    /// Replayed rows of which nobody knows what is right: every answer counts as wrong there.
    pub rows_without_gold: usize,
    /// Who stood for whom.
    pub models: Models,
    /// What the latencies are.
    pub latency: Latency,
    /// What the models are worth alone, and the bounds of any routing between them.
    pub baselines: Vec<Baseline>,
    /// The cost-matched static mix.
    pub random_mix: Option<RandomMix>,
    /// One entry for each strategy that was asked for.
    pub strategies: Vec<StrategyResult>,
    /// What the escalation score is worth for routing.
    pub routing: Routing,
    /// The same by what is expected of the question alone, before there is any draft.
    pub routing_prompt_only: Routing,
    /// What the signal of the fast model's drafts is worth.
    pub signal: SignalQuality,
    /// What the weight of passed checkpoints is worth; `null` where there are no answers to fuse.
    pub fusion: Option<Fusion>,
    /// For each quality target the signal from which a draft may be kept, as this table shows it:
    /// `thresholds.keep_signal` for traffic of its kind. Empty where there are no drafts.
    pub quality: Vec<Quality>,
    /// The version of what was learned from outcomes; `null` where the rules alone judged.
    pub judged_by: Option<String>,
    /// What a reader has to know of these figures.
    pub notes: Vec<String>,
}

/// A quality target, and what it takes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Quality {
    /// Lose at most so much against always asking the slow model, with this confidence.
    pub target: QualityTarget,
    /// The cut-off; `null` where it is refused.
    pub cut: Option<Cut>,
    /// What the cut-off of one half of the drafts loses on the other; `null` where it is refused.
    pub held_out: Option<HeldOut>,
    /// Why it is refused.
    pub refused: Option<String>,
}

/// Rows of the table that were not replayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Skipped {
    /// A named model has no answer there.
    pub without_answer: usize,
    /// An earlier row has the same prompt.
    pub repeated_prompt: usize,
}

/// Who stood for whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Models {
    /// Flux's drafter.
    pub fast: String,
    /// ASI's experts; the first is the strong model of the routing figures.
    pub slow: Vec<String>,
}

/// What the latencies are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Latency {
    /// Always: they come from a model on paused time.
    pub simulated: bool,
    /// That model.
    pub spec: String,
}

/// One model alone, or the oracle of the first pair.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Baseline {
    /// `fast only`, `slow only`, `oracle`.
    pub name: &'static str,
    /// The model, where it is one.
    pub model: Option<String>,
    /// Share of rows answered rightly.
    pub accuracy: f64,
    /// 95 % Wilson interval.
    pub accuracy_ci95: [f64; 2],
    /// Share of rows for which a slow model is asked; the oracle's is the least that it needs.
    pub slow_share: f64,
    /// Simulated median latency in milliseconds.
    pub p50_ms: Option<f64>,
    /// Simulated 99th percentile in milliseconds.
    pub p99_ms: Option<f64>,
}

/// A coin that asks the slow model as often as a strategy did.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct RandomMix {
    /// The strategy whose slow share is matched.
    pub strategy: Strategy,
    /// That share.
    pub slow_share: f64,
    /// Expected accuracy.
    pub accuracy: f64,
}

/// One strategy over all rows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StrategyResult {
    /// The strategy.
    pub strategy: Strategy,
    /// Share of rows answered rightly; an abstention or an error is not.
    pub accuracy: f64,
    /// 95 % Wilson interval.
    pub accuracy_ci95: [f64; 2],
    /// Share of rows for which at least one slow model was asked.
    pub slow_share: f64,
    /// Calls to slow models per row; above the share where several are asked.
    pub slow_calls_per_row: f64,
    /// Expected accuracy of a coin with the same slow share (the cost-matched static mix).
    pub random_mix_accuracy: f64,
    /// Simulated median latency in milliseconds.
    pub p50_ms: f64,
    /// Simulated 99th percentile in milliseconds.
    pub p99_ms: f64,
    /// Calibration error of the returned confidence, over rows that were answered.
    pub ece: Option<f64>,
    /// Rows answered rightly.
    pub right: usize,
    /// Rows that ended in an abstention.
    pub abstained: usize,
    /// Rows that ended in an error.
    pub failed: usize,
}

/// What the escalation score is worth for routing between the fast model and the first slow one.
/// `RouteLLM`'s figures; all of them `null` where the slow model is not the more accurate.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Routing {
    /// Average performance gap recovered; a coin has 0.5.
    pub apgr: Option<f64>,
    /// Its 95 % bootstrap interval.
    pub apgr_ci95: Option<[f64; 2]>,
    /// Least share of slow calls that recovers 50 % of the gap; a coin needs 0.5.
    pub cpt50: Option<f64>,
    /// Least share of slow calls that recovers 80 % of the gap; a coin needs 0.8.
    pub cpt80: Option<f64>,
    /// The fast model alone.
    pub fast_accuracy: Option<f64>,
    /// The first slow model alone.
    pub slow_accuracy: Option<f64>,
    /// Who always knows which of the two is right.
    pub oracle_accuracy: Option<f64>,
    /// Rows that had a score.
    pub n: usize,
    /// Why a figure is `null`.
    pub undefined: Option<&'static str>,
    /// The curve itself, in steps of a tenth.
    pub curve: Vec<CurvePoint>,
}

/// One point of the routing curve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct CurvePoint {
    /// Share of rows sent to the slow model.
    pub slow_share: f64,
    /// Accuracy when the rows with the highest scores are sent.
    pub accuracy: f64,
    /// Accuracy when a coin picks them.
    pub random_mix_accuracy: f64,
}

/// What the signal of the fast model's drafts is worth.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SignalQuality {
    /// Calibration error.
    pub ece: Option<f64>,
    /// Chance that a right draft has more signal than a wrong one.
    pub auroc: Option<f64>,
    /// Drafts that it was measured on.
    pub n: usize,
}

/// `ParallelFusion` with the weight of passed checkpoints at 1.0 and at 1.5.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Fusion {
    /// Accuracy without it.
    pub accuracy_boost_1_0: f64,
    /// Accuracy with it.
    pub accuracy_boost_1_5: f64,
    /// Rows that only the run without it answered rightly.
    pub only_boost_1_0_right: usize,
    /// Rows that only the run with it answered rightly.
    pub only_boost_1_5_right: usize,
    /// What this table says that the weight should be.
    pub sacred_weight: SacredWeight,
}

/// The weight of passed checkpoints by which the table's outcomes are likeliest.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SacredWeight {
    /// Posterior mean; the prior is around 1.5.
    pub fitted: f64,
    /// The interval that has it with 95 % probability.
    pub ci95: [f64; 2],
    /// Rows that had any say: two answers competed, and passed checkpoints told them apart.
    pub contests: usize,
}
