//! The probability that the winning answer is right, given who agrees and who dissents.

use crate::domain::Signal;

/// Beyond these, one source's word would outweigh any number of others.
const FLOOR: f64 = 0.001;
const CEILING: f64 = 0.999;

/// Pools the signals of independent sources, `support` for an answer and `dissent` for others.
///
/// With e(p) = −ln(1 − p), the evidence in a signal p (a noisy-or adds exactly these), and p₁ the
/// strongest support, the log-odds of the answer are
///
/// > ln p₁ + Σ e(support) − Σ e(dissent)
///
/// which for one source alone is ln p₁ − ln(1 − p₁), its own log-odds. So agreement never lowers
/// and dissent never raises the signal, not even of a source that is more often wrong than right:
/// many answers are wrong in different ways, few agree by chance. Signals are brought to
/// 0.001–0.999 first; without dissent the result is never below the strongest support, so that
/// what is proven stays proven.
///
/// How that fits recorded replies to 942 GSM8K questions, where each model's signal is its own
/// accuracy; the shares right are measured, the signals are this formula's:
///
/// | pair (accuracies) | agreed, right | signal | differed, stronger right | signal |
/// |---|---|---|---|---|
/// | mixtral-8x7b (.637), gpt-4-1106 (.947) | .982 | .980 | .886 | .866 |
/// | gemma-2-2b (.521), llama-3.1-8b (.843) | .962 | .918 | .722 | .720 |
/// | mixtral-8x7b (.637), gpt-3.5-turbo (.805) | .960 | .919 | .590 | .599 |
/// | gpt-3.5-turbo (.805), gpt-4-1106 (.947) | .979 | .989 | .808 | .777 |
/// | gpt-3.5-turbo (.805), llama-3.1-8b (.843) | .973 | .965 | .463 | .512 |
#[must_use]
pub fn pooled_signal(support: &[Signal], dissent: &[Signal]) -> Signal {
    let sorted = |signals: &[Signal]| {
        let mut values: Vec<f64> = signals.iter().map(|s| s.get()).collect();
        values.sort_by(f64::total_cmp);
        values
    };
    let (support, dissent) = (sorted(support), sorted(dissent));
    let Some(&strongest) = support.last() else { return Signal::ZERO };
    if support.len() == 1 && dissent.is_empty() {
        return Signal::clamped(strongest);
    }
    let evidence = |values: &[f64]| -> f64 {
        values.iter().map(|p| -(1.0 - p.clamp(FLOOR, CEILING)).ln()).sum()
    };
    let log_odds = strongest.clamp(FLOOR, CEILING).ln() + evidence(&support) - evidence(&dissent);
    let pooled = 1.0 / (1.0 + (-log_odds).exp());
    Signal::clamped(if dissent.is_empty() { pooled.max(strongest) } else { pooled })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pooled(support: &[f64], dissent: &[f64]) -> f64 {
        let signals = |v: &[f64]| v.iter().map(|&p| Signal::clamped(p)).collect::<Vec<_>>();
        pooled_signal(&signals(support), &signals(dissent)).get()
    }

    #[test]
    fn a_source_alone_is_believed_as_it_is() {
        for p in [0.0, 0.3, 0.63, 1.0] {
            assert_eq!(pooled(&[p], &[]), p);
        }
    }

    #[test]
    fn proof_stays_proof_until_somebody_objects() {
        assert_eq!(pooled(&[1.0, 0.5], &[]), 1.0);
        assert!(pooled(&[1.0], &[0.9]) > 0.95);
        assert!(pooled(&[1.0], &[0.9]) < 1.0);
    }

    proptest! {
        #[test]
        fn agreement_never_lowers_and_dissent_never_raises(
            support in prop::collection::vec(0.0..=1.0f64, 1..6),
            dissent in prop::collection::vec(0.0..=1.0f64, 0..6),
            another in 0.0..=1.0f64,
        ) {
            let before = pooled(&support, &dissent);
            let agreed = pooled(&[support.clone(), vec![another]].concat(), &dissent);
            let objected = pooled(&support, &[dissent.clone(), vec![another]].concat());
            prop_assert!(agreed >= before - 1e-12, "{agreed} < {before}");
            prop_assert!(objected <= before + 1e-12, "{objected} > {before}");
            prop_assert!((0.0..=1.0).contains(&before));
        }
    }
}
