//! `process` as a stream of events.

use serde_json::{Value, json};

use crate::support::{Answer, Service, Upstream};

const ASK: &str = "Who painted the night watch?";

/// The events of a stream, by name; data parsed.
async fn events(service: &Service, body: &Value) -> Vec<(String, Value)> {
    let response = service
        .client
        .post(service.url("/api/v1/unified/process"))
        .json(body)
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    parse(&response.text().await.unwrap())
}

fn parse(text: &str) -> Vec<(String, Value)> {
    let event = |block: &str| {
        let (name, data) = block.strip_prefix("event: ")?.split_once("\ndata: ")?;
        Some((name.to_owned(), serde_json::from_str(data).unwrap()))
    };
    text.split("\n\n").filter_map(event).collect()
}

fn names(events: &[(String, Value)]) -> Vec<&str> {
    let mut names: Vec<&str> = events.iter().map(|(name, _)| name.as_str()).collect();
    names.dedup();
    names
}

/// The text as the client has it in the end.
fn text(events: &[(String, Value)]) -> String {
    let mut text = String::new();
    for (name, data) in events {
        match name.as_str() {
            "delta" => text.push_str(data["text"].as_str().unwrap()),
            "retract" => text.clear(),
            _ => {}
        }
    }
    text
}

fn streamed(strategy: &str, mode: &str) -> Value {
    json!({ "input": ASK, "strategy": strategy, "mode": mode, "stream": true })
}

#[tokio::test]
async fn one_expert_is_heard_while_it_speaks() {
    let upstream = Upstream::start(Answer::Streams(&["Rem", "brandt", " van Rijn. "], 0)).await;
    let service = Service::with_file(&upstream.config(&["big"]), &[("MOCK_KEY", "k")]);
    let events = events(&service, &streamed("ai_first", "fast")).await;
    assert_eq!(text(&events), "Rembrandt van Rijn.");
    let heard = names(&events);
    let at = |name| heard.iter().position(|n| *n == name).unwrap();
    assert!(at("decision") < at("delta") && at("delta") < at("result"), "{heard:?}");
    let deltas = events.iter().filter(|(name, _)| name == "delta").count();
    assert!(deltas >= 2, "the pieces came one by one: {events:?}");
    let (name, result) = events.last().unwrap();
    assert_eq!((name.as_str(), &result["content"]), ("result", &json!("Rembrandt van Rijn.")));
    assert_eq!(result["metadata"]["usage"]["completion_tokens"], 5);
    assert_eq!(upstream.calls()[0].body["stream"], true);
    assert_eq!(upstream.calls()[0].body["stream_options"]["include_usage"], true);
}

#[tokio::test]
async fn a_first_piece_is_passed_on_before_the_last_is_there() {
    let upstream = Upstream::start(Answer::Streams(&["a", "b", "c", "d"], 150)).await;
    let service = Service::with_file(&upstream.config(&["big"]), &[("MOCK_KEY", "k")]);
    let mut response = service
        .client
        .post(service.url("/api/v1/unified/process"))
        .json(&streamed("ai_first", "fast"))
        .send()
        .await
        .unwrap();
    let mut heard = String::new();
    while !heard.contains("event: delta") {
        heard.push_str(std::str::from_utf8(&response.chunk().await.unwrap().unwrap()).unwrap());
    }
    assert!(!heard.contains("event: result"), "everything came at once");
}

#[tokio::test]
async fn every_strategy_and_mode_streams_the_answer_that_it_gives() {
    let upstream = Upstream::start(Answer::Streams(&["Remb", "randt."], 0)).await;
    let models = ["a", "b", "c"];
    let service = Service::with_file(&upstream.config(&models), &[("MOCK_KEY", "k")]);
    for strategy in ["ai_first", "runtime_first", "hybrid", "parallel_fusion", "adaptive"] {
        for mode in ["fast", "balanced", "thorough", "reasoning"] {
            let mut body = streamed(strategy, mode);
            body["no_store"] = json!(true);
            let events = events(&service, &body).await;
            let (name, result) = events.last().unwrap();
            // Consensus asks for whole answers, which this upstream does not give; Adaptive may choose
            // it, whatever the mode.
            if name == "error" {
                let alone = !["parallel_fusion", "adaptive"].contains(&strategy);
                assert!(!alone || ["thorough", "reasoning"].contains(&mode));
                continue;
            }
            assert_eq!(name, "result", "{strategy} {mode}: {events:?}");
            assert_eq!(text(&events), result["content"].as_str().unwrap(), "{strategy} {mode}");
        }
    }
}

#[tokio::test]
async fn what_flux_knows_is_streamed_without_any_upstream() {
    let service = Service::start(&[]);
    let body = json!({ "input": "what is 15 percent of 80?", "stream": true });
    let events = events(&service, &body).await;
    assert_eq!(names(&events).first(), Some(&"position"));
    assert_eq!(text(&events), "12");
    assert_eq!(events.last().unwrap().1["content"], "12");
}

#[tokio::test]
async fn a_stream_that_breaks_off_is_an_error_and_never_stored() {
    let upstream = Upstream::start(Answer::StreamsAndBreaksOff(&["Rembrandt", " van"])).await;
    let service = Service::with_file(&upstream.config(&["big"]), &[("MOCK_KEY", "k")]);
    let events = events(&service, &streamed("ai_first", "fast")).await;
    let (name, problem) = events.last().unwrap();
    assert_eq!(name, "error", "{events:?}");
    assert_eq!(problem["type"], "urn:meta-orchestrator:problem:experts-failed");
    assert!(problem["request_id"].as_str().is_some_and(|id| id.starts_with("req_")));
    assert_eq!(text(&events), "", "what was heard was taken back");
    let (_, metrics) = service.get("/api/v1/unified/metrics").await;
    assert_eq!(metrics["strategies"]["ai_first"]["failures"], 1);
    assert_eq!(metrics["lake"]["entries"], 0);
    let log = service.log();
    assert!(log.contains("failed while it was streamed"), "{log}");
}

#[tokio::test]
async fn another_expert_takes_over_where_a_stream_breaks_off() {
    let broken = Upstream::start(Answer::StreamsAndBreaksOff(&["Ver", "meer"])).await;
    let sound = Upstream::start(Answer::Streams(&["Rembrandt"], 0)).await;
    let second = sound.config(&["b"]).replace("\"mock\"", "\"second\"").replace("0.8", "0.7");
    let file = format!("{}{second}", broken.config(&["a"]));
    let service = Service::with_file(&file, &[("MOCK_KEY", "k")]);
    let events = events(&service, &streamed("ai_first", "fast")).await;
    assert_eq!(text(&events), "Rembrandt");
    assert!(names(&events).contains(&"retract"), "{events:?}");
    assert_eq!(events.last().unwrap().1["content"], "Rembrandt");
}

#[tokio::test]
async fn a_header_asks_for_events_as_well() {
    let service = Service::start(&[]);
    let ask = |accept: &'static str| {
        let request = service.client.post(service.url("/api/v1/unified/process"));
        request.header("accept", accept).json(&json!({ "input": "2+2" })).send()
    };
    let response = ask("text/event-stream").await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let response = ask("application/json, text/event-stream").await.unwrap();
    assert_eq!(response.headers()["content-type"], "application/json");
}

#[tokio::test]
async fn a_bad_request_is_a_problem_and_no_stream() {
    let service = Service::start(&[]);
    let body = json!({ "input": "", "stream": true });
    let (status, problem) = service.post("/api/v1/unified/process", &body).await;
    assert_eq!((status, &problem["status"]), (422, &json!(422)));
}
