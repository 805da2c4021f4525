//! A service behind these upstreams.

use super::Evil;
use crate::support::Service;

/// A configuration with one provider of one model for each upstream; the first is the best. The
/// models are `model-0`, `model-1` and so on, their providers `evil-0` and so on. Each takes so many
/// calls at once.
fn config(upstreams: &[&Evil], places: usize) -> String {
    let provider = |(place, upstream): (usize, &&Evil)| {
        format!(
            "[[providers]]\nname = \"evil-{place}\"\nkind = \"openai\"\nbase_url = \"{}\"\n\
             api_key_env = \"EVIL_KEY\"\nconnect_timeout_ms = 2000\n\
             max_concurrent_calls = {places}\n\
             [[providers.models]]\nmodel = \"model-{place}\"\nprior = {}\n",
            upstream.base_url(),
            0.9 - 0.05 * place as f64,
        )
    };
    upstreams.iter().enumerate().map(provider).collect()
}

/// Starts the service behind these upstreams, with this further configuration.
pub fn serve(upstreams: &[&Evil], further: &[(&str, &str)]) -> Service {
    serve_bounded(upstreams, 64, further)
}

/// The same where each upstream is asked for at most so many answers at once.
pub fn serve_bounded(upstreams: &[&Evil], places: usize, further: &[(&str, &str)]) -> Service {
    let config = config(upstreams, places);
    Service::with_file(&config, &[&[("EVIL_KEY", "sk-evil")], further].concat())
}
