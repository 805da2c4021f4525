//! The fold of the ledger's events into figures per strategy and per tier.

use std::{collections::BTreeMap, sync::Arc};

use arc_swap::ArcSwap;

use serde::{Deserialize, Serialize};

use super::{
    Accuracy, Baselines, ExpertSummary, Summary, Tally,
    experts::Experts,
    live::{Cells, FEW, Judgement, Place},
    quality::Audited,
};
use crate::{
    bandit::{Evidence, HALF_LIFE, Observation, Seen},
    domain::{
        Chances, ComplexityTier, DecisionRecord, Ended, LedgerEvent, Recorded, Signal, Strategy,
        Tier,
    },
};

const COMPLEXITIES: [ComplexityTier; 3] =
    [ComplexityTier::Simple, ComplexityTier::Moderate, ComplexityTier::Complex];
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
    /// Absent in states that were saved before accuracy was weighed.
    #[serde(default)]
    cells: Cells,
    /// Absent in states that were saved before there was a quality target.
    #[serde(default)]
    audited: Audited,
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
    /// Answers of each complexity that occurred, and their accuracy.
    pub complexities: Vec<(ComplexityTier, u64, Option<Accuracy>)>,
    /// What the tiers would score alone.
    pub baselines: Baselines,
}

impl Board {
    /// Takes in one event; events that were already taken in change nothing.
    pub fn fold(&mut self, recorded: &Recorded) {
        if recorded.seq <= self.last_seq {
            return;
        }
        self.last_seq = recorded.seq;
        self.audited.fold(recorded);
        match &recorded.event {
            LedgerEvent::Decision(decision) => {
                self.decided(decision);
                self.saw(recorded.seq, decision, ended(decision));
            }
            LedgerEvent::Outcome(outcome) => {
                if let Some(decision) = &recorded.decision {
                    self.judged(recorded.seq, decision, outcome.score, recorded.previous_score);
                    if let Some(place) = place(decision) {
                        let probability = outcome.probability;
                        let new = Judgement { score: outcome.score, probability };
                        let earlier = recorded.previous_score.map(|score| Judgement {
                            score,
                            probability: recorded.previous_probability,
                        });
                        self.cells.judged(place, new, earlier);
                    }
                    let seen = Seen::Judged {
                        response: decision.id,
                        score: outcome.score,
                        revises: recorded.previous_score.is_some(),
                        principal: outcome.principal,
                    };
                    let answered = decision.ended == Ended::Answered;
                    self.saw(recorded.seq, decision, Some(seen).filter(|_| answered));
                }
            }
            LedgerEvent::Agreement(_) | LedgerEvent::Policy(_) => {}
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

    /// Drafts of Flux whose agreement with ASI is known.
    #[must_use]
    pub fn audited(&self) -> &Audited {
        &self.audited
    }

    /// All figures; of the experts, those with these priors.
    #[must_use]
    pub fn snapshot(&self, priors: &BTreeMap<String, Signal>) -> Snapshot {
        Snapshot {
            last_seq: self.last_seq,
            strategies: self.strategies.iter().map(|(&s, t)| (s, self.strategy(s, t))).collect(),
            tiers: self.tiers.iter().map(|(&t, tally)| (t, self.tier(t, tally))).collect(),
            experts: self.experts.summaries(priors),
            complexities: COMPLEXITIES
                .into_iter()
                .map(|c| (c, self.cells.answers(c), self.cells.of_complexity(c)))
                .filter(|(_, answers, _)| *answers > 0)
                .collect(),
            baselines: self.cells.baselines(),
        }
    }

    /// How often each tier was right, by complexity; absent below [`FEW`] judged answers.
    #[must_use]
    pub fn chances(&self) -> Chances {
        COMPLEXITIES.map(|complexity| {
            [Tier::Flux, Tier::Asi]
                .map(|tier| self.cells.of_tier_and_complexity(tier, complexity))
                .map(|known| known.filter(|a| a.n >= FEW).map(|a| a.value))
        })
    }

    fn strategy(&self, strategy: Strategy, tally: &Tally) -> Summary {
        let summary = tally.summary();
        // States from before answers were counted in cells have the plain share.
        let accuracy = self.cells.of_strategy(strategy).or(summary.accuracy);
        Summary { accuracy, slow_share: self.cells.slow_share(strategy), ..summary }
    }

    fn tier(&self, tier: Tier, tally: &Tally) -> Summary {
        let summary = tally.summary();
        Summary { accuracy: self.cells.of_tier(tier).or(summary.accuracy), ..summary }
    }

    fn decided(&mut self, decision: &DecisionRecord) {
        if let Some(place) = place(decision) {
            self.cells.answered(place, decision.asi.is_some());
        }
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

/// The cell that an answer belongs to; what is no answer belongs to none.
fn place(decision: &DecisionRecord) -> Option<Place> {
    let tier = decision.tier.filter(|_| decision.ended == Ended::Answered)?;
    Some(Place { strategy: decision.strategy, tier, complexity: decision.complexity_tier })
}

/// How a request ended for its arm; nothing where nobody waited for the end.
fn ended(decision: &DecisionRecord) -> Option<Seen> {
    #[expect(clippy::cast_precision_loss, reason = "latencies are far below 2^52 µs")]
    let latency_s = decision.duration_us as f64 / 1e6;
    // Where nothing was spent, no cost is recorded either.
    let cost_usd = decision.cost_usd.or((!decision.cost_unknown).then_some(0.0));
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
