//! The HTTP client of a provider, and what its failures mean.

use std::{error::Error as _, io, time::Duration};

use tokio::time::{Instant, timeout};

use reqwest::{Client, Response, redirect, retry};

use super::ProviderError;
use crate::{
    domain::{Call, ModelError},
    settings::ProviderSettings,
};

/// Most headers of a response.
const MAX_HEADERS: usize = 128;
/// Largest head of an HTTP/2 response, in bytes; the client's own bound holds for HTTP/1.
const MAX_HEADER_BYTES: u32 = 64 << 10;
/// Connections that wait for the next call, by provider.
const MAX_IDLE_CONNECTIONS: usize = 32;

/// Builds a client that keeps to the provider's bounds.
pub(super) fn build(settings: &ProviderSettings) -> Result<Client, ProviderError> {
    // Only the first call of a process succeeds, and any provider of ciphers will do.
    let _already = rustls::crypto::ring::default_provider().install_default();
    let mut builder = Client::builder()
        .user_agent(concat!("meta-orchestrator/", env!("CARGO_PKG_VERSION")))
        // A redirect could carry the key to another origin.
        .redirect(redirect::Policy::none())
        // Retries are ours, so that they are bounded, counted and within the deadline.
        .retry(retry::never())
        .no_proxy()
        .referer(false)
        .connect_timeout(settings.connect_timeout)
        .read_timeout(settings.read_idle_timeout)
        .pool_max_idle_per_host(MAX_IDLE_CONNECTIONS)
        .pool_idle_timeout(Duration::from_secs(60))
        .tcp_nodelay(true)
        .tcp_keepalive(Duration::from_secs(30))
        .http1_max_headers(MAX_HEADERS)
        .http2_max_header_list_size(MAX_HEADER_BYTES);
    if settings.base_url.scheme() == "http" {
        // Without TLS there is nothing to verify, and no need of a certificate store.
        builder = builder.tls_certs_only([]);
    }
    builder
        .build()
        .map_err(|source| ProviderError::Client { provider: settings.name.clone(), source })
}

/// What it means that no response came.
pub(super) fn no_response(error: &reqwest::Error) -> ModelError {
    if error.is_connect() {
        return ModelError::Unreachable;
    }
    if error.is_timeout() {
        return ModelError::Timeout;
    }
    match protocol_error(error) {
        Some(hyper) if hyper.is_parse_too_large() => ModelError::TooLarge,
        Some(hyper) if hyper.is_parse() => ModelError::Malformed,
        _ => ModelError::Unreachable,
    }
}

/// Reads a body to its end, but not beyond `cap` bytes.
///
/// # Errors
/// [`ModelError::TooLarge`] beyond the cap, [`ModelError::Timeout`] after too long a silence,
/// [`ModelError::Cut`] when the connection breaks before the announced end.
pub(super) async fn read_body(
    mut response: Response,
    cap: usize,
    call: Call<'_>,
) -> Result<Vec<u8>, ModelError> {
    let announced = response.content_length().unwrap_or(0);
    if usize::try_from(announced).map_or(true, |announced| announced > cap) {
        return Err(ModelError::TooLarge);
    }
    let mut body = Vec::new();
    loop {
        let chunk = response.chunk().await.map_err(|error| {
            if error.is_timeout() { ModelError::Timeout } else { ModelError::Cut }
        })?;
        let Some(chunk) = chunk else { return Ok(body) };
        call.beat();
        // Who never pauses keeps a timer from being looked at.
        if Instant::now() >= call.deadline {
            return Err(ModelError::Timeout);
        }
        if body.len() + chunk.len() > cap {
            return Err(ModelError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
}

/// Reads what is left of a body that has said all it had to say, so that its connection can serve
/// again; gives up on one that goes on.
pub(super) async fn drain(mut response: Response) {
    const PATIENCE: Duration = Duration::from_millis(5);
    const MOST: usize = 4 << 10;
    let rest = async {
        let mut read = 0;
        while let Ok(Some(chunk)) = response.chunk().await
            && read <= MOST
        {
            read += chunk.len();
        }
    };
    // A late end costs a connection, not the answer.
    let _late = timeout(PATIENCE, rest).await;
}

/// Why no response came, as a class.
pub(super) fn cause(error: &reqwest::Error) -> &'static str {
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(io) = cause.downcast_ref::<io::Error>() {
            match io.kind() {
                io::ErrorKind::ConnectionRefused => return "refused",
                io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => return "reset",
                io::ErrorKind::UnexpectedEof => return "closed",
                io::ErrorKind::TimedOut => return "timeout",
                // Of a certificate, most likely; or a name that is not resolved.
                _ => {}
            }
        }
        source = cause.source();
    }
    if error.is_timeout() {
        return "timeout";
    }
    match protocol_error(error) {
        Some(hyper) if hyper.is_parse() || hyper.is_parse_too_large() => "not_http",
        Some(hyper) if hyper.is_incomplete_message() => "closed",
        _ if error.is_connect() => "no_connection",
        _ => "broken",
    }
}

/// The chain of causes, without the address. Nothing of a body or a header is in it.
pub(super) fn causes(error: &reqwest::Error) -> String {
    let mut text = String::new();
    let mut source = error.source();
    while let Some(cause) = source {
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

fn protocol_error(error: &reqwest::Error) -> Option<&hyper::Error> {
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(hyper) = cause.downcast_ref::<hyper::Error>() {
            return Some(hyper);
        }
        source = cause.source();
    }
    None
}
