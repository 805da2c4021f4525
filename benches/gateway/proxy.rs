//! The control: what axum and reqwest cost when nothing happens between them.

use std::net::Ipv4Addr;

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{
        HeaderMap, StatusCode,
        header::{CONTENT_LENGTH, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
    routing::post,
    serve::ListenerExt,
};
use clap::Args;
use reqwest::{Client, Url};
use tokio::net::TcpListener;

use super::{Outcome, announce};

/// Where to.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// The upstream, such as <http://127.0.0.1:4000>.
    upstream: Url,
}

#[derive(Clone)]
struct Upstream {
    client: Client,
    endpoint: Url,
}

pub(super) fn run(options: Options) -> Outcome {
    // As many threads as the service has: one for each core.
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(serve(options))
}

async fn serve(options: Options) -> Outcome {
    // Any will do, and none is used: what is measured goes without TLS.
    let _already = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder().no_proxy().tcp_nodelay(true).tls_certs_only([]).build()?;
    let upstream = Upstream { client, endpoint: options.upstream.join("/v1/chat/completions")? };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    announce(listener.local_addr()?)?;
    // Without it, a stream waits 40 ms for its client's delayed acknowledgement.
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    let router = Router::new().route("/v1/chat/completions", post(forward)).with_state(upstream);
    Ok(axum::serve(listener, router).await?)
}

async fn forward(State(upstream): State<Upstream>, headers: HeaderMap, body: Bytes) -> Response {
    let mut request = upstream.client.post(upstream.endpoint).body(body);
    if let Some(kind) = headers.get(CONTENT_TYPE) {
        request = request.header(CONTENT_TYPE, kind);
    }
    let Ok(answer) = request.send().await else { return StatusCode::BAD_GATEWAY.into_response() };
    let status = answer.status();
    let passed = [CONTENT_TYPE, CONTENT_LENGTH]
        .into_iter()
        .filter_map(|name| Some((answer.headers().get(&name)?.clone(), name)))
        .map(|(value, name)| (name, value))
        .collect::<HeaderMap>();
    (status, passed, Body::from_stream(answer.bytes_stream())).into_response()
}
