//! Confidence intervals of shares.

use serde::Serialize;

/// A closed interval within [0, 1].
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Interval {
    /// Lower bound.
    pub lower: f64,
    /// Upper bound.
    pub upper: f64,
}

/// 97.5th percentile of the standard normal distribution: two-sided 95 %.
const Z: f64 = 1.959_963_984_540_054;

/// The 95 % score interval of a share of `right` out of `n` (Wilson 1927). Unlike the textbook
/// normal interval it stays within [0, 1] and is honest for small `n`. `None` for `n` = 0.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
pub fn wilson(right: f64, n: u64) -> Option<Interval> {
    if n == 0 {
        return None;
    }
    wilson_share(right / n as f64, n as f64)
}

/// The same of a share that rests on an effective number of observations, which need not be whole.
/// `None` without any.
#[must_use]
pub(super) fn wilson_share(share: f64, n: f64) -> Option<Interval> {
    if !(n > 0.0 && n.is_finite()) {
        return None;
    }
    let share = share.clamp(0.0, 1.0);
    let spread = Z * Z / n;
    let centre = (share + spread / 2.0) / (1.0 + spread);
    let half = Z / (1.0 + spread) * (share * (1.0 - share) / n + spread / (4.0 * n)).sqrt();
    Some(Interval { lower: (centre - half).max(0.0), upper: (centre + half).min(1.0) })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_observed_is_no_interval() {
        assert_eq!(wilson(0.0, 0), None);
    }

    #[test]
    fn agrees_with_published_values() {
        // Newcombe (1998), table I: 81 of 263 gives 0.2553 to 0.3662.
        let interval = wilson(81.0, 263).unwrap();
        assert!((interval.lower - 0.2553).abs() < 5e-5, "{interval:?}");
        assert!((interval.upper - 0.3662).abs() < 5e-5, "{interval:?}");
    }

    proptest! {
        #[test]
        fn the_share_lies_inside_and_more_evidence_narrows(right in 0u32..1000, wrong in 0u32..1000) {
            let n = u64::from(right + wrong);
            prop_assume!(n > 0);
            let near = wilson(f64::from(right), n).unwrap();
            let share = f64::from(right) / f64::from(right + wrong);
            prop_assert!(near.lower - 1e-12 <= share && share <= near.upper + 1e-12);
            let more = wilson(f64::from(right) * 4.0, n * 4).unwrap();
            prop_assert!(more.upper - more.lower < near.upper - near.lower);
        }
    }
}
