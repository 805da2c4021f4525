//! What happens when upstreams or clients misbehave.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Answer, Service, Upstream};

const ASK: &str = "Who painted the night watch?";

/// Looks until a figure of AIFirst reaches this value.
async fn settles(service: &Service, figure: &str, value: u64) -> Value {
    for _ in 0..100 {
        let (_, metrics) = service.get("/api/v1/unified/metrics").await;
        let strategy = metrics["strategies"]["ai_first"].clone();
        if strategy[figure] == value {
            return strategy;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{figure} never became {value}");
}

#[tokio::test]
async fn a_client_that_leaves_is_one_record_and_nobodys_fault() {
    let upstream = Upstream::start(Answer::Hangs).await;
    let service = Service::with_file(&upstream.config(&["big"]), &[("MOCK_KEY", "k")]);
    for streamed in [false, true] {
        let body = json!({ "input": ASK, "strategy": "ai_first", "stream": streamed });
        let call = service
            .client
            .post(service.url("/api/v1/unified/process"))
            .timeout(Duration::from_millis(300))
            .json(&body)
            .send();
        // A stream's head is there at once; its client leaves while it waits for more.
        if let Ok(response) = call.await {
            assert!(response.text().await.is_err());
        }
    }
    let figures = settles(&service, "cancelled", 2).await;
    assert_eq!((&figures["requests"], &figures["failures"]), (&json!(2), &json!(0)));
    assert!(figures.get("ema_success_rate").is_none(), "{figures}");
    let metrics = service.text("/metrics").await;
    assert!(metrics.contains("result=\"cancelled\"} 2"), "both upstream calls were cancelled");
}

#[tokio::test]
async fn the_next_model_answers_where_the_first_is_silent() {
    let silent = Upstream::start(Answer::Hangs).await;
    let quick = Upstream::start(Answer::Says("Rembrandt")).await;
    let second = quick.config(&["b"]).replace("\"mock\"", "\"second\"").replace("0.8", "0.7");
    let file = format!("{}{second}", silent.config(&["a"]));
    let service = Service::with_file(&file, &[("MOCK_KEY", "k")]);
    let body = json!({
        "input": ASK, "strategy": "ai_first", "mode": "fast", "deadline_ms": 2000, "no_store": true,
    });
    let since = Instant::now();
    let reply = service.process(&body).await;
    assert_eq!(reply["content"], "Rembrandt");
    assert!(since.elapsed() < Duration::from_secs(2));
    let experts = reply["metadata"]["experts"].as_array().unwrap();
    assert!(experts.iter().any(|e| e["name"] == "a" && e["error"] == "overtaken"), "{experts:?}");
}

#[tokio::test]
async fn a_provider_without_a_free_place_refuses_at_once() {
    let upstream = Upstream::start(Answer::Hangs).await;
    let file =
        upstream.config(&["big"]).replace("api_key_env", "max_concurrent_calls = 1\napi_key_env");
    let service = Service::with_file(&file, &[("MOCK_KEY", "k")]);
    let ask = || {
        let body = json!({ "input": ASK, "strategy": "ai_first", "deadline_ms": 3000 });
        service.client.post(service.url("/api/v1/unified/process")).json(&body).send()
    };
    let (first, second) = tokio::join!(ask(), async {
        while upstream.calls().is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let since = Instant::now();
        (ask().await.unwrap(), since.elapsed())
    });
    let (refused, took) = second;
    assert_eq!(refused.status(), 503);
    assert_eq!(refused.headers()["retry-after"], "1");
    assert!(took < Duration::from_secs(2), "{took:?}");
    let problem: Value = refused.json().await.unwrap();
    assert_eq!(problem["type"], "urn:meta-orchestrator:problem:experts-busy");
    assert_eq!(first.unwrap().status(), 504);
}

#[tokio::test]
async fn a_provider_that_limits_the_rate_is_left_alone_as_long_as_it_asks() {
    let upstream = Upstream::start(Answer::Status(429, Some(30))).await;
    let service = Service::with_file(&upstream.config(&["big"]), &[("MOCK_KEY", "k")]);
    let body = json!({ "input": ASK, "strategy": "ai_first", "deadline_ms": 2000 });
    for _ in 0..3 {
        let (status, _) = service.post("/api/v1/unified/process", &body).await;
        assert_eq!(status, 503);
    }
    assert_eq!(upstream.calls().len(), 1);
}

#[tokio::test]
async fn a_failing_provider_is_held_back_and_the_other_one_serves() {
    let failing = Upstream::start(Answer::Status(500, None)).await;
    let sound = Upstream::start(Answer::Says("Rembrandt")).await;
    let second = sound.config(&["b"]).replace("\"mock\"", "\"second\"").replace("0.8", "0.7");
    let file = format!("{}{second}", failing.config(&["a"]));
    let service = Service::with_file(&file, &[("MOCK_KEY", "k")]);
    let body = json!({
        "input": ASK, "strategy": "ai_first", "mode": "fast", "no_store": true,
    });
    for _ in 0..40 {
        assert_eq!(service.process(&body).await["content"], "Rembrandt");
    }
    let calls = failing.calls().len();
    assert!(calls < 30, "{calls} calls of a provider that always fails");
    assert_eq!(sound.calls().len(), 40);
}
