//! HTTP/2 streams whose client takes nothing: their place is free again after the write timeout.

use std::{sync::Arc, time::Duration};

use axum::{Router, routing::get};
use bytes::Bytes;
use h2::client;
use meta_orchestrator::http::{NoTelemetry, ServeOptions, admit, dress};
use tokio::time::timeout;

use super::support::{PATIENCE, Server};

#[tokio::test]
async fn a_response_that_nobody_takes_gives_its_place_back() {
    let router = Router::new().route("/page", get(async || "something to take"));
    let router = dress(admit(router, 1), Arc::new(NoTelemetry), []);
    let options = ServeOptions { write_timeout: Duration::from_secs(2), ..ServeOptions::default() };
    let server = Server::start(router, options).await;
    let (mut requests, connection) = client::Builder::new()
        .initial_window_size(0)
        .handshake::<_, Bytes>(server.connect().await)
        .await
        .unwrap();
    let driving = tokio::spawn(connection);
    let request = || http::Request::get(server.url("/page")).body(()).unwrap();
    let (first, _) = requests.send_request(request(), true).unwrap();
    let first = timeout(PATIENCE, first).await.unwrap().unwrap();
    assert_eq!(first.status(), 200);
    let (refused, _) = requests.send_request(request(), true).unwrap();
    assert_eq!(refused.await.unwrap().status(), 503, "the only place is taken");
    let cut = timeout(PATIENCE, first.into_body().data()).await.unwrap();
    assert!(cut.unwrap().is_err(), "the stream is reset");
    let (again, _) = requests.send_request(request(), true).unwrap();
    assert_eq!(again.await.unwrap().status(), 200, "the place is free");
    drop(requests);
    driving.abort();
    server.stop().await.unwrap();
}
