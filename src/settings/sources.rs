//! The three sources laid over each other: compiled-in defaults, a file, the environment.

use std::{collections::BTreeMap, path::Path};

use config::{Config, ConfigError, File, FileFormat, Map, Source, Value, ValueKind};
use serde_json::{Map as JsonMap, Number as JsonNumber, Value as Json};

use super::{problem::Problems, read::did_you_mean};

/// The commented defaults, as shipped.
pub const DEFAULTS: &str = include_str!("../../config/default.toml");

/// What every variable of this service starts with, also where it is misspelt.
const STEM: &str = "META_ORCHESTRATOR_";
const PREFIX: &str = "META_ORCHESTRATOR__";
/// What the origin of a variable's value starts with.
const VARIABLE: &str = "the environment variable ";
/// Largest configuration file.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// Lays the sources over each other. A file that cannot be read is a problem, and what remains is
/// still looked at, so that all problems come to light together.
pub(super) fn merged(
    file: Option<&Path>,
    environment: &BTreeMap<String, String>,
    problems: &mut Problems,
) -> JsonMap<String, Json> {
    let mut builder = Config::builder().add_source(File::from_str(DEFAULTS, FileFormat::Toml));
    if let Some(path) = file
        && is_readable(path, problems)
    {
        builder = builder.add_source(File::from(path).format(FileFormat::Toml));
    }
    let tree = builder.add_source(Variables::read(environment, problems)).build();
    let tree = match tree {
        Ok(config) => config.cache,
        Err(error) => {
            // Each source was tried on its own before, so this cannot happen.
            problems.add("configuration", without_source_lines(&error), "mend the file");
            return JsonMap::new();
        }
    };
    let tree = to_json(tree, "", &mut problems.origins);
    for origin in problems.origins.values_mut().filter(|origin| !origin.starts_with(VARIABLE)) {
        // The library names the file by a path of its own making.
        *origin = file.unwrap_or_else(|| Path::new("file")).display().to_string();
    }
    match tree {
        Json::Object(sections) => sections,
        _ => JsonMap::new(),
    }
}

/// The defaults alone.
pub(super) fn defaults() -> JsonMap<String, Json> {
    merged(None, &BTreeMap::new(), &mut Problems::default())
}

fn is_readable(path: &Path, problems: &mut Problems) -> bool {
    let key = path.display().to_string();
    let fix = "name a TOML file that this user may read, or leave --config out";
    match std::fs::metadata(path) {
        Err(error) => {
            problems.add(&key, format_args!("the file cannot be read: {}", error.kind()), fix);
            return false;
        }
        Ok(data) if !data.is_file() || data.len() > MAX_FILE_BYTES => {
            problems.add(&key, "this is no file of at most 1 MiB", fix);
            return false;
        }
        Ok(_) => {}
    }
    let source = File::from(path).format(FileFormat::Toml);
    match Config::builder().add_source(source).build() {
        Ok(_) => true,
        Err(error) => {
            let problem = without_source_lines(&error);
            problems.add(&key, problem, "mend the TOML; nothing of this file was read");
            false
        }
    }
}

/// The parser quotes the line it stumbled over, which may hold a key that somebody pasted: keep its
/// place and its complaint, drop the quotation.
fn without_source_lines(error: &ConfigError) -> String {
    let text = match error {
        ConfigError::FileParse { cause, .. } => cause.to_string(),
        _ => return "the file is no UTF-8 text".to_owned(),
    };
    let kept: Vec<&str> =
        text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.contains('|')).collect();
    kept.join(": ")
}

/// Names of variables that were meant to set a key and divide its parts with one underscore, with the
/// one that does. Others with this beginning are somebody else's, such as those that Kubernetes sets
/// for a service of this name.
pub(super) fn misnamed(
    environment: &BTreeMap<String, String>,
    defaults: &JsonMap<String, Json>,
    problems: &mut Problems,
) {
    for name in environment.keys() {
        let Some(rest) = name.strip_prefix(STEM) else { continue };
        // With the parts divided as they should be, whatever is wrong is told by its section.
        let is_divided = name.strip_prefix(PREFIX).is_some_and(|rest| {
            rest.split_once("__").is_some_and(|(section, _)| {
                defaults.contains_key(&section.to_ascii_lowercase())
                    || section.eq_ignore_ascii_case("providers")
            })
        });
        if is_divided {
            continue;
        }
        let rest = rest.trim_start_matches('_').replace("__", "_").to_ascii_lowercase();
        let meant = defaults.iter().filter_map(|(section, keys)| {
            let key = rest.strip_prefix(section)?.strip_prefix('_')?;
            Some((section, key, keys.as_object()?))
        });
        let Some((section, key, keys)) = meant.max_by_key(|(section, ..)| section.len()) else {
            continue;
        };
        let right = |key: &str| {
            let (section, key) = (section.to_ascii_uppercase(), key.to_ascii_uppercase());
            format!("{PREFIX}{section}__{key}")
        };
        let fix = if keys.contains_key(key) || keys.is_empty() {
            format!("write {}", right(key))
        } else {
            let hint = did_you_mean(key, keys.keys().map(String::as_str));
            format!("write {}, where KEY is a key of [{section}]: {hint}", right("key"))
        };
        problems.add(name, "this sets nothing: two underscores divide section and key", fix);
    }
}

/// The environment's variables as a source.
#[derive(Debug, Clone)]
struct Variables(Map<String, Value>);

impl Variables {
    fn read(environment: &BTreeMap<String, String>, problems: &mut Problems) -> Self {
        let mut values = Map::new();
        for (name, text) in environment {
            let Some(rest) = name.strip_prefix(PREFIX) else { continue };
            let parts: Vec<&str> = rest.split("__").collect();
            let is_name = |part: &&str| {
                part.starts_with(|c: char| c.is_ascii_alphabetic())
                    && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            };
            if !parts.iter().all(is_name) {
                problems.add(
                    name,
                    "this names no key",
                    format!("write {PREFIX}SECTION__KEY, such as {PREFIX}SERVER__LISTEN"),
                );
                continue;
            }
            let origin = format!("{VARIABLE}{name}");
            values.insert(parts.join(".").to_ascii_lowercase(), literal(text, &origin));
        }
        Self(values)
    }
}

impl Source for Variables {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, ConfigError> {
        Ok(self.0.clone())
    }
}

/// A variable's text as the TOML value that it spells, else as a plain string.
fn literal(text: &str, origin: &String) -> Value {
    let parsed = File::from_str(&format!("v = {text}"), FileFormat::Toml).collect();
    let kind = match parsed {
        Ok(mut table) if table.len() == 1 => table.remove("v").map(|v| v.kind),
        _ => None,
    };
    let value = kind.unwrap_or_else(|| ValueKind::String(text.to_owned()));
    with_origin(value, origin)
}

fn with_origin(kind: ValueKind, origin: &String) -> Value {
    let kind = match kind {
        ValueKind::Table(table) => ValueKind::Table(
            table.into_iter().map(|(k, v)| (k, with_origin(v.kind, origin))).collect(),
        ),
        other => other,
    };
    Value::new(Some(origin), kind)
}

fn to_json(value: Value, path: &str, origins: &mut BTreeMap<String, String>) -> Json {
    let origin = value.origin().map(str::to_owned);
    let json = match value.kind {
        ValueKind::Table(table) => {
            return Json::Object(
                table
                    .into_iter()
                    .map(|(key, value)| {
                        let path =
                            if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                        let value = to_json(value, &path, origins);
                        (key, value)
                    })
                    .collect(),
            );
        }
        ValueKind::Array(items) => Json::Array(
            items
                .into_iter()
                .enumerate()
                .map(|(i, item)| to_json(item, &format!("{path}[{i}]"), origins))
                .collect(),
        ),
        ValueKind::Nil => Json::Null,
        ValueKind::Boolean(b) => Json::Bool(b),
        ValueKind::I64(n) => Json::from(n),
        ValueKind::U64(n) => Json::from(n),
        ValueKind::I128(n) => Json::String(n.to_string()),
        ValueKind::U128(n) => Json::String(n.to_string()),
        // TOML knows nan and inf; as text they fail where a number is wanted, and say what they are.
        ValueKind::Float(x) => {
            JsonNumber::from_f64(x).map_or_else(|| Json::String(x.to_string()), Json::Number)
        }
        ValueKind::String(text) => Json::String(text),
    };
    if let Some(origin) = origin {
        origins.insert(path.to_owned(), origin);
    }
    json
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Json {
        to_json(literal(text, &"here".to_owned()), "v", &mut BTreeMap::new())
    }

    #[test]
    fn a_variable_is_read_as_toml_else_as_text() {
        assert_eq!(value("8080"), Json::from(8080));
        assert_eq!(value("true"), Json::from(true));
        assert_eq!(value("\"8080\""), Json::from("8080"));
        assert_eq!(value("127.0.0.1:8080"), Json::from("127.0.0.1:8080"));
        assert_eq!(value("[\"a\", \"b\"]"), serde_json::json!(["a", "b"]));
        assert_eq!(value("1\nw = 2"), Json::from("1\nw = 2"));
        assert_eq!(value(""), Json::from(""));
    }

    #[test]
    fn the_data_variable_of_tests_is_no_setting() {
        let environment = BTreeMap::from([("META_ORCHESTRATOR_DATA".to_owned(), "/x".to_owned())]);
        let mut problems = Problems::default();
        assert_eq!(merged(None, &environment, &mut problems), defaults());
    }

    #[test]
    fn a_variable_with_one_underscore_is_told_the_right_name_and_a_strangers_is_left_alone() {
        let told = |name: &str| {
            let environment = BTreeMap::from([(name.to_owned(), "1".to_owned())]);
            let mut problems = Problems::default();
            misnamed(&environment, &defaults(), &mut problems);
            let ended = problems.finish(Some(()));
            ended.err().map(|error| error.problems[0].fix.clone())
        };
        for (name, right) in [
            ("META_ORCHESTRATOR_SERVER_LISTEN", "META_ORCHESTRATOR__SERVER__LISTEN"),
            ("META_ORCHESTRATOR__SERVER_LISTEN", "META_ORCHESTRATOR__SERVER__LISTEN"),
            ("META_ORCHESTRATOR_SERVER__LISTEN", "META_ORCHESTRATOR__SERVER__LISTEN"),
            ("META_ORCHESTRATOR_LAKE_TTL_HOURS", "META_ORCHESTRATOR__LAKE__TTL_HOURS"),
            (
                "META_ORCHESTRATOR_RUNTIME_FIRST_FALLBACK",
                "META_ORCHESTRATOR__RUNTIME_FIRST__FALLBACK",
            ),
            ("META_ORCHESTRATOR_SERVER_PORT", "META_ORCHESTRATOR__SERVER__KEY"),
        ] {
            let fix = told(name).unwrap_or_default();
            assert!(fix.contains(right), "{name}: {fix}");
        }
        assert!(told("META_ORCHESTRATOR_SERVER_PORT").unwrap().contains("listen"));
        for stranger in [
            "META_ORCHESTRATOR_DATA",
            "META_ORCHESTRATOR_SERVICE_HOST",
            "META_ORCHESTRATOR_PORT_8080_TCP_ADDR",
            "META_ORCHESTRATOR__SERVER__LISTEN",
            "META_ORCHESTRATOR__SERVER__PORT",
        ] {
            assert_eq!(told(stranger), None, "{stranger}");
        }
    }
}
