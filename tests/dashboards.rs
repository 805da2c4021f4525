//! Dashboards and alerts ask only for metrics that exist, and every panel can be read by somebody
//! who did not build it. `scripts/check-dashboards` runs the same queries against a real Prometheus.

use std::{collections::BTreeSet, fs, path::PathBuf};

use meta_orchestrator::telemetry;
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

/// What PromQL itself means by these; all else that stands alone is a metric.
const KEYWORDS: &[&str] = &["and", "or", "unless", "bool", "offset", "inf", "nan", "atan2"];
const LABEL_LISTS: &[&str] = &["by", "without", "on", "ignoring", "group_left", "group_right"];

/// The metric names of a PromQL expression.
fn metrics(expression: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut rest = expression.trim_start();
    let mut label_list = false;
    while let Some(first) = rest.chars().next() {
        let is_name = |c: char| c == '_' || c == ':' || c.is_ascii_alphanumeric();
        if first == '"' {
            rest = after(rest.get(1..).unwrap_or_default(), '"');
        } else if first == '{' {
            rest = after(rest, '}');
        } else if first == '[' {
            rest = after(rest, ']');
        } else if first == '(' && label_list {
            rest = after(rest, ')');
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
                found.insert(name.to_owned());
            }
        } else {
            rest = rest.get(first.len_utf8()..).unwrap_or_default();
        }
        rest = rest.trim_start();
    }
    found
}

/// What follows the next `end`; quoted text on the way does not count.
fn after(text: &str, end: char) -> &str {
    let mut quoted = false;
    for (i, c) in text.char_indices() {
        if c == end && !quoted {
            return text.get(i + c.len_utf8()..).unwrap_or_default();
        }
        if c == '"' {
            quoted = !quoted;
        }
    }
    ""
}

/// The names of an expression that nobody exports: neither of these families (with a histogram's
/// suffixes) nor recorded.
fn unknown(expression: &str, families: &[&str], recorded: &BTreeSet<String>) -> Vec<String> {
    let known = |name: &str| {
        let base = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
        families.contains(&name)
            || FOREIGN.contains(&name)
            || recorded.contains(name)
            || base.is_some_and(|base| families.contains(&base))
    };
    metrics(expression).into_iter().filter(|name| !known(name)).collect()
}

/// Everything that a reader of this dashboard would trip over.
fn problems(dashboard: &Value, families: &[&str]) -> Vec<String> {
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
            if expression.is_empty() || metrics(&expression).is_empty() {
                problem("a query without a metric");
            }
            for name in unknown(&expression, families, &BTreeSet::new()) {
                problem(&format!("nobody exports `{name}`"));
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
        let problems = problems(&dashboard, telemetry::NAMES);
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
        assert!(!metrics(&expression).is_empty(), "no metric in `{expression}`");
        let unknown = unknown(&expression, telemetry::NAMES, &recorded);
        assert!(unknown.is_empty(), "nobody exports {unknown:?}, asked for in `{expression}`");
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
        assert_eq!(metrics(expression).into_iter().collect::<Vec<_>>(), names, "{expression}");
    }
}

#[test]
fn an_unknown_metric_is_found_and_a_histograms_parts_are_not() {
    let families = ["x_seconds", "y_total"];
    assert_eq!(
        unknown("x_seconds_bucket / x_seconds_count + y_total", &families, &BTreeSet::new()),
        [""; 0]
    );
    assert_eq!(unknown("y_totall", &families, &BTreeSet::new()), ["y_totall"]);
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
        problems(&dashboard, &["there_total"]),
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
