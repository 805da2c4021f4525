//! The evil upstream itself: it does what its modes say, and counts right.

use std::{sync::LazyLock, time::Duration};

use reqwest::Client;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{REST, sse::events};
use crate::support::evil::{Cut, Dialect, Evil, GOOD_ANSWER, Mode, recorded};

fn client() -> Client {
    static CLIENT: LazyLock<Client> = LazyLock::new(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
        // Connections of one test's runtime are of no use to another's.
        Client::builder().no_proxy().pool_max_idle_per_host(0).build().unwrap()
    });
    CLIENT.clone()
}

async fn ask(evil: &Evil, stream: bool) -> reqwest::Result<reqwest::Response> {
    let body = json!({
        "model": "m", "stream": stream, "stream_options": { "include_usage": true },
        "messages": [{ "role": "user", "content": "why?" }],
    });
    let path = format!("{}/chat/completions", evil.base_url());
    client().post(path).bearer_auth("key").json(&body).send().await
}

async fn text(evil: &Evil, stream: bool) -> reqwest::Result<String> {
    ask(evil, stream).await?.text().await
}

#[tokio::test]
async fn a_good_upstream_answers_as_openai_does() {
    let evil = Evil::start(Mode::Good).await;
    let whole: Value = ask(&evil, false).await.unwrap().json().await.unwrap();
    assert_eq!(whole["choices"][0]["message"]["content"], GOOD_ANSWER);
    let response = ask(&evil, true).await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let (events, between) = events(&response.text().await.unwrap());
    assert!(between);
    assert_eq!(events.last().unwrap().data, "[DONE]");
    let chunks: Vec<Value> = events[..events.len() - 1]
        .iter()
        .map(|event| serde_json::from_str(&event.data).unwrap())
        .collect();
    let told: String = chunks
        .iter()
        .filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str())
        .collect();
    assert_eq!(told, GOOD_ANSWER);
    assert_eq!(chunks.last().unwrap()["usage"]["total_tokens"], 15);
    let calls = evil.calls();
    assert_eq!(calls.iter().map(|call| call.streams()).collect::<Vec<_>>(), [false, true]);
    assert_eq!(calls[0].authorization.as_deref(), Some("Bearer key"));
    assert!(calls[0].said().contains("why?") && calls[0].left.is_none());
}

#[tokio::test]
async fn its_port_closes_and_opens_again() {
    let evil = Evil::start(Mode::Refuse).await;
    for _ in 0..3 {
        assert!(text(&evil, false).await.unwrap_err().is_connect());
        evil.be(Mode::Good).await;
        assert!(text(&evil, false).await.is_ok());
        evil.be(Mode::Refuse).await;
    }
    assert_eq!(evil.seen().requests, 3);
}

#[tokio::test]
async fn an_answer_can_be_cut_at_any_byte_in_any_way() {
    let evil = Evil::start(Mode::Good).await;
    for stream in [false, true] {
        let whole = recorded(Dialect::OpenAi, stream);
        for (at, how) in [0, 1, whole.len() / 2, whole.len()]
            .into_iter()
            .flat_map(|at| Cut::ALL.map(|how| (at, how)))
        {
            evil.script([Mode::CutAt(at, how)]);
            let mut response = ask(&evil, stream).await.unwrap();
            let mut got = Vec::new();
            let broke = loop {
                match response.chunk().await {
                    Ok(Some(chunk)) => got.extend_from_slice(&chunk),
                    Ok(None) => break false,
                    Err(_) => break true,
                }
            };
            assert_eq!(got, whole[..at], "{how:?}");
            assert_eq!(broke, matches!(how, Cut::Closed | Cut::Reset), "{how:?} at {at}");
        }
    }
}

#[tokio::test]
async fn it_sees_when_a_client_leaves_and_counts_its_connections() {
    for mode in [
        Mode::HangBeforeHead,
        Mode::HangAfterHead,
        Mode::HangMidBody,
        Mode::Drip(Duration::from_millis(10)),
        Mode::Forever,
        Mode::Gigabyte { announced: false },
        Mode::EndlessLine,
    ] {
        for stream in [false, true] {
            let evil = Evil::start(mode).await;
            let mut asking = Box::pin(ask(&evil, stream));
            tokio::select! {
                _ = &mut asking => {}
                came = evil.until(REST, |seen| seen.requests == 1) => assert!(came, "{mode:?}"),
            }
            assert_eq!(evil.seen().busy, 1, "{mode:?}");
            let gone = Instant::now();
            drop(asking);
            assert!(evil.falls_quiet(REST).await, "{mode:?}: {:?}", evil.seen());
            let seen = evil.seen();
            let counted = (seen.opened, seen.open, seen.requests, seen.left);
            assert_eq!(counted, (1, 0, 1, 1), "{mode:?}");
            let left = evil.calls()[0].left.unwrap();
            assert!(left >= gone && left < gone + Duration::from_secs(1), "{mode:?}");
        }
    }
}

#[tokio::test]
async fn its_bomb_is_a_valid_file_of_a_gibibyte() {
    use std::io::Read as _;
    let evil = Evil::start(Mode::GzipBomb).await;
    let packed = ask(&evil, false).await.unwrap().bytes().await.unwrap();
    assert!(packed.len() < 2 << 20, "{} bytes", packed.len());
    let mut begin = vec![0; 1 << 20];
    flate2::read::GzDecoder::new(&*packed).read_exact(&mut begin).unwrap();
    assert!(
        begin.starts_with(b"{\"id\"") || begin.starts_with(b"{\"choices\""),
        "{:?}",
        &begin[..20]
    );
    let size = packed.len();
    let announced = u32::from_le_bytes(packed[size - 4..].try_into().unwrap());
    assert!(announced >= 1 << 30, "{announced}");
}

#[tokio::test]
async fn modes_come_in_turn_and_scripts_come_first() {
    let evil = Evil::start(Mode::Good).await;
    evil.rotate(vec![Mode::Status(500, None), Mode::Status(429, Some(7))]);
    evil.script([Mode::Good]);
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(ask(&evil, false).await.unwrap().status().as_u16());
    }
    assert_eq!(statuses, [200, 500, 429, 500]);
}
