//! The names of all metrics, with their labels and what they mean. Dashboards and alerts are tested
//! against this table.

/// The type of a metric, as Prometheus knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts by size: `_bucket`, `_sum` and `_count`.
    Histogram,
}

/// One metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Family {
    /// The full name.
    pub name: &'static str,
    /// The type.
    pub kind: Kind,
    /// The labels, in order.
    pub labels: &'static [&'static str],
    /// What it means.
    pub help: &'static str,
}

macro_rules! families {
    ($($id:ident = $kind:ident $name:literal [$($label:literal),*] $help:literal;)+) => {
        $(pub(super) const $id: Family = Family {
            name: concat!("meta_orchestrator_", $name),
            kind: Kind::$kind,
            labels: &[$($label),*],
            help: $help,
        };)+

        /// Every metric of this service; those named `process_*` come from the operating system.
        pub const FAMILIES: &[Family] = &[$($id),+];
    };
}

families! {
    REQUESTS = Counter "requests_total" ["strategy", "route", "ended"]
        "Requests by how they ended: answered, abstained or failed.";
    REQUEST_DURATION = Histogram "request_duration_seconds" ["strategy"]
        "Time from receipt to response.";
    OVERHEAD = Histogram "overhead_seconds" ["strategy"]
        "Time from receipt to response that was not spent in upstream calls.";
    TIER_REQUESTS = Counter "tier_requests_total" ["tier", "ended"]
        "Requests that a tier was asked, by how that ended: answered, abstained or failed.";
    TIER_DURATION = Histogram "tier_duration_seconds" ["tier"]
        "Time that a tier took, with or without an answer.";
    CONFIDENCE = Histogram "confidence" ["strategy"]
        "Signal of the answers returned, 0 to 1; abstentions and failures have none.";
    ACCURACY = Gauge "accuracy_ratio" ["strategy"]
        "Share of judged answers that were right; absent until one was judged.";
    ACCURACY_LOWER = Gauge "accuracy_lower_ratio" ["strategy"]
        "Lower end of the accuracy's 95 % interval.";
    ACCURACY_UPPER = Gauge "accuracy_upper_ratio" ["strategy"]
        "Upper end of the accuracy's 95 % interval.";
    ACCURACY_OUTCOMES = Gauge "accuracy_outcomes" ["strategy"]
        "Judged answers that the accuracy rests on, all that the ledger knows of.";
    TIER_ACCURACY = Gauge "tier_accuracy_ratio" ["tier"]
        "Share of a tier's judged answers that were right; absent until one was judged.";
    TIER_ACCURACY_LOWER = Gauge "tier_accuracy_lower_ratio" ["tier"]
        "Lower end of the tier accuracy's 95 % interval.";
    TIER_ACCURACY_UPPER = Gauge "tier_accuracy_upper_ratio" ["tier"]
        "Upper end of the tier accuracy's 95 % interval.";
    TIER_ACCURACY_OUTCOMES = Gauge "tier_accuracy_outcomes" ["tier"]
        "Judged answers that the tier's accuracy rests on, all that the ledger knows of.";
    OUTCOMES = Counter "outcomes_total" ["strategy", "verdict"]
        "Outcomes that became known: right, wrong or partial.";
    COMPLEXITY_ACCURACY = Gauge "complexity_accuracy_ratio" ["complexity"]
        "Share of answers of a complexity that were right; absent until one was judged.";
    BASELINE_ACCURACY = Gauge "baseline_accuracy_ratio" ["baseline"]
        "What always_fast or always_slow would score on the same traffic; absent while a complexity that occurs was never judged there.";
    STATIC_MIX_ACCURACY = Gauge "static_mix_accuracy_ratio" ["strategy"]
        "What a coin would score that asks ASI as often as the strategy does; absent without both baselines.";
    SLOW_SHARE = Gauge "slow_share_ratio" ["strategy"]
        "Share of a strategy's answers for which ASI was asked.";
    AUDITS = Counter "audits_total" ["result"]
        "Answers of Flux that were also asked of ASI: agreed, disagreed, unanswered, or dropped for want of room or money.";
    ARM_SHARE = Gauge "adaptive_share_ratio" ["arm"]
        "Chance with which Adaptive would choose an arm, over all classes of complexity alike.";
    COMPLEXITY = Counter "complexity_total" ["tier"]
        "Requests by complexity: simple, moderate or complex.";
    UPSTREAM_REQUESTS = Counter "upstream_requests_total" ["provider", "model", "result"]
        "Calls of models by result: ok, cancelled, or the code of the failure.";
    UPSTREAM_DURATION = Histogram "upstream_duration_seconds" ["provider", "model"]
        "Time of a call, its retry included.";
    UPSTREAM_RETRIES = Counter "upstream_retries_total" ["provider"]
        "Calls that were tried a second time.";
    UPSTREAM_TOKENS = Counter "upstream_tokens_total" ["provider", "model", "kind"]
        "Tokens as providers count them: prompt or completion.";
    UPSTREAM_COST = Counter "upstream_cost_usd_total" ["provider", "model"]
        "Cost by the configured prices, in US dollars; absent where no price is configured.";
    LAKE_LOOKUPS = Counter "lake_lookups_total" ["result"]
        "Lookups in the Confidence Lake: hit, miss, or skipped where recall would be unsound.";
    LAKE_ENTRIES = Gauge "lake_entries" []
        "Answers in the Confidence Lake.";
    LAKE_EVICTIONS = Counter "lake_evictions_total" []
        "Answers that left the Confidence Lake: stale, or outranked when it was full.";
    LAKE_CURATED = Gauge "lake_curated_entries" []
        "Answers in the Confidence Lake that an operator put in.";
    LAKE_BYTES = Gauge "lake_bytes" []
        "Memory that the answers in the Confidence Lake take, about.";
    FLUX_TICKS = Counter "flux_ticks_total" []
        "Ticks of the Flux background loop.";
    FLUX_INTERSECTIONS = Gauge "flux_intersections" ["kind"]
        "Near-duplicates in the lake: agreeing, merged ones included, or contradicting.";
    FLUX_DISPUTED = Gauge "flux_disputed_entries" []
        "Answers out of use by a doubt that no outcome has settled.";
    FLUX_MERGED = Counter "flux_merged_total" []
        "Near-duplicates merged by the Flux background loop.";
    FLUX_REWARDED = Counter "flux_rewards_total" []
        "Outcomes that moved the ladder of the lake.";
    FLUX_COHERENCE = Gauge "flux_coherence_ratio" []
        "Share of the lake's intersections that agree; absent until there is one.";
    EMBEDDING = Histogram "embedding_seconds" []
        "Time that the sentence model took for one question, the waiting left out; absent without one.";
    LEDGER_APPENDS = Counter "ledger_appends_total" ["result"]
        "Events appended to the ledger: written or failed.";
    LEDGER_DROPPED = Counter "ledger_dropped_total" []
        "Events that the ledger lost because its queue was full.";
    LEDGER_COMMIT = Histogram "ledger_commit_seconds" []
        "Time of one durable commit, of however many events.";
    HTTP_REQUESTS = Counter "http_requests_total" ["method", "route", "status"]
        "HTTP requests by route template, never by path.";
    HTTP_DURATION = Histogram "http_request_duration_seconds" ["route"]
        "Time from a request's head to its response.";
    BUILD_INFO = Gauge "build_info" ["version"]
        "Always 1; the label says which version runs.";
    READY = Gauge "ready" []
        "1 while the service takes requests, 0 while it starts or drains.";
}

/// The full names of all metrics.
pub fn names() -> impl Iterator<Item = &'static str> {
    FAMILIES.iter().map(|family| family.name)
}

/// The metric that a series of this name belongs to: the name itself or, of a histogram, the name
/// with `_bucket`, `_sum` or `_count`.
#[must_use]
pub fn family_of(series: &str) -> Option<&'static Family> {
    FAMILIES.iter().find(|family| match family.kind {
        Kind::Counter | Kind::Gauge => family.name == series,
        Kind::Histogram => series
            .strip_prefix(family.name)
            .is_some_and(|rest| matches!(rest, "_bucket" | "_sum" | "_count")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_the_conventions() {
        for family in FAMILIES {
            assert_eq!(
                family.kind == Kind::Counter,
                family.name.ends_with("_total"),
                "{}: counters, and only they, end in _total",
                family.name
            );
            assert!(family.help.ends_with('.'), "{}", family.name);
        }
        let mut all: Vec<_> = names().collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), FAMILIES.len(), "a metric is named once");
    }

    #[test]
    fn a_series_leads_to_its_metric() {
        let found = |series| family_of(series).map(|family| family.name);
        assert_eq!(found("meta_orchestrator_ready"), Some("meta_orchestrator_ready"));
        assert_eq!(
            found("meta_orchestrator_overhead_seconds_bucket"),
            Some("meta_orchestrator_overhead_seconds")
        );
        assert_eq!(found("meta_orchestrator_overhead_seconds"), None);
        assert_eq!(found("meta_orchestrator_unheard_of"), None);
    }
}
