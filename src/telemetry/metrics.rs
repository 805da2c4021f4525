//! One method for each thing that happens; nobody else touches a metric.

mod series;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use prometheus::{
    CounterVec, GaugeVec, HistogramVec, IntCounterVec, IntGaugeVec, Registry, TextEncoder,
};

use self::series::{
    DURATION_BUCKETS, OVERHEAD_BUCKETS, SHARE_BUCKETS, UPSTREAM_BUCKETS, counter, family, gauge,
    histogram, observe, register_process, touch,
};
use super::families as f;
use crate::domain::{
    Arm, Completion, ComplexityTier, DecisionRecord, Ended, ModelError, ModelProfile, Route,
    Strategy, Tier,
};

/// The label of whatever is not known.
const OTHER: &str = "other";
/// What a call of a model can come to, besides the codes of [`ModelError`].
const OK: &str = "ok";
const CANCELLED: &str = "cancelled";
/// Codes of [`ModelError`]; a test compares them.
const ERROR_CODES: &[&str] = &[
    "unreachable",
    "timeout",
    "rate_limited",
    "unauthorized",
    "status",
    "malformed",
    "too_large",
    "cut",
    "empty",
    "over_budget",
    "busy",
    "suspended",
    "unsupported",
];
/// What a lookup in the lake came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LakeLookup {
    /// An answer was recalled.
    Hit,
    /// Nothing that fits is remembered.
    Miss,
    /// Recall would have been unsound, or was not wanted.
    Skipped,
}

impl LakeLookup {
    const ALL: [Self; 3] = [Self::Hit, Self::Miss, Self::Skipped];

    const fn name(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Miss => "miss",
            Self::Skipped => "skipped",
        }
    }
}

/// What an audit came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditResult {
    /// ASI gave the same answer.
    Agreed,
    /// ASI gave another one.
    Disagreed,
    /// ASI gave none, or none that could be compared.
    Unanswered,
    /// There was no room, or no money, for it.
    Dropped,
}

impl AuditResult {
    const ALL: [Self; 4] = [Self::Agreed, Self::Disagreed, Self::Unanswered, Self::Dropped];

    const fn name(self) -> &'static str {
        match self {
            Self::Agreed => "agreed",
            Self::Disagreed => "disagreed",
            Self::Unanswered => "unanswered",
            Self::Dropped => "dropped",
        }
    }
}

/// All metrics of one service. Cheap to clone; clones share their numbers.
#[derive(Debug, Clone)]
pub struct Metrics(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    registry: Registry,
    known: ArcSwap<Known>,
    requests: IntCounterVec,
    request_duration: HistogramVec,
    overhead: HistogramVec,
    tier_requests: IntCounterVec,
    tier_duration: HistogramVec,
    confidence: HistogramVec,
    accuracy: Interval,
    tier_accuracy: Interval,
    outcomes: IntCounterVec,
    complexity_accuracy: GaugeVec,
    baseline_accuracy: GaugeVec,
    static_mix_accuracy: GaugeVec,
    slow_share: GaugeVec,
    audits: IntCounterVec,
    arm_share: GaugeVec,
    complexity: IntCounterVec,
    upstream_requests: IntCounterVec,
    upstream_duration: HistogramVec,
    upstream_retries: IntCounterVec,
    upstream_tokens: IntCounterVec,
    upstream_cost: CounterVec,
    lake_lookups: IntCounterVec,
    lake_entries: IntGaugeVec,
    lake_evictions: IntCounterVec,
    lake_curated: IntGaugeVec,
    lake_bytes: IntGaugeVec,
    flux_ticks: IntCounterVec,
    flux_intersections: IntGaugeVec,
    flux_disputed: IntGaugeVec,
    flux_merged: IntCounterVec,
    flux_rewarded: IntCounterVec,
    flux_coherence: GaugeVec,
    ledger_appends: IntCounterVec,
    ledger_dropped: IntCounterVec,
    embedding: HistogramVec,
    ledger_commit: HistogramVec,
    http_requests: IntCounterVec,
    http_duration: HistogramVec,
    ready: IntGaugeVec,
}

/// What the lake holds, and what the Flux loop has found in it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LakeState {
    /// Answers.
    pub entries: usize,
    /// Those that an operator put in.
    pub curated: usize,
    /// Bytes of memory that they take, about.
    pub bytes: usize,
    /// Near-duplicates that agree, merged ones included.
    pub agreeing: usize,
    /// Pairs of near-duplicates that contradict each other.
    pub contradicting: usize,
    /// Answers out of use by a doubt.
    pub disputed: usize,
}

/// A share that was measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeasuredShare {
    /// The share, 0 to 1.
    pub value: f64,
    /// Lower end of its 95 % interval.
    pub lower: f64,
    /// Upper end of its 95 % interval.
    pub upper: f64,
    /// Outcomes that it rests on.
    pub outcomes: u64,
}

/// The gauges of a measured share.
#[derive(Debug)]
struct Interval {
    value: GaugeVec,
    lower: GaugeVec,
    upper: GaugeVec,
    outcomes: GaugeVec,
}

/// The configured names that may be labels.
#[derive(Debug, Clone, Default)]
struct Known {
    models: BTreeSet<(Arc<str>, Arc<str>)>,
    routes: BTreeSet<Box<str>>,
}

impl Metrics {
    /// The media type of what [`Self::render`] gives.
    pub const CONTENT_TYPE: &'static str = "text/plain; version=0.0.4; charset=utf-8";

    /// All metrics, with their own registry: counters over known labels start at 0, gauges are
    /// absent.
    #[must_use]
    pub fn new() -> Self {
        let registry = Registry::new();
        let r = &registry;
        let inner = Inner {
            known: ArcSwap::default(),
            requests: counter(r, &f::REQUESTS),
            request_duration: histogram(r, &f::REQUEST_DURATION, DURATION_BUCKETS),
            overhead: histogram(r, &f::OVERHEAD, OVERHEAD_BUCKETS),
            tier_requests: counter(r, &f::TIER_REQUESTS),
            tier_duration: histogram(r, &f::TIER_DURATION, DURATION_BUCKETS),
            confidence: histogram(r, &f::CONFIDENCE, SHARE_BUCKETS),
            accuracy: Interval {
                value: gauge(r, &f::ACCURACY),
                lower: gauge(r, &f::ACCURACY_LOWER),
                upper: gauge(r, &f::ACCURACY_UPPER),
                outcomes: gauge(r, &f::ACCURACY_OUTCOMES),
            },
            tier_accuracy: Interval {
                value: gauge(r, &f::TIER_ACCURACY),
                lower: gauge(r, &f::TIER_ACCURACY_LOWER),
                upper: gauge(r, &f::TIER_ACCURACY_UPPER),
                outcomes: gauge(r, &f::TIER_ACCURACY_OUTCOMES),
            },
            outcomes: counter(r, &f::OUTCOMES),
            complexity_accuracy: gauge(r, &f::COMPLEXITY_ACCURACY),
            baseline_accuracy: gauge(r, &f::BASELINE_ACCURACY),
            static_mix_accuracy: gauge(r, &f::STATIC_MIX_ACCURACY),
            slow_share: gauge(r, &f::SLOW_SHARE),
            audits: counter(r, &f::AUDITS),
            arm_share: gauge(r, &f::ARM_SHARE),
            complexity: counter(r, &f::COMPLEXITY),
            upstream_requests: counter(r, &f::UPSTREAM_REQUESTS),
            upstream_duration: histogram(r, &f::UPSTREAM_DURATION, UPSTREAM_BUCKETS),
            upstream_retries: counter(r, &f::UPSTREAM_RETRIES),
            upstream_tokens: counter(r, &f::UPSTREAM_TOKENS),
            upstream_cost: family(r, &f::UPSTREAM_COST, CounterVec::new),
            lake_lookups: counter(r, &f::LAKE_LOOKUPS),
            lake_entries: family(r, &f::LAKE_ENTRIES, IntGaugeVec::new),
            lake_evictions: counter(r, &f::LAKE_EVICTIONS),
            lake_curated: family(r, &f::LAKE_CURATED, IntGaugeVec::new),
            lake_bytes: family(r, &f::LAKE_BYTES, IntGaugeVec::new),
            flux_ticks: counter(r, &f::FLUX_TICKS),
            flux_intersections: family(r, &f::FLUX_INTERSECTIONS, IntGaugeVec::new),
            flux_disputed: family(r, &f::FLUX_DISPUTED, IntGaugeVec::new),
            flux_merged: counter(r, &f::FLUX_MERGED),
            flux_rewarded: counter(r, &f::FLUX_REWARDED),
            flux_coherence: gauge(r, &f::FLUX_COHERENCE),
            ledger_appends: counter(r, &f::LEDGER_APPENDS),
            ledger_dropped: counter(r, &f::LEDGER_DROPPED),
            embedding: histogram(r, &f::EMBEDDING, OVERHEAD_BUCKETS),
            ledger_commit: histogram(r, &f::LEDGER_COMMIT, OVERHEAD_BUCKETS),
            http_requests: counter(r, &f::HTTP_REQUESTS),
            http_duration: histogram(r, &f::HTTP_DURATION, DURATION_BUCKETS),
            ready: family(r, &f::READY, IntGaugeVec::new),
            registry,
        };
        let metrics = Self(Arc::new(inner));
        metrics.start_counters();
        metrics
    }

    /// Lets the model's and its provider's names be labels, and starts their counters.
    pub fn know_model(&self, profile: &ModelProfile) {
        self.0.known.rcu(|known| {
            let mut known = Known::clone(known);
            known.models.insert((Arc::clone(&profile.provider), Arc::clone(&profile.name)));
            known
        });
        let (provider, model) = (&*profile.provider, &*profile.name);
        for result in ERROR_CODES.iter().chain([&OK, &CANCELLED]) {
            touch(&self.0.upstream_requests, &[provider, model, result]);
        }
        for kind in ["prompt", "completion"] {
            touch(&self.0.upstream_tokens, &[provider, model, kind]);
        }
        touch(&self.0.upstream_duration, &[provider, model]);
        touch(&self.0.upstream_retries, &[provider]);
        if profile.price_per_million.is_some() {
            touch(&self.0.upstream_cost, &[provider, model]);
        }
    }

    /// Lets a route template, such as `/api/v1/unified/process`, be a label.
    pub fn know_route(&self, route: &str) {
        self.0.known.rcu(|known| {
            let mut known = Known::clone(known);
            known.routes.insert(route.into());
            known
        });
        touch(&self.0.http_duration, &[route]);
    }

    /// A request ended; `overhead` is the part of its time that was not spent upstream.
    pub fn finished(&self, record: &DecisionRecord, overhead: Duration) {
        let strategy = record.strategy.name();
        let labels = [strategy, record.route.name(), ended(record.ended)];
        self.0.requests.with_label_values(&labels).inc();
        if record.ended == Ended::Cancelled {
            return;
        }
        let duration = Duration::from_micros(record.duration_us);
        observe(&self.0.request_duration, &[strategy], duration);
        observe(&self.0.overhead, &[strategy], overhead);
        self.0.complexity.with_label_values(&[record.complexity_tier.name()]).inc();
        if record.ended == Ended::Answered {
            self.0.confidence.with_label_values(&[strategy]).observe(record.confidence);
        }
        for (tier, asked) in [(Tier::Flux, record.flux), (Tier::Asi, record.asi)] {
            let Some((micros, end)) = asked else { continue };
            self.0.tier_requests.with_label_values(&[tier.name(), ended(end)]).inc();
            observe(&self.0.tier_duration, &[tier.name()], Duration::from_micros(micros));
        }
    }

    /// The measured accuracy of a strategy with its 95 % interval.
    pub fn accuracy(&self, strategy: Strategy, measured: MeasuredShare) {
        self.0.accuracy.set(strategy.name(), measured);
    }

    /// The measured accuracy of a tier with its 95 % interval.
    pub fn tier_accuracy(&self, tier: Tier, measured: MeasuredShare) {
        self.0.tier_accuracy.set(tier.name(), measured);
    }

    /// The measured accuracy of the answers of a complexity.
    pub fn complexity_accuracy(&self, complexity: ComplexityTier, share: f64) {
        self.0.complexity_accuracy.with_label_values(&[complexity.name()]).set(share);
    }

    /// What a tier alone would score.
    pub fn baseline_accuracy(&self, tier: Tier, share: f64) {
        let baseline = match tier {
            Tier::Flux => "always_fast",
            Tier::Asi => "always_slow",
        };
        self.0.baseline_accuracy.with_label_values(&[baseline]).set(share);
    }

    /// How often a strategy asks ASI, and what a coin that does so would score.
    pub fn slow_share(&self, strategy: Strategy, share: f64, static_mix: Option<f64>) {
        self.0.slow_share.with_label_values(&[strategy.name()]).set(share);
        if let Some(mix) = static_mix {
            self.0.static_mix_accuracy.with_label_values(&[strategy.name()]).set(mix);
        }
    }

    /// An audit ended, or was left out.
    pub fn audited(&self, result: AuditResult) {
        self.0.audits.with_label_values(&[result.name()]).inc();
    }

    /// The chance of one of Adaptive's arms.
    pub fn arm_share(&self, arm: Arm, share: f64) {
        self.0.arm_share.with_label_values(&[arm.name()]).set(share);
    }

    /// An outcome became known: 1 is right, 0 is wrong, between is partly.
    pub fn outcome(&self, strategy: Strategy, score: f64) {
        let verdict = if score >= 1.0 {
            "right"
        } else if score <= 0.0 {
            "wrong"
        } else {
            "partial"
        };
        self.0.outcomes.with_label_values(&[strategy.name(), verdict]).inc();
    }

    /// A call of a model ended; `took` includes its retry.
    pub fn upstream(
        &self,
        profile: &ModelProfile,
        result: Result<&Completion, &ModelError>,
        took: Duration,
    ) {
        let (provider, model) = self.model_labels(profile);
        let code = match result {
            Ok(_) => OK,
            Err(error) => error.code(),
        };
        self.0.upstream_requests.with_label_values(&[provider, model, code]).inc();
        observe(&self.0.upstream_duration, &[provider, model], took);
        let Ok(completion) = result else { return };
        let usage = &completion.usage;
        for (kind, tokens) in
            [("prompt", usage.prompt_tokens), ("completion", usage.completion_tokens)]
        {
            self.0.upstream_tokens.with_label_values(&[provider, model, kind]).inc_by(tokens);
        }
        if let Some(cost) = usage.cost_usd.filter(|cost| cost.is_finite() && *cost >= 0.0) {
            self.0.upstream_cost.with_label_values(&[provider, model]).inc_by(cost);
        }
    }

    /// Nobody waited for the end of a call.
    pub fn upstream_cancelled(&self, profile: &ModelProfile) {
        let (provider, model) = self.model_labels(profile);
        self.0.upstream_requests.with_label_values(&[provider, model, CANCELLED]).inc();
    }

    /// A call is tried a second time.
    pub fn upstream_retry(&self, profile: &ModelProfile) {
        let (provider, _) = self.model_labels(profile);
        self.0.upstream_retries.with_label_values(&[provider]).inc();
    }

    /// The lake was asked.
    pub fn lake_lookup(&self, lookup: LakeLookup) {
        self.0.lake_lookups.with_label_values(&[lookup.name()]).inc();
    }

    /// What the lake holds, and what the Flux loop has found in it.
    pub fn lake(&self, state: LakeState) {
        let LakeState { entries, curated, bytes, agreeing, contradicting, disputed } = state;
        for (gauge, labels, value) in [
            (&self.0.lake_entries, &[][..], entries),
            (&self.0.lake_curated, &[], curated),
            (&self.0.lake_bytes, &[], bytes),
            (&self.0.flux_intersections, &["agreeing"], agreeing),
            (&self.0.flux_intersections, &["contradicting"], contradicting),
            (&self.0.flux_disputed, &[], disputed),
        ] {
            gauge.with_label_values(labels).set(i64::try_from(value).unwrap_or(i64::MAX));
        }
    }

    /// So many answers left the lake.
    pub fn lake_evicted(&self, entries: u64) {
        self.0.lake_evictions.with_label_values::<&str>(&[]).inc_by(entries);
    }

    /// The Flux loop ticked, merged so many near-duplicates, and applied so many outcomes.
    pub fn flux_tick(&self, merged: u64, rewarded: u64) {
        self.0.flux_ticks.with_label_values::<&str>(&[]).inc();
        self.0.flux_merged.with_label_values::<&str>(&[]).inc_by(merged);
        self.0.flux_rewarded.with_label_values::<&str>(&[]).inc_by(rewarded);
    }

    /// The measured share of the lake's intersections that agree.
    pub fn flux_coherence(&self, share: f64) {
        self.0.flux_coherence.with_label_values::<&str>(&[]).set(share);
    }

    /// Counts the time that the sentence model took for one question.
    pub fn embedded(&self, took: Duration) {
        observe(&self.0.embedding, &[], took);
    }

    /// So many events became durable in one commit.
    pub fn ledger_committed(&self, events: u64, took: Duration) {
        self.0.ledger_appends.with_label_values(&["written"]).inc_by(events);
        observe(&self.0.ledger_commit, &[], took);
    }

    /// So many events could not be written.
    pub fn ledger_failed(&self, events: u64) {
        self.0.ledger_appends.with_label_values(&["failed"]).inc_by(events);
    }

    /// So many events were lost because the queue was full.
    pub fn ledger_dropped(&self, events: u64) {
        self.0.ledger_dropped.with_label_values::<&str>(&[]).inc_by(events);
    }

    /// An HTTP request was answered. `route` is the template that matched, if one did.
    pub fn http(&self, method: &str, route: Option<&str>, status: u16, took: Duration) {
        const METHODS: &[&str] = &["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
        let method = METHODS.iter().find(|known| **known == method).copied().unwrap_or(OTHER);
        let known = self.0.known.load();
        let route = route.filter(|route| known.routes.contains(*route)).unwrap_or(OTHER);
        let code = status.to_string();
        let status = if (100..600).contains(&status) { code.as_str() } else { OTHER };
        self.0.http_requests.with_label_values(&[method, route, status]).inc();
        observe(&self.0.http_duration, &[route], took);
    }

    /// Whether the service takes requests.
    pub fn ready(&self, ready: bool) {
        self.0.ready.with_label_values::<&str>(&[]).set(i64::from(ready));
    }

    /// All metrics in Prometheus' text format 0.0.4, to be sent as [`Self::CONTENT_TYPE`].
    #[must_use]
    pub fn render(&self) -> String {
        TextEncoder::new().encode_to_string(&self.0.registry.gather()).unwrap_or_else(|error| {
            tracing::error!(%error, "the metrics cannot be rendered");
            String::new()
        })
    }

    /// Series that exist from the start, so that the first event is seen as an increase.
    fn start_counters(&self) {
        let m = &self.0;
        for strategy in Strategy::ALL {
            let strategy = strategy.name();
            for route in [Route::Flux, Route::FluxThenAsi, Route::Asi, Route::Both] {
                for end in [Ended::Answered, Ended::Abstained, Ended::Failed, Ended::Cancelled] {
                    touch(&m.requests, &[strategy, route.name(), ended(end)]);
                }
            }
            for verdict in ["right", "wrong", "partial"] {
                touch(&m.outcomes, &[strategy, verdict]);
            }
            for histogram in [&m.request_duration, &m.overhead, &m.confidence] {
                touch(histogram, &[strategy]);
            }
        }
        for tier in Tier::ALL {
            for end in [Ended::Answered, Ended::Abstained, Ended::Failed] {
                touch(&m.tier_requests, &[tier.name(), ended(end)]);
            }
            touch(&m.tier_duration, &[tier.name()]);
        }
        for tier in [ComplexityTier::Simple, ComplexityTier::Moderate, ComplexityTier::Complex] {
            touch(&m.complexity, &[tier.name()]);
        }
        for lookup in LakeLookup::ALL {
            touch(&m.lake_lookups, &[lookup.name()]);
        }
        for result in AuditResult::ALL {
            touch(&m.audits, &[result.name()]);
        }
        for result in ["written", "failed"] {
            touch(&m.ledger_appends, &[result]);
        }
        for counter in
            [&m.lake_evictions, &m.flux_ticks, &m.flux_merged, &m.flux_rewarded, &m.ledger_dropped]
        {
            touch(counter, &[]);
        }
        touch(&m.ledger_commit, &[]);
        let build: IntGaugeVec = family(&m.registry, &f::BUILD_INFO, IntGaugeVec::new);
        build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        self.ready(false);
        register_process(&m.registry);
    }

    fn model_labels<'a>(&self, profile: &'a ModelProfile) -> (&'a str, &'a str) {
        let names = (Arc::clone(&profile.provider), Arc::clone(&profile.name));
        if self.0.known.load().models.contains(&names) {
            (&profile.provider, &profile.name)
        } else {
            (OTHER, OTHER)
        }
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Interval {
    fn set(&self, label: &str, measured: MeasuredShare) {
        let MeasuredShare { value, lower, upper, outcomes } = measured;
        #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
        let outcomes = outcomes as f64;
        for (gauge, value) in [
            (&self.value, value),
            (&self.lower, lower),
            (&self.upper, upper),
            (&self.outcomes, outcomes),
        ] {
            gauge.with_label_values(&[label]).set(value);
        }
    }
}

const fn ended(ended: Ended) -> &'static str {
    match ended {
        Ended::Answered => "answered",
        Ended::Abstained => "abstained",
        Ended::Failed => "failed",
        Ended::Cancelled => "cancelled",
    }
}

#[cfg(test)]
mod tests;
