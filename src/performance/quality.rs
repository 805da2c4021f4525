//! The evidence behind the quality target: drafts of Flux whose agreement with ASI is known.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::{Kept, Refusal, cut};
use crate::domain::{
    DecisionRecord, Ended, LedgerEvent, OutcomeSource, Promise, QualityTarget, Recorded,
};

/// Drafts that are kept in mind: enough for the strictest promise that a policy takes (a loss of
/// 0.1 % with 99.9 % confidence takes 9,000 faultless ones); the oldest go, so that the promise
/// follows the traffic.
const MOST: usize = 10_000;

/// Drafts that were put to ASI as well, picked by chance and all with the same chance: those that
/// Hybrid kept, by an audit afterwards; those that it escalated, by what ASI then said. A draft that
/// ASI contradicts counts as lost, which is more than is lost: ASI is not always right.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Audited(VecDeque<Kept>);

impl Audited {
    /// Takes in an event; whether it was evidence.
    pub fn fold(&mut self, recorded: &Recorded) -> bool {
        let Some(kept) = evidence(recorded) else { return false };
        if self.0.len() == MOST {
            self.0.pop_front();
        }
        self.0.push_back(kept);
        true
    }

    /// The drafts, the oldest first.
    pub fn drafts(&self) -> impl ExactSizeIterator<Item = Kept> {
        self.0.iter().copied()
    }

    /// What they say of a target; `None` where nothing is promised.
    #[must_use]
    pub fn promise(&self, target: QualityTarget) -> Option<Promise> {
        if !target.is_set() {
            return None;
        }
        let drafts: Vec<Kept> = self.drafts().collect();
        Some(match cut(target, &drafts) {
            Ok(cut) => Promise::Kept {
                keep_signal: cut.keep_signal,
                loss_bound: cut.loss_bound,
                slow_share: cut.slow_share,
                n: cut.n,
            },
            Err(Refusal::Thin { n, needed, .. }) => Promise::Thin { n, needed },
            Err(Refusal::Unsure | Refusal::Target) => Promise::Unsure { n: drafts.len() },
        })
    }
}

fn evidence(recorded: &Recorded) -> Option<Kept> {
    match &recorded.event {
        LedgerEvent::Decision(decision) => {
            let draft = drafted(decision)?;
            Some(Kept { signal: draft.signal, loses: !draft.agrees? })
        }
        LedgerEvent::Outcome(outcome) if outcome.source == OutcomeSource::Audit => {
            let draft = drafted(recorded.decision.as_deref()?)?;
            // What ASI said at once needs no audit, and one draft is not counted twice.
            let first = draft.agrees.is_none() && recorded.previous_probability.is_none();
            first.then_some(Kept { signal: draft.signal, loses: outcome.score < 0.5 })
        }
        LedgerEvent::Agreement(audit) => {
            let draft = drafted(recorded.decision.as_deref()?)?;
            draft.agrees.is_none().then_some(Kept { signal: draft.signal, loses: !audit.agrees })
        }
        LedgerEvent::Outcome(_) | LedgerEvent::Policy(_) => None,
    }
}

fn drafted(decision: &DecisionRecord) -> Option<crate::domain::DraftRecord> {
    decision.draft.filter(|_| decision.ended == Ended::Answered)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(drafts: impl IntoIterator<Item = (f64, bool)>) -> Audited {
        Audited(drafts.into_iter().map(|(signal, loses)| Kept { signal, loses }).collect())
    }

    const TARGET: QualityTarget = QualityTarget { alpha: 0.05, delta: 0.05 };

    #[test]
    fn without_a_target_nothing_is_promised() {
        assert_eq!(of([(0.9, false)]).promise(QualityTarget::default()), None);
    }

    #[test]
    fn thin_evidence_promises_nothing_and_says_what_it_takes() {
        let few = of((0..58).map(|_| (0.9, false)));
        assert_eq!(few.promise(TARGET), Some(Promise::Thin { n: 58, needed: 80 }));
    }

    #[test]
    fn the_cut_off_lies_where_drafts_begin_to_lose() {
        let drafts = (0..400).map(|i| (f64::from(i) / 400.0, i < 200 && i % 2 == 0));
        let Some(Promise::Kept { keep_signal, loss_bound, slow_share, n }) =
            of(drafts).promise(TARGET)
        else {
            panic!("the promise can be kept");
        };
        assert!(keep_signal > 0.4 && keep_signal < 0.5, "{keep_signal}");
        assert!(loss_bound <= 0.05 && (slow_share - keep_signal).abs() < 0.01);
        assert_eq!(n, 400);
    }

    #[test]
    fn where_even_the_surest_lose_none_is_kept() {
        let promise = of((0..400).map(|i| (0.9, i % 5 == 0))).promise(TARGET);
        assert_eq!(promise, Some(Promise::Unsure { n: 400 }));
        assert_eq!(promise.and_then(|p| p.keep_signal()), Some(1.0));
    }
}
