//! Problems in the form that OpenAI's clients read.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::{ExpertFailure, Problem, ProblemBody, ProblemKind};

/// An error response of `/v1`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OpenAiErrorBody {
    /// What happened.
    pub error: OpenAiError,
}

/// What happened, in OpenAI's terms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OpenAiError {
    /// What happened this time, and what to do about it.
    #[schema(example = "There is no model `gpt-5`.")]
    pub message: String,
    /// `invalid_request_error`, or `server_error` where the request is not to blame.
    #[serde(rename = "type")]
    #[schema(example = "invalid_request_error")]
    pub kind: &'static str,
    /// The member of the request that is wrong, such as `messages[0].content`.
    #[schema(required, example = "model")]
    pub param: Option<String>,
    /// A stable code; switch on this.
    #[schema(example = "model_not_found")]
    pub code: String,
    /// The request's id, as in the `x-request-id` header.
    pub request_id: String,
    /// The experts that failed, when experts are what failed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub experts: Vec<ExpertFailure>,
}

/// The problem as a response, with the headers that it has elsewhere.
pub(in crate::http) fn respond(problem: Problem, request_id: &str) -> Response {
    let status = status(problem.kind());
    let mut response = problem.clone().respond(Some(request_id));
    let mut headers = std::mem::take(response.headers_mut());
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.remove(header::CONTENT_LENGTH);
    (status, headers, Json(body(problem, request_id))).into_response()
}

/// What is written of a problem, in a response or at the end of a stream.
pub(super) fn body(problem: Problem, request_id: &str) -> OpenAiErrorBody {
    let kind = problem.kind();
    let server_error = kind.status().is_server_error();
    let ProblemBody { detail, errors, experts, .. } = problem.body(None);
    let mut message = detail;
    // One fault is in the detail already; of several, the client shows nothing but this text.
    if errors.len() > 1 {
        for error in &errors {
            let param = param(&error.pointer).unwrap_or_else(|| "the body".to_owned());
            message.push_str(&format!(" `{param}` {}: {}.", error.detail, error.fix));
        }
    }
    OpenAiErrorBody {
        error: OpenAiError {
            message,
            kind: if server_error { "server_error" } else { "invalid_request_error" },
            param: errors.first().and_then(|error| param(&error.pointer)),
            code: code(kind),
            request_id: request_id.to_owned(),
            experts,
        },
    }
}

/// OpenAI answers 400 where a field is wrong.
fn status(kind: ProblemKind) -> StatusCode {
    match kind.status() {
        StatusCode::UNPROCESSABLE_ENTITY => StatusCode::BAD_REQUEST,
        status => status,
    }
}

fn code(kind: ProblemKind) -> String {
    match kind {
        ProblemKind::UnknownModel => "model_not_found".to_owned(),
        ProblemKind::UnsupportedField => "unsupported_parameter".to_owned(),
        _ => kind.slug().replace('-', "_"),
    }
}

/// `/messages/0/content` as OpenAI writes it: `messages[0].content`.
fn param(pointer: &str) -> Option<String> {
    let mut param = String::new();
    for part in pointer.split('/').skip(1) {
        let part = part.replace("~1", "/").replace("~0", "~");
        if part.parse::<usize>().is_ok() {
            param.push_str(&format!("[{part}]"));
        } else {
            if !param.is_empty() {
                param.push('.');
            }
            param.push_str(&part);
        }
    }
    (!param.is_empty()).then_some(param)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::*;
    use crate::http::FieldError;

    fn fault(pointer: &str) -> FieldError {
        FieldError { pointer: pointer.to_owned(), detail: "is odd".into(), fix: "mend it".into() }
    }

    fn written(problem: Problem) -> Value {
        serde_json::to_value(body(problem, "req_1")).unwrap()
    }

    #[test]
    fn a_field_is_named_as_openai_names_it() {
        for (pointer, named) in [
            ("", None),
            ("/model", Some("model")),
            ("/messages/0/content/2/text", Some("messages[0].content[2].text")),
            ("/meta/a~1b", Some("meta.a/b")),
        ] {
            assert_eq!(param(pointer).as_deref(), named);
        }
    }

    #[test]
    fn every_fault_is_told_and_the_first_is_the_param() {
        let error = written(Problem::invalid(vec![fault("/n"), fault("/messages/0")]));
        let expected = json!({"error": {
            "message": "2 fields of the request are invalid. `n` is odd: mend it. `messages[0]` is odd: mend it.",
            "type": "invalid_request_error", "param": "n", "code": "invalid_request",
            "request_id": "req_1",
        }});
        assert_eq!(error, expected);
    }

    #[tokio::test]
    async fn status_and_headers_are_those_of_the_problem_but_for_invalid_fields() {
        for kind in ProblemKind::ALL {
            let response = respond(Problem::new(*kind, "Oh."), "req_1");
            let expected = if kind.status() == 422 { 400 } else { kind.status().as_u16() };
            assert_eq!(response.status().as_u16(), expected);
            assert_eq!(response.headers()[header::CONTENT_TYPE], "application/json");
            let body = axum::body::to_bytes(response.into_body(), 4096).await.unwrap();
            let body: Value = serde_json::from_slice(&body).unwrap();
            assert!(
                ["invalid_request_error", "server_error"]
                    .contains(&body["error"]["type"].as_str().unwrap())
            );
            assert_eq!(body["error"]["param"], Value::Null);
        }
        let busy =
            Problem::new(ProblemKind::Overloaded, "Busy.").retry_after(Duration::from_secs(3));
        assert_eq!(respond(busy, "req_1").headers()[header::RETRY_AFTER], "3");
    }
}
