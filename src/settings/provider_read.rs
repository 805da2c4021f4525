//! Reading `[[providers]]`: everything may be wrong, and all of it is reported.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    time::Duration,
};

use reqwest::Url;
use serde::Deserialize;
use serde_json::Value as Json;

use super::{
    Dialect, MAX_MODELS, ModelSettings, ProviderSettings, Secret, problem::Problems,
    provider::is_label, read::element,
};
use crate::domain::{OwnModel, Signal};

#[derive(Deserialize, Default)]
#[serde(default)]
struct RawProvider {
    name: Option<String>,
    kind: Option<String>,
    base_url: Option<String>,
    api_key_env: Option<String>,
    api_key_file: Option<String>,
    connect_timeout_ms: Option<u64>,
    read_idle_timeout_ms: Option<u64>,
    max_response_bytes: Option<u64>,
    max_concurrent_calls: Option<u64>,
    models: Vec<RawModel>,
}

#[derive(Deserialize, Default)]
#[serde(default, expecting = "a [[providers.models]] table with model = \"…\"")]
struct RawModel {
    name: Option<String>,
    model: Option<String>,
    weight: Option<f64>,
    prior: Option<f64>,
    price_per_million_prompt_tokens_usd: Option<f64>,
    price_per_million_completion_tokens_usd: Option<f64>,
    max_tokens: Option<u32>,
    max_completion_tokens: Option<u32>,
    temperature: Option<f64>,
    passthrough: Option<bool>,
}

impl RawModel {
    /// The name that the service is to call it by.
    fn called(&self) -> Option<&str> {
        self.name.as_deref().or(self.model.as_deref())
    }
}

const PROVIDER_KEYS: &[&str] = &[
    "name",
    "kind",
    "base_url",
    "api_key_env",
    "api_key_file",
    "connect_timeout_ms",
    "read_idle_timeout_ms",
    "max_response_bytes",
    "max_concurrent_calls",
    "models",
];

const MODEL_KEYS: &[&str] = &[
    "name",
    "model",
    "weight",
    "prior",
    "price_per_million_prompt_tokens_usd",
    "price_per_million_completion_tokens_usd",
    "max_tokens",
    "max_completion_tokens",
    "temperature",
    "passthrough",
];

/// The keys known at a path within a provider.
fn known_keys(path: &str) -> &'static [&'static str] {
    if path.starts_with(".models[") { MODEL_KEYS } else { PROVIDER_KEYS }
}

/// Reads and checks all configured providers; what is wrong is left out and noted.
pub(super) fn read(
    value: Option<Json>,
    default_prior: f64,
    environment: &BTreeMap<String, String>,
    problems: &mut Problems,
) -> Vec<ProviderSettings> {
    let items = match value {
        None => return Vec::new(),
        Some(Json::Array(items)) => items,
        Some(_) => {
            problems.add(
                "providers",
                "this is a list of tables",
                "write [[providers]], with two brackets, once for each provider",
            );
            return Vec::new();
        }
    };
    let mut providers = BTreeSet::new();
    let mut models = BTreeSet::new();
    let mut found = Vec::new();
    for (i, item) in items.into_iter().enumerate() {
        let path = format!("providers[{i}]");
        let Some(raw) = element::<RawProvider>(&path, item, known_keys, problems) else { continue };
        if let Some(name) = &raw.name
            && !providers.insert(name.clone())
        {
            problems.add(&format!("{path}.name"), "another provider has this name", "rename one");
        }
        for (m, model) in raw.models.iter().enumerate() {
            if let Some(name) = model.called()
                && !models.insert(name.to_owned())
            {
                problems.add(
                    &format!("{path}.models[{m}].name"),
                    "another model has this name",
                    "give one of them a `name` of its own",
                );
            }
        }
        found.extend(checked(&path, raw, default_prior, environment, problems));
    }
    if models.len() > MAX_MODELS {
        problems.add(
            "providers",
            format_args!("{} models are configured", models.len()),
            format!("configure at most {MAX_MODELS}: each is a metric label"),
        );
    }
    found
}

fn checked(
    path: &str,
    raw: RawProvider,
    default_prior: f64,
    environment: &BTreeMap<String, String>,
    problems: &mut Problems,
) -> Option<ProviderSettings> {
    let name = label(&format!("{path}.name"), raw.name, problems);
    let kind = match raw.kind.as_deref() {
        None | Some("openai") => Dialect::OpenAi,
        Some("anthropic") => Dialect::Anthropic,
        Some("ollama") => Dialect::Ollama,
        Some(other) => {
            let other: String = other.chars().take(32).collect();
            problems.add(
                &format!("{path}.kind"),
                format_args!("`{other}` is no known dialect"),
                "write \"openai\", which most servers speak, \"anthropic\" or \"ollama\"",
            );
            Dialect::OpenAi
        }
    };
    let base_url = match raw.base_url {
        Some(text) => base_url(&format!("{path}.base_url"), &text, problems),
        None => {
            problems.add(
                &format!("{path}.base_url"),
                "the key is missing",
                "write base_url = \"https://…/v1\"",
            );
            None
        }
    };
    let api_key = api_key(path, raw.api_key_env, raw.api_key_file, environment, problems);
    let mut millis = |key: &str, value: Option<u64>, default: u64, max: u64| {
        let value = value.unwrap_or(default);
        problems.range(&format!("{path}.{key}"), value, 10, max);
        Duration::from_millis(value)
    };
    let connect_timeout = millis("connect_timeout_ms", raw.connect_timeout_ms, 3000, 60_000);
    let read_idle_timeout =
        millis("read_idle_timeout_ms", raw.read_idle_timeout_ms, 60_000, 600_000);
    let max_response_bytes = raw.max_response_bytes.unwrap_or(4 << 20);
    problems.range(&format!("{path}.max_response_bytes"), max_response_bytes, 1024, 64 << 20);
    let max_concurrent_calls = raw.max_concurrent_calls.unwrap_or(64);
    problems.range(&format!("{path}.max_concurrent_calls"), max_concurrent_calls, 1, 10_000);
    if raw.models.is_empty() && !problems.has(&format!("{path}.models")) {
        problems.add(
            &format!("{path}.models"),
            "the provider has no model",
            "add [[providers.models]] with model = \"…\"",
        );
    }
    let count = raw.models.len();
    let models: Vec<ModelSettings> = raw
        .models
        .into_iter()
        .enumerate()
        .filter_map(|(m, raw)| model(&format!("{path}.models[{m}]"), raw, default_prior, problems))
        // What is passed through is OpenAI's, and other dialects cannot take it.
        .map(|model| ModelSettings {
            passthrough: model.passthrough && kind == Dialect::OpenAi,
            ..model
        })
        .collect();
    (models.len() == count).then_some(())?;
    Some(ProviderSettings {
        name: name?,
        kind,
        base_url: base_url?,
        api_key,
        connect_timeout,
        read_idle_timeout,
        max_response_bytes: usize::try_from(max_response_bytes).ok()?,
        max_concurrent_calls: usize::try_from(max_concurrent_calls).ok()?,
        models,
        discovery: None,
    })
}

fn model(
    path: &str,
    raw: RawModel,
    default_prior: f64,
    problems: &mut Problems,
) -> Option<ModelSettings> {
    let name = label(&format!("{path}.name"), raw.called().map(str::to_owned), problems);
    if name.as_deref().and_then(OwnModel::of).is_some() {
        problems.add(
            &format!("{path}.name"),
            "clients of /v1 ask for the service itself by this name",
            "give the model another `name`",
        );
    }
    let model = raw.model.filter(|m| !m.trim().is_empty() && m.len() <= 256);
    if model.is_none() {
        problems.add(
            &format!("{path}.model"),
            "the key is missing or empty",
            "write the model as the provider calls it, such as model = \"gpt-4o-mini\"",
        );
    }
    let mut number = |key: &str, value: Option<f64>, max: f64| {
        if let Some(value) = value {
            problems.range(&format!("{path}.{key}"), value, 0.0, max);
        }
        value
    };
    let weight = number("weight", raw.weight, 1000.0).unwrap_or(1.0);
    let prior = number("prior", raw.prior, 1.0).unwrap_or(default_prior);
    let temperature = number("temperature", raw.temperature, 2.0);
    let prompt_price = number(
        "price_per_million_prompt_tokens_usd",
        raw.price_per_million_prompt_tokens_usd,
        100_000.0,
    );
    let completion_price = number(
        "price_per_million_completion_tokens_usd",
        raw.price_per_million_completion_tokens_usd,
        100_000.0,
    );
    if prompt_price.is_some() != completion_price.is_some() {
        problems.add(
            path,
            "only one of the two prices is given",
            "give both price_per_million_prompt_tokens_usd and \
             price_per_million_completion_tokens_usd, or none",
        );
    }
    for (key, limit) in
        [("max_tokens", raw.max_tokens), ("max_completion_tokens", raw.max_completion_tokens)]
    {
        if let Some(limit) = limit {
            problems.range(&format!("{path}.{key}"), limit, 1, 1_000_000);
        }
    }
    if raw.max_tokens.is_some() && raw.max_completion_tokens.is_some() {
        problems.add(
            &format!("{path}.max_tokens"),
            "max_tokens and max_completion_tokens exclude each other",
            "keep the one that the provider knows",
        );
    }
    Some(ModelSettings {
        name: name?,
        model: model?,
        weight,
        prior: Signal::clamped(prior),
        price_per_million: prompt_price.zip(completion_price),
        max_tokens: raw.max_tokens,
        max_completion_tokens: raw.max_completion_tokens,
        temperature,
        passthrough: raw.passthrough.unwrap_or(true),
    })
}

pub(super) fn label(key: &str, given: Option<String>, problems: &mut Problems) -> Option<String> {
    let Some(name) = given else {
        problems.add(key, "the key is missing", "give it a short name");
        return None;
    };
    let fits = is_label(&name);
    if !fits {
        problems.add(
            key,
            "this is no name",
            "use 1 to 64 letters, digits and - _ . : @ /, and not `other`",
        );
    }
    fits.then_some(name)
}

/// Parses a base URL, once. The one parser is that of the client, so that what is checked here is
/// what is connected to. The text is not shown: it may hold a password.
pub(super) fn base_url(key: &str, text: &str, problems: &mut Problems) -> Option<Url> {
    const FIX: &str = "write an address such as https://api.openai.com/v1";
    // The parser would quietly mend these, and two parsers that mend differently are a trap.
    if text.contains(|c: char| c == '\\' || c.is_whitespace() || c.is_control()) {
        problems.add(key, "the address has a backslash, white space or a control character", FIX);
        return None;
    }
    let url = match Url::parse(text) {
        Ok(url) => url,
        Err(error) => {
            problems.add(key, format_args!("this is no address: {error}"), FIX);
            return None;
        }
    };
    let objection = if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        "the address is neither http nor https"
    } else if !url.username().is_empty() || url.password().is_some() {
        "the address holds credentials; use api_key_env or api_key_file"
    } else if url.query().is_some() || url.fragment().is_some() {
        "the address has a query or a fragment"
    } else {
        return Some(url);
    };
    problems.add(key, objection, FIX);
    None
}

fn api_key(
    path: &str,
    variable: Option<String>,
    file: Option<String>,
    environment: &BTreeMap<String, String>,
    problems: &mut Problems,
) -> Option<Secret> {
    let (key, text) = match (variable, file) {
        (None, None) => return None,
        (Some(_), Some(_)) => {
            problems.add(
                path,
                "api_key_env and api_key_file exclude each other",
                "keep the one that holds the key",
            );
            return None;
        }
        (Some(variable), None) => {
            let key = format!("{path}.api_key_env");
            if !is_variable(&variable) {
                problems.add(
                    &key,
                    "this is no name of an environment variable",
                    "write the variable's name, such as OPENAI_API_KEY, never the key itself",
                );
                return None;
            }
            let Some(text) = environment.get(&variable).filter(|text| !text.trim().is_empty())
            else {
                problems.add(
                    &key,
                    format_args!("the environment variable {variable} is not set or empty"),
                    "set it, or leave api_key_env out when the provider wants no key",
                );
                return None;
            };
            (key, text.clone())
        }
        (None, Some(file)) => {
            let key = format!("{path}.api_key_file");
            match read_key(Path::new(&file)) {
                Ok(text) => (key, text),
                Err(why) => {
                    problems.add(&key, why, "name a file that holds the key and nothing else");
                    return None;
                }
            }
        }
    };
    let text = text.trim();
    if text.chars().all(|c| c.is_ascii_graphic()) {
        return Some(Secret::new(text));
    }
    problems.add(
        &key,
        "the key has characters that no header may carry",
        "store the key alone, on one line",
    );
    None
}

pub(super) fn is_variable(name: &str) -> bool {
    name.len() <= 128
        && name.starts_with(|c: char| c.is_ascii_uppercase() || c == '_')
        && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

pub(super) fn read_key(file: &Path) -> Result<String, String> {
    const MAX_KEY_BYTES: u64 = 8192;
    let size = std::fs::metadata(file)
        .map_err(|error| format!("the file cannot be read: {}", error.kind()))?
        .len();
    if size == 0 || size > MAX_KEY_BYTES {
        return Err("the file is empty or larger than 8 KiB".to_owned());
    }
    std::fs::read_to_string(file)
        .map_err(|error| format!("the file cannot be read: {}", error.kind()))
}
