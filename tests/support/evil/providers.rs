//! A service behind these upstreams.

use super::Evil;
use crate::support::Service;

/// A configuration with one provider of one model for each upstream; the first is the best. The
/// models are `model-0`, `model-1` and so on, their providers `evil-0` and so on.
fn config(upstreams: &[&Evil]) -> String {
    let provider = |(place, upstream): (usize, &&Evil)| {
        format!(
            "[[providers]]\nname = \"evil-{place}\"\nkind = \"openai\"\nbase_url = \"{}\"\n\
             api_key_env = \"EVIL_KEY\"\nconnect_timeout_ms = 2000\n\
             [[providers.models]]\nmodel = \"model-{place}\"\nprior = {}\n",
            upstream.base_url(),
            0.9 - 0.05 * place as f64,
        )
    };
    upstreams.iter().enumerate().map(provider).collect()
}

/// Starts the service behind these upstreams, with this further configuration.
pub fn serve(upstreams: &[&Evil], further: &[(&str, &str)]) -> Service {
    Service::with_file(&config(upstreams), &[&[("EVIL_KEY", "sk-evil")], further].concat())
}
