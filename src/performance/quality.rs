//! The evidence behind the quality target: drafts of Flux whose agreement with ASI is known.

use std::{collections::VecDeque, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{Kept, Refusal, cut};
use crate::domain::{
    DecisionRecord, DraftRecord, Ended, LedgerEvent, OutcomeSource, Promise, QualityTarget,
    Recorded, Strategy,
};

/// Drafts that are kept in mind: enough for the strictest promise that a policy takes (a loss of
/// 0.1 % with 99.9 % confidence takes 9,000 faultless ones); the oldest go, so that the promise
/// follows the traffic.
const MOST: usize = 10_000;

/// Hybrid's drafts that were put to ASI as well, picked by chance and all with the same chance: those
/// that it kept, by an audit afterwards; those that it escalated, by what ASI then said. A draft that
/// ASI contradicts counts as lost, which is more than is lost: ASI is not always right.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Audited(VecDeque<AuditedDraft>);

/// A draft whose agreement with ASI is known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct AuditedDraft {
    #[serde(flatten)]
    draft: Kept,
    /// Who gave the signal; `None` where that was not recorded yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    judged_by: Option<Arc<str>>,
    /// Whether by experience with such drafts, and not by the rules.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    by_experience: bool,
}

impl Audited {
    /// Takes in an event; whether it was evidence.
    pub fn fold(&mut self, recorded: &Recorded) -> bool {
        let Some(audited) = evidence(recorded) else { return false };
        if self.0.len() == MOST {
            self.0.pop_front();
        }
        self.0.push_back(audited);
        true
    }

    /// The drafts whose signals a judge of this version gave, the oldest first.
    pub fn judged_by(&self, version: &str) -> impl Iterator<Item = Kept> {
        self.0.iter().filter(move |a| a.judged_by.as_deref() == Some(version)).map(|a| a.draft)
    }

    /// Of these, the drafts that the judge had experience with.
    pub fn judged_by_experience(&self, version: &str) -> impl Iterator<Item = Kept> {
        let counts =
            move |a: &&AuditedDraft| a.by_experience && a.judged_by.as_deref() == Some(version);
        self.0.iter().filter(counts).map(|a| a.draft)
    }

    /// The version of the judge that gave the newest signal; `None` where none was recorded.
    #[must_use]
    pub fn newest_judge(&self) -> Option<&str> {
        self.0.back()?.judged_by.as_deref()
    }

    /// All drafts, whoever gave their signals.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What those that this judge gave the signals of say of a target; `None` where nothing is
    /// promised.
    #[must_use]
    pub fn promise(&self, target: QualityTarget, judge: &str) -> Option<Promise> {
        if !target.is_set() {
            return None;
        }
        let drafts: Vec<Kept> = self.judged_by(judge).collect();
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

fn evidence(recorded: &Recorded) -> Option<AuditedDraft> {
    match &recorded.event {
        LedgerEvent::Decision(decision) => {
            let draft = drafted(decision)?;
            Some(audited(draft, !draft.agrees?))
        }
        LedgerEvent::Outcome(outcome) if outcome.source == OutcomeSource::Audit => {
            let draft = drafted(recorded.decision.as_deref()?)?;
            // What ASI said at once needs no audit, and one draft is not counted twice.
            let first = draft.agrees.is_none() && recorded.previous_probability.is_none();
            first.then(|| audited(draft, outcome.score < 0.5))
        }
        LedgerEvent::Agreement(audit) => {
            let draft = drafted(recorded.decision.as_deref()?)?;
            draft.agrees.is_none().then(|| audited(draft, !audit.agrees))
        }
        LedgerEvent::Outcome(_) | LedgerEvent::Policy(_) => None,
    }
}

/// The draft of an answered request that went Hybrid's way: no other strategy keeps or escalates by
/// the cut-off, and what it drafts is other traffic.
fn drafted(decision: &DecisionRecord) -> Option<&DraftRecord> {
    let counts = decision.ended == Ended::Answered && decision.follows() == Strategy::Hybrid;
    decision.draft.as_ref().filter(|_| counts)
}

fn audited(draft: &DraftRecord, loses: bool) -> AuditedDraft {
    AuditedDraft {
        draft: Kept { signal: draft.signal, loses },
        judged_by: draft.judged_by.clone(),
        by_experience: draft.by_experience,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(drafts: impl IntoIterator<Item = (f64, bool)>) -> Audited {
        by("one", drafts)
    }

    fn by(judge: &str, drafts: impl IntoIterator<Item = (f64, bool)>) -> Audited {
        let audited = |(signal, loses)| AuditedDraft {
            draft: Kept { signal, loses },
            judged_by: Some(judge.into()),
            by_experience: false,
        };
        Audited(drafts.into_iter().map(audited).collect())
    }

    const TARGET: QualityTarget = QualityTarget { alpha: 0.05, delta: 0.05 };

    #[test]
    fn without_a_target_nothing_is_promised() {
        assert_eq!(of([(0.9, false)]).promise(QualityTarget::default(), "one"), None);
    }

    #[test]
    fn thin_evidence_promises_nothing_and_says_what_it_takes() {
        let few = of((0..58).map(|_| (0.9, false)));
        assert_eq!(few.promise(TARGET, "one"), Some(Promise::Thin { n: 58, needed: 80 }));
    }

    #[test]
    fn the_cut_off_lies_where_drafts_begin_to_lose() {
        let drafts = (0..400).map(|i| (f64::from(i) / 400.0, i < 200 && i % 2 == 0));
        let Some(Promise::Kept { keep_signal, loss_bound, slow_share, n }) =
            of(drafts).promise(TARGET, "one")
        else {
            panic!("the promise can be kept");
        };
        assert!(keep_signal > 0.4 && keep_signal < 0.5, "{keep_signal}");
        assert!(loss_bound <= 0.05 && (slow_share - keep_signal).abs() < 0.01);
        assert_eq!(n, 400);
    }

    #[test]
    fn where_even_the_surest_lose_none_is_kept() {
        let promise = of((0..400).map(|i| (0.9, i % 5 == 0))).promise(TARGET, "one");
        assert_eq!(promise, Some(Promise::Unsure { n: 400 }));
        let promise = promise.unwrap();
        assert!(promise.is_in_force() && promise.keep_signal().is_none(), "not even a signal of 1");
    }

    #[test]
    fn evidence_of_an_earlier_judge_is_thin_after_a_swap_and_counts_again_after_a_swap_back() {
        let mut audited = of((0..400).map(|_| (0.9, false)));
        assert_eq!(audited.promise(TARGET, "two"), Some(Promise::Thin { n: 0, needed: 80 }));
        audited.0.extend(by("two", (0..90).map(|_| (0.7, false))).0);
        let n = |judge| match audited.promise(TARGET, judge) {
            Some(Promise::Kept { n, .. }) => n,
            other => panic!("{other:?}"),
        };
        assert_eq!((n("one"), n("two"), audited.newest_judge()), (400, 90, Some("two")));
    }

    #[test]
    fn states_and_records_without_a_version_are_read_and_count_for_no_judge() {
        let state: Audited = serde_json::from_str(r#"[{"signal":0.9,"loses":false}]"#).unwrap();
        assert_eq!((state.len(), state.newest_judge()), (1, None));
        assert_eq!(state.promise(TARGET, "one"), Some(Promise::Thin { n: 0, needed: 80 }));
        let draft: DraftRecord = serde_json::from_str(r#"{"signal":0.5,"agrees":true}"#).unwrap();
        assert_eq!(draft.judged_by, None);
    }

    #[test]
    fn only_what_went_hybrids_way_is_evidence() {
        let decided = |strategy, arm| {
            let decision: DecisionRecord = serde_json::from_value(serde_json::json!({
                "id": crate::domain::ResponseId::generate(), "tenant": "a", "at_ms": 0,
                "policy_version": 1, "strategy": strategy, "route": "flux_then_asi", "mode": "fast",
                "arm": arm, "probability": 1.0, "complexity": 0.1, "complexity_tier": "simple",
                "escalation": 0.1, "ended": "answered", "tier": "asi", "source": "model",
                "confidence": 0.9, "recalled_from": null, "duration_us": 1, "flux": null,
                "draft": {"signal": 0.7, "agrees": true, "judged_by": "one"}, "asi": null,
                "cost_usd": null, "error": null,
            }))
            .unwrap();
            let event = LedgerEvent::Decision(Arc::new(decision));
            Audited::default().fold(&Recorded {
                seq: 1,
                event,
                decision: None,
                previous_score: None,
                previous_probability: None,
            })
        };
        assert!(decided("hybrid", None::<&str>) && decided("adaptive", Some("hybrid")));
        assert!(!decided("adaptive", Some("runtime_first")));
        for other in ["runtime_first", "parallel_fusion", "ai_first"] {
            assert!(!decided(other, None), "{other}");
        }
    }
}
