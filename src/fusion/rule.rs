//! How much a draft weighs under a rule.

use std::collections::BTreeMap;

use crate::domain::{Consensus, Draft, Likeness, Signal};

/// How to fuse.
#[derive(Debug, Clone, Copy)]
pub struct Rule<'a> {
    /// The strategy that chooses the winning answer.
    pub consensus: Consensus,
    /// The weight of each source by name, for [`Consensus::CustomWeights`]; who is not named
    /// weighs 1.
    pub custom_weights: &'a BTreeMap<String, f64>,
    /// The weight of evidence that passed a checkpoint, where other evidence weighs 1.
    pub sacred_weight: f64,
    /// Which answers of different wording are one.
    pub likeness: &'a dyn Likeness,
}

/// A weight, and whether it is higher for a checkpoint passed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Weight {
    pub(super) value: f64,
    pub(super) boosted: bool,
}

impl Rule<'_> {
    /// What a draft weighs.
    pub(super) fn weight(&self, draft: &Draft) -> Weight {
        self.weight_of(&draft.source.name, draft.signal, draft.passed_a_checkpoint())
    }

    /// The most that any draft of a source could weigh whose signal is at most this. No weight
    /// falls with a rising signal.
    pub(super) fn most(&self, source: &str, highest: Signal) -> f64 {
        let of = |passed| self.weight_of(source, highest, passed).value;
        of(true).max(of(false))
    }

    fn weight_of(&self, source: &str, signal: Signal, passed: bool) -> Weight {
        let sacred = if self.sacred_weight.is_finite() { self.sacred_weight.max(0.0) } else { 1.0 };
        let checkpoint = if passed { sacred } else { 1.0 };
        let boosted = passed && sacred > 1.0;
        let p = signal.get();
        match self.consensus {
            Consensus::MajorityVote => Weight { value: 1.0, boosted: false },
            Consensus::BestResponse => Weight { value: p, boosted: false },
            Consensus::WeightedConfidence => {
                Weight { value: signal.vote_weight() * checkpoint, boosted }
            }
            Consensus::Ensemble => {
                Weight { value: -(1.0 - p.min(0.999)).ln() * checkpoint, boosted }
            }
            Consensus::CustomWeights => {
                let own = self.custom_weights.get(source).copied().unwrap_or(1.0);
                Weight { value: sound(own) * checkpoint, boosted }
            }
        }
    }

    /// Whether one strong draft wins instead of the sum.
    pub(super) fn highest_wins(&self) -> bool {
        self.consensus == Consensus::BestResponse
    }
}

/// A weight as it may count: finite and not negative.
fn sound(weight: f64) -> f64 {
    if weight.is_finite() { weight.max(0.0) } else { 0.0 }
}
