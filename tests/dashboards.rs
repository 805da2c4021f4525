//! Dashboards and alerts ask only for metrics that exist, and every panel can be read by somebody
//! who did not build it. `scripts/check-dashboards` runs the same queries against a real Prometheus.

use std::{collections::BTreeSet, fs, path::PathBuf};

use meta_orchestrator::telemetry::{FAMILIES, Family, Kind};
use serde_json::Value;

/// Metrics that are not the service's own: Prometheus's, and those of the process collector.
const FOREIGN: &[&str] = &[
    "up",
    "process_cpu_seconds_total",
    "process_max_fds",
    "process_open_fds",
    "process_resident_memory_bytes",
    "process_start_time_seconds",
    "process_threads",
    "process_virtual_memory_bytes",
];

/// Labels that Prometheus adds, and the one that a histogram's buckets have.
const ADDED_LABELS: &[&str] = &["job", "instance", "le"];

/// What PromQL itself means by these; all else that stands alone is a metric.
const KEYWORDS: &[&str] = &["and", "or", "unless", "bool", "offset", "Inf", "NaN", "atan2"];
const LABEL_LISTS: &[&str] = &["by", "without", "on", "ignoring", "group_left", "group_right"];

/// What a PromQL expression asks for.
#[derive(Debug, Default)]
struct Query {
    /// Each metric with the labels that it is selected by.
    metrics: Vec<(String, Vec<String>)>,
    /// The labels that results are grouped and matched by.
    grouped: Vec<String>,
}

fn read(expression: &str) -> Query {
    let mut query = Query::default();
    let mut rest = expression.trim_start();
    let mut label_list = false;
    while let Some(first) = rest.chars().next() {
        let is_name = |c: char| c == '_' || c == ':' || c.is_ascii_alphanumeric();
        if first == '"' {
            rest = split(rest.get(1..).unwrap_or_default(), '"').1;
        } else if first == '{' {
            let (selector, tail) = split(rest, '}');
            if let Some((_, labels)) = query.metrics.last_mut() {
                *labels = selected(selector);
            }
            rest = tail;
        } else if first == '[' {
            rest = split(rest, ']').1;
        } else if first == '(' && label_list {
            let (labels, tail) = split(rest, ')');
            let labels = labels.trim_start_matches('(').split(',').map(str::trim);
            query.grouped.extend(labels.filter(|label| !label.is_empty()).map(str::to_owned));
            rest = tail;
            label_list = false;
        } else if first.is_ascii_digit() {
            // A number or a duration, `14.4`, `1e3`, `5m`.
            rest = rest.trim_start_matches(|c: char| is_name(c) || c == '.');
        } else if is_name(first) {
            let end = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
            let (name, tail) = rest.split_at(end);
            rest = tail.trim_start();
            label_list = LABEL_LISTS.contains(&name);
            // `sum (…)`, and `sum by (…) (…)`.
            let next = rest.split(|c| !is_name(c)).next().unwrap_or_default();
            let is_function = rest.starts_with('(') || matches!(next, "by" | "without");
            if !label_list && !is_function && !KEYWORDS.contains(&name) {
                query.metrics.push((name.to_owned(), Vec::new()));
            }
        } else {
            rest = rest.get(first.len_utf8()..).unwrap_or_default();
        }
        rest = rest.trim_start();
    }
    query
}

/// The labels of a selector, `{a="x", b=~"y,z"`.
fn selected(selector: &str) -> Vec<String> {
    let mut labels = Vec::new();
    let mut rest = selector.trim_start_matches('{');
    while let Some((label, value)) = rest.split_once(['=', '!']) {
        labels.push(label.trim_matches([',', ' ', '\n']).to_owned());
        let value = value.split_once('"').map_or("", |(_, value)| value);
        rest = split(value, '"').1;
    }
    labels
}

/// What stands before the next `end`, and what after; quoted text does not end anything.
fn split(text: &str, end: char) -> (&str, &str) {
    let mut quoted = false;
    for (i, c) in text.char_indices() {
        if c == end && !quoted {
            let (before, after) = text.split_at(i);
            return (before, after.strip_prefix(end).unwrap_or_default());
        }
        if c == '"' {
            quoted = !quoted;
        }
    }
    (text, "")
}

/// What an expression asks for and nobody exports: metrics that are neither families, nor recorded,
/// nor foreign, and labels that none of its metrics has.
fn unknown(expression: &str, families: &[Family], recorded: &BTreeSet<String>) -> Vec<String> {
    let query = read(expression);
    let mut found = Vec::new();
    let mut labels: BTreeSet<&str> = ADDED_LABELS.iter().copied().collect();
    let mut exact = true;
    for (name, selected) in &query.metrics {
        let Some(family) = families.iter().find(|family| has_series(family, name)) else {
            if recorded.contains(name) || FOREIGN.contains(&name.as_str()) {
                exact = false;
            } else {
                found.push(format!("`{name}`"));
            }
            continue;
        };
        labels.extend(family.labels);
        for label in selected {
            if !ADDED_LABELS.contains(&label.as_str()) && !family.labels.contains(&label.as_str()) {
                found.push(format!("`{name}` by `{label}`"));
            }
        }
    }
    if exact && found.is_empty() {
        let strangers = query.grouped.iter().filter(|label| !labels.contains(label.as_str()));
        found.extend(strangers.map(|label| format!("the label `{label}`")));
    }
    found
}

fn has_series(family: &Family, series: &str) -> bool {
    match family.kind {
        Kind::Counter | Kind::Gauge => family.name == series,
        Kind::Histogram => series
            .strip_prefix(family.name)
            .is_some_and(|rest| matches!(rest, "_bucket" | "_sum" | "_count")),
    }
}

/// Everything that a reader of this dashboard would trip over.
fn problems(dashboard: &Value, families: &[Family]) -> Vec<String> {
    let mut found = Vec::new();
    let text = |value: &Value, pointer: &str| {
        value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    for field in ["/uid", "/title", "/description"] {
        if text(dashboard, field).is_empty() {
            found.push(format!("the dashboard has no {field}"));
        }
    }
    let variables = dashboard.pointer("/templating/list").and_then(Value::as_array);
    if !variables
        .into_iter()
        .flatten()
        .any(|v| text(v, "/type") == "datasource" && text(v, "/name") == "datasource")
    {
        found.push("no variable `datasource` to choose the data source by".to_owned());
    }
    let panels: Vec<&Value> = dashboard
        .pointer("/panels")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .flat_map(|panel| {
            let inner = panel.pointer("/panels").and_then(Value::as_array);
            std::iter::once(panel).chain(inner.into_iter().flatten())
        })
        .collect();
    let mut ids = BTreeSet::new();
    let mut titles = BTreeSet::new();
    for panel in panels {
        let title = text(panel, "/title");
        let mut problem = |what: &str| found.push(format!("panel `{title}`: {what}"));
        if title.is_empty() || !titles.insert(title.clone()) {
            problem("the title is missing or taken");
        }
        if !ids.insert(panel.pointer("/id").and_then(Value::as_u64)) {
            problem("the id is taken");
        }
        if text(panel, "/type") == "row" {
            continue;
        }
        if text(panel, "/description").is_empty() {
            problem("no description");
        }
        if text(panel, "/fieldConfig/defaults/unit").is_empty() {
            problem("no unit");
        }
        let targets = panel.pointer("/targets").and_then(Value::as_array);
        if targets.is_none_or(Vec::is_empty) {
            problem("no query");
        }
        for owner in std::iter::once(panel).chain(targets.into_iter().flatten()) {
            if text(owner, "/datasource/uid") != "${datasource}" {
                problem("the data source is not the variable");
            }
        }
        for target in targets.into_iter().flatten() {
            let expression = text(target, "/expr");
            if expression.matches('[').count() != expression.matches("[$__rate_interval]").count() {
                problem("a range other than $__rate_interval, which misses scrapes or smears them");
            }
            if expression.is_empty() || read(&expression).metrics.is_empty() {
                problem("a query without a metric");
            }
            for name in unknown(&expression, families, &BTreeSet::new()) {
                problem(&format!("nobody exports {name}"));
            }
        }
    }
    found
}

/// The `expr:` and `record:` values of a rules file, blocks included.
fn rule_values(rules: &str, key: &str) -> Vec<String> {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let lines: Vec<&str> = rules.lines().collect();
    let mut values = Vec::new();
    for (i, line) in lines.iter().enumerate() {
        let entry = line.trim_start().trim_start_matches("- ");
        let Some(value) = entry.strip_prefix(key).and_then(|rest| rest.strip_prefix(':')) else {
            continue;
        };
        let block =
            lines.iter().skip(i + 1).take_while(|next| indent(next) > line.len() - entry.len());
        let value = value.trim().trim_end_matches(['|', '>', '-']);
        values.push(std::iter::once(value).chain(block.copied()).collect::<Vec<_>>().join("\n"));
    }
    values
}

fn file(path: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn every_dashboard_can_be_read_and_asks_for_what_exists() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("grafana/dashboards");
    let mut seen = 0;
    for entry in fs::read_dir(folder).expect("a folder of dashboards") {
        let path = entry.expect("a readable folder").path();
        let text = fs::read_to_string(&path).expect("a readable dashboard");
        let dashboard: Value = serde_json::from_str(&text).expect("a dashboard is JSON");
        let problems = problems(&dashboard, FAMILIES);
        assert!(problems.is_empty(), "{}:\n{}", path.display(), problems.join("\n"));
        seen += 1;
    }
    assert!(seen > 0, "no dashboard found");
}

#[test]
fn every_rule_asks_for_what_exists() {
    let rules = file("prometheus/alerts.yml");
    let recorded: BTreeSet<String> =
        rule_values(&rules, "record").iter().map(|name| name.trim().to_owned()).collect();
    let expressions = rule_values(&rules, "expr");
    assert!(expressions.len() > recorded.len() && !recorded.is_empty());
    for expression in expressions {
        assert!(!read(&expression).metrics.is_empty(), "no metric in `{expression}`");
        let unknown = unknown(&expression, FAMILIES, &recorded);
        let unknown = unknown.join(", ");
        assert!(unknown.is_empty(), "nobody exports {unknown}, asked for in `{expression}`");
    }
}

#[test]
fn every_alert_says_what_to_do() {
    let rules = file("prometheus/alerts.yml");
    let alerts = rule_values(&rules, "alert").len();
    for key in ["summary", "description", "labels"] {
        assert_eq!(rule_values(&rules, key).len(), alerts, "alerts without {key}");
    }
}

#[test]
fn metrics_are_found_among_all_that_is_none() {
    for (expression, names) in [
        (
            "sum by (le, strategy) (rate(a_bucket{x=\"y}[\", z=~\".+\"}[5m])) / 14.4",
            vec!["a_bucket"],
        ),
        ("a:b:rate5m > 14.4 * 0.001 and on (job) c offset 5m", vec!["a:b:rate5m", "c"]),
        ("(sum(rate(a[1m])) or vector(0)) / sum without (x) (b)", vec!["a", "b"]),
        ("a * on (job, instance) group_left (version) b", vec!["a", "b"]),
        ("label_replace(a, \"b\", \"$1\", \"c\", \"(.*)\")", vec!["a"]),
        ("a and (b or c) unless d", vec!["a", "b", "c", "d"]),
        ("3600 * 1e3 + Inf", vec![]),
    ] {
        let found: Vec<String> =
            read(expression).metrics.into_iter().map(|(name, _)| name).collect();
        assert_eq!(found, names, "{expression}");
    }
}

/// A histogram by x and a counter by y.
const SAMPLE: &[Family] = &[
    Family { name: "x_seconds", kind: Kind::Histogram, labels: &["x"], help: "" },
    Family { name: "y_total", kind: Kind::Counter, labels: &["y"], help: "" },
];

#[test]
fn a_query_for_what_nobody_exports_is_found() {
    for (expression, problems) in [
        ("x_seconds_bucket / x_seconds_count + y_total", vec![]),
        ("sum by (x, le) (rate(x_seconds_bucket{x=~\"a=b,}\", job!=\"c\"}[5m]))", vec![]),
        ("y_totall", vec!["`y_totall`"]),
        ("x_seconds", vec!["`x_seconds`"]),
        ("y_total_bucket", vec!["`y_total_bucket`"]),
        ("y_total{y=\"1\", x!~\"2\"}", vec!["`y_total` by `x`"]),
        ("sum by (x) (y_total)", vec!["the label `x`"]),
    ] {
        assert_eq!(unknown(expression, SAMPLE, &BTreeSet::new()), problems, "{expression}");
    }
}

#[test]
fn a_sloppy_panel_is_told_everything_at_once() {
    let dashboard = serde_json::json!({
        "uid": "u", "title": "t", "description": "d",
        "templating": {"list": [{"name": "datasource", "type": "datasource"}]},
        "panels": [{
            "id": 1, "type": "stat", "title": "Sloppy", "datasource": {"uid": "prometheus"},
            "targets": [{"datasource": {"uid": "${datasource}"}, "expr": "rate(gone_total[5m])"}],
        }],
    });
    assert_eq!(
        problems(&dashboard, SAMPLE),
        [
            "panel `Sloppy`: no description",
            "panel `Sloppy`: no unit",
            "panel `Sloppy`: the data source is not the variable",
            "panel `Sloppy`: a range other than $__rate_interval, which misses scrapes or smears them",
            "panel `Sloppy`: nobody exports `gone_total`",
        ]
    );
}

#[test]
fn rules_are_read_inline_and_as_blocks() {
    let rules = "rules:\n  - record: a:b\n    expr: |\n      sum(a)\n        / b\n  - alert: C\n    expr: c > 0\n    for: 5m\n";
    assert_eq!(rule_values(rules, "record"), [" a:b".trim()]);
    let expressions: Vec<String> = rule_values(rules, "expr")
        .iter()
        .map(|value| value.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(expressions, ["sum(a) / b", "c > 0"]);
}
