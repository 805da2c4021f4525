//! How often something happens at most, by what was counted.

/// The Clopper–Pearson upper bound of a rate: the greatest one at which `events` or fewer of
/// `trials` happen with a chance of at least `1 - confidence`. 1 without trials. (Clopper and
/// Pearson, "The use of confidence or fiducial limits", Biometrika 26, 1934.)
#[must_use]
pub fn rate_upper_bound(events: usize, trials: usize, confidence: f64) -> f64 {
    if events >= trials {
        return 1.0;
    }
    let (mut low, mut high) = (events as f64 / trials as f64, 1.0);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if chance_of_at_most(events, trials, middle) > 1.0 - confidence {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

/// The most events among `trials` at which the bound is still within `rate`; `None` when even none
/// at all would not do.
#[must_use]
pub fn most_events(trials: usize, rate: f64, confidence: f64) -> Option<usize> {
    let within = |events| rate_upper_bound(events, trials, confidence) <= rate;
    if trials == 0 || !within(0) {
        return None;
    }
    let (mut low, mut high) = (0, trials);
    while high - low > 1 {
        let middle = usize::midpoint(low, high);
        if within(middle) { low = middle } else { high = middle }
    }
    Some(low)
}

/// The binomial distribution function.
fn chance_of_at_most(events: usize, trials: usize, rate: f64) -> f64 {
    if rate <= 0.0 {
        return 1.0;
    }
    if rate >= 1.0 {
        return 0.0;
    }
    let odds = (rate / (1.0 - rate)).ln();
    let mut term = trials as f64 * (1.0 - rate).ln();
    let mut sum = term.exp();
    for k in 1..=events {
        term += ((trials - k + 1) as f64 / k as f64).ln() + odds;
        sum += term.exp();
    }
    sum.min(1.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_bound_is_that_of_the_tables() {
        // The rule of three: none of 300 bounds the rate by about 1 %.
        assert!((rate_upper_bound(0, 300, 0.95) - (1.0 - 0.05_f64.powf(1.0 / 300.0))).abs() < 1e-9);
        // 5 of 100, one-sided 95 %: 0.1022 (R: qbeta(0.95, 6, 95)).
        assert!((rate_upper_bound(5, 100, 0.95) - 0.102_25).abs() < 1e-4);
        assert_eq!(rate_upper_bound(0, 0, 0.95), 1.0);
        assert_eq!(most_events(298, 0.01, 0.95), None);
        assert_eq!(most_events(299, 0.01, 0.95), Some(0));
    }

    proptest! {
        #[test]
        fn more_events_never_lower_the_bound_and_it_is_above_the_share(
            trials in 1usize..2000, events in 0usize..100
        ) {
            let bound = rate_upper_bound(events, trials, 0.95);
            prop_assert!(bound >= (events as f64 / trials as f64).min(1.0) - 1e-12);
            prop_assert!(rate_upper_bound(events + 1, trials, 0.95) >= bound - 1e-12);
        }

        #[test]
        fn the_most_events_are_within_the_rate_and_one_more_is_not(trials in 1usize..3000) {
            if let Some(most) = most_events(trials, 0.01, 0.95) {
                prop_assert!(rate_upper_bound(most, trials, 0.95) <= 0.01);
                prop_assert!(rate_upper_bound(most + 1, trials, 0.95) > 0.01);
            }
        }
    }
}
