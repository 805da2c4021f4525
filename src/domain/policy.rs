//! The immutable snapshot that a request is judged by, and the cell that holds the newest.

use std::{collections::BTreeMap, sync::Arc};

use arc_swap::ArcSwap;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Consensus, Strategy, Tier};

/// The cut-offs of routing; all probabilities.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Thresholds {
    /// RuntimeFirst: the best Flux draft must reach this signal, else Flux abstains.
    pub abstain_floor: f64,
    /// Hybrid: a Flux draft with at least this signal is kept, any other escalated.
    pub keep_signal: f64,
    /// Complexity below this is `simple`.
    pub moderate_complexity: f64,
    /// Complexity from this on is `complex`; Hybrid sends it straight to ASI.
    pub complex_complexity: f64,
    /// Balanced mode asks for a second opinion below this signal.
    pub second_opinion: f64,
    /// Only answers with at least this signal enter the lake.
    pub lake_floor: f64,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            abstain_floor: 0.5,
            keep_signal: 0.75,
            moderate_complexity: 0.3,
            complex_complexity: 0.65,
            second_opinion: 0.7,
            lake_floor: 0.6,
        }
    }
}

/// Adaptive's simple rule: expected value = success ÷ (latency / 100 ms).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AdaptiveRule {
    /// ASI is chosen where its value exceeds this many times Flux's.
    pub asi_advantage: f64,
    /// Share of requests that try the tier the rule did not choose.
    pub exploration: f64,
}

impl Default for AdaptiveRule {
    fn default() -> Self {
        Self { asi_advantage: 1.2, exploration: 0.05 }
    }
}

/// What a tier has lately been worth; exponential moving averages (α = 0.1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct TierRecord {
    /// Requests that the tier was asked.
    pub requests: u64,
    /// Share of them that ended in an answer.
    pub success: f64,
    /// Time to that answer, in milliseconds.
    pub latency_ms: f64,
}

/// Everything that routing, fusion and verification are judged by. Read once per request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    /// Counts up with every change that an operator makes.
    pub version: u64,
    /// Strategy of requests that name none.
    pub strategy: Strategy,
    /// Cut-offs.
    pub thresholds: Thresholds,
    /// Consensus of requests that name none.
    pub consensus: Consensus,
    /// Weights of `custom_weights`, by expert; 1 where absent.
    pub custom_weights: BTreeMap<String, f64>,
    /// Fusion weight of evidence that passed a checkpoint; other evidence weighs 1.
    pub sacred_weight: f64,
    /// RuntimeFirst: ask ASI when Flux abstains.
    pub runtime_fallback: bool,
    /// Adaptive's rule.
    pub adaptive: AdaptiveRule,
    /// Flux's record; learned, not configured.
    #[serde(skip)]
    pub flux_record: TierRecord,
    /// ASI's record; learned, not configured.
    #[serde(skip)]
    pub asi_record: TierRecord,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            version: 1,
            strategy: Strategy::Hybrid,
            thresholds: Thresholds::default(),
            consensus: Consensus::WeightedConfidence,
            custom_weights: BTreeMap::new(),
            sacred_weight: 1.5,
            runtime_fallback: true,
            adaptive: AdaptiveRule::default(),
            flux_record: TierRecord::default(),
            asi_record: TierRecord::default(),
        }
    }
}

/// One thing that is wrong with a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyProblem {
    /// Dotted path of the field, such as `thresholds.keep_signal`.
    pub field: String,
    /// What is wrong and what would be right.
    pub problem: String,
}

impl Policy {
    /// Most entries of the table of custom weights.
    pub const MAX_CUSTOM_WEIGHTS: usize = 64;
    /// Most characters of an expert's name there.
    pub const MAX_EXPERT_CHARS: usize = 128;

    /// The record of a tier.
    #[must_use]
    pub const fn record(&self, tier: Tier) -> TierRecord {
        match tier {
            Tier::Flux => self.flux_record,
            Tier::Asi => self.asi_record,
        }
    }

    /// Everything that is wrong with it, so that an operator mends it in one go.
    #[must_use]
    pub fn problems(&self) -> Vec<PolicyProblem> {
        let mut problems = Vec::new();
        let mut demand = |field: &str, holds: bool, wanted: &str| {
            if !holds {
                problems
                    .push(PolicyProblem { field: field.to_owned(), problem: wanted.to_owned() });
            }
        };
        let t = &self.thresholds;
        for (name, value) in [
            ("abstain_floor", t.abstain_floor),
            ("keep_signal", t.keep_signal),
            ("moderate_complexity", t.moderate_complexity),
            ("complex_complexity", t.complex_complexity),
            ("second_opinion", t.second_opinion),
        ] {
            demand(
                &format!("thresholds.{name}"),
                (0.0..=1.0).contains(&value),
                "must be a number from 0 to 1",
            );
        }
        demand(
            "thresholds.lake_floor",
            (0.6..=1.0).contains(&t.lake_floor),
            "must be a number from 0.6 to 1: the lake keeps nothing less likely",
        );
        demand(
            "thresholds.moderate_complexity",
            t.moderate_complexity <= t.complex_complexity,
            "must not exceed thresholds.complex_complexity",
        );
        demand(
            "sacred_weight",
            (1.0..=10.0).contains(&self.sacred_weight),
            "must be a number from 1 to 10",
        );
        demand(
            "adaptive.asi_advantage",
            (0.01..=100.0).contains(&self.adaptive.asi_advantage),
            "must be a number from 0.01 to 100",
        );
        demand(
            "adaptive.exploration",
            (0.01..=0.5).contains(&self.adaptive.exploration),
            "must be a number from 0.01 to 0.5: an arm that is never tried can never return",
        );
        demand(
            "custom_weights",
            self.custom_weights.len() <= Self::MAX_CUSTOM_WEIGHTS,
            "may name at most 64 experts",
        );
        for (expert, weight) in self.custom_weights.iter().take(Self::MAX_CUSTOM_WEIGHTS) {
            let name: String = expert.chars().take(64).collect();
            demand(
                &format!("custom_weights.{name}"),
                (1..=Self::MAX_EXPERT_CHARS).contains(&expert.chars().count()),
                "must be named by 1 to 128 characters",
            );
            demand(
                &format!("custom_weights.{name}"),
                (0.0..=1000.0).contains(weight),
                "must be a number from 0 to 1000",
            );
        }
        problems
    }
}

/// Holds the newest policy. Cheap to share; readers never wait.
#[derive(Debug, Clone)]
pub struct PolicyCell(Arc<ArcSwap<Policy>>);

impl PolicyCell {
    /// A cell with a first policy.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(policy)))
    }

    /// The newest snapshot.
    #[must_use]
    pub fn load(&self) -> Arc<Policy> {
        self.0.load_full()
    }

    /// Replaces what operators set and keeps what was learned, unless a newer version is there.
    pub fn publish(&self, policy: &Policy) {
        self.0.rcu(|old| {
            if old.version > policy.version {
                return Arc::clone(old);
            }
            Arc::new(Policy {
                flux_record: old.flux_record,
                asi_record: old.asi_record,
                ..policy.clone()
            })
        });
    }

    /// Replaces what was learned and keeps what operators set.
    pub fn learned(&self, flux_record: TierRecord, asi_record: TierRecord) {
        self.0.rcu(|old| Arc::new(Policy { flux_record, asi_record, ..Policy::clone(old) }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_name_their_experts_by_1_to_128_characters() {
        let problems = |expert: &str| {
            let custom_weights = BTreeMap::from([(expert.to_owned(), 2.0)]);
            Policy { custom_weights, ..Policy::default() }.problems()
        };
        for expert in ["a", "gpt-4.1/mini", &"é".repeat(Policy::MAX_EXPERT_CHARS)] {
            assert_eq!(problems(expert), [], "{expert}");
        }
        for expert in ["", &"é".repeat(Policy::MAX_EXPERT_CHARS + 1)] {
            let problems = problems(expert);
            assert_eq!(problems.len(), 1, "{expert}");
            assert!(problems[0].field.len() < 200, "the name is not echoed whole");
        }
    }

    #[test]
    fn an_older_policy_that_is_published_late_changes_nothing() {
        let cell = PolicyCell::new(Policy::default());
        let version = |version| Policy { version, ..Policy::default() };
        cell.publish(&version(3));
        cell.publish(&version(2));
        assert_eq!(cell.load().version, 3);
    }
}
