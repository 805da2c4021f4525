//! Clients that leave: their upstream calls end at once, and nobody is blamed.

use std::{collections::HashMap, ops::Range, time::Duration};

use futures_util::{StreamExt as _, stream};
use serde_json::Value;
use tokio::{
    io::AsyncWriteExt,
    net::TcpStream,
    time::{Instant, sleep},
};

use super::{
    FACES, PLAIN, REST,
    ask::{Face, Question},
    matrix::is_well,
    number_of, question,
};
use crate::support::{
    Service,
    evil::{self, Evil, GOOD_ANSWER, Mode},
};

/// Clients that leave, and how many at once.
const CLIENTS: usize = 1000;
const AT_ONCE: usize = 12;
/// Time for an upstream call to be closed after its client left.
const CLOSED_WITHIN: Duration = Duration::from_secs(1);
/// Longer than any call takes to come through.
const PATIENCE: Duration = Duration::from_secs(20);

/// Ways of being at work when the client leaves; none of them ends on its own.
const PHASES: [Mode; 5] = [
    Mode::HangBeforeHead,
    Mode::HangAfterHead,
    Mode::HangMidBody,
    Mode::Drip(Duration::from_millis(20)),
    Mode::Forever,
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upstream_call_ends_with_the_client_that_wanted_it() {
    for face in FACES {
        let upstream = Evil::start(Mode::Good).await;
        let service = evil::serve(&[&upstream], PLAIN);
        for number in 0..10 {
            assert_eq!(answer(&service, *face, number).await, GOOD_ANSWER);
        }
        let before = figures(&service).await;
        upstream.rotate(PHASES.to_vec());
        let (reached, late) = visits(&service, &upstream, *face, 100..100 + CLIENTS, AT_ONCE).await;
        assert!(reached >= CLIENTS * 3 / 4, "only {reached} calls were under way");
        // A machine that was busy elsewhere is forgiven, a service that is late again is not.
        let again = 10_000..10_000 + late.len();
        let (reached_again, late_again) =
            visits(&service, &upstream, *face, again.clone(), 1).await;
        let reached = reached + reached_again;
        assert!(late_again.is_empty(), "closed late: {late:?}, and alone: {late_again:?}");

        let after = figures(&service).await;
        for figure in ["failures", "ema_latency_ms", "ema_success_rate", "p50_ms", "p99_ms"] {
            assert_eq!(before[figure], after[figure], "{figure}: {before:#} {after:#}");
        }
        // One row each; who left before the request was read has made none.
        let came = (CLIENTS + again.len()) as u64;
        let cancelled = after["cancelled"].as_u64().unwrap_or_default();
        assert!((reached as u64..=came).contains(&cancelled), "{reached} calls: {after:#}");
        assert_eq!(after["requests"], before["requests"].as_u64().unwrap() + cancelled);
        upstream.be(Mode::Good).await;
        assert_eq!(answer(&service, *face, 99).await, GOOD_ANSWER, "the upstream was blamed");
        is_well(&service).await;
    }
}

/// Sends these clients, which all leave. Returns how many of their calls were under way by then, and
/// those that were closed late: what the upstream did, and after what time it was left.
async fn visits(
    service: &Service,
    upstream: &Evil,
    face: Face,
    clients: Range<usize>,
    at_once: usize,
) -> (usize, Vec<(Mode, Duration)>) {
    let visits =
        stream::iter(clients.clone()).map(|number| come_and_go(service, upstream, face, number));
    let left: Vec<Instant> = visits.buffered(at_once).collect().await;
    assert!(upstream.falls_quiet(REST).await, "{:?}", upstream.seen());
    let mut calls = HashMap::new();
    for call in upstream.calls() {
        let twice = calls.insert(number_of(&call), call);
        assert!(twice.is_none(), "asked twice: {twice:?}");
    }
    let (mut reached, mut late) = (0, Vec::new());
    for (number, left) in clients.zip(left) {
        let Some(call) = calls.get(&number) else { continue };
        reached += 1;
        let closed = call.left.unwrap_or_else(|| panic!("{call:?} went on to its end"));
        let took = closed.saturating_duration_since(left);
        if took > CLOSED_WITHIN {
            late.push((call.mode, took));
        }
    }
    (reached, late)
}

async fn answer(service: &Service, face: Face, number: usize) -> String {
    let end = of_client(face, number).ask_once(service).await.0.unwrap();
    end.content().unwrap_or_else(|| panic!("{end:#?}")).to_owned()
}

fn of_client(face: Face, number: usize) -> Question {
    Question { deadline_ms: 20_000, ..Question::new(face, "ai_first", question(number)) }
}

/// Asks over a connection of its own, and leaves: one client of four at any time, the others some
/// time after their call came to the upstream. Returns when it left.
async fn come_and_go(service: &Service, upstream: &Evil, face: Face, number: usize) -> Instant {
    let body = of_client(face, number).body().to_string();
    let address = service.url("").replace("http://", "");
    let mut stream = TcpStream::connect(&address).await.unwrap();
    let request = format!(
        "POST {} HTTP/1.1\r\nhost: {address}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        face.path(),
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    if !number.is_multiple_of(4) {
        assert!(
            upstream.is_asked(&question(number), PATIENCE).await,
            "{number} never came through"
        );
    }
    sleep(Duration::from_millis((number as u64 * 37) % 100)).await;
    if number.is_multiple_of(2) {
        stream.set_zero_linger().unwrap();
    }
    drop(stream);
    Instant::now()
}

async fn figures(service: &Service) -> Value {
    service.get("/api/v1/unified/metrics").await.1["strategies"]["ai_first"].clone()
}
