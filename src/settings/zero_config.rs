//! Providers that the environment gives away when none is configured.

use std::collections::BTreeMap;

use reqwest::Url;

use super::{Discovery, ModelSettings, ProviderSettings, Secret, problem::Problems, provider_read};
use crate::domain::Signal;

const OPENAI_BASE_URL: &str = "https://api.openai.com/v1";
const OPENAI_MODEL: &str = "gpt-4o-mini";

/// The providers of `OPENAI_API_KEY` and `OLLAMA_HOST`; a variable that is set but empty is absent.
pub(super) fn providers(
    environment: &BTreeMap<String, String>,
    prior: Signal,
    problems: &mut Problems,
) -> Vec<ProviderSettings> {
    let variable = |name: &str| {
        environment.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    };
    let mut found = Vec::new();
    if let Some(key) = variable("OPENAI_API_KEY") {
        found.extend(openai(
            key,
            variable("OPENAI_BASE_URL"),
            variable("OPENAI_MODEL"),
            prior,
            problems,
        ));
    }
    if let Some(host) = variable("OLLAMA_HOST") {
        found.extend(ollama(host, variable("OLLAMA_MODEL"), prior, problems));
    }
    found
}

fn openai(
    key: &str,
    base_url: Option<&str>,
    model: Option<&str>,
    prior: Signal,
    problems: &mut Problems,
) -> Option<ProviderSettings> {
    if !key.chars().all(|c| c.is_ascii_graphic()) {
        problems.add(
            "OPENAI_API_KEY",
            "the key has characters that no header may carry",
            "set the variable to the key alone",
        );
        return None;
    }
    let url =
        provider_read::base_url("OPENAI_BASE_URL", base_url.unwrap_or(OPENAI_BASE_URL), problems)?;
    let model = model_named("OPENAI_MODEL", model.unwrap_or(OPENAI_MODEL), prior, problems)?;
    // OpenAI's newer models refuse `max_tokens`; other servers may know nothing else.
    let limit = Some(ModelSettings::UNCONFIGURED_MAX_TOKENS);
    let model = match base_url {
        None => ModelSettings { max_completion_tokens: limit, ..model },
        Some(_) => ModelSettings { max_tokens: limit, ..model },
    };
    Some(ProviderSettings {
        api_key: Some(Secret::new(key)),
        models: vec![model],
        ..ProviderSettings::new("openai", url)
    })
}

fn ollama(
    host: &str,
    model: Option<&str>,
    prior: Signal,
    problems: &mut Problems,
) -> Option<ProviderSettings> {
    let url = provider_read::base_url("OLLAMA_HOST", &ollama_address(host), problems)?;
    let models = match model {
        Some(name) => vec![ModelSettings {
            max_tokens: Some(ModelSettings::UNCONFIGURED_MAX_TOKENS),
            ..model_named("OLLAMA_MODEL", name, prior, problems)?
        }],
        None => Vec::new(),
    };
    let discovery = models.is_empty().then_some(Discovery::OllamaTags);
    Some(ProviderSettings { models, discovery, ..ProviderSettings::new("ollama", url) })
}

fn model_named(
    variable: &str,
    name: &str,
    prior: Signal,
    problems: &mut Problems,
) -> Option<ModelSettings> {
    provider_read::label(variable, Some(name.to_owned()), problems)
        .map(|name| ModelSettings::new(&name, prior))
}

/// Ollama's own reading of its variable: the scheme, the port 11434 and the host may be left out,
/// and an address to listen on everywhere is one to be reached at home. Ends in `/v1`, where Ollama
/// speaks OpenAI's dialect.
fn ollama_address(host: &str) -> String {
    const PORT: u16 = 11434;
    let (with_scheme, port_wanted) = match host.split_once("://") {
        Some(_) => (host.to_owned(), false),
        None => (format!("http://{host}"), !states_a_port(host)),
    };
    let Ok(mut url) = Url::parse(&with_scheme) else {
        // `:11434` alone names a port only.
        return host
            .strip_prefix(':')
            .map_or(with_scheme, |port| format!("http://127.0.0.1:{port}/v1"));
    };
    if port_wanted {
        // A URL without a host has no port to set; the check that follows says so.
        let _ = url.set_port(Some(PORT));
    }
    if matches!(url.host_str(), Some("0.0.0.0" | "[::]")) {
        let _ = url.set_host(Some("127.0.0.1"));
    }
    let path = url.path().trim_end_matches('/').to_owned();
    if !path.ends_with("/v1") {
        url.set_path(&format!("{path}/v1"));
    }
    url.into()
}

/// The URL's own answer will not do: it forgets a port that is the scheme's default.
fn states_a_port(host: &str) -> bool {
    let authority = host.split('/').next().unwrap_or_default();
    authority
        .rsplit_once(':')
        .is_some_and(|(_, port)| !port.is_empty() && port.chars().all(|c| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(variables: &[(&str, &str)]) -> Vec<ProviderSettings> {
        let environment =
            variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let mut problems = Problems::default();
        let found = providers(&environment, Signal::clamped(0.75), &mut problems);
        problems.finish(Some(found)).unwrap()
    }

    #[test]
    fn a_key_alone_is_a_provider() {
        let found = from(&[("OPENAI_API_KEY", "sk-1")]);
        assert_eq!(found[0].base_url.as_str(), "https://api.openai.com/v1");
        assert_eq!(found[0].models[0].model, "gpt-4o-mini");
        assert_eq!(found[0].api_key, Some(Secret::new("sk-1")));
    }

    #[test]
    fn an_empty_variable_is_an_absent_one() {
        assert_eq!(from(&[("OPENAI_API_KEY", " "), ("OLLAMA_HOST", "")]), []);
    }

    #[test]
    fn the_key_goes_to_no_other_provider() {
        let found = from(&[("OPENAI_API_KEY", "sk-1"), ("OLLAMA_HOST", "localhost")]);
        assert_eq!(found[1].api_key, None);
    }

    #[test]
    fn ollama_is_found_however_its_host_is_written() {
        for (host, address) in [
            ("localhost", "http://localhost:11434/v1"),
            ("0.0.0.0", "http://127.0.0.1:11434/v1"),
            ("0.0.0.0:1234", "http://127.0.0.1:1234/v1"),
            ("box:80", "http://box/v1"),
            (":1234", "http://127.0.0.1:1234/v1"),
            ("http://box", "http://box/v1"),
            ("https://box/ollama/", "https://box/ollama/v1"),
            ("http://[::1]:11434", "http://[::1]:11434/v1"),
        ] {
            let found = from(&[("OLLAMA_HOST", host)]);
            assert_eq!(found[0].base_url.as_str(), address, "{host}");
            assert_eq!(found[0].discovery, Some(Discovery::OllamaTags));
        }
    }
}
