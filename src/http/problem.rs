//! Problem details (RFC 9457): what every error response is.

use std::time::Duration;

use axum::{
    Json,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

/// The media type of every error response.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// Every kind of problem, its slug, its status and its title. The slugs are part of the API: a
/// client may switch on them, so they never change their meaning.
macro_rules! kinds {
    ($($(#[$doc:meta])+ $kind:ident = $slug:literal, $status:ident, $title:literal;)+) => {
        /// What kind of problem it is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ProblemKind { $($(#[$doc])+ $kind),+ }

        impl ProblemKind {
            /// All kinds, by status.
            pub const ALL: &'static [Self] = &[$(Self::$kind),+];

            /// The stable URI of the kind.
            #[must_use]
            pub const fn uri(self) -> &'static str {
                match self { $(Self::$kind => concat!("urn:meta-orchestrator:problem:", $slug)),+ }
            }

            /// The last part of the URI.
            #[must_use]
            pub const fn slug(self) -> &'static str {
                match self { $(Self::$kind => $slug),+ }
            }

            /// The HTTP status.
            #[must_use]
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$kind => StatusCode::$status),+ }
            }

            /// The kind in a few words; the same for every occurrence.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$kind => $title),+ }
            }
        }
    };
}

kinds! {
    /// The request has no body where one is needed.
    EmptyBody = "empty-body", BAD_REQUEST, "The body is empty";
    /// The connection ended, or the framing broke, before the body was whole.
    IncompleteBody = "incomplete-body", BAD_REQUEST, "The body is incomplete";
    /// The body is not UTF-8.
    InvalidEncoding = "invalid-encoding", BAD_REQUEST, "The body is not UTF-8";
    /// The body is not JSON.
    MalformedJson = "malformed-json", BAD_REQUEST, "The body is not JSON";
    /// The JSON is nested more deeply than is read.
    JsonTooDeep = "json-too-deep", BAD_REQUEST, "The JSON is nested too deeply";
    /// No configured model can take what a field wants passed on to it.
    UnsupportedField = "unsupported-field", BAD_REQUEST, "No configured model takes this field";
    /// There is nothing at this path.
    NotFound = "not-found", NOT_FOUND, "There is nothing at this path";
    /// Feedback names a response that does not exist.
    UnknownResponse = "unknown-response", NOT_FOUND, "There is no such response";
    /// A chat names a model that does not exist.
    UnknownModel = "unknown-model", NOT_FOUND, "There is no such model";
    /// The path exists, the method does not.
    MethodNotAllowed = "method-not-allowed", METHOD_NOT_ALLOWED, "The path does not take this method";
    /// The body did not arrive in time.
    BodyTimeout = "body-timeout", REQUEST_TIMEOUT, "The body did not arrive in time";
    /// The policy was changed by somebody else at the same time.
    PolicyConflict = "policy-conflict", CONFLICT, "The policy was changed at the same time";
    /// The tenant may not add more documents.
    DocumentsFull = "documents-full", CONFLICT, "There is no room for more documents";
    /// The configuration switches the lake off.
    LakeOff = "lake-off", CONFLICT, "The lake is switched off";
    /// The body is larger than is read.
    BodyTooLarge = "body-too-large", PAYLOAD_TOO_LARGE, "The body is too large";
    /// The body is not declared as JSON.
    UnsupportedMediaType = "unsupported-media-type", UNSUPPORTED_MEDIA_TYPE, "The body must be JSON";
    /// The JSON is sound, its fields are not; `errors` names each.
    InvalidRequest = "invalid-request", UNPROCESSABLE_ENTITY, "The request has invalid fields";
    /// A tenant gives more feedback than is taken.
    TooMuchFeedback = "too-much-feedback", TOO_MANY_REQUESTS, "There is too much feedback";
    /// A fault of this service.
    Internal = "internal", INTERNAL_SERVER_ERROR, "The service failed";
    /// Every expert of the AI tier failed.
    ExpertsFailed = "experts-failed", BAD_GATEWAY, "No expert of the AI tier could answer";
    /// Every expert of the AI tier has as many calls under way as it takes, or is held back.
    ExpertsBusy = "experts-busy", SERVICE_UNAVAILABLE, "The experts take no more calls";
    /// Every expert of the AI tier is limited by its provider.
    ExpertsRateLimited = "experts-rate-limited", SERVICE_UNAVAILABLE, "The providers limit the rate";
    /// As many requests are in flight as are taken.
    Overloaded = "overloaded", SERVICE_UNAVAILABLE, "The service is busy";
    /// The service is starting or draining.
    NotReady = "not-ready", SERVICE_UNAVAILABLE, "The service is not ready";
    /// It could not be made durable.
    StorageUnavailable = "storage-unavailable", SERVICE_UNAVAILABLE, "It could not be stored";
    /// Every expert of the AI tier ran out of time.
    ExpertsTimedOut = "experts-timed-out", GATEWAY_TIMEOUT, "No expert of the AI tier answered in time";
    /// The request's deadline came before any answer.
    DeadlineExceeded = "deadline-exceeded", GATEWAY_TIMEOUT, "The deadline came before any answer";
    /// The lake has as many answers as it may.
    LakeFull = "lake-full", INSUFFICIENT_STORAGE, "The lake is full";
}

/// One invalid field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// Where in the body it is, as a JSON Pointer (RFC 6901); empty for the body itself.
    #[schema(example = "/context/0/text")]
    pub pointer: String,
    /// What is wrong.
    #[schema(example = "is a number")]
    pub detail: String,
    /// What would be right.
    #[schema(example = "send a string")]
    pub fix: String,
}

/// One expert that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ExpertFailure {
    /// Its configured name.
    #[schema(example = "gpt-4o-mini")]
    pub name: String,
    /// A fixed code of its failure, such as `timeout` or `rate_limited`.
    #[schema(example = "status")]
    pub code: String,
    /// The class of the cause: the code, and for a status `status_4xx`, `status_5xx` or
    /// `status_other`. Never the provider's own words.
    #[schema(example = "status_5xx")]
    pub cause: String,
}

/// An error response (RFC 9457). The detail of a 5xx is a constant: it gives nothing internal away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// A stable URI for the kind of problem; switch on this.
    #[serde(rename = "type")]
    #[schema(example = "urn:meta-orchestrator:problem:invalid-request")]
    pub kind: String,
    /// The kind in a few words; the same for every occurrence.
    #[schema(example = "The request has invalid fields")]
    pub title: String,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599, example = 422)]
    pub status: u16,
    /// What happened this time, and what to do about it.
    #[schema(example = "1 field of the request is invalid")]
    pub detail: String,
    /// The request's id, as in the `x-request-id` header; quote it when you ask for help.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "req_019a8f5e0c7a7bd2a1c5e0b8f3d2c1a0")]
    pub request_id: Option<String>,
    /// The invalid fields, when fields are what is wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub errors: Vec<FieldError>,
    /// When experts are what failed: the class of the cause that they have in common, or `mixed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "status_5xx")]
    pub cause: Option<String>,
    /// The experts that failed, when experts are what failed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub experts: Vec<ExpertFailure>,
}

/// A problem on its way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    kind: ProblemKind,
    detail: String,
    errors: Vec<FieldError>,
    experts: Vec<ExpertFailure>,
    retry_after: Option<Duration>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    /// Longest wait that `Retry-After` ever names: what a provider says is not to be trusted.
    const LONGEST_RETRY: Duration = Duration::from_secs(3600);

    /// A problem with its detail: a whole sentence, without anything internal.
    #[must_use]
    pub fn new(kind: ProblemKind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            errors: Vec::new(),
            experts: Vec::new(),
            retry_after: None,
            headers: Vec::new(),
        }
    }

    /// The fault of this service; nothing of its cause goes out.
    #[must_use]
    pub fn internal() -> Self {
        Self::new(
            ProblemKind::Internal,
            "The service failed on this request. Please report it with the request id.",
        )
    }

    /// Fields that are invalid.
    #[must_use]
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        let detail = match errors.as_slice() {
            [only] if only.pointer.is_empty() => format!("The body {}: {}.", only.detail, only.fix),
            [only] => format!("`{}` {}: {}.", only.pointer, only.detail, only.fix),
            many => format!("{} fields of the request are invalid.", many.len()),
        };
        Self { errors, ..Self::new(ProblemKind::InvalidRequest, detail) }
    }

    /// A problem of one field, with its whole detail.
    #[must_use]
    pub fn of_field(kind: ProblemKind, detail: impl Into<String>, error: FieldError) -> Self {
        Self { errors: vec![error], ..Self::new(kind, detail) }
    }

    /// Names the experts that failed.
    #[must_use]
    pub fn with_experts(mut self, experts: Vec<ExpertFailure>) -> Self {
        self.experts = experts;
        self
    }

    /// Says when to try again; sent as `Retry-After` in whole seconds, at least 1.
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait.min(Self::LONGEST_RETRY));
        self
    }

    /// Adds a response header.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// What kind it is.
    #[must_use]
    pub const fn kind(&self) -> ProblemKind {
        self.kind
    }

    /// The invalid fields.
    #[must_use]
    pub fn errors(&self) -> &[FieldError] {
        &self.errors
    }

    /// The response, naming the request where its id is known.
    #[must_use]
    pub fn respond(self, request_id: Option<&str>) -> Response {
        let kind = self.kind;
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        if let Some(wait) = self.retry_after {
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
        headers.extend(self.headers.clone());
        let body = self.body(request_id);
        (kind.status(), headers, Json(body)).into_response()
    }

    /// What is written of it, naming the request where its id is known.
    #[must_use]
    pub fn body(self, request_id: Option<&str>) -> ProblemBody {
        ProblemBody {
            kind: self.kind.uri().to_owned(),
            title: self.kind.title().to_owned(),
            status: self.kind.status().as_u16(),
            detail: self.detail,
            request_id: request_id.map(str::to_owned),
            errors: self.errors,
            cause: common_cause(&self.experts),
            experts: self.experts,
        }
    }
}

/// The cause that all have in common, or that there are several; `None` where nobody failed.
fn common_cause(experts: &[ExpertFailure]) -> Option<String> {
    let (first, others) = experts.split_first()?;
    let one = others.iter().all(|other| other.cause == first.cause);
    Some(if one { first.cause.clone() } else { "mixed".to_owned() })
}

impl IntoResponse for Problem {
    /// Leaves the problem in the response's extensions, too, where the outermost layer finds it
    /// and writes it again with the request's id.
    fn into_response(self) -> Response {
        let mut response = self.clone().respond(None);
        response.extensions_mut().insert(self);
        response
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_kind_has_its_own_uri_and_an_error_status() {
        let uris: BTreeSet<_> = ProblemKind::ALL.iter().map(|k| k.uri()).collect();
        assert_eq!(uris.len(), ProblemKind::ALL.len());
        for kind in ProblemKind::ALL {
            let status = kind.status();
            assert!(status.is_client_error() || status.is_server_error(), "{kind:?}");
            assert!(kind.uri().ends_with(kind.slug()));
        }
    }

    #[test]
    fn retry_after_is_whole_seconds_rounded_up_and_within_an_hour() {
        for (wait, sent) in [
            (Duration::ZERO, "1"),
            (Duration::from_millis(2001), "3"),
            (Duration::from_secs(5), "5"),
            (Duration::MAX, "3600"),
        ] {
            let problem = Problem::new(ProblemKind::Overloaded, "Busy.").retry_after(wait);
            assert_eq!(problem.respond(None).headers()[header::RETRY_AFTER], sent);
        }
    }

    #[tokio::test]
    async fn what_is_not_known_is_absent() {
        let response = Problem::internal().respond(None);
        let body = axum::body::to_bytes(response.into_body(), 4096).await.unwrap();
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let keys: Vec<_> = body.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["detail", "status", "title", "type"]);
    }
}
