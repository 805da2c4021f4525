//! What each expert's votes have been worth.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Accuracy, wilson};
use crate::domain::{RecordedVote, Signal, Standing};

/// When this many outcomes have gathered, all of them count half: a model behind a name can change.
const FADE_AT: f64 = 1000.0;
/// Experts that are kept. Beyond it, the one that has not been judged for longest goes: names
/// change with the configuration, and nobody configures as many at once.
const MOST: usize = 256;

/// One expert's record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct ExpertRecord {
    right: f64,
    wrong: f64,
    /// The event that moved it last.
    last_seq: u64,
}

/// The records of all experts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Experts(BTreeMap<String, ExpertRecord>);

/// What is shown of an expert.
#[derive(Debug, Clone, PartialEq)]
pub struct ExpertSummary {
    /// The configured name.
    pub name: String,
    /// What was believed of it before any outcome.
    pub prior: f64,
    /// What is believed of it now, and what that weighs.
    pub standing: Standing,
    /// What its votes were worth, as measured; `None` before the first outcome.
    pub measured: Option<Accuracy>,
}

impl Experts {
    /// Takes in how an answer was judged, 1 for right and 0 for wrong, and who had voted for what.
    ///
    /// Who stood with a right answer was right, with a wrong one wrong. Who stood against a right
    /// answer was wrong; who stood against a wrong one may have been wrong, too, and learns nothing.
    /// A score between counts in proportion. An outcome that revises an earlier one takes the
    /// earlier one back.
    pub(super) fn judged(
        &mut self,
        seq: u64,
        votes: &[RecordedVote],
        score: f64,
        previous: Option<f64>,
    ) {
        let voters: BTreeSet<&str> = votes.iter().map(|vote| vote.expert.as_str()).collect();
        for expert in voters {
            let agrees = votes.iter().any(|vote| vote.answer == 0 && vote.expert == expert);
            let counted = |score: f64| if agrees { (score, 1.0 - score) } else { (0.0, score) };
            let (right, wrong) = counted(score);
            let (was_right, was_wrong) = previous.map_or((0.0, 0.0), counted);
            let record = self.record(expert);
            // What had faded meanwhile cannot be taken back in full; nothing falls below zero.
            record.right = (record.right + right - was_right).max(0.0);
            record.wrong = (record.wrong + wrong - was_wrong).max(0.0);
            record.last_seq = seq;
            if record.right + record.wrong >= FADE_AT {
                record.right /= 2.0;
                record.wrong /= 2.0;
            }
        }
    }

    fn record(&mut self, expert: &str) -> &mut ExpertRecord {
        if !self.0.contains_key(expert) && self.0.len() >= MOST {
            let stalest = self.0.iter().min_by_key(|(_, record)| record.last_seq);
            if let Some(name) = stalest.map(|(name, _)| name.clone()) {
                self.0.remove(&name);
            }
        }
        self.0.entry(expert.to_owned()).or_default()
    }

    /// What the experts with these priors are worth, in the order of their names.
    pub(super) fn summaries(&self, priors: &BTreeMap<String, Signal>) -> Vec<ExpertSummary> {
        let summary = |(name, prior): (&String, &Signal)| {
            let record = self.0.get(name).copied().unwrap_or_default();
            ExpertSummary {
                name: name.clone(),
                prior: prior.get(),
                standing: record.standing(*prior),
                measured: record.measured(),
            }
        };
        priors.iter().map(summary).collect()
    }
}

impl ExpertRecord {
    fn standing(&self, prior: Signal) -> Standing {
        Standing::of(self.right, self.right + self.wrong, prior)
    }

    fn measured(&self) -> Option<Accuracy> {
        let outcomes = self.right + self.wrong;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a count of at most a thousand, never negative"
        )]
        let n = outcomes.round() as u64;
        let ci95 = wilson(self.right, n)?;
        Some(Accuracy { value: (self.right / outcomes).clamp(0.0, 1.0), ci95, n, audits: 0 })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn votes(all: &[(&str, u8)]) -> Vec<RecordedVote> {
        all.iter()
            .map(|(expert, answer)| RecordedVote { expert: (*expert).to_owned(), answer: *answer })
            .collect()
    }

    fn priors(prior: f64, names: &[&str]) -> BTreeMap<String, Signal> {
        names.iter().map(|name| ((*name).to_owned(), Signal::clamped(prior))).collect()
    }

    fn counts(experts: &Experts, name: &str) -> (f64, f64) {
        experts.0.get(name).map_or((0.0, 0.0), |record| (record.right, record.wrong))
    }

    #[test]
    fn each_expert_is_credited_with_its_own_vote() {
        let mut experts = Experts::default();
        let cast = votes(&[("with", 0), ("against", 1), ("otherwise", 2)]);
        experts.judged(1, &cast, 1.0, None);
        assert_eq!(counts(&experts, "with"), (1.0, 0.0));
        assert_eq!(counts(&experts, "against"), (0.0, 1.0));
        assert_eq!(counts(&experts, "otherwise"), (0.0, 1.0));
        experts.judged(2, &cast, 0.0, None);
        assert_eq!(counts(&experts, "with"), (1.0, 1.0));
        assert_eq!(
            counts(&experts, "against"),
            (0.0, 1.0),
            "dissent from a wrong answer is silent"
        );
    }

    #[test]
    fn who_gave_two_answers_stands_by_the_one_that_was_returned() {
        let mut experts = Experts::default();
        experts.judged(1, &votes(&[("a", 1), ("a", 0)]), 1.0, None);
        assert_eq!(counts(&experts, "a"), (1.0, 0.0));
    }

    #[test]
    fn without_outcomes_an_expert_is_worth_its_prior() {
        let summary = &Experts::default().summaries(&priors(0.8, &["a"]))[0];
        assert_eq!((summary.standing.accuracy, summary.measured), (0.8, None));
        assert_eq!(summary.standing.weight, Signal::clamped(0.8).vote_weight());
    }

    #[test]
    fn a_thin_record_moves_little_and_a_thick_one_speaks_for_itself() {
        let after = |wrong: u64| {
            let mut experts = Experts::default();
            (1..=wrong).for_each(|seq| experts.judged(seq, &votes(&[("a", 0)]), 0.0, None));
            experts.summaries(&priors(0.8, &["a"]))[0].standing.accuracy
        };
        assert!(after(2) > 0.7, "{}", after(2));
        assert!(after(200) < 0.1, "{}", after(200));
    }

    #[test]
    fn no_name_makes_the_table_grow_without_end() {
        let mut experts = Experts::default();
        (0..2000u64).for_each(|n| experts.judged(n, &votes(&[(&format!("m{n}"), 0)]), 1.0, None));
        assert_eq!(experts.0.len(), MOST);
        assert!(experts.0.contains_key("m1999") && !experts.0.contains_key("m0"));
    }

    proptest! {
        #[test]
        fn a_revised_outcome_counts_as_if_it_had_been_the_first(
            score in 0.0..=1.0f64,
            earlier in 0.0..=1.0f64,
            answer in 0u8..3,
        ) {
            let cast = votes(&[("a", answer)]);
            let (mut once, mut twice) = (Experts::default(), Experts::default());
            once.judged(2, &cast, score, None);
            twice.judged(1, &cast, earlier, None);
            twice.judged(2, &cast, score, Some(earlier));
            let ((r1, w1), (r2, w2)) = (counts(&once, "a"), counts(&twice, "a"));
            prop_assert!((r1 - r2).abs() < 1e-12 && (w1 - w2).abs() < 1e-12);
        }

        #[test]
        fn a_standing_lies_between_the_prior_and_the_record(
            prior in 0.0..=1.0f64,
            right in 0u64..60,
            wrong in 0u64..60,
        ) {
            prop_assume!(right + wrong > 0);
            let mut experts = Experts::default();
            for seq in 0..right + wrong {
                let score = f64::from(u8::from(seq < right));
                experts.judged(seq, &votes(&[("a", 0)]), score, None);
            }
            let summary = &experts.summaries(&priors(prior, &["a"]))[0];
            let measured = summary.measured.unwrap().value;
            let (low, high) = (prior.min(measured), prior.max(measured));
            prop_assert!((low - 1e-12..=high + 1e-12).contains(&summary.standing.accuracy));
            prop_assert!(summary.standing.weight.is_finite() && summary.standing.weight > 0.0);
        }
    }
}
