//! A service behind these upstreams.

use super::Evil;
use crate::support::Service;

/// The bounds of each provider.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Calls at once.
    pub calls: usize,
    /// Bytes of one answer.
    pub bytes: usize,
}

impl Default for Bounds {
    /// Those of a provider that names none.
    fn default() -> Self {
        Self { calls: 64, bytes: 4 << 20 }
    }
}

/// Starts the service behind these upstreams, with this further configuration.
pub fn serve(upstreams: &[&Evil], further: &[(&str, &str)]) -> Service {
    serve_bounded(upstreams, Bounds::default(), further)
}

/// The same with bounds of one's own.
pub fn serve_bounded(upstreams: &[&Evil], bounds: Bounds, further: &[(&str, &str)]) -> Service {
    let config = config(upstreams, bounds);
    Service::with_file(&config, &[&[("EVIL_KEY", "sk-evil")], further].concat())
}

/// A configuration with one provider of one model for each upstream; the first is the best. The
/// models are `model-0`, `model-1` and so on, their providers `evil-0` and so on.
fn config(upstreams: &[&Evil], bounds: Bounds) -> String {
    let provider = |(place, upstream): (usize, &&Evil)| {
        format!(
            "[[providers]]\nname = \"evil-{place}\"\nkind = \"{}\"\nbase_url = \"{}\"\n\
             api_key_env = \"EVIL_KEY\"\nconnect_timeout_ms = 2000\n\
             max_concurrent_calls = {}\nmax_response_bytes = {}\n\
             [[providers.models]]\nmodel = \"model-{place}\"\nprior = {}\n",
            upstream.dialect.kind(),
            upstream.base_url(),
            bounds.calls,
            bounds.bytes,
            0.9 - 0.05 * place as f64,
        )
    };
    upstreams.iter().enumerate().map(provider).collect()
}
