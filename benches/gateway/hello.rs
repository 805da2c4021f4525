//! What an answer in JSON costs when nothing is asked of anybody: axum says hello.

use std::net::Ipv4Addr;

use axum::{Json, Router, routing::post, serve::ListenerExt};
use clap::Args;
use serde::Serialize;
use tokio::net::TcpListener;

use super::{Outcome, announce};

/// Nothing to choose.
#[derive(Debug, Args)]
pub(super) struct Options {}

#[derive(Serialize)]
struct Hello {
    message: &'static str,
}

pub(super) fn run(_: Options) -> Outcome {
    // As many threads as the service has: one for each core.
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(serve())
}

async fn serve() -> Outcome {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    announce(listener.local_addr()?)?;
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    let router = Router::new().route("/hello", post(hello));
    Ok(axum::serve(listener, router).await?)
}

async fn hello() -> Json<Hello> {
    Json(Hello { message: "Hello, world!" })
}
