//! The immutable snapshot that a request is judged by, and the cell that holds the newest.

use std::{collections::BTreeMap, sync::Arc};

use arc_swap::ArcSwap;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    ComplexityTier, Consensus, Outlook, Promise, QualityTarget, SharedJudge, Signal, Strategy,
};

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

/// What Adaptive aims at: accuracy against latency and cost, or the cheapest arm that reaches a
/// target.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct AdaptiveRule {
    /// What one second of latency is worth, as a share of right answers: 0.02 gives up two right
    /// answers in a hundred to be a second faster.
    #[schema(minimum = 0, maximum = 10)]
    pub latency_weight: f64,
    /// What one US dollar per request is worth, as a share of right answers.
    #[schema(minimum = 0, maximum = 1_000_000)]
    pub cost_weight: f64,
    /// Choose the arm with the lowest price (by the two weights) among those whose chance of a right
    /// answer reaches this; 0 weighs accuracy against the price instead.
    #[schema(minimum = 0, maximum = 1)]
    pub target_accuracy: f64,
    /// Share of requests that is spread evenly over all arms. Every arm has at least 1 %, whatever
    /// stands here.
    #[schema(minimum = 0.01, maximum = 0.5)]
    pub exploration: f64,
}

impl AdaptiveRule {
    /// What a latency in seconds and a cost in US dollars are worth, as a share of right answers.
    #[must_use]
    pub fn price(&self, latency_s: f64, cost_usd: f64) -> f64 {
        self.latency_weight * latency_s + self.cost_weight * cost_usd
    }
}

impl Default for AdaptiveRule {
    fn default() -> Self {
        Self { latency_weight: 0.02, cost_weight: 2.0, target_accuracy: 0.0, exploration: 0.05 }
    }
}

/// What an expert has proved to be worth; learned from outcomes, shrunk toward its prior.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Standing {
    /// Probability that its answer is right, before anything is known of the question.
    pub accuracy: f64,
    /// Its vote's weight where no check has moved its draft's signal: the log-odds of that accuracy.
    pub weight: f64,
    /// Outcomes behind it, faded as they grow old.
    pub outcomes: f64,
    /// How many of them were right.
    pub right: f64,
}

impl Standing {
    /// An expert's prior counts as much as this many outcomes. So a handful of outcomes, honest or
    /// hostile, moves nobody far, and a hundred speak for themselves.
    pub const PRIOR_OUTCOMES: f64 = 20.0;

    /// What a record is worth: the mean of the Beta posterior, as if the prior had been seen
    /// [`Self::PRIOR_OUTCOMES`] times.
    #[must_use]
    pub fn of(right: f64, outcomes: f64, prior: Signal) -> Self {
        let accuracy =
            (right + Self::PRIOR_OUTCOMES * prior.get()) / (outcomes + Self::PRIOR_OUTCOMES);
        Self { accuracy, weight: Signal::clamped(accuracy).vote_weight(), outcomes, right }
    }

    /// The same record beside another prior: what the expert was worth on questions of one kind.
    #[must_use]
    pub fn beside(&self, prior: Signal) -> Signal {
        Signal::clamped(Self::of(self.right, self.outcomes, prior).accuracy)
    }
}

/// The experts with a standing, by configured name.
pub type Standings = BTreeMap<String, Standing>;

/// What learning adds to a policy.
#[derive(Debug, Clone, PartialEq)]
pub struct Learned {
    /// What each expert has proved to be worth.
    pub experts: Arc<Standings>,
    /// What is expected of Adaptive's arms.
    pub outlook: Arc<Outlook>,
    /// How often each tier is right, by complexity.
    pub chances: Chances,
    /// What the evidence says of the quality target; `None` where there is none.
    pub promise: Option<Promise>,
    /// The version of the judge whose signals the promise is about.
    pub judged_by: Arc<str>,
}

/// How often each tier was right about requests of each complexity, simple first; Flux first.
pub type Chances = [[Option<f64>; 2]; 3];

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
    /// What Adaptive aims at.
    pub adaptive: AdaptiveRule,
    /// What Hybrid promises. Absent in policies from before there was one.
    #[serde(default)]
    pub quality_target: QualityTarget,
    /// What each expert has proved to be worth; learned, not configured.
    #[serde(skip)]
    pub experts: Arc<Standings>,
    /// What is expected of Adaptive's arms; learned, not configured.
    #[serde(skip)]
    pub outlook: Arc<Outlook>,
    /// How often each tier is right, by complexity; learned, not configured.
    #[serde(skip)]
    pub chances: Chances,
    /// What the evidence says of the quality target; learned, not configured.
    #[serde(skip)]
    pub promise: Option<Promise>,
    /// What was learned of questions and drafts; `None`: the rules alone judge.
    #[serde(skip)]
    pub judge: Option<SharedJudge>,
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
            quality_target: QualityTarget::default(),
            experts: Arc::default(),
            outlook: Arc::default(),
            chances: Chances::default(),
            promise: None,
            judge: None,
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
    /// Stands for the version of a judge where there is none.
    pub const RULES: &'static str = "rules";
    /// Most entries of the table of custom weights.
    pub const MAX_CUSTOM_WEIGHTS: usize = 64;
    /// Most characters of an expert's name there.
    pub const MAX_EXPERT_CHARS: usize = 128;

    /// How often each tier was right about requests of this complexity, Flux first.
    #[must_use]
    pub fn chances(&self, complexity: ComplexityTier) -> [Option<f64>; 2] {
        self.chances.get(complexity as usize).copied().unwrap_or_default()
    }

    /// Hybrid: a Flux draft with at least this signal is kept; `None` where the evidence behind the
    /// quality target says that none is sure enough.
    #[must_use]
    pub fn keep_signal(&self) -> Option<f64> {
        self.promise_in_force()
            .map_or(Some(self.thresholds.keep_signal), |promise| promise.keep_signal())
    }

    /// What decides in place of `thresholds.keep_signal`: a quality target whose evidence says
    /// something.
    #[must_use]
    pub fn promise_in_force(&self) -> Option<Promise> {
        self.promise.filter(|promise| self.quality_target.is_set() && promise.is_in_force())
    }

    /// The version of the judge in force; [`Self::RULES`] where the rules judge alone.
    #[must_use]
    pub fn judged_by(&self) -> &str {
        self.judge.as_ref().map_or(Self::RULES, |judge| judge.version())
    }

    /// How likely an expert is right before it has answered: what its record says beside this prior.
    #[must_use]
    pub fn accuracy(&self, expert: &str, prior: Signal) -> Signal {
        self.experts.get(expert).map_or(prior, |standing| standing.beside(prior))
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
        let rule = &self.adaptive;
        for (name, value, range, wanted) in [
            ("latency_weight", rule.latency_weight, 0.0..=10.0, "must be a number from 0 to 10"),
            ("cost_weight", rule.cost_weight, 0.0..=1e6, "must be a number from 0 to 1000000"),
            ("target_accuracy", rule.target_accuracy, 0.0..=1.0, "must be a number from 0 to 1"),
            (
                "exploration",
                rule.exploration,
                0.01..=0.5,
                "must be a number from 0.01 to 0.5: an arm that is never tried can never return",
            ),
        ] {
            demand(&format!("adaptive.{name}"), range.contains(&value), wanted);
        }
        demand(
            "quality_target.delta",
            (0.001..=0.5).contains(&self.quality_target.delta),
            "must be a number from 0.001 to 0.5",
        );
        let alpha = self.quality_target.alpha;
        demand(
            "quality_target.alpha",
            alpha == 0.0 || (0.001..=0.5).contains(&alpha),
            "must be a number from 0.001 to 0.5, or 0 to promise nothing",
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
                experts: Arc::clone(&old.experts),
                outlook: Arc::clone(&old.outlook),
                chances: old.chances,
                promise: old.promise,
                judge: old.judge.clone(),
                ..policy.clone()
            })
        });
    }

    /// Replaces the judge and keeps everything else but the promise, where the version is another: its
    /// cut-off is one for the signals of the earlier judge.
    pub fn judged_by(&self, judge: &SharedJudge) {
        self.0.rcu(|old| {
            let promise = old.promise.filter(|_| old.judged_by() == judge.version());
            let judge = Some(judge.clone());
            Arc::new(Policy { judge, promise, ..Policy::clone(old) })
        });
    }

    /// Replaces what was learned and keeps what operators set; the promise only where its judge is
    /// still the one in force.
    pub fn learned(&self, learned: &Learned) {
        self.0.rcu(|old| {
            let current = old.judged_by() == &*learned.judged_by;
            Arc::new(Policy {
                experts: Arc::clone(&learned.experts),
                outlook: Arc::clone(&learned.outlook),
                chances: learned.chances,
                promise: if current { learned.promise } else { old.promise },
                ..Policy::clone(old)
            })
        });
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

    #[derive(Debug, Clone, Copy)]
    struct Versioned(&'static str);

    impl crate::domain::Judge for Versioned {
        fn version(&self) -> &str {
            self.0
        }

        fn read(&self, _: &str) -> Arc<dyn crate::domain::Reading> {
            Arc::new(*self)
        }
    }

    impl crate::domain::Reading for Versioned {
        fn forecast(&self) -> Option<crate::domain::Forecast> {
            None
        }

        fn judge(&self, _: &crate::domain::Draft, _: Signal) -> Option<crate::domain::Judged> {
            None
        }

        fn history(&self, _: &str) -> Option<Signal> {
            None
        }
    }

    #[test]
    fn a_swapped_judge_takes_back_the_promise_of_the_earlier_one() {
        let promise = Some(Promise::Unsure { n: 80 });
        let cell = PolicyCell::new(Policy { promise, ..Policy::default() });
        let learned = |judged_by: &str| Learned {
            experts: Arc::default(),
            outlook: Arc::default(),
            chances: Chances::default(),
            promise,
            judged_by: judged_by.into(),
        };
        cell.judged_by(&SharedJudge(Arc::new(Versioned("new"))));
        assert_eq!(cell.load().promise, None);
        cell.learned(&learned(Policy::RULES));
        assert_eq!(cell.load().promise, None, "worked out before the swap, published after it");
        cell.learned(&learned("new"));
        assert_eq!(cell.load().promise, promise);
    }
}
