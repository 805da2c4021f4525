//! How metrics are made and registered.

use std::time::Duration;

use prometheus::{
    GaugeVec, HistogramOpts, HistogramVec, IntCounterVec, Opts, Registry,
    core::{Collector, MetricVec, MetricVecBuilder},
};

use crate::telemetry::families::Family;

/// Seconds, from what the runtime tier takes to what a slow provider takes.
pub(super) const DURATION_BUCKETS: &[f64] = &[
    0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
    1.0, 2.5, 5.0, 10.0, 30.0, 60.0,
];
/// Seconds; the service's own work is finer than that.
pub(super) const OVERHEAD_BUCKETS: &[f64] = &[
    0.000_01, 0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025,
    0.05, 0.1, 0.25, 1.0,
];
/// Seconds; no provider is quicker than a few milliseconds.
pub(super) const UPSTREAM_BUCKETS: &[f64] =
    &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0];
/// Probabilities.
pub(super) const SHARE_BUCKETS: &[f64] = &[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0];

pub(super) fn observe(histogram: &HistogramVec, labels: &[&str], duration: Duration) {
    histogram.with_label_values(labels).observe(duration.as_secs_f64());
}

/// Makes a series exist.
pub(super) fn touch<B: MetricVecBuilder>(family: &MetricVec<B>, labels: &[&str]) {
    let _series = family.with_label_values(labels);
}

pub(super) fn counter(registry: &Registry, named: &Family) -> IntCounterVec {
    family(registry, named, IntCounterVec::new)
}

pub(super) fn gauge(registry: &Registry, named: &Family) -> GaugeVec {
    family(registry, named, GaugeVec::new)
}

pub(super) fn histogram(registry: &Registry, named: &Family, buckets: &[f64]) -> HistogramVec {
    family(registry, named, |opts: Opts, labels| {
        HistogramVec::new(HistogramOpts::from(opts).buckets(buckets.to_vec()), labels)
    })
}

#[expect(clippy::expect_used, reason = "the table of families is constant, and tests build it")]
pub(super) fn family<C: Collector + Clone + 'static>(
    registry: &Registry,
    named: &Family,
    new: impl FnOnce(Opts, &[&str]) -> prometheus::Result<C>,
) -> C {
    let collector =
        new(Opts::new(named.name, named.help), named.labels).expect("a name of the table is valid");
    registry.register(Box::new(collector.clone())).expect("a metric is named once");
    collector
}

#[cfg(target_os = "linux")]
pub(super) fn register_process(registry: &Registry) {
    let process = prometheus::process_collector::ProcessCollector::for_self();
    if let Err(error) = registry.register(Box::new(process)) {
        tracing::warn!(%error, "the process metrics are missing");
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) fn register_process(_registry: &Registry) {}
