//! How many retries a provider is spared: each request earns a fifth of one, and ten a second are
//! always there (the shape of Finagle's `RetryBudget`). When everything fails, retries add a fifth to
//! the load and not as much again.

use std::time::Duration;

use tokio::time::Instant;

/// Retries that each request earns.
const SHARE: f64 = 0.2;
/// Retries that each second brings, whatever the load.
const PER_SECOND: f64 = 10.0;
/// Most earned retries that are saved up.
const MOST_EARNED: f64 = 100.0;
/// Time whose retries are saved up.
const RESERVE: Duration = Duration::from_secs(1);

/// The budget of one provider.
#[derive(Debug)]
pub(super) struct RetryBudget {
    earned: f64,
    reserve: f64,
    at: Instant,
}

impl RetryBudget {
    pub(super) fn new(now: Instant) -> Self {
        // A retry is there from the start; a second's worth has to come first.
        Self { earned: 0.0, reserve: 1.0, at: now }
    }

    pub(super) fn requested(&mut self) {
        self.earned = (self.earned + SHARE).min(MOST_EARNED);
    }

    /// Takes one retry, if there is one.
    pub(super) fn withdraw(&mut self, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.at);
        self.at = now;
        let most = PER_SECOND * RESERVE.as_secs_f64();
        self.reserve = (self.reserve + PER_SECOND * passed.as_secs_f64()).min(most);
        let purse = if self.earned >= 1.0 { &mut self.earned } else { &mut self.reserve };
        let enough = *purse >= 1.0;
        if enough {
            *purse -= 1.0;
        }
        enough
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_lone_failure_is_tried_again() {
        let now = Instant::now();
        let mut budget = RetryBudget::new(now);
        budget.requested();
        assert!(budget.withdraw(now));
    }

    proptest! {
        #[test]
        fn retries_stay_within_a_fifth_of_the_requests_and_ten_a_second(
            gaps in prop::collection::vec(0u64..2000, 1..400),
        ) {
            let start = Instant::now();
            let mut now = start;
            let mut budget = RetryBudget::new(now);
            let (mut requests, mut retries) = (0.0, 0.0);
            for gap in gaps {
                now += Duration::from_millis(gap);
                requests += 1.0;
                budget.requested();
                while budget.withdraw(now) {
                    retries += 1.0;
                }
            }
            let seconds = (now - start).as_secs_f64();
            prop_assert!(retries <= 0.2 * requests + 10.0 * seconds + 1.0 + 1e-9);
        }
    }
}
