//! `GET /api/v1/unified/metrics`: what each strategy and tier has been worth.

use axum::{Json, extract::State};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    domain::{Clock as _, ComplexityTier, Strategy, SystemClock, Tier},
    http::ApiState,
    meta::{Internals, LakeStats},
    performance::{Accuracy, ExpertSummary, Snapshot, Summary},
};

/// What each strategy and tier has been worth. What nobody measured is absent, not zero.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct MetricsResult {
    /// When the figures were read (RFC 3339, UTC).
    #[schema(format = DateTime)]
    pub generated_at: String,
    /// Figures per strategy.
    pub strategies: StrategyFigures,
    /// Figures per tier: how it did when it was asked.
    pub tiers: TierFigures,
    /// Answers by complexity.
    pub complexities: Vec<ComplexityFigures>,
    /// What the tiers alone would score on the same traffic.
    pub baselines: BaselineFigures,
    /// What the votes of each configured model have been worth, by name.
    pub experts: Vec<ExpertFigures>,
    /// The Confidence Lake.
    pub lake: LakeFigures,
    /// The Flux background loop.
    pub flux: FluxFigures,
    /// The ledger of decisions and outcomes.
    pub ledger: LedgerFigures,
}

/// Figures per strategy; all strategies are listed, used or not.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct StrategyFigures {
    /// ASI answers.
    pub ai_first: Figures,
    /// Flux answers.
    pub runtime_first: Figures,
    /// Draft, then decide.
    pub hybrid: Figures,
    /// Both at once.
    pub parallel_fusion: Figures,
    /// By what the tiers have lately been worth.
    pub adaptive: Figures,
}

/// Figures per tier.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct TierFigures {
    /// The runtime tier.
    pub flux: Figures,
    /// The AI tier.
    pub asi: Figures,
}

/// The figures of one strategy or tier.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
pub struct Figures {
    /// Requests counted.
    pub requests: u64,
    /// Those that ended in an error.
    pub failures: u64,
    /// Those that ended in an abstention.
    pub abstentions: u64,
    /// Those whose client went before the answer; they count in no other figure.
    pub cancelled: u64,
    /// Exponential moving average of the latency in milliseconds, α = 0.1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub ema_latency_ms: Option<f64>,
    /// Exponential moving average of success, α = 0.1, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 0, maximum = 1)]
    pub ema_success_rate: Option<f64>,
    /// Median latency of recent requests in milliseconds; quantiles are at most 4.4 % off.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub p50_ms: Option<f64>,
    /// 95th percentile of the latency in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub p95_ms: Option<f64>,
    /// 99th percentile of the latency in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub p99_ms: Option<f64>,
    /// Share of right answers, as the judged ones show it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub accuracy: Option<AccuracyFigure>,
    /// Of a strategy: the share of its answers for which ASI was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 0, maximum = 1)]
    pub slow_share: Option<f64>,
    /// Of a strategy: what a coin would score that asks ASI as often. Beating it is what routing is
    /// for. Absent while either tier alone rests on fewer than 20 judged answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 0, maximum = 1)]
    pub static_mix_accuracy: Option<f64>,
}

/// Answers of one complexity.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ComplexityFigures {
    /// The complexity.
    pub tier: ComplexityTier,
    /// Answers given.
    pub answers: u64,
    /// Share of right answers, as the judged ones show it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub accuracy: Option<AccuracyFigure>,
}

/// What the tiers alone would score on the same traffic, estimated by each tier's own judged answers
/// of each complexity; absent while a complexity that occurs was never judged there.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
pub struct BaselineFigures {
    /// Flux alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub always_fast: Option<AccuracyFigure>,
    /// ASI alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub always_slow: Option<AccuracyFigure>,
}

/// A measured accuracy with what it rests on.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct AccuracyFigure {
    /// Mean score, 0 to 1: each kind of answers counts by how many were given, an audited one for as
    /// many as its sampling makes it stand for.
    #[schema(minimum = 0, maximum = 1)]
    pub value: f64,
    /// Lower and upper bound of the 95 % interval (Wilson, on the effective number of outcomes).
    #[schema(min_items = 2, max_items = 2)]
    pub ci95: [f64; 2],
    /// Number of judged answers.
    pub n: u64,
    /// Those of them that only an audit judged.
    pub audits: u64,
}

/// What an expert's votes have been worth. An outcome of a response credits or debits everyone who
/// voted; who stood against a wrong answer gets neither.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ExpertFigures {
    /// The configured name.
    pub name: String,
    /// Configured probability of a right answer.
    #[schema(minimum = 0, maximum = 1)]
    pub prior: f64,
    /// What is expected of it now: the prior, which counts as 20 outcomes, and what was measured.
    #[schema(minimum = 0, maximum = 1)]
    pub expected_accuracy: f64,
    /// What its vote weighs in `weighted_confidence` where no check moves its draft's signal: the
    /// log-odds of the expected accuracy.
    #[schema(minimum = 0)]
    pub vote_weight: f64,
    /// Share of its votes that were right, among those that an outcome judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub measured: Option<AccuracyFigure>,
}

/// The Confidence Lake.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct LakeFigures {
    /// Answers in the lake.
    pub entries: u64,
    /// Those that an operator put in.
    pub curated: u64,
    /// Bytes of memory that they take, about.
    pub bytes: u64,
    /// Recalls that found an answer, since the start.
    pub hits: u64,
    /// Recalls that found none, since the start.
    pub misses: u64,
    /// Answers evicted, since the start.
    pub evictions: u64,
}

/// The Flux background loop.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct FluxFigures {
    /// Near-duplicate remembered questions whose answers agree, those that were merged included.
    pub agreeing: u64,
    /// Pairs whose answers contradict each other; neither is recalled until an outcome settles it.
    pub contradicting: u64,
    /// Answers out of use by a doubt that no outcome has settled.
    pub disputed: u64,
    /// Spellings of questions that are answered by an entry with another one.
    pub spellings: u64,
    /// Near-duplicates merged, since the start.
    pub merged: u64,
    /// Outcomes that wait to move the ladder.
    pub rewards_waiting: u64,
    /// Outcomes that came while too many waited, since the start.
    pub rewards_dropped: u64,
    /// Share of intersections that agree; absent before the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 0, maximum = 1)]
    pub coherence: Option<f64>,
}

/// The ledger of decisions and outcomes.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct LedgerFigures {
    /// Events in the ledger.
    pub events: u64,
    /// Events waiting to be made durable.
    pub queued: u64,
    /// Events that were lost, since the start.
    pub dropped: u64,
}

impl MetricsResult {
    fn new(generated_at: Timestamp, performance: &Snapshot, internals: &Internals) -> Self {
        let baselines = performance.baselines;
        let strategy = |wanted| {
            let figures = figures(&performance.strategies, wanted);
            let mix = figures.slow_share.and_then(|share| baselines.static_mix(share));
            Figures { static_mix_accuracy: mix, ..figures }
        };
        let tier = |wanted| figures(&performance.tiers, wanted);
        Self {
            generated_at: generated_at.to_string(),
            strategies: StrategyFigures {
                ai_first: strategy(Strategy::AiFirst),
                runtime_first: strategy(Strategy::RuntimeFirst),
                hybrid: strategy(Strategy::Hybrid),
                parallel_fusion: strategy(Strategy::ParallelFusion),
                adaptive: strategy(Strategy::Adaptive),
            },
            tiers: TierFigures { flux: tier(Tier::Flux), asi: tier(Tier::Asi) },
            complexities: performance
                .complexities
                .iter()
                .map(|(tier, answers, accuracy)| ComplexityFigures {
                    tier: *tier,
                    answers: *answers,
                    accuracy: accuracy.map(AccuracyFigure::from),
                })
                .collect(),
            baselines: BaselineFigures {
                always_fast: baselines.always_fast.map(AccuracyFigure::from),
                always_slow: baselines.always_slow.map(AccuracyFigure::from),
            },
            experts: performance.experts.iter().map(ExpertFigures::from).collect(),
            lake: LakeFigures::from(&internals.lake),
            flux: FluxFigures::from(&internals.lake),
            ledger: LedgerFigures {
                events: internals.ledger_events,
                queued: internals.ledger_queued,
                dropped: internals.ledger_dropped,
            },
        }
    }
}

fn figures<K: Copy + PartialEq>(all: &[(K, Summary)], wanted: K) -> Figures {
    let found = all.iter().find(|(key, _)| *key == wanted);
    found.map(|(_, summary)| Figures::from(summary)).unwrap_or_default()
}

impl From<&Summary> for Figures {
    fn from(summary: &Summary) -> Self {
        Self {
            requests: summary.requests,
            failures: summary.failures,
            abstentions: summary.abstentions,
            cancelled: summary.cancelled,
            ema_latency_ms: summary.ema_latency_ms,
            ema_success_rate: summary.ema_success_rate,
            p50_ms: summary.latency.map(|l| l.p50_ms),
            p95_ms: summary.latency.map(|l| l.p95_ms),
            p99_ms: summary.latency.map(|l| l.p99_ms),
            accuracy: summary.accuracy.map(AccuracyFigure::from),
            slow_share: summary.slow_share,
            static_mix_accuracy: None,
        }
    }
}

impl From<&LakeStats> for LakeFigures {
    fn from(lake: &LakeStats) -> Self {
        Self {
            entries: lake.entries as u64,
            curated: lake.curated as u64,
            bytes: lake.bytes as u64,
            hits: lake.hits,
            misses: lake.misses,
            evictions: lake.evicted,
        }
    }
}

impl From<&LakeStats> for FluxFigures {
    fn from(lake: &LakeStats) -> Self {
        Self {
            agreeing: lake.agreeing as u64,
            contradicting: lake.contradicting as u64,
            disputed: lake.disputed as u64,
            spellings: lake.spellings as u64,
            merged: lake.merged,
            rewards_waiting: lake.rewards_waiting as u64,
            rewards_dropped: lake.rewards_dropped,
            coherence: lake.coherence,
        }
    }
}

impl From<Accuracy> for AccuracyFigure {
    fn from(accuracy: Accuracy) -> Self {
        let Accuracy { value, ci95, n, audits } = accuracy;
        Self { value, ci95: [ci95.lower, ci95.upper], n, audits }
    }
}

impl From<&ExpertSummary> for ExpertFigures {
    fn from(summary: &ExpertSummary) -> Self {
        Self {
            name: summary.name.clone(),
            prior: summary.prior,
            expected_accuracy: summary.standing.accuracy,
            vote_weight: summary.standing.weight,
            measured: summary.measured.map(AccuracyFigure::from),
        }
    }
}

/// Read the figures
///
/// Requests, latency and accuracy per strategy and tier, folded from the ledger: a restart arrives
/// at the same figures. Prometheus has the same and more at `/metrics`.
#[utoipa::path(
    get,
    path = "/api/v1/unified/metrics",
    operation_id = "getMetrics",
    tag = "unified",
    responses((status = 200, description = "The figures so far.", body = MetricsResult)),
)]
pub(super) async fn get_metrics(State(state): State<ApiState>) -> Json<MetricsResult> {
    let orchestrator = &state.orchestrator;
    let (performance, internals) = (orchestrator.performance(), orchestrator.internals());
    Json(MetricsResult::new(SystemClock.now(), &performance, &internals))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{domain::Ended, performance::Tally};

    fn read(performance: &Snapshot) -> Value {
        let metrics = MetricsResult::new(Timestamp::UNIX_EPOCH, performance, &Internals::default());
        serde_json::to_value(metrics).unwrap()
    }

    #[test]
    fn every_strategy_and_tier_is_listed_and_nothing_unmeasured_shown() {
        let metrics = read(&Snapshot::default());
        let nothing = json!({"requests": 0, "failures": 0, "abstentions": 0, "cancelled": 0});
        for strategy in Strategy::ALL {
            assert_eq!(metrics["strategies"][strategy.name()], nothing, "{strategy}");
        }
        assert_eq!(metrics["strategies"].as_object().unwrap().len(), Strategy::ALL.len());
        for tier in Tier::ALL {
            assert_eq!(metrics["tiers"][tier.name()], nothing, "{tier}");
        }
        assert_eq!(metrics["flux"]["agreeing"], 0);
        assert!(metrics["flux"].get("coherence").is_none(), "nothing was compared");
        assert_eq!(metrics["generated_at"], "1970-01-01T00:00:00Z");
    }

    #[test]
    fn accuracy_comes_with_its_interval_and_its_n() {
        let mut tally = Tally::default();
        tally.ended(Ended::Answered, 1500);
        tally.judged(1.0, None);
        let strategies = vec![(Strategy::Hybrid, tally.summary())];
        let hybrid = &read(&Snapshot { strategies, ..Snapshot::default() })["strategies"]["hybrid"];
        assert_eq!(hybrid["accuracy"]["n"], 1);
        assert_eq!(hybrid["accuracy"]["value"], 1.0);
        let lower = hybrid["accuracy"]["ci95"][0].as_f64().unwrap();
        assert!((0.20..0.21).contains(&lower), "one outcome proves little: {lower}");
        assert!(hybrid["p99_ms"].is_f64() && hybrid["ema_latency_ms"].is_f64());
    }
}
