//! How well probabilities fit outcomes. Pure; no result depends on the order of the observations.

/// Bins of the calibration error.
const BINS: usize = 10;

/// The expected calibration error of `(probability, outcome)` pairs, 0 to 1: the mean distance of
/// stated probability and observed share, over ten bins of equal width, each weighed by its
/// observations (Guo et al., "On Calibration of Modern Neural Networks", ICML 2017). Bins of equal
/// width do not tear equal probabilities apart, which solvers and priors make many of. `None` for
/// nothing observed.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
pub fn expected_calibration_error(observed: &[(f64, bool)]) -> Option<f64> {
    if observed.is_empty() {
        return None;
    }
    let mut bins = [(0.0_f64, 0_u64); BINS];
    for &(probability, outcome) in observed {
        if let Some((stated, right)) = bins.get_mut(bin_of(probability)) {
            *stated += probability;
            *right += u64::from(outcome);
        }
    }
    let distance: f64 = bins.iter().map(|&(stated, right)| (stated - right as f64).abs()).sum();
    Some(distance / observed.len() as f64)
}

/// The bin of a probability; the last one is closed on both sides.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a clamped probability times ten"
)]
fn bin_of(probability: f64) -> usize {
    ((probability.clamp(0.0, 1.0) * BINS as f64) as usize).min(BINS - 1)
}

/// The area under the ROC curve of `(score, outcome)` pairs: the chance that a right answer scores
/// higher than a wrong one, ties counting half (the Mann–Whitney statistic). 0.5 is no better than
/// a coin. `None` unless there are right ones and wrong ones.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
pub fn auroc(observed: &[(f64, bool)]) -> Option<f64> {
    let mut sorted = observed.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut wrong_below, mut right_total, mut pairs_won) = (0.0, 0.0, 0.0);
    for tied in sorted.chunk_by(|a, b| a.0 == b.0) {
        let right = tied.iter().filter(|(_, outcome)| *outcome).count() as f64;
        let wrong = tied.len() as f64 - right;
        pairs_won += right * (wrong_below + wrong / 2.0);
        wrong_below += wrong;
        right_total += right;
    }
    let pairs = right_total * wrong_below;
    (pairs > 0.0).then(|| pairs_won / pairs)
}

/// The least observation that at least this share of them does not exceed (nearest rank).
/// `None` for nothing observed.
#[must_use]
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rank lies between 1 and the count"
)]
pub fn quantile(observed: &[f64], share: f64) -> Option<f64> {
    let mut sorted = observed.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (share.clamp(0.0, 1.0) * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.max(1) - 1).copied()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn close(a: Option<f64>, b: f64) {
        assert!((a.unwrap() - b).abs() < 1e-12, "{a:?} is not {b}");
    }

    #[test]
    fn the_calibration_error_agrees_with_a_hand_computed_example() {
        // Bin 0.9–1.0: stated 0.9 and 1.0, one of two right: |1.9 − 1| = 0.9.
        // Bin 0.5–0.6: stated 0.5 and 0.5, one of two right: 0. Together 0.9 / 4.
        close(
            expected_calibration_error(&[(0.9, true), (1.0, false), (0.5, true), (0.5, false)]),
            0.225,
        );
        // Over and under within one bin cancel, in two bins they do not.
        close(expected_calibration_error(&[(0.61, true), (0.69, false)]), 0.15);
        close(expected_calibration_error(&[(0.2, false), (0.8, true)]), 0.2);
    }

    #[test]
    fn the_rank_statistic_agrees_with_a_hand_computed_example() {
        // Right: 0.8, 0.5. Wrong: 0.5, 0.3. Pairs won: 2 + (0.5 + 1) of 4.
        close(auroc(&[(0.8, true), (0.5, true), (0.5, false), (0.3, false)]), 0.875);
        close(auroc(&[(0.4, true), (0.4, false)]), 0.5);
        close(auroc(&[(0.1, true), (0.9, false)]), 0.0);
    }

    #[test]
    fn what_cannot_be_measured_is_absent() {
        assert_eq!(expected_calibration_error(&[]), None);
        assert_eq!(auroc(&[(0.5, true), (0.7, true)]), None);
        assert_eq!(quantile(&[], 0.5), None);
    }

    #[test]
    fn a_quantile_is_one_of_the_observations() {
        let hundred: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        assert_eq!(quantile(&hundred, 0.5), Some(50.0));
        assert_eq!(quantile(&hundred, 0.99), Some(99.0));
        assert_eq!(quantile(&hundred, 1.0), Some(100.0));
        assert_eq!(quantile(&hundred, 0.0), Some(1.0));
        assert_eq!(quantile(&[7.0], 0.99), Some(7.0));
    }

    /// The definition, pair by pair.
    fn by_pairs(observed: &[(f64, bool)]) -> Option<f64> {
        let of = |wanted| observed.iter().filter(move |(_, o)| *o == wanted).map(|(s, _)| *s);
        let won = |r: f64, w: f64| {
            if r > w {
                1.0
            } else if r == w {
                0.5
            } else {
                0.0
            }
        };
        let pairs: Vec<f64> = of(true).flat_map(|r| of(false).map(move |w| won(r, w))).collect();
        (!pairs.is_empty()).then(|| pairs.iter().sum::<f64>() / pairs.len() as f64)
    }

    fn observations() -> impl Strategy<Value = Vec<(f64, bool)>> {
        prop::collection::vec(((0u8..=20).prop_map(|t| f64::from(t) / 20.0), any::<bool>()), 0..60)
    }

    proptest! {
        #[test]
        fn the_rank_statistic_is_its_definition_and_turns_over(observed in observations()) {
            let found = auroc(&observed);
            prop_assert_eq!(found.is_some(), by_pairs(&observed).is_some());
            if let (Some(found), Some(defined)) = (found, by_pairs(&observed)) {
                prop_assert!((found - defined).abs() < 1e-9);
                let turned: Vec<_> = observed.iter().map(|&(s, o)| (-s, o)).collect();
                prop_assert!((auroc(&turned).unwrap() + found - 1.0).abs() < 1e-9);
            }
        }

        #[test]
        fn no_figure_depends_on_the_order(observed in observations()) {
            let mut turned = observed.clone();
            turned.reverse();
            prop_assert_eq!(auroc(&observed), auroc(&turned));
            let (a, b) = (expected_calibration_error(&observed), expected_calibration_error(&turned));
            prop_assert!((a.unwrap_or(0.0) - b.unwrap_or(0.0)).abs() < 1e-12);
            prop_assert!(a.is_none_or(|e| (0.0..=1.0).contains(&e)));
        }

        #[test]
        fn perfect_probabilities_have_no_error(right in prop::collection::vec(any::<bool>(), 1..60)) {
            let observed: Vec<_> = right.iter().map(|&r| (f64::from(u8::from(r)), r)).collect();
            prop_assert_eq!(expected_calibration_error(&observed), Some(0.0));
        }

        #[test]
        fn quantiles_rise_with_their_share(observed in prop::collection::vec(0.0f64..1e9, 1..60), a in 0.0f64..=1.0, b in 0.0f64..=1.0) {
            let (low, high) = if a < b { (a, b) } else { (b, a) };
            prop_assert!(quantile(&observed, low) <= quantile(&observed, high));
        }
    }
}
