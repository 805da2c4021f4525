use std::collections::BTreeSet;

use insta::assert_snapshot;

use super::*;
use crate::{
    domain::{FinishReason, ResponseId, Signal, TenantId, Usage},
    telemetry::{FAMILIES, family_of, names},
};

fn profile(provider: &str, name: &str) -> ModelProfile {
    ModelProfile {
        name: name.into(),
        provider: provider.into(),
        prior: Signal::ONE,
        weight: 1.0,
        price_per_million: Some((1.0, 2.0)),
        max_answer_tokens: None,
        passthrough: false,
    }
}

fn completion() -> Completion {
    Completion {
        content: "42".to_owned(),
        model: "m-1".to_owned(),
        finish: FinishReason::Stop,
        usage: Usage { prompt_tokens: 3, completion_tokens: 4, cost_usd: Some(0.5) },
        upstream: Duration::from_millis(7),
        tool_calls: Vec::new(),
        request_id: None,
    }
}

fn record() -> DecisionRecord {
    DecisionRecord {
        id: ResponseId::generate(),
        tenant: TenantId::default(),
        at_ms: 0,
        policy_version: 1,
        strategy: Strategy::Hybrid,
        route: Route::FluxThenAsi,
        mode: None,
        arm: None,
        probability: 1.0,
        complexity: 0.4,
        complexity_tier: ComplexityTier::Moderate,
        escalation: 0.4,
        ended: Ended::Answered,
        tier: Some(Tier::Asi),
        source: None,
        confidence: 0.85,
        recalled_from: None,
        recalled_likeness: None,
        duration_us: 1_500,
        flux: Some((40, Ended::Abstained)),
        draft: None,
        asi: Some((1_400, Ended::Answered)),
        votes: Vec::new(),
        cost_usd: None,
        cost_unknown: false,
        error: None,
    }
}

/// The value of a series, written as the text format writes it.
fn value(metrics: &Metrics, series: &str) -> Option<f64> {
    let text = metrics.render();
    let line = text.lines().find(|line| {
        line.strip_prefix("meta_orchestrator_")
            .and_then(|line| line.strip_prefix(series))
            .is_some_and(|rest| rest.starts_with(' '))
    })?;
    line.rsplit_once(' ').map(|(_, value)| value.parse().unwrap())
}

fn rendered_families(metrics: &Metrics) -> BTreeSet<String> {
    metrics
        .render()
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next().map(str::to_owned))
        .filter(|name| !name.starts_with("process_"))
        .collect()
}

fn everything_once() -> Metrics {
    let metrics = Metrics::new();
    metrics.know_model(&profile("p", "m"));
    metrics.know_route("/livez");
    metrics.finished(&record(), Duration::from_micros(90));
    let measured = MeasuredShare { value: 0.9, lower: 0.8, upper: 0.95, outcomes: 40 };
    metrics.accuracy(Strategy::Hybrid, measured);
    metrics.tier_accuracy(Tier::Asi, measured);
    metrics.outcome(Strategy::Hybrid, 0.5);
    metrics.complexity_accuracy(ComplexityTier::Moderate, 0.9);
    metrics.baseline_accuracy(Tier::Asi, 0.9);
    metrics.slow_share(Strategy::Hybrid, 0.3, Some(0.8));
    metrics.audited(AuditResult::Agreed);
    metrics.arm_share(Arm::Hybrid, 0.5);
    metrics.upstream(&profile("p", "m"), Ok(&completion()), Duration::from_millis(7));
    metrics.upstream_retry(&profile("p", "m"));
    metrics.upstream_cancelled(&profile("p", "m"));
    metrics.lake_lookup(LakeLookup::Hit);
    metrics.lake(super::LakeState { entries: 3, ..super::LakeState::default() });
    metrics.lake_evicted(2);
    metrics.flux_tick(0, 0);
    metrics.flux_coherence(0.5);
    metrics.embedded(Duration::from_millis(9));
    metrics.ledger_committed(4, Duration::from_micros(300));
    metrics.ledger_failed(1);
    metrics.ledger_dropped(1);
    metrics.http("GET", Some("/livez"), 200, Duration::from_micros(80));
    metrics.ready(true);
    metrics
}

#[test]
fn the_metrics_are_these() {
    let table: Vec<String> = FAMILIES
        .iter()
        .map(|f| format!("{:?} {}{:?} {}", f.kind, f.name, f.labels, f.help))
        .collect();
    assert_snapshot!(table.join("\n"));
}

#[test]
fn every_metric_of_the_table_can_be_seen_and_no_other() {
    let expected: BTreeSet<String> = names().map(str::to_owned).collect();
    assert_eq!(rendered_families(&everything_once()), expected);
}

#[test]
fn what_nobody_measured_is_absent() {
    let absent: Vec<&str> =
        names().filter(|name| !rendered_families(&Metrics::new()).contains(*name)).collect();
    assert_snapshot!(absent.join("\n"));
}

#[test]
fn counters_over_known_labels_start_at_zero() {
    let metrics = Metrics::new();
    metrics.know_model(&profile("p", "m"));
    for series in [
        r#"requests_total{ended="failed",route="both",strategy="adaptive"}"#,
        r#"outcomes_total{strategy="ai_first",verdict="right"}"#,
        r#"upstream_requests_total{model="m",provider="p",result="timeout"}"#,
        r#"upstream_cost_usd_total{model="m",provider="p"}"#,
        r#"request_duration_seconds_count{strategy="hybrid"}"#,
        "flux_ticks_total",
    ] {
        assert_eq!(value(&metrics, series), Some(0.0), "{series}");
    }
}

#[test]
fn a_finished_request_is_counted_where_it_belongs() {
    let metrics = everything_once();
    for (series, expected) in [
        (r#"requests_total{ended="answered",route="flux_then_asi",strategy="hybrid"}"#, 1.0),
        (r#"request_duration_seconds_sum{strategy="hybrid"}"#, 0.0015),
        (r#"overhead_seconds_bucket{strategy="hybrid",le="0.0001"}"#, 1.0),
        (r#"overhead_seconds_bucket{strategy="hybrid",le="0.00005"}"#, 0.0),
        (r#"tier_requests_total{ended="abstained",tier="flux"}"#, 1.0),
        (r#"tier_requests_total{ended="answered",tier="asi"}"#, 1.0),
        (r#"confidence_sum{strategy="hybrid"}"#, 0.85),
        (r#"complexity_total{tier="moderate"}"#, 1.0),
        (r#"outcomes_total{strategy="hybrid",verdict="partial"}"#, 1.0),
        (r#"upstream_tokens_total{kind="completion",model="m",provider="p"}"#, 4.0),
        (r#"upstream_cost_usd_total{model="m",provider="p"}"#, 0.5),
    ] {
        assert_eq!(value(&metrics, series), Some(expected), "{series}");
    }
}

#[test]
fn an_abstention_has_no_confidence() {
    let metrics = Metrics::new();
    metrics.finished(
        &DecisionRecord { ended: Ended::Abstained, ..record() },
        Duration::from_micros(90),
    );
    assert_eq!(value(&metrics, r#"confidence_count{strategy="hybrid"}"#), Some(0.0));
}

#[test]
fn names_that_nobody_configured_are_no_labels() {
    let metrics = everything_once();
    let series = metrics.render().lines().count();
    for i in 0..100 {
        let stranger = profile(&format!("p{i}"), &format!("m{i}"));
        metrics.upstream(&stranger, Err(&ModelError::Timeout), Duration::ZERO);
        metrics.upstream_cancelled(&stranger);
        metrics.upstream_retry(&stranger);
        metrics.http(&format!("M{i}"), Some(&format!("/.git/{i}")), 1000 + i, Duration::ZERO);
        metrics.http("GET", None, 404, Duration::ZERO);
    }
    assert_eq!(
        value(&metrics, r#"http_requests_total{method="other",route="other",status="other"}"#),
        Some(100.0)
    );
    assert_eq!(value(&metrics, r#"upstream_retries_total{provider="other"}"#), Some(100.0));
    // Two histograms with 15 and 19 buckets, each with +Inf, sum and count, and a few counters.
    assert!(metrics.render().lines().count() - series < 50, "labels are bounded");
}

#[test]
fn every_failure_of_a_model_has_a_series_from_the_start() {
    let all = [
        ModelError::Unreachable,
        ModelError::Timeout,
        ModelError::RateLimited { retry_after: None },
        ModelError::Unauthorized,
        ModelError::Status { status: 500 },
        ModelError::Malformed,
        ModelError::TooLarge,
        ModelError::Cut,
        ModelError::Empty,
        ModelError::OverBudget,
        ModelError::Busy { retry_after: Duration::ZERO },
        ModelError::Suspended { retry_after: Duration::ZERO },
        ModelError::Unsupported { what: "" },
    ];
    let codes: Vec<&str> = all.iter().map(ModelError::code).collect();
    assert_eq!(codes, ERROR_CODES);
}

#[test]
fn every_series_leads_to_its_metric() {
    for line in everything_once().render().lines().filter(|line| !line.starts_with('#')) {
        let name = line.split(['{', ' ']).next().unwrap();
        assert!(name.starts_with("process_") || family_of(name).is_some(), "{name}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn the_process_is_measured_too() {
    assert!(Metrics::new().render().contains("\nprocess_resident_memory_bytes "));
}
