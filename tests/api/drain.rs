//! Shutting down: not ready first, then no new connections, then the end, in bounded time.

use std::{sync::Arc, time::Duration};

use axum::{Router, routing::get};
use meta_orchestrator::http::{NoTelemetry, Readiness, ServeOptions, dress};
use tokio::{
    io::AsyncWriteExt,
    net::TcpStream,
    sync::{Notify, Semaphore},
    time::{Instant, timeout},
};

use super::support::{PATIENCE, Server, client, read_to_end};

/// A route that says when it was entered and answers when it is let.
struct Gate {
    entered: Arc<Notify>,
    open: Arc<Semaphore>,
}

fn gated() -> (Gate, Router) {
    let gate = Gate { entered: Arc::new(Notify::new()), open: Arc::new(Semaphore::new(0)) };
    let (entered, open) = (Arc::clone(&gate.entered), Arc::clone(&gate.open));
    let router = Router::new().route(
        "/gate",
        get(move || async move {
            entered.notify_one();
            let _ = open.acquire().await;
            "through"
        }),
    );
    (gate, dress(router, Arc::new(NoTelemetry), []))
}

#[tokio::test]
async fn what_is_in_flight_finishes_and_its_connection_closes() {
    let (gate, router) = gated();
    let readiness = Readiness::default();
    let options = ServeOptions { readiness: readiness.clone(), ..ServeOptions::default() };
    let server = Server::start(router, options).await;
    let address = server.address;
    let mut stream = server.connect().await;
    stream.write_all(b"GET /gate HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    timeout(PATIENCE, gate.entered.notified()).await.unwrap();
    assert!(readiness.is_ready());
    let stopping = server.stop();
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(!readiness.is_ready());
    gate.open.add_permits(1);
    let answer = read_to_end(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("through"), "{answer}");
    let report = timeout(PATIENCE, stopping).await.unwrap().unwrap();
    assert_eq!(report.cut_off, 0);
}

#[tokio::test]
async fn what_never_finishes_is_cut_off_when_the_grace_ends() {
    for http2 in [false, true] {
        let (gate, router) = gated();
        let grace = Duration::from_millis(200);
        let options = ServeOptions { shutdown_grace: grace, ..ServeOptions::default() };
        let server = Server::start(router, options).await;
        client();
        let client = reqwest::Client::builder().no_proxy();
        let client = if http2 { client.http2_prior_knowledge() } else { client };
        let asking = tokio::spawn(client.build().unwrap().get(server.url("/gate")).send());
        timeout(PATIENCE, gate.entered.notified()).await.unwrap();
        let since = Instant::now();
        let report = timeout(PATIENCE, server.stop()).await.unwrap().unwrap();
        assert!(since.elapsed() >= grace, "http2 {http2}");
        assert!(report.cut_off >= 1, "http2 {http2}");
        assert!(asking.await.unwrap().is_err(), "http2 {http2}: a cut answer is an error");
    }
}

#[tokio::test]
async fn idle_connections_do_not_delay_the_end() {
    let (_gate, router) = gated();
    let server = Server::start(router, ServeOptions::default()).await;
    let mut used = server.connect().await;
    used.write_all(b"HEAD /nothing HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    used.readable().await.unwrap();
    let _unused = server.connect().await;
    let since = Instant::now();
    let report = timeout(PATIENCE, server.stop()).await.unwrap().unwrap();
    assert_eq!(report.cut_off, 0);
    assert!(since.elapsed() < ServeOptions::default().shutdown_grace / 2);
}

#[tokio::test]
async fn while_load_balancers_notice_requests_are_still_served() {
    let (_gate, router) = gated();
    let readiness = Readiness::default();
    let options = ServeOptions {
        drain_delay: Duration::from_millis(500),
        readiness: readiness.clone(),
        ..ServeOptions::default()
    };
    let server = Server::start(router, options).await;
    let url = server.url("/nothing");
    assert_eq!(client().get(&url).send().await.unwrap().status(), 404);
    let stopping = server.stop();
    while readiness.is_ready() {
        tokio::task::yield_now().await;
    }
    assert_eq!(client().get(&url).send().await.unwrap().status(), 404);
    timeout(PATIENCE, stopping).await.unwrap().unwrap();
}
