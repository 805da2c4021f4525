//! Answers as chunks: in order, in time, and never whole where they are not.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use serde_json::{Value, json};

use super::{ASK, CHAT, question, service, with};
use crate::support::{Answer, Service};

const SPEAKS: &[&str] = &[
    "data: {\"model\":\"big-2026\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"Paris\"}}]}\n\n",
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\" is\"}}]}\n\n",
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\" it.\"},\"finish_reason\":\"stop\"}]}\n\n",
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":3}}\n\n",
    "data: [DONE]\n\n",
];
/// Ends without saying so.
const BREAKS_OFF: &[&str] = &[SPEAKS[0], SPEAKS[1]];
const CALLS: &[&str] = &[
    "data: {\"model\":\"big-2026\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"tool_calls\":[{\"index\":0,\"id\":\"call_1\",\"type\":\"function\",\"function\":{\"name\":\"weather\",\"arguments\":\"\"}}]}}]}\n\n",
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"{\\\"city\\\":\"}}]}}]}\n\n",
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"\\\"Rome\\\"}\"}}]}}]}\n\n",
    "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"tool_calls\"}]}\n\n",
    "data: [DONE]\n\n",
];

/// The data of each event with the time at which it came; the marker of the end as a string.
async fn events(service: &Service, body: Value) -> (u16, Vec<(Duration, Value)>) {
    let since = Instant::now();
    let body = with(body, json!({"stream": true}));
    let response = service.client.post(service.url(CHAT)).json(&body).send().await.unwrap();
    let status = response.status().as_u16();
    let streamed = response.headers()["content-type"] == "text/event-stream";
    let mut chunks = response.bytes_stream();
    let (mut text, mut found) = (String::new(), Vec::new());
    while let Some(chunk) = chunks.next().await {
        text.push_str(std::str::from_utf8(&chunk.unwrap()).unwrap());
        while let Some((event, rest)) = text.split_once("\n\n") {
            if let Some(data) = event.strip_prefix("data: ") {
                let data = serde_json::from_str(data).unwrap_or_else(|_| data.into());
                found.push((since.elapsed(), data));
            }
            text = rest.to_owned();
        }
    }
    if !streamed {
        found.push((since.elapsed(), serde_json::from_str(&text).unwrap()));
    }
    (status, found)
}

fn text(events: &[(Duration, Value)]) -> String {
    events.iter().filter_map(|(_, e)| e["choices"][0]["delta"]["content"].as_str()).collect()
}

#[tokio::test]
async fn text_comes_as_it_is_written_and_the_end_says_how_it_came_about() {
    let pause = Duration::from_millis(150);
    let (service, _upstream) = service(&["big"], Answer::Events(SPEAKS, pause)).await;
    let body = with(question("big", ASK), json!({"stream_options": {"include_usage": true}}));
    let (status, events) = events(&service, body).await;
    assert_eq!((status, text(&events).as_str()), (200, "Paris is it."));
    let (first, last) = (events[0].0, events.last().unwrap().0);
    assert!(
        last - first > pause * 2,
        "the first chunk did not wait for the last: {first:?} {last:?}"
    );
    let chunks: Vec<&Value> = events.iter().map(|(_, e)| e).collect();
    assert_eq!(chunks[0]["choices"][0]["delta"]["role"], "assistant");
    assert_eq!(*chunks[chunks.len() - 1], "[DONE]");
    let counted = chunks[chunks.len() - 2];
    assert_eq!(counted["choices"], json!([]));
    let usage = json!({"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12});
    assert_eq!(counted["usage"], usage);
    let end = chunks[chunks.len() - 3];
    assert_eq!(end["choices"][0]["finish_reason"], "stop");
    assert_eq!((end["model"].as_str(), end["usage"].is_null()), (Some("big-2026"), true));
    assert_eq!(end["meta"]["experts"][0]["model"], "big-2026");
    for chunk in &chunks[..chunks.len() - 1] {
        assert_eq!(chunk["object"], "chat.completion.chunk");
        assert_eq!(chunk["id"], end["meta"]["id"]);
    }
    for chunk in &chunks[..chunks.len() - 3] {
        assert_eq!(chunk["choices"][0]["finish_reason"], Value::Null);
        assert_eq!(chunk["model"], "big", "the name that was asked for, until the end");
    }
}

#[tokio::test]
async fn a_solver_streams_too_and_nobody_is_counted_unasked() {
    let service = Service::start(&[]);
    let (_, events) = events(&service, question("meta/hybrid", "17 * 3")).await;
    assert_eq!(text(&events), "51");
    assert_eq!(events.len(), 4, "role, text, end, marker: {events:#?}");
    assert!(events.iter().all(|(_, e)| e.get("usage").is_none()));
    assert_eq!(events[2].1["meta"]["route"], "flux");
}

#[tokio::test]
async fn a_stream_that_breaks_off_ends_with_an_error_and_without_the_marker() {
    let (service, _upstream) =
        service(&["big"], Answer::Events(BREAKS_OFF, Duration::from_millis(20))).await;
    for model in ["big", "meta/ai-first"] {
        let body = with(question(model, ASK), json!({"meta": {"mode": "fast"}}));
        let (status, events) = events(&service, body).await;
        assert_eq!((status, text(&events).as_str()), (200, "Paris is"));
        let last = &events.last().unwrap().1;
        assert_eq!(last["error"]["type"], "server_error", "{events:#?}");
        assert!(events.iter().all(|(_, e)| *e != "[DONE]"));
        assert!(events.iter().all(|(_, e)| e["choices"][0]["finish_reason"].is_null()));
    }
    // It is not remembered either.
    let (_, metrics) = service.get("/api/v1/unified/metrics").await;
    assert_eq!(metrics["lake"]["entries"], 0, "{metrics:#}");
}

#[tokio::test]
async fn a_failure_before_the_first_chunk_is_a_status() {
    let (service, _upstream) = service(&["big"], Answer::Status(429, Some(7))).await;
    let body = with(question("big", ASK), json!({"stream": true, "meta": {"deadline_ms": 2000}}));
    let response = service.client.post(service.url(CHAT)).json(&body).send().await.unwrap();
    assert_eq!(
        (response.status().as_u16(), &response.headers()["retry-after"]),
        (503, &"7".parse().unwrap())
    );
    assert_eq!(response.headers()["content-type"], "application/json");
    let error: Value = response.json().await.unwrap();
    assert_eq!(error["error"]["experts"][0]["code"], "rate_limited");
}

#[tokio::test]
async fn calls_of_tools_come_whole_at_the_end() {
    let (service, _upstream) =
        service(&["big"], Answer::Events(CALLS, Duration::from_millis(5))).await;
    let tools = json!([{"type": "function", "function": {"name": "weather"}}]);
    let body = with(question("auto", "Weather in Rome?"), json!({ "tools": tools }));
    let (_, events) = events(&service, body).await;
    let calls: Vec<_> =
        events.iter().filter(|(_, e)| e["choices"][0]["delta"]["tool_calls"].is_array()).collect();
    assert_eq!(calls.len(), 1, "{events:#?}");
    let call = json!({"index": 0, "id": "call_1", "type": "function",
        "function": {"name": "weather", "arguments": "{\"city\":\"Rome\"}"}});
    assert_eq!(calls[0].1["choices"][0]["delta"]["tool_calls"], json!([call]));
    assert_eq!(events[events.len() - 2].1["choices"][0]["finish_reason"], "tool_calls");
    assert_eq!(events[events.len() - 1].1, "[DONE]");
}

#[tokio::test]
async fn who_leaves_cancels_the_work() {
    let (service, upstream) = service(&["big"], Answer::Hangs).await;
    let body = with(question("big", ASK), json!({"stream": true}));
    let asking = service.client.post(service.url(CHAT)).json(&body);
    let left = asking.timeout(Duration::from_millis(500)).send().await;
    assert!(left.is_err() && upstream.calls().len() == 1);
    let gone = async {
        while !service.text("/metrics").await.contains("result=\"cancelled\"") {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), gone).await.expect("the call was not cancelled");
}
