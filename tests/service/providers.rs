//! One provider: keys, failures, costs.

use serde_json::json;

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
