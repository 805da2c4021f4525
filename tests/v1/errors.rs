//! Every failure under `/v1` has OpenAI's form and the right status.

use serde_json::{Value, json};

use super::{ASK, CHAT, question, service, with};
use crate::support::{Answer, Service};

async fn error(service: &Service, request: reqwest::RequestBuilder) -> (u16, Value, Value) {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let headers = response.headers().clone();
    assert_eq!(headers["content-type"], "application/json");
    let body: Value = response.json().await.unwrap();
    let error = body["error"].clone();
    assert_eq!(body.as_object().unwrap().len(), 1, "{body}");
    assert!(error["message"].as_str().is_some_and(|message| message.len() > 10), "{error}");
    assert_eq!(error["request_id"], headers["x-request-id"].to_str().unwrap());
    let _ = service;
    (status, error["code"].clone(), error["param"].clone())
}

#[tokio::test]
async fn every_failure_has_openais_form() {
    let service = Service::start(&[]);
    let post = |body: &'static str| {
        service.client.post(service.url(CHAT)).header("content-type", "application/json").body(body)
    };
    let send = |body: &Value| service.client.post(service.url(CHAT)).json(body);
    let get = |path: &str| service.client.get(service.url(path));
    let n = with(question("auto", "2 + 2"), json!({"n": 2}));
    for (request, status, code, param) in [
        (post("{\"model\": "), 400, "malformed_json", Value::Null),
        (post(""), 400, "empty_body", Value::Null),
        (post("[]"), 400, "invalid_request", Value::Null),
        (post("{}"), 400, "invalid_request", json!("model")),
        (send(&n), 400, "invalid_request", json!("n")),
        (send(&question("gpt-99", "2 + 2")), 404, "model_not_found", json!("model")),
        (
            service.client.post(service.url(CHAT)).body("x"),
            415,
            "unsupported_media_type",
            Value::Null,
        ),
        (get(CHAT), 405, "method_not_allowed", Value::Null),
        (get("/v1/models/gpt-99"), 404, "model_not_found", json!("model")),
        (get("/v1/embeddings"), 404, "not_found", Value::Null),
        (get("/v1"), 404, "not_found", Value::Null),
    ] {
        let told = error(&service, request).await;
        assert_eq!(told, (status, json!(code), param));
    }
    // Elsewhere problems stay problems.
    let elsewhere = get("/v1beta").send().await.unwrap();
    assert_eq!(elsewhere.headers()["content-type"], "application/problem+json");
}

#[tokio::test]
async fn members_that_contradict_each_other_are_named() {
    let (service, upstream) = service(&["big"], Answer::Says("x")).await;
    let tools = json!([{"type": "function", "function": {"name": "f"}}]);
    for (model, more, param) in [
        ("meta/hybrid", json!({"meta": {"strategy": "ai_first"}}), "meta.strategy"),
        ("big", json!({"meta": {"strategy": "hybrid"}}), "meta.strategy"),
        ("big", json!({"meta": {"mode": "thorough"}}), "meta.mode"),
        ("auto", json!({"tools": tools, "meta": {"session_id": "s"}}), "meta.session_id"),
        ("auto", json!({"tools": tools, "meta": {"context": ["x"]}}), "meta.context"),
        ("auto", json!({"tools": tools, "meta": {"mode": "reasoning"}}), "meta.mode"),
    ] {
        let body = with(question(model, ASK), more);
        let (status, refused) = service.post(CHAT, &body).await;
        assert_eq!((status, refused["error"]["param"].as_str()), (400, Some(param)), "{refused}");
    }
    assert_eq!(upstream.calls().len(), 0);
}

#[tokio::test]
async fn failures_of_the_models_have_the_right_status_and_when_to_try_again() {
    let (service, upstream) = service(&["big"], Answer::Status(429, Some(7))).await;
    let ask = |more: Value| {
        service.client.post(service.url(CHAT)).json(&with(question("big", ASK), more))
    };
    let response = ask(json!({"meta": {"deadline_ms": 2000}})).send().await.unwrap();
    assert_eq!(
        (response.status().as_u16(), &response.headers()["retry-after"]),
        (503, &"7".parse().unwrap())
    );
    drop(upstream);

    let (service, _upstream) = super::service(&["big"], Answer::Status(401, None)).await;
    let (status, refused) = service.post(CHAT, &question("big", ASK)).await;
    assert_eq!(
        (status, refused["error"]["experts"][0]["code"].as_str()),
        (502, Some("unauthorized"))
    );

    let (service, _upstream) = super::service(&["big"], Answer::Hangs).await;
    let hasty = with(question("big", ASK), json!({"meta": {"deadline_ms": 200}}));
    let (status, refused) = service.post(CHAT, &hasty).await;
    assert_eq!((status, refused["error"]["code"].as_str()), (504, Some("deadline_exceeded")));
}

#[tokio::test]
async fn too_many_at_once_are_told_so_in_openais_form() {
    let upstream = crate::support::Upstream::start(Answer::Hangs).await;
    let config = [("MOCK_KEY", "k"), ("SERVER__MAX_IN_FLIGHT", "1")];
    let service = Service::with_file(&upstream.config(&["big"]), &config);
    let waiting = service.client.post(service.url(CHAT)).json(&question("big", ASK)).send();
    let refused = async {
        // The only place is taken for certain once the upstream was called.
        while upstream.calls().is_empty() {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        let (status, refused) = service.post(CHAT, &question("auto", "2 + 2")).await;
        assert_eq!(status, 503, "{refused:#}");
        refused
    };
    let refused = tokio::select! {
        refused = refused => refused,
        _ = waiting => panic!("the upstream hangs"),
    };
    assert_eq!(refused["error"]["code"], "overloaded");
    assert_eq!(service.get("/v1/models").await.0, 200, "who only looks is always answered");
}
