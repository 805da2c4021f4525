//! One provider: keys, failures, costs.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use crate::support::{Answer, Service, Upstream};

const ASK: &str = "What is the capital of France?";

#[tokio::test]
async fn an_api_key_in_the_environment_is_enough() {
    let upstream = Upstream::start(Answer::Says("Paris")).await;
    let service = Service::start(&[
        ("OPENAI_API_KEY", "sk-secret-1"),
        ("OPENAI_BASE_URL", &upstream.base_url),
        ("OPENAI_MODEL", "gpt-test"),
    ]);
    let reply = service.ask(ASK).await;
    assert_eq!(reply["content"], "Paris");
    let calls = upstream.calls();
    assert_eq!(calls[0].authorization.as_deref(), Some("Bearer sk-secret-1"));
    assert_eq!(calls[0].body["model"], "gpt-test");
    let expert = &reply["metadata"]["experts"][0];
    assert_eq!(expert["model"], "gpt-test-2026", "the model really used: {expert}");
    assert!(!service.log().contains("sk-secret-1"), "the key is in the log");
    assert!(!service.log().contains("capital of France"), "the prompt is in the log");
}

#[tokio::test]
async fn a_transient_failure_is_tried_once_more() {
    let upstream = Upstream::start(Answer::Says("Paris")).await;
    upstream.once(Answer::Status(503, None));
    let service = Service::with_file(&upstream.config(&["big"]), &[("MOCK_KEY", "k")]);
    assert_eq!(service.ask(ASK).await["content"], "Paris");
    assert_eq!(upstream.calls().len(), 2);
}

#[tokio::test]
async fn a_failed_provider_is_a_typed_problem_without_its_words() {
    let upstream = Upstream::start(Answer::Status(401, None)).await;
    let service = Service::with_file(&upstream.config(&["big"]), &[("MOCK_KEY", "k")]);
    let (status, problem) = service.post("/api/v1/unified/process", &json!({ "input": ASK })).await;
    assert_eq!(status, 502, "{problem:#}");
    assert!(problem["type"].as_str().unwrap().starts_with("urn:meta-orchestrator:problem:"));
    assert_eq!(upstream.calls().len(), 1, "refused credentials are not tried again");
    let (_, metrics) = service.get("/api/v1/unified/metrics").await;
    assert_eq!(metrics["strategies"]["hybrid"]["failures"], 1);
}

#[tokio::test]
async fn health_tells_of_a_refused_key_until_an_answer_comes() {
    let upstream = Upstream::start(Answer::Says("Paris")).await;
    upstream.once(Answer::Status(401, None));
    let service = Service::with_file(&upstream.config(&["big"]), &[("MOCK_KEY", "k")]);
    let asi = async || {
        let (_, health) = service.get("/api/v1/unified/health").await;
        let parts = health["components"].as_array().unwrap();
        parts.iter().find(|part| part["name"] == "asi").unwrap().clone()
    };
    assert_eq!(asi().await["state"], "ok");
    service.post("/api/v1/unified/process", &json!({ "input": ASK })).await;
    let refused = asi().await;
    assert_eq!(refused["state"], "degraded");
    let detail = refused["detail"].as_str().unwrap();
    assert!(detail.contains("big: unauthorized since 20"), "{detail}");
    assert_eq!(upstream.calls().len(), 1, "health asks nobody");
    assert_eq!(service.ask(ASK).await["content"], "Paris");
    assert_eq!(asi().await["state"], "ok");
}

#[tokio::test]
async fn health_tells_of_the_only_provider_when_it_is_down_until_an_answer_comes() {
    let upstream = Upstream::start(Answer::Status(500, None)).await;
    let service = Service::with_file(&upstream.config(&["big"]), &[("MOCK_KEY", "k")]);
    let asi = async || {
        let (_, health) = service.get("/api/v1/unified/health").await;
        let parts = health["components"].as_array().unwrap();
        let asi = parts.iter().find(|part| part["name"] == "asi").unwrap().clone();
        (health["status"].clone(), asi["state"].clone(), asi["detail"].clone())
    };
    for _ in 0..6 {
        let (status, problem) =
            service.post("/api/v1/unified/process", &json!({ "input": ASK })).await;
        assert_eq!(status, 502);
        assert_eq!(problem["cause"], "status_5xx", "{problem:#}");
        assert_eq!(problem["experts"][0]["cause"], "status_5xx");
    }
    let (status, state, detail) = asi().await;
    assert_eq!((status, state), (json!("degraded"), json!("degraded")));
    assert!(detail.as_str().unwrap().contains("big: its provider fails"), "{detail}");
    upstream.once(Answer::Says("Paris"));
    assert_eq!(service.ask(ASK).await["content"], "Paris");
    assert_eq!(asi().await.1, "ok");
}

#[tokio::test]
async fn the_log_of_a_failed_call_names_who_failed_why_and_when_in_numbers() {
    let upstream = Upstream::start(Answer::Status(503, None)).await;
    let config = [("MOCK_KEY", "sk-secret-1"), ("LOG__FORMAT", "json")];
    let service = Service::with_file(&upstream.config(&["big"]), &config);
    let (status, _) = service.post("/api/v1/unified/process", &json!({ "input": ASK })).await;
    assert_eq!(status, 502);
    let log = service.log();
    let lines: Vec<Value> = log.lines().filter_map(|l| serde_json::from_str(l).ok()).collect();
    let said = |what: &str| lines.iter().filter(|l| l["message"] == what).collect::<Vec<_>>();
    let calls = said("a call of a provider failed");
    assert_eq!(calls.len(), 2, "{log}");
    for (at, call) in calls.iter().enumerate() {
        assert_eq!((&call["provider"], &call["model"]), (&json!("mock"), &json!("big")));
        assert_eq!((&call["cause"], &call["status"]), (&json!("status_5xx"), &json!(503)));
        assert_eq!(call["attempt"], json!(at + 1));
        assert!(call["duration_us"].is_u64(), "{call}");
    }
    assert!(said("request failed")[0]["duration_us"].is_u64(), "{log}");
    assert!(!log.contains("sk-secret-1") && !log.contains("capital of France"), "{log}");
}

#[tokio::test]
async fn an_outage_is_told_and_does_not_flood_the_log() {
    let upstream = Upstream::start(Answer::Status(500, None)).await;
    let config = [("MOCK_KEY", "k"), ("LOG__FORMAT", "json")];
    let service = Service::with_file(&upstream.config(&["big"]), &config);
    for _ in 0..40 {
        let (status, _) = service.post("/api/v1/unified/process", &json!({ "input": ASK })).await;
        assert_eq!(status, 502);
    }
    assert!(upstream.calls().len() >= 40);
    upstream.once(Answer::Says("Paris"));
    assert_eq!(service.ask(ASK).await["content"], "Paris");
    let log = service.log();
    let lines: Vec<Value> = log.lines().filter_map(|l| serde_json::from_str(l).ok()).collect();
    let about = |what: &str| {
        let message = |line: &&Value| line["message"].as_str().is_some_and(|m| m.starts_with(what));
        lines.iter().filter(message).collect::<Vec<_>>()
    };
    let warnings = about("a call of a provider failed");
    // Two attempts, each told at most once in ten seconds.
    assert!((2..=8).contains(&warnings.len()), "{log}");
    let counted: u64 = warnings.iter().filter_map(|line| line["unsaid"].as_u64()).sum();
    let back = about("a provider has answered after failures");
    let unsaid = back[0]["unsaid"].as_u64().unwrap();
    assert_eq!(
        counted + unsaid + warnings.len() as u64,
        upstream.calls().len() as u64 - 1,
        "{log}"
    );
}

#[tokio::test]
async fn a_cost_without_a_price_is_unknown_and_holds_nobody_back() {
    let upstream = Upstream::start(Answer::Says("Paris")).await;
    let config = upstream.config(&["big"]);
    let unpriced: String =
        config.split_inclusive('\n').filter(|l| !l.starts_with("price")).collect();
    let service = Service::with_file(&unpriced, &[("MOCK_KEY", "k")]);
    let ask = json!({ "input": ASK, "max_cost_usd": 0, "no_store": true });
    let reply = service.process(&ask).await;
    assert_eq!(reply["content"], "Paris");
    assert_eq!(reply["metadata"]["cost"], json!({ "usd": null }));
    let sentence = reply["metadata"]["explanation"]["sentence"].as_str().unwrap();
    assert!(sentence.contains("of no known price"), "{sentence}");
}

#[tokio::test]
async fn what_called_no_model_cost_nothing() {
    let service = Service::start(&[]);
    let reply = service.process(&json!({ "input": "what is 17 * 23?" })).await;
    assert_eq!(reply["content"], "391");
    assert_eq!(reply["metadata"]["cost"], json!({ "usd": 0.0 }));
}

#[tokio::test]
async fn an_ollama_that_comes_up_later_is_found_then() {
    // A port that is free now, for the server that is not up yet.
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let host = format!("127.0.0.1:{port}");
    let service = Service::start(&[("OLLAMA_HOST", &host)]);
    let (_, health) = service.get("/api/v1/unified/health").await;
    assert!(health.to_string().contains("waiting for ollama"), "{health}");
    let listener = TcpListener::bind(&host).await.unwrap();
    let serving = tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut asked = [0; 4096];
            let _read = stream.read(&mut asked).await;
            let body = json!({ "models": [{ "name": "llama3.2:3b" }] }).to_string();
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
                 connection: close\r\n\r\n",
                body.len()
            );
            let _sent = stream.write_all((head + &body).as_bytes()).await;
        }
    });
    let mut models = json!(null);
    for _ in 0..300 {
        models = service.get("/v1/models").await.1;
        if models.to_string().contains("llama3.2:3b") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(models.to_string().contains("llama3.2:3b"), "{models}");
    let (_, health) = service.get("/api/v1/unified/health").await;
    assert!(!health.to_string().contains("waiting for"), "{health}");
    serving.abort();
}

#[tokio::test]
async fn a_rate_limited_provider_passes_on_how_long_to_wait() {
    let upstream = Upstream::start(Answer::Status(429, Some(7))).await;
    let service = Service::with_file(&upstream.config(&["big"]), &[("MOCK_KEY", "k")]);
    let body = json!({ "input": ASK, "deadline_ms": 2000 });
    let response = service
        .client
        .post(service.url("/api/v1/unified/process"))
        .json(&body)
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 503);
    assert_eq!(response.headers()["retry-after"], "7");
}

#[tokio::test]
async fn usage_and_cost_are_those_of_the_calls() {
    let upstream = Upstream::start(Answer::Says("Paris")).await;
    let service = Service::with_file(&upstream.config(&["big"]), &[("MOCK_KEY", "k")]);
    let reply = service.ask(ASK).await;
    assert_eq!(reply["metadata"]["usage"]["prompt_tokens"], 10);
    let cost = reply["metadata"]["cost"]["usd"].as_f64().unwrap();
    assert!((cost - 20e-6).abs() < 1e-12, "{cost}");
    let metrics = service.text("/metrics").await;
    assert!(metrics.contains("meta_orchestrator_upstream_cost_usd_total"), "{metrics}");
}

#[tokio::test]
async fn a_cost_budget_keeps_the_call_from_being_made() {
    let upstream = Upstream::start(Answer::Says("Paris")).await;
    let service = Service::with_file(&upstream.config(&["big"]), &[("MOCK_KEY", "k")]);
    let body = json!({ "input": ASK, "max_cost_usd": 0.0 });
    let (status, problem) = service.post("/api/v1/unified/process", &body).await;
    assert_eq!(status, 502, "{problem:#}");
    assert_eq!(upstream.calls().len(), 0);
}

#[tokio::test]
async fn flux_drafts_with_the_configured_drafter() {
    let upstream = Upstream::start(Answer::ByModel(&[("small", "Paris"), ("big", "Lyon")])).await;
    let file = format!("{}\n", upstream.config(&["small", "big"]));
    let service = Service::with_file(&file, &[("MOCK_KEY", "k"), ("FLUX__DRAFTER", "small")]);
    let reply = service.ask("What is the capital of France?").await;
    assert_eq!(reply["content"], "Paris", "{reply:#}");
    assert_eq!(reply["orchestrators_used"]["kind"], "flux");
    assert_eq!(upstream.calls().len(), 1);
}

#[tokio::test]
async fn a_draft_that_is_no_answer_is_escalated_and_a_slow_one_left_behind() {
    let strong = Upstream::start(Answer::Says("Paris")).await;
    let small = Upstream::start(Answer::Says("I don't know.")).await;
    let second = strong.config(&["big"]).replace("\"mock\"", "\"strong\"");
    let service = Service::with_file(
        &format!("{}{second}", small.config(&["small"])),
        &[("MOCK_KEY", "k"), ("FLUX__DRAFTER", "small"), ("FLUX__DRAFTER_DEADLINE_MS", "200")],
    );
    let ask = json!({ "input": "What is the capital of France?", "no_store": true });
    for answer in [None, Some(Answer::Hangs), Some(Answer::Status(500, None))] {
        answer.into_iter().for_each(|answer| small.once(answer));
        let reply = service.process(&ask).await;
        assert_eq!(reply["content"], "Paris", "{reply:#}");
        assert_eq!(reply["metadata"]["decision"]["route"], "flux_then_asi", "{reply:#}");
        assert_eq!(reply["recovered"], false);
    }
}

#[tokio::test]
async fn the_bundled_guide_leaves_other_questions_to_the_model() {
    let upstream = Upstream::start(Answer::Says("Use the cloud.")).await;
    let service = Service::with_file(&upstream.config(&["big"]), &[("MOCK_KEY", "k")]);
    for question in [
        "how do I back up my phone?",
        "what is Rust?",
        "what time is it?",
        "who founded Meta?",
        "what is a confidence interval?",
    ] {
        assert_eq!(service.ask(question).await["content"], "Use the cloud.", "{question}");
    }
    let about_itself = service.ask("what does the hybrid strategy do?").await;
    assert!(about_itself["content"].as_str().unwrap().starts_with("Hybrid"), "{about_itself:#}");
}
