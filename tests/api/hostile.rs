//! Clients that mean no good, or are broken.

use std::{sync::Arc, time::Duration};

use axum::{Router, routing::get};
use meta_orchestrator::http::{NoTelemetry, ServeOptions, dress};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::{Instant, timeout},
};

use super::{
    bodies,
    support::{PATIENCE, Server, client, read_to_end},
};

const SHORT: Duration = Duration::from_millis(200);

fn impatient() -> ServeOptions {
    ServeOptions {
        header_timeout: SHORT,
        write_timeout: SHORT,
        max_header_bytes: 4096,
        ..ServeOptions::default()
    }
}

async fn started() -> Server {
    Server::start(bodies::router(), impatient()).await
}

fn post(headers: &str, body: &str) -> Vec<u8> {
    format!(
        "POST /process HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n{headers}\r\n{body}"
    )
    .into_bytes()
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or("none")
}

#[tokio::test]
async fn who_dribbles_the_head_is_cut_off() {
    let server = started().await;
    for beginning in ["", "P", "PRI * HTTP/2.0\r\n", "GET /process HTTP/1.1\r\nhost: x\r\nx-slow: "]
    {
        let since = Instant::now();
        let answer = server.raw(beginning.as_bytes()).await;
        assert_ne!(status(&answer), "200", "{beginning:?}");
        assert!(since.elapsed() < PATIENCE, "{beginning:?}");
    }
    assert_eq!(server.stop().await.unwrap().cut_off, 0);
}

#[tokio::test]
async fn a_byte_now_and_then_does_not_extend_the_time() {
    let server = started().await;
    let mut stream = server.connect().await;
    let (mut reader, mut writer) = stream.split();
    let dribble = async {
        let mut tick = tokio::time::interval(SHORT / 4);
        for byte in
            b"GET /process HTTP/1.1\r\nhost: x\r\nx-slow: ".iter().chain(std::iter::repeat(&b'a'))
        {
            tick.tick().await;
            if writer.write_all(&[*byte]).await.is_err() {
                break;
            }
        }
    };
    let mut answer = Vec::new();
    tokio::select! {
        _ = reader.read_to_end(&mut answer) => {}
        () = dribble => {}
        () = tokio::time::sleep(PATIENCE) => panic!("never cut off"),
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_slow_body_is_given_up_with_408() {
    let server = started().await;
    let answer = server.raw(&post("content-length: 100\r\n", "{\"input\":")).await;
    assert_eq!(status(&answer), "408", "{answer}");
    assert!(answer.contains("problem:body-timeout"), "{answer}");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn an_oversized_head_is_431() {
    let server = started().await;
    let one = format!("x-big: {}\r\n", "a".repeat(8000));
    let many: String = (0..200).map(|i| format!("x-{i}: 1\r\n")).collect();
    for headers in [one, many] {
        let answer = server.raw(&post(&headers, "")).await;
        assert_eq!(status(&answer), "431", "{answer}");
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn an_oversized_body_is_413_however_it_comes() {
    let server = started().await;
    let body = format!("{{\"input\": \"{}\"}}", "x".repeat(5000));
    let length = format!("content-length: {}\r\nconnection: close\r\n", body.len());
    let chunked = "transfer-encoding: chunked\r\nconnection: close\r\n";
    let chunk = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
    let announced = "content-length: 9999999999\r\nexpect: 100-continue\r\n";
    for request in [post(&length, &body), post(chunked, &chunk), post(announced, "")] {
        let answer = server.raw(&request).await;
        assert_eq!(status(&answer), "413", "{answer}");
        assert!(answer.contains("problem:body-too-large"), "{answer}");
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn broken_framing_is_a_4xx_and_never_a_second_request() {
    let server = started().await;
    for headers in [
        "content-length: 5\r\ncontent-length: 6\r\n",
        "content-length: -1\r\n",
        "content-length: 5, 6\r\n",
        "transfer-encoding: chunked\r\nconnection: close\r\n",
        "transfer-encoding: gzip\r\n",
        "bad header: x\r\n",
        "x : y\r\n",
        "x: a\0b\r\n",
    ] {
        let answer = server.raw(&post(headers, "nonsense\r\n\r\n")).await;
        assert!(status(&answer).starts_with('4'), "{headers:?}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{headers:?}: {answer}");
    }
    for garbage in [&b"\x16\x03\x01\x02\0\x01\0"[..], b"\0\0\0\0\r\n\r\n", b"GET\r\n\r\n"] {
        assert_ne!(status(&server.raw(garbage).await), "200");
    }
    let sound = client().post(server.url("/process")).header("content-type", "application/json");
    assert_eq!(sound.body("{\"input\": \"x\"}").send().await.unwrap().status(), 200);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_body_that_breaks_off_costs_nobody_anything() {
    let server = started().await;
    let mut stream = server.connect().await;
    stream.write_all(&post("content-length: 100\r\n", "{\"inp")).await.unwrap();
    stream.shutdown().await.unwrap();
    let answer = read_to_end(&mut stream).await;
    assert!(answer.is_empty() || status(&answer) == "400", "{answer}");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn who_never_reads_the_answer_is_cut_off() {
    let flood = Router::new().route("/flood", get(|| async { "x".repeat(64 << 20) }));
    let server = Server::start(dress(flood, Arc::new(NoTelemetry), []), impatient()).await;
    let mut stream = server.connect().await;
    stream.write_all(b"GET /flood HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let stopping = server.stop();
    let report = timeout(PATIENCE, stopping).await.expect("held open").unwrap();
    assert_eq!(report.cut_off, 0, "the write timeout came before the grace ended");
}

#[tokio::test]
async fn connections_beyond_the_cap_wait_and_are_served_when_a_place_is_free() {
    let options = ServeOptions { max_connections: 1, ..impatient() };
    let server = Server::start(bodies::router(), options).await;
    let idle = server.connect().await;
    let answer = client().get(server.url("/nothing")).send().await.unwrap();
    assert_eq!(answer.status(), 404, "the idle connection gave up its place");
    drop(idle);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn http2_with_prior_knowledge_is_served() {
    let server = started().await;
    super::support::client();
    let client = reqwest::Client::builder().http2_prior_knowledge().no_proxy().build().unwrap();
    let answer = client
        .post(server.url("/process"))
        .header("content-type", "application/json")
        .body("{\"input\": \"x\"}")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.version(), reqwest::Version::HTTP_2);
    assert_eq!(answer.text().await.unwrap(), "x");
    let headed = client.head(server.url("/nothing")).send().await.unwrap();
    assert_eq!((headed.status().as_u16(), headed.text().await.unwrap().as_str()), (404, ""));
    drop(client);
    server.stop().await.unwrap();
}
