//! Clients that leave: their upstream calls end at once, and nobody is blamed.

use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use serde_json::Value;
use tokio::{
    io::AsyncWriteExt,
    net::TcpStream,
    time::{Instant, sleep},
};

use super::{
    FACES, REST,
    ask::{Face, Question},
    matrix::is_well,
    question,
};
use crate::support::{
    Service,
    evil::{self, Evil, GOOD_ANSWER, Mode},
};

/// Clients that leave, and how many at once.
const CLIENTS: usize = 1000;
const AT_ONCE: usize = 40;
/// Time for an upstream call to be closed after its client left.
const CLOSED_WITHIN: Duration = Duration::from_secs(1);
/// Whether a request whose client left is counted by its strategy as `cancelled`.
const CANCELLED_IS_COUNTED: bool = false;

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
        let service = evil::serve(&[&upstream], &[]);
        for number in 0..10 {
            let asked = Question { deadline_ms: 30_000, ..of_client(*face, CLIENTS + number) };
            assert_eq!(asked.ask_once(&service).await.0.unwrap().content(), Some(GOOD_ANSWER));
        }
        let before = figures(&service).await;
        upstream.rotate(PHASES.to_vec());

        let clients = stream::iter(0..CLIENTS).map(|number| come_and_go(&service, *face, number));
        let left: Vec<Instant> = clients.buffered(AT_ONCE).collect().await;
        assert!(upstream.falls_quiet(REST).await, "{:?}", upstream.seen());
        let calls = upstream.calls();
        let mut reached = 0;
        for (number, left) in left.iter().enumerate() {
            let mine = question(number);
            let mut of_client = calls.iter().filter(|call| call.speaks_of(&mine));
            let Some(call) = of_client.next() else { continue };
            reached += 1;
            assert!(of_client.next().is_none(), "client {number} was asked for twice");
            let closed = call.left.unwrap_or_else(|| panic!("{call:?} went on to its end"));
            let took = closed.saturating_duration_since(*left);
            assert!(took <= CLOSED_WITHIN, "{:?} was closed after {took:?}", call.mode);
        }
        assert!(reached > CLIENTS / 2, "only {reached} calls were under way: nothing was tested");

        let after = figures(&service).await;
        for figure in ["failures", "ema_latency_ms", "ema_success_rate", "p50_ms", "p99_ms"] {
            assert_eq!(before[figure], after[figure], "{figure}: {before:#} {after:#}");
        }
        if CANCELLED_IS_COUNTED {
            assert_eq!(after["cancelled"], CLIENTS, "{after:#}");
        }
        upstream.be(Mode::Good).await;
        let next = of_client(*face, CLIENTS + 10).ask_once(&service).await.0.unwrap();
        assert_eq!(next.content(), Some(GOOD_ANSWER), "the upstream was blamed");
        is_well(&service).await;
    }
}

fn of_client(face: Face, number: usize) -> Question {
    Question { deadline_ms: 20_000, ..Question::new(face, "ai_first", question(number)) }
}

/// Asks over a connection of its own, and leaves after a while. Returns when it left.
async fn come_and_go(service: &Service, face: Face, number: usize) -> Instant {
    let body = of_client(face, number).body().to_string();
    let address = service.url("").replace("http://", "");
    let mut stream = TcpStream::connect(&address).await.unwrap();
    let request = format!(
        "POST /api/v1/unified/process HTTP/1.1\r\nhost: {address}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    // Spread over the time that a call needs to be under way in each phase.
    sleep(Duration::from_millis(10 + (number as u64 * 37) % 140)).await;
    if number % 2 == 0 {
        stream.set_zero_linger().unwrap();
    }
    drop(stream);
    Instant::now()
}

async fn figures(service: &Service) -> Value {
    service.get("/api/v1/unified/metrics").await.1["strategies"]["ai_first"].clone()
}
