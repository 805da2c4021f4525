use std::{collections::BTreeMap, io::Write, path::Path};

use insta::{assert_debug_snapshot, assert_snapshot};
use proptest::prelude::*;

use super::*;
use crate::domain::Strategy;

fn environment(variables: &[(&str, &str)]) -> BTreeMap<String, String> {
    variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
}

fn with_file(toml: &str, variables: &[(&str, &str)]) -> Result<Settings, SettingsError> {
    let mut file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
    file.write_all(toml.as_bytes()).unwrap();
    Settings::read(Some(file.path()), &environment(variables)).map_err(|mut error| {
        for problem in &mut error.problems {
            let path = file.path().display().to_string();
            problem.key = problem.key.replace(&path, "FILE");
            problem.problem = problem.problem.replace(&path, "FILE");
        }
        error
    })
}

fn keys(result: Result<Settings, SettingsError>) -> Vec<String> {
    result.unwrap_err().problems.into_iter().map(|p| p.key).collect()
}

#[test]
fn the_defaults_are_what_they_are_said_to_be() {
    assert_debug_snapshot!(Settings::default());
}

#[test]
fn the_default_policy_is_that_of_the_domain() {
    assert_eq!(Settings::default().policy(), Policy::default());
}

#[test]
fn every_documented_key_is_read() {
    // A key that no type reads would be documentation of nothing.
    let mut tree = sources::defaults();
    macro_rules! read_all {
        ($($name:literal: $type:ty),+ $(,)?) => {$(
            let value = tree.remove($name).unwrap();
            let mut unread = Vec::new();
            let _: $type = serde_ignored::deserialize(value, |key| unread.push(key.to_string())).unwrap();
            assert!(unread.is_empty(), "{}: {unread:?}", $name);
        )+};
    }
    read_all!(
        "server": ServerSettings, "data": DataSettings, "limits": LimitSettings,
        "policy": PolicySettings, "thresholds": Thresholds, "fusion": FusionSettings,
        "judgement": JudgementSettings,
        "runtime_first": RuntimeFirstSettings, "adaptive": AdaptiveRule,
        "quality_target": QualityTarget,
        "custom_weights": BTreeMap<String, f64>, "flux": FluxSettings, "lake": LakeSettings,
        "documents": DocumentSettings, "sessions": SessionSettings, "ledger": LedgerSettings,
        "audit": AuditSettings, "feedback": FeedbackSettings,
        "asi": AsiSettings, "log": LogSettings,
    );
    assert!(tree.is_empty(), "{tree:?}");
}

#[test]
fn the_documented_example_of_a_provider_is_right() {
    let example: String = DEFAULTS
        .lines()
        .skip_while(|line| !line.starts_with("# [[providers]]"))
        .map(|line| format!("{}\n", line.trim_start_matches('#').trim_start()))
        .collect();
    let settings = with_file(
        &example.replace("api_key_file", "# api_key_file"),
        &[("OPENAI_API_KEY", "sk-1")],
    )
    .unwrap();
    assert_debug_snapshot!(settings.providers);
}

#[test]
fn all_problems_are_reported_in_one_go() {
    let toml = r#"
        [server]
        listn = "127.0.0.1:1"
        max_connections = "many"
        max_in_flight = 0
        [limits]
        default_deadline_ms = 90000
        max_deadline_ms = 60000
        [policy]
        strategy = "hybird"
        [thresholds]
        keep_signal = 1.5
        keep_signals = 0.5
        [fusion]
        sacred_weight = 99
        [lake]
        ttl_hours = -1
        enabled = "maybe"
        [flux]
        drafter = "nobody"
        [documents]
        folders = ["./no-such-folder"]
        [log]
        filter = "info=what=ever"
        [sever]
        listen = "x"
        [[providers]]
        name = "one"
        kind = "cohere"
        base_url = "ftp://example.org"
        api_key = "sk-live-inline"
        [[providers.models]]
        model = "m"
        prior = 2
        colour = "red"
        [[providers]]
        name = "two"
        base_url = "https://user:hunter2@example.org/v1"
        api_key_env = "sk-live-misplaced"
        models = [{ model = "m", prior = "sk-live-typed" }, { model = "m", wieght = 1 }]
    "#;
    let error =
        with_file(toml, &[("META_ORCHESTRATOR__SERVER__MAX_BODY_BYTES", "lots")]).unwrap_err();
    let text = error.to_string();
    assert_snapshot!(text);
    assert!(!text.contains("sk-live") && !text.contains("hunter2"), "a secret was printed");
}

#[test]
fn the_environment_comes_after_the_file_and_the_file_after_the_defaults() {
    let toml = "[server]\nmax_in_flight = 7\nmax_connections = 8";
    let settings = with_file(toml, &[("META_ORCHESTRATOR__SERVER__MAX_CONNECTIONS", "9")]).unwrap();
    assert_eq!((settings.server.max_in_flight, settings.server.max_connections), (7, 9));
    assert_eq!(settings.server.max_body_bytes, 1 << 20);
}

#[test]
fn the_names_of_the_original_are_read() {
    let settings = with_file("[policy]\nstrategy = \"RuntimeFirst\"", &[]).unwrap();
    assert_eq!(settings.policy().strategy, Strategy::RuntimeFirst);
}

#[test]
fn a_broken_file_hides_no_problem_of_the_environment_and_shows_no_line_of_its_own() {
    let toml = "[[providers]]\napi_key = \"sk-live-unclosed\nname = 1";
    let error = with_file(toml, &[("META_ORCHESTRATOR__FLUX__RATE_HZ", "0")]).unwrap_err();
    assert!(!error.to_string().contains("sk-live"), "{error}");
    let keys: Vec<_> = error.problems.iter().map(|p| p.key.as_str()).collect();
    assert_eq!(keys, ["FILE", "flux.rate_hz"]);
    assert!(error.problems[0].problem.contains("line 2"), "{error}");
}

#[test]
fn a_missing_file_is_a_problem() {
    let missing = Path::new("no-such-file.toml");
    assert_eq!(keys(Settings::read(Some(missing), &environment(&[]))), ["no-such-file.toml"]);
}

#[test]
fn a_variable_that_names_no_key_is_a_problem() {
    assert_eq!(
        keys(Settings::read(None, &environment(&[("META_ORCHESTRATOR__SERVER__LISTN", "x")]))),
        ["server.listn"]
    );
    assert_eq!(
        keys(Settings::read(None, &environment(&[("META_ORCHESTRATOR__", "x")]))),
        ["META_ORCHESTRATOR__"]
    );
}

#[test]
fn a_section_that_is_a_value_is_a_problem() {
    assert_eq!(
        keys(Settings::read(None, &environment(&[("META_ORCHESTRATOR__SERVER", "5")]))),
        ["server"]
    );
    assert_eq!(keys(with_file("[providers]\nname = \"x\"", &[])), ["providers"]);
}

#[test]
fn providers_can_stand_in_the_environment() {
    let providers =
        r#"[{ name = "here", base_url = "http://127.0.0.1:1/v1", models = [{ model = "m" }] }]"#;
    let settings =
        Settings::read(None, &environment(&[("META_ORCHESTRATOR__PROVIDERS", providers)])).unwrap();
    assert_eq!(settings.providers[0].models[0].name, "m");
}

#[test]
fn no_model_takes_a_name_of_the_services_own() {
    let named = |name: &str| {
        let toml = format!(
            "[[providers]]\nname = \"p\"\nbase_url = \"http://127.0.0.1:1/v1\"\nmodels = [{{ model = \"{name}\" }}]"
        );
        with_file(&toml, &[])
    };
    for name in ["auto", "meta", "meta/hybrid", "meta/ai_first"] {
        assert_eq!(keys(named(name)), ["providers[0].models[0].name"], "{name}");
    }
    assert!(named("meta/llama-3.1-8b-instruct").is_ok());
}

#[test]
fn configured_providers_switch_those_of_the_environment_off() {
    let toml = "[[providers]]\nname = \"here\"\nbase_url = \"http://127.0.0.1:1/v1\"\nmodels = [{ model = \"m\" }]";
    let settings = with_file(toml, &[("OPENAI_API_KEY", "sk-1")]).unwrap();
    assert_eq!(settings.providers.len(), 1);
    assert_eq!(settings.providers[0].name, "here");
}

#[test]
fn a_key_can_stand_in_a_file() {
    let mut key = tempfile::NamedTempFile::new().unwrap();
    key.write_all(b"sk-1\n").unwrap();
    let toml = format!(
        "[[providers]]\nname = \"here\"\nbase_url = \"http://127.0.0.1:1/v1\"\napi_key_file = {:?}\nmodels = [{{ model = \"m\" }}]",
        key.path()
    );
    assert_eq!(with_file(&toml, &[]).unwrap().providers[0].api_key, Some(Secret::new("sk-1")));
}

#[test]
fn a_models_weight_counts_where_the_table_is_silent() {
    let toml = r#"
        custom_weights = { a = 3.0 }
        [[providers]]
        name = "here"
        base_url = "http://127.0.0.1:1/v1"
        models = [{ model = "a", weight = 2.0 }, { model = "b", weight = 2.0 }, { model = "c" }]
    "#;
    let weights = with_file(toml, &[]).unwrap().policy().custom_weights;
    assert_eq!(weights, BTreeMap::from([("a".to_owned(), 3.0), ("b".to_owned(), 2.0)]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_a_variable_holds_there_are_settings_or_problems_with_fixes(
        section in "(server|thresholds|custom_weights|providers|log|x)",
        key in "(listen|keep_signal|filter|[a-z_]{0,4})",
        value in r#"\PC{0,12}|[0-9.eE+-]{1,8}|\[\{ ?(name|api_key) ?= ?"?[a-z]{0,3}"? ?\}\]|\{a=[0-9-]{1,3}\}"#,
        below in any::<bool>(),
    ) {
        let name = if below { format!("{section}__{key}") } else { section };
        let name = format!("META_ORCHESTRATOR__{}", name.to_uppercase());
        if let Err(error) = Settings::read(None, &environment(&[(&name, &value)])) {
            prop_assert!(!error.problems.is_empty());
            for problem in &error.problems {
                prop_assert!(!problem.key.is_empty() && !problem.fix.is_empty(), "{problem:?}");
            }
        }
    }

    #[test]
    fn no_text_of_a_file_brings_it_down(toml in r#"\PC{0,40}|(\[{1,2}(server|providers)\]{1,2}\n([a-z_]{1,6} ?= ?["0-9a-z\[\]{}.]{1,6}\n){0,3}){1,3}"#) {
        if let Err(error) = with_file(&toml, &[]) {
            prop_assert!(!error.problems.is_empty());
        }
    }
}

#[test]
fn a_sentence_model_that_is_not_there_is_named() {
    let toml = "[lake]\nembedding = \"minilm\"\nembedding_folder = \"./no-such-folder\"";
    let error = with_file(toml, &[]).unwrap_err().to_string();
    let named = if cfg!(feature = "minilm") { "no-such-folder" } else { "--features minilm" };
    assert!(error.contains(named), "{error}");
    assert!(with_file("[lake]\nembedding = \"mini\"", &[]).is_err());
}
