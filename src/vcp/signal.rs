//! From verdicts to a signal.

use crate::domain::{Check, Signal, Verdict};

use super::names;

/// What each check adds to the log-odds of being right: (when passed, when failed).
///
/// Position 9 was fitted (logistic, with each model's own accuracy as offset) on replies of seven
/// models to 942 GSM8K questions, then rounded and tempered: `comes_out` has half of what was
/// measured, because GSM8K is built to come out even. Log-odds of being right, against the model's
/// own average; `mixtral-8x7b` took no part in the fit:
///
/// | arithmetic | mixtral-8x7b: n, wrong | gemma-2-2b: n, wrong | six others: n, wrong |
/// |---|---|---|---|
/// | passed | 827, 29.1 % | 788, 40.4 % | 5,082, 11.0 % |
/// | failed | 86, 89.5 % | 58, 91.4 % | 103, 80.6 % |
/// | none shown | 29, 82.8 % | 96, 83.3 % | 467, 37.3 % |
///
/// On 4,517 BIG-Bench-Hard replies, which no figure here was fitted on, replies with a failed
/// calculation were right in 7.7 % (n = 104; their tasks' average is 50 %), with all calculations
/// passed in 94.9 % (n = 253; 77 %), and without the expected form never (n = 86).
///
/// With these adjustments `mixtral-8x7b`'s signal under the prior 0.63 has an AUROC of 0.74 and an
/// ECE of 0.02 (ten bins).
///
/// Position 3 is set by judgement, not measured.
const ADJUSTMENTS: &[(&str, f64, f64)] = &[
    (names::GROUNDING, 0.5, -2.0),
    (names::COVERAGE, 0.3, -1.0),
    (names::RELEVANCE, 0.0, -1.0),
    (names::ANSWER_FORM, 0.0, -2.5),
    (names::ARITHMETIC, 0.35, -2.6),
    (names::ELP_DRIFT, 0.0, -0.5),
    (names::UNHESITATING, 0.0, -1.4),
    (names::UNROUNDED, 0.0, -1.4),
    (names::WORKING, 0.0, -1.1),
    (names::STEPS, 0.2, -0.5),
    (names::GIVEN_NUMBERS, 0.1, -1.0),
    (names::WHOLE_COUNT, 0.1, -1.6),
    (names::COMES_OUT, 0.1, -1.6),
];

/// The highest signal of a draft that gives no answer.
const NON_ANSWER: f64 = 0.02;
/// Beyond these no verdict would move a signal.
const FLOOR: f64 = 0.001;
const CEILING: f64 = 0.999;

/// The prior adjusted by what the checks found: their log-odds are added. A check that did not
/// apply, or that has no entry, changes nothing; a non-answer is never raised and falls to 0.02 at
/// most. Where nothing is added the prior stands as it is.
#[must_use]
pub fn adjusted_signal(prior: Signal, checks: &[Check]) -> Signal {
    let is_non_answer =
        checks.iter().any(|c| c.name == names::ANSWERED && c.verdict == Verdict::Failed);
    if is_non_answer {
        return Signal::clamped(prior.get().min(NON_ANSWER));
    }
    moved(prior, checks.iter().map(adjustment).sum())
}

/// The highest signal that a draft of this prior can have, whatever the checks find.
#[must_use]
pub fn highest_signal(prior: Signal) -> Signal {
    moved(prior, ADJUSTMENTS.iter().map(|(_, passed, _)| passed.max(0.0)).sum())
}

/// The signal after what was added to its log-odds.
fn moved(prior: Signal, added: f64) -> Signal {
    if added == 0.0 {
        return prior;
    }
    let p = prior.get().clamp(FLOOR, CEILING);
    let log_odds = (p / (1.0 - p)).ln() + added;
    let adjusted = 1.0 / (1.0 + (-log_odds).exp());
    // Clamping must not turn praise into blame, nor blame into praise, at the ends of the scale.
    Signal::clamped(if added > 0.0 { adjusted.max(prior.get()) } else { adjusted.min(prior.get()) })
}

fn adjustment(check: &Check) -> f64 {
    let entry = ADJUSTMENTS.iter().find(|(name, ..)| *name == check.name);
    match (entry, check.verdict) {
        (Some((_, passed, _)), Verdict::Passed) => *passed,
        (Some((_, _, failed)), Verdict::Failed) => *failed,
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::Position;

    fn check(name: &'static str, verdict: Verdict) -> Check {
        Check { position: Position::VERIFIED, name, verdict, note: String::new() }
    }

    fn adjusted(prior: f64, checks: &[Check]) -> f64 {
        adjusted_signal(Signal::clamped(prior), checks).get()
    }

    #[test]
    fn a_mistake_in_the_working_costs_most_of_the_signal() {
        let failed = adjusted(0.63, &[check(names::ARITHMETIC, Verdict::Failed)]);
        let passed = adjusted(0.63, &[check(names::ARITHMETIC, Verdict::Passed)]);
        assert!(failed < 0.15 && passed > 0.63, "{failed} {passed}");
    }

    #[test]
    fn no_check_raises_a_non_answer() {
        let checks = [
            check(names::ANSWERED, Verdict::Failed),
            check(names::ARITHMETIC, Verdict::Passed),
            check(names::GROUNDING, Verdict::Passed),
        ];
        assert!(adjusted(0.9, &checks) <= NON_ANSWER);
        assert_eq!(adjusted(0.01, &checks), 0.01);
    }

    #[test]
    fn nothing_found_leaves_the_prior_as_it_is() {
        let checks =
            [check(names::ARITHMETIC, Verdict::NotApplicable), check("agreement", Verdict::Failed)];
        for prior in [0.0, 0.63, 1.0] {
            assert_eq!(adjusted(prior, &checks), prior);
        }
    }

    proptest! {
        #[test]
        fn no_verdicts_raise_a_signal_above_the_highest(
            prior in 0.0..=1.0f64,
            verdicts in prop::collection::vec(0u8..3, ADJUSTMENTS.len()),
        ) {
            let verdict = |v: &u8| [Verdict::Passed, Verdict::Failed, Verdict::NotApplicable][usize::from(*v)];
            let checks: Vec<Check> = ADJUSTMENTS
                .iter()
                .zip(&verdicts)
                .map(|((name, ..), v)| check(name, verdict(v)))
                .collect();
            prop_assert!(adjusted(prior, &checks) <= highest_signal(Signal::clamped(prior)).get() + 1e-12);
        }

        #[test]
        fn praise_never_lowers_and_blame_never_raises(
            prior in 0.0..=1.0f64,
            which in prop::sample::select(ADJUSTMENTS),
        ) {
            prop_assert!(adjusted(prior, &[check(which.0, Verdict::Passed)]) >= prior);
            prop_assert!(adjusted(prior, &[check(which.0, Verdict::Failed)]) <= prior);
        }
    }
}
