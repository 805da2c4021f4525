//! The running figures of one strategy or one tier.

use serde::{Deserialize, Serialize};

use super::{Interval, LatencyHistogram, Quantiles, wilson};
use crate::domain::Ended;

/// Weight of the newest observation in the moving averages.
const ALPHA: f64 = 0.1;

/// Counts and moving averages. Mergeable with nothing: it has one owner, the fold.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Tally {
    requests: u64,
    failures: u64,
    abstentions: u64,
    #[serde(default)]
    cancelled: u64,
    ema_latency_ms: Option<f64>,
    ema_success: Option<f64>,
    latency: LatencyHistogram,
    outcomes: u64,
    score_sum: f64,
}

/// What is shown of a tally. A figure that nobody measured is absent.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Summary {
    /// Requests counted.
    pub requests: u64,
    /// Those that ended in an error.
    pub failures: u64,
    /// Those that ended in an abstention.
    pub abstentions: u64,
    /// Those that nobody waited for; they count in no other figure.
    pub cancelled: u64,
    /// Exponential moving average of the latency in milliseconds, α = 0.1.
    pub ema_latency_ms: Option<f64>,
    /// Exponential moving average of success, α = 0.1: an answer counts 1, anything else 0, and
    /// an outcome counts its score.
    pub ema_success_rate: Option<f64>,
    /// Latency quantiles of recent requests.
    pub latency: Option<Quantiles>,
    /// Share of right answers.
    pub accuracy: Option<Accuracy>,
    /// Of a strategy: the share of its answers for which ASI was asked.
    pub slow_share: Option<f64>,
}

/// A measured accuracy with what it rests on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Accuracy {
    /// Mean score of the outcomes, 0 to 1.
    pub value: f64,
    /// 95 % Wilson interval.
    pub ci95: Interval,
    /// Number of judged answers.
    pub n: u64,
    /// Those of them that only an audit judged.
    pub audits: u64,
}

impl Tally {
    /// Counts a request that ended.
    pub fn ended(&mut self, ended: Ended, micros: u64) {
        self.requests += 1;
        if ended == Ended::Cancelled {
            self.cancelled += 1;
            return;
        }
        self.failures += u64::from(ended == Ended::Failed);
        self.abstentions += u64::from(ended == Ended::Abstained);
        self.latency.record(micros);
        #[expect(clippy::cast_precision_loss, reason = "latencies are far below 2^52 µs")]
        average(&mut self.ema_latency_ms, micros as f64 / 1000.0);
        average(&mut self.ema_success, f64::from(u8::from(ended == Ended::Answered)));
    }

    /// Counts an outcome, or replaces the score that an earlier one gave.
    pub fn judged(&mut self, score: f64, previous: Option<f64>) {
        match previous {
            // The moving average has had its turn: changing one's mind again and again must not
            // move it further than saying so once.
            Some(earlier) => self.score_sum += score - earlier,
            None => {
                self.outcomes += 1;
                self.score_sum += score;
                average(&mut self.ema_success, score);
            }
        }
    }

    /// The figures for show.
    #[must_use]
    pub fn summary(&self) -> Summary {
        Summary {
            requests: self.requests,
            failures: self.failures,
            abstentions: self.abstentions,
            cancelled: self.cancelled,
            ema_latency_ms: self.ema_latency_ms,
            ema_success_rate: self.ema_success,
            latency: self.latency.quantiles(),
            accuracy: self.accuracy(),
            slow_share: None,
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    fn accuracy(&self) -> Option<Accuracy> {
        let ci95 = wilson(self.score_sum, self.outcomes)?;
        let value = (self.score_sum / self.outcomes as f64).clamp(0.0, 1.0);
        Some(Accuracy { value, ci95, n: self.outcomes, audits: 0 })
    }
}

fn average(ema: &mut Option<f64>, observed: f64) {
    *ema = Some(ema.map_or(observed, |old| old + ALPHA * (observed - old)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_measured_is_absent() {
        assert_eq!(Tally::default().summary(), Summary::default());
    }

    #[test]
    fn a_revised_outcome_counts_once() {
        let mut tally = Tally::default();
        tally.judged(1.0, None);
        tally.judged(0.0, Some(1.0));
        let accuracy = tally.summary().accuracy.unwrap();
        assert_eq!((accuracy.value, accuracy.n), (0.0, 1));
    }

    #[test]
    fn the_moving_average_starts_at_the_first_observation_and_follows_by_a_tenth() {
        let mut tally = Tally::default();
        tally.ended(Ended::Answered, 100_000);
        tally.ended(Ended::Failed, 200_000);
        let summary = tally.summary();
        let (success, latency) =
            (summary.ema_success_rate.unwrap(), summary.ema_latency_ms.unwrap());
        assert!((latency - 110.0).abs() < 1e-9);
        assert!((success - 0.9).abs() < 1e-9);
    }

    #[test]
    fn an_abstention_is_not_a_failure() {
        let mut tally = Tally::default();
        tally.ended(Ended::Abstained, 10);
        let summary = tally.summary();
        assert_eq!((summary.failures, summary.abstentions), (0, 1));
    }
}
