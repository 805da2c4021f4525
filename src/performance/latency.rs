//! Latency quantiles in bounded memory.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Buckets to an octave: a quantile is at most 2^(1/16) − 1 ≈ 4.4 % off.
const PER_OCTAVE: f64 = 16.0;
/// Longest latency told apart from longer ones: about 4.8 hours.
const LARGEST_BUCKET: u16 = 16 * 34;
/// When this much weight has gathered, all of it is halved: recent requests count most.
const HALVING_WEIGHT: f64 = 8192.0;

/// A histogram of microseconds with logarithmic buckets. Old weight fades by halves.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LatencyHistogram {
    buckets: BTreeMap<u16, f64>,
    weight: f64,
}

/// Latencies that half, 95 % and 99 % of recent requests did not exceed, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Quantiles {
    /// Median.
    pub p50_ms: f64,
    /// 95th percentile.
    pub p95_ms: f64,
    /// 99th percentile.
    pub p99_ms: f64,
}

impl LatencyHistogram {
    /// Counts one latency.
    pub fn record(&mut self, micros: u64) {
        *self.buckets.entry(bucket_of(micros)).or_default() += 1.0;
        self.weight += 1.0;
        if self.weight >= HALVING_WEIGHT {
            self.weight = 0.0;
            self.buckets.retain(|_, w| {
                *w /= 2.0;
                // What has faded below this can no longer move a 99th percentile.
                *w >= 0.01
            });
            self.weight = self.buckets.values().sum();
        }
    }

    /// The quantiles; `None` while nothing was counted.
    #[must_use]
    pub fn quantiles(&self) -> Option<Quantiles> {
        Some(Quantiles {
            p50_ms: self.quantile(0.50)?,
            p95_ms: self.quantile(0.95)?,
            p99_ms: self.quantile(0.99)?,
        })
    }

    fn quantile(&self, share: f64) -> Option<f64> {
        let mut left = self.weight * share;
        let mut last = None;
        for (&bucket, &weight) in &self.buckets {
            last = Some(bucket);
            left -= weight;
            if left <= 0.0 {
                break;
            }
        }
        last.map(|bucket| middle_of(bucket) / 1000.0)
    }
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a logarithm of microseconds is small and not negative"
)]
fn bucket_of(micros: u64) -> u16 {
    let octaves = (micros.max(1) as f64).log2();
    ((octaves * PER_OCTAVE).round() as u64).min(u64::from(LARGEST_BUCKET)) as u16
}

fn middle_of(bucket: u16) -> f64 {
    (f64::from(bucket) / PER_OCTAVE).exp2()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_counted_has_no_quantiles() {
        assert_eq!(LatencyHistogram::default().quantiles(), None);
    }

    #[test]
    fn recent_latencies_outweigh_old_ones() {
        let mut histogram = LatencyHistogram::default();
        (0..20_000).for_each(|_| histogram.record(1_000_000));
        (0..20_000).for_each(|_| histogram.record(1_000));
        let median = histogram.quantiles().unwrap().p50_ms;
        assert!((0.9..1.1).contains(&median), "{median}");
    }

    proptest! {
        #[test]
        fn quantiles_are_near_the_true_ones_and_in_order(mut micros in prop::collection::vec(1u64..100_000_000, 1..400)) {
            let mut histogram = LatencyHistogram::default();
            micros.iter().for_each(|&m| histogram.record(m));
            micros.sort_unstable();
            let q = histogram.quantiles().unwrap();
            let rank = (micros.len() as f64 * 0.5).ceil() as usize - 1;
            let truth = micros[rank] as f64 / 1000.0;
            prop_assert!((q.p50_ms / truth - 1.0).abs() < 0.06, "{} for {truth}", q.p50_ms);
            prop_assert!(q.p50_ms <= q.p95_ms && q.p95_ms <= q.p99_ms);
        }
    }
}
