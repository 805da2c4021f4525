//! Every way in which a body can be wrong is a clear problem that names the place and the fix.

use std::sync::Arc;

use axum::{Router, routing::post};
use meta_orchestrator::http::{
    JsonBody, NoTelemetry, PROBLEM_JSON, ServeOptions, dress, unified::ProcessBody,
};
use serde_json::Value;

use super::support::{Limits, Server, client};

async fn echo(JsonBody(body): JsonBody<ProcessBody>) -> String {
    body.input
}

pub(super) fn router() -> Router {
    let router = Router::new().route("/process", post(echo)).with_state(Limits);
    dress(router, Arc::new(NoTelemetry), ["/process".to_owned()])
}

/// Body, status, last part of the problem's type, pointers of its errors, a part of the detail.
type Case = (&'static [u8], u16, &'static str, &'static [&'static str], &'static str);

const CASES: &[Case] = &[
    (b"", 400, "empty-body", &[], "empty"),
    (b" \r\n\t", 400, "empty-body", &[], "empty"),
    (b"{", 400, "malformed-json", &[], "Line 1, column 1"),
    (b"{\"input\": \"x\"", 400, "malformed-json", &[], "EOF"),
    (b"{\"input\": \"x}", 400, "malformed-json", &[], "EOF"),
    (b"{\"input\": \"x\",}", 400, "malformed-json", &[], "column 15"),
    (b"{\"input\": \"x\"} x", 400, "malformed-json", &[], "trailing"),
    (b"{\"input\": \"x\"}{\"input\": \"y\"}", 400, "malformed-json", &[], "trailing"),
    (b"{'input': 'x'}", 400, "malformed-json", &[], "column 2"),
    (b"{input: \"x\"}", 400, "malformed-json", &[], "column 2"),
    (b"{\"input\": \"x\" // why\n}", 400, "malformed-json", &[], "Line 1"),
    (b"{\"input\": NaN}", 400, "malformed-json", &[], "column 11"),
    (b"{\"input\": \"x\", \"max_cost_usd\": 1e999}", 400, "malformed-json", &[], "range"),
    (b"{\"input\": \"a\nb\"}", 400, "malformed-json", &[], "control character"),
    (b"{\"input\": \"\\ud800\"}", 400, "malformed-json", &[], "hex escape"),
    (b"input=x", 400, "malformed-json", &[], "column 1"),
    (b"\xef\xbb\xbf{\"input\": \"x\"}", 400, "malformed-json", &[], "byte order mark"),
    (b"{\"input\": \"caf\xe9\"}", 400, "invalid-encoding", &[], "offset 14"),
    (b"\xff\xfe{\0", 400, "invalid-encoding", &[], "UTF-16"),
    (b"\x1f\x8b\x08\0", 400, "invalid-encoding", &[], "gzip"),
    (b"{\"context\": [[[[[[[]]]]]]]}", 400, "json-too-deep", &[], "6 levels"),
    (b"[]", 422, "invalid-request", &[""], "an array"),
    (b"\"x\"", 422, "invalid-request", &[""], "a string"),
    (b"null", 422, "invalid-request", &[""], "null"),
    (b"{}", 422, "invalid-request", &["/input"], "missing"),
    (b"{\"input\": \"\"}", 422, "invalid-request", &["/input"], "empty"),
    (b"{\"input\": \"x\", \"input\": \"y\"}", 422, "invalid-request", &["/input"], "twice"),
    (b"{\"input\": 7}", 422, "invalid-request", &["/input"], "send a string"),
    (b"{\"input\": [\"x\"]}", 422, "invalid-request", &["/input"], "is an array"),
    (
        b"{\"input\": \"x\", \"sesion_id\": \"s\"}",
        422,
        "invalid-request",
        &["/sesion_id"],
        "did you mean `session_id`",
    ),
    (
        b"{\"input\": \"x\", \"model\": \"gpt\"}",
        422,
        "invalid-request",
        &["/model"],
        "known fields are input, context",
    ),
    (
        b"{\"input\": \"x\", \"strategy\": \"hybird\"}",
        422,
        "invalid-request",
        &["/strategy"],
        "did you mean `hybrid`",
    ),
    (
        b"{\"input\": \"x\", \"strategy\": \"best\"}",
        422,
        "invalid-request",
        &["/strategy"],
        "ai_first, runtime_first, hybrid, parallel_fusion, adaptive",
    ),
    (
        b"{\"input\": \"x\", \"mode\": \"turbo\"}",
        422,
        "invalid-request",
        &["/mode"],
        "fast, balanced, thorough, reasoning",
    ),
    (
        b"{\"input\": \"x\", \"consensus\": true}",
        422,
        "invalid-request",
        &["/consensus"],
        "is a boolean",
    ),
    (
        b"{\"input\": \"x\", \"deadline_ms\": -5}",
        422,
        "invalid-request",
        &["/deadline_ms"],
        "from 1 to 120000",
    ),
    (
        b"{\"input\": \"x\", \"deadline_ms\": \"5\"}",
        422,
        "invalid-request",
        &["/deadline_ms"],
        "whole number",
    ),
    (
        b"{\"input\": \"x\", \"session_id\": \"a b\"}",
        422,
        "invalid-request",
        &["/session_id"],
        "letters, digits",
    ),
    (
        b"{\"input\": \"x\", \"context\": [\"a\", 1]}",
        422,
        "invalid-request",
        &["/context/1"],
        "`source` and `text`",
    ),
    (
        b"{\"input\": \"x\", \"context\": [\"a\", \"b\", \"c\"]}",
        422,
        "invalid-request",
        &["/context"],
        "at most 2",
    ),
    (
        b"{\"input\": 1, \"a~/b\": 1, \"context\": [{}]}",
        422,
        "invalid-request",
        &["/input", "/context/0/text", "/a~0~1b"],
        "3 fields",
    ),
];

#[tokio::test]
async fn every_malformed_body_is_told_where_and_how_to_mend_it() {
    let server = Server::start(router(), ServeOptions::default()).await;
    let client = client();
    for &(body, status, slug, pointers, detail) in CASES {
        let shown = String::from_utf8_lossy(body);
        let response = client
            .post(server.url("/process"))
            .header("content-type", "application/json")
            .header("x-request-id", "test-1")
            .body(body)
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), status, "{shown}");
        assert_eq!(response.headers()["content-type"], PROBLEM_JSON, "{shown}");
        let problem: Value = response.json().await.unwrap();
        assert_eq!(problem["type"], format!("urn:meta-orchestrator:problem:{slug}"), "{shown}");
        assert_eq!(problem["status"], status, "{shown}");
        assert_eq!(problem["request_id"], "test-1", "{shown}");
        assert!(problem["detail"].as_str().unwrap().contains(detail), "{shown}: {problem}");
        let errors = problem["errors"].as_array().cloned().unwrap_or_default();
        let named: Vec<_> = errors.iter().map(|e| e["pointer"].as_str().unwrap()).collect();
        assert_eq!(named, pointers, "{shown}");
        for error in &errors {
            assert!(!error["fix"].as_str().unwrap().is_empty(), "{shown}");
        }
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn what_is_unusual_but_sound_is_taken() {
    let server = Server::start(router(), ServeOptions::default()).await;
    for body in [
        "{\"input\": \"nul \\u0000 and \\ud83d\\ude00\"}",
        " \n{\"input\": \"x\", \"context\": null, \"deadline_ms\": 1e3}\r\n",
        "{\"input\": \"x\", \"strategy\": \"ParallelFusion\", \"context\": [{\"text\": \"t\"}]}",
    ] {
        let response = client()
            .post(server.url("/process"))
            .header("content-type", "application/json; charset=utf-8")
            .body(body)
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 200, "{body}");
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_body_that_does_not_say_json_is_refused_with_what_would_be_taken() {
    let server = Server::start(router(), ServeOptions::default()).await;
    for (name, value) in [
        ("content-type", "text/plain"),
        ("content-type", "application/x-www-form-urlencoded"),
        ("accept", "*/*"),
    ] {
        let response = client()
            .post(server.url("/process"))
            .header(name, value)
            .body("{\"input\": \"x\"}")
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 415, "{value}");
        assert_eq!(response.headers()["accept"], "application/json");
    }
    let response = client()
        .post(server.url("/process"))
        .header("content-type", "application/json")
        .header("content-encoding", "gzip")
        .body("x")
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 415);
    server.stop().await.unwrap();
}
