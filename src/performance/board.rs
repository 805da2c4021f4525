//! The fold of the ledger's events into figures per strategy and per tier.

use std::{collections::BTreeMap, sync::Arc};

use arc_swap::ArcSwap;

use serde::{Deserialize, Serialize};

use super::{ExpertSummary, Summary, Tally, experts::Experts};
use crate::{
    bandit::{Evidence, HALF_LIFE, Observation, Seen},
    domain::{DecisionRecord, Ended, LedgerEvent, Recorded, Signal, Strategy, Tier},
};

/// This service's name among those whose evidence can be merged.
const OWN: &str = "local";

/// The state of the fold. Two boards that saw the same events in the same order are equal.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Board {
    last_seq: u64,
    strategies: BTreeMap<Strategy, Tally>,
    tiers: BTreeMap<Tier, Tally>,
    /// Absent in states that were saved before experts had records.
    #[serde(default)]
    experts: Experts,
    /// What Adaptive's arms have been worth.
    #[serde(default)]
    arms: Evidence,
}

/// The figures at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Snapshot {
    /// The last event that they include.
    pub last_seq: u64,
    /// Strategies that were used, in the order of the documentation.
    pub strategies: Vec<(Strategy, Summary)>,
    /// Tiers that were asked.
    pub tiers: Vec<(Tier, Summary)>,
    /// The experts that are configured, by name.
    pub experts: Vec<ExpertSummary>,
}

impl Board {
    /// Takes in one event; events that were already taken in change nothing.
    pub fn fold(&mut self, recorded: &Recorded) {
        if recorded.seq <= self.last_seq {
            return;
        }
        self.last_seq = recorded.seq;
        match &recorded.event {
            LedgerEvent::Decision(decision) => {
                self.decided(decision);
                self.saw(recorded.seq, decision, ended(decision));
            }
            LedgerEvent::Outcome(outcome) => {
                if let Some(decision) = &recorded.decision {
                    self.judged(recorded.seq, decision, outcome.score, recorded.previous_score);
                    let seen = Seen::Judged {
                        score: outcome.score,
                        previous: recorded.previous_score,
                        principal: outcome.principal,
                    };
                    let answered = decision.ended == Ended::Answered;
                    self.saw(recorded.seq, decision, Some(seen).filter(|_| answered));
                }
            }
            LedgerEvent::Policy(_) => {}
        }
    }

    /// The last event taken in; 0 before the first.
    #[must_use]
    pub fn last_seq(&self) -> u64 {
        self.last_seq
    }

    /// What Adaptive's arms have been worth.
    #[must_use]
    pub fn arms(&self) -> &Evidence {
        &self.arms
    }

    /// All figures; of the experts, those with these priors.
    #[must_use]
    pub fn snapshot(&self, priors: &BTreeMap<String, Signal>) -> Snapshot {
        Snapshot {
            last_seq: self.last_seq,
            strategies: self.strategies.iter().map(|(&s, t)| (s, t.summary())).collect(),
            tiers: self.tiers.iter().map(|(&t, tally)| (t, tally.summary())).collect(),
            experts: self.experts.summaries(priors),
        }
    }

    fn decided(&mut self, decision: &DecisionRecord) {
        let strategy = self.strategies.entry(decision.strategy).or_default();
        strategy.ended(decision.ended, decision.duration_us);
        for (tier, asked) in [(Tier::Flux, decision.flux), (Tier::Asi, decision.asi)] {
            if let Some((micros, ended)) = asked {
                self.tiers.entry(tier).or_default().ended(ended, micros);
            }
        }
    }

    /// What became of an arm that Adaptive chose.
    fn saw(&mut self, seq: u64, decision: &DecisionRecord, seen: Option<Seen>) {
        let (Some(arm), Some(seen)) = (decision.arm, seen) else { return };
        let observation = Observation { arm, complexity: decision.complexity, seen };
        self.arms.observe(OWN, seq, &observation, HALF_LIFE);
    }

    /// An abstention that is judged says nothing of any answer's accuracy.
    fn judged(&mut self, seq: u64, decision: &DecisionRecord, score: f64, previous: Option<f64>) {
        if decision.ended != Ended::Answered {
            return;
        }
        self.experts.judged(seq, &decision.votes, score, previous);
        self.strategies.entry(decision.strategy).or_default().judged(score, previous);
        if let Some(tier) = decision.tier {
            self.tiers.entry(tier).or_default().judged(score, previous);
        }
    }
}

/// How a request ended for its arm; nothing where nobody waited for the end.
fn ended(decision: &DecisionRecord) -> Option<Seen> {
    #[expect(clippy::cast_precision_loss, reason = "latencies are far below 2^52 µs")]
    let latency_s = decision.duration_us as f64 / 1e6;
    let cost_usd = decision.cost_usd.unwrap_or(0.0);
    let answered = decision.ended == Ended::Answered;
    (decision.ended != Ended::Cancelled).then_some(Seen::Ended { answered, latency_s, cost_usd })
}

/// Holds the newest snapshot. Cheap to share; readers never wait.
#[derive(Debug, Clone, Default)]
pub struct SnapshotCell(Arc<ArcSwap<Snapshot>>);

impl SnapshotCell {
    /// The newest snapshot.
    #[must_use]
    pub fn load(&self) -> Arc<Snapshot> {
        self.0.load_full()
    }

    /// Replaces it.
    pub fn publish(&self, snapshot: Snapshot) {
        self.0.store(Arc::new(snapshot));
    }
}
