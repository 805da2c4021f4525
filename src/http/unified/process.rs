//! `POST /api/v1/unified/process`: one question, one answer.

use std::time::Duration;

use axum::{
    Extension,
    extract::State,
    http::{HeaderMap, header},
    response::Response,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{stream, wire::ProcessResult};
use crate::{
    domain::{
        AsiMode, Budget, Consensus, Passage, Request, ResponseId, SessionId, Strategy, TenantId,
    },
    http::{
        ApiState, FromFields, JsonBody, Problem,
        fields::{Field, Fields},
        json,
        middleware::RequestId,
        sse::EVENT_STREAM,
    },
};

/// Longest name of a passage, in characters.
const LONGEST_SOURCE: usize = 256;

/// Limits of a request to `process`, and its defaults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestLimits {
    /// Most characters of `input`.
    pub max_input_chars: usize,
    /// Most passages of `context`.
    pub max_context_passages: usize,
    /// Most characters of all passages together.
    pub max_context_chars: usize,
    /// Deadline of requests that name none.
    pub default_deadline: Duration,
    /// Longest deadline that may be named.
    pub max_deadline: Duration,
}

impl Default for RequestLimits {
    fn default() -> Self {
        Self {
            max_input_chars: 100_000,
            max_context_passages: 64,
            max_context_chars: 400_000,
            default_deadline: Duration::from_secs(30),
            max_deadline: Duration::from_secs(120),
        }
    }
}

/// A question or task, and how to treat it.
#[derive(Debug, Clone, PartialEq, ToSchema)]
pub struct ProcessBody {
    /// The question or task; more than white space.
    #[schema(min_length = 1, pattern = r"\S", example = "what is 15 percent of 80?")]
    pub input: String,
    /// Passages to answer from. Answers from context are not remembered.
    #[schema(required = false, value_type = Option<Vec<ContextPassage>>)]
    pub context: Vec<Passage>,
    /// The conversation that the request belongs to. Answers within one are not remembered.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 128,
        pattern = "^[A-Za-z0-9_.:@-]+$")]
    pub session_id: Option<SessionId>,
    /// The strategy; the policy's when absent. `AIFirst`, `RuntimeFirst`, `Hybrid`,
    /// `ParallelFusion` and `Adaptive` are read, too.
    pub strategy: Option<Strategy>,
    /// How hard ASI tries; by complexity when absent.
    pub mode: Option<AsiMode>,
    /// How experts' answers become one; the policy's when absent.
    pub consensus: Option<Consensus>,
    /// Time from receipt to response, in milliseconds; the configuration has a default and a most.
    #[schema(minimum = 1, example = 10000)]
    pub deadline_ms: Option<u64>,
    /// Most that provider calls may cost together, in US dollars. It holds back models with a
    /// configured price only: the cost of others is not known.
    #[schema(minimum = 0, maximum = 1_000_000, example = 0.01)]
    pub max_cost_usd: Option<f64>,
    /// Neither recall the answer from the Confidence Lake nor remember it there.
    #[schema(required = false, value_type = Option<bool>, default = false)]
    pub no_store: bool,
    /// Answer by a stream of server-sent events. `Accept: text/event-stream` asks for the same.
    #[schema(required = false, value_type = Option<bool>, default = false)]
    pub stream: bool,
}

/// How a request is to be treated: what `process` takes beside its input, and what chat clients may
/// add as `meta`.
#[derive(Debug, Clone, Default, PartialEq, ToSchema)]
pub struct RequestOptions {
    /// Passages to answer from. Answers from context are not remembered.
    #[schema(required = false, value_type = Option<Vec<ContextPassage>>)]
    pub context: Vec<Passage>,
    /// The conversation that the request belongs to. Answers within one are not remembered.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 128,
        pattern = "^[A-Za-z0-9_.:@-]+$")]
    pub session_id: Option<SessionId>,
    /// The strategy; that of the model's name, else the policy's when absent.
    pub strategy: Option<Strategy>,
    /// How hard ASI tries; by complexity when absent.
    pub mode: Option<AsiMode>,
    /// How experts' answers become one; the policy's when absent.
    pub consensus: Option<Consensus>,
    /// Time from receipt to response, in milliseconds.
    #[schema(minimum = 1)]
    pub deadline_ms: Option<u64>,
    /// Most that provider calls may cost together, in US dollars. It holds back models with a
    /// configured price only: the cost of others is not known.
    #[schema(minimum = 0, maximum = 1_000_000)]
    pub max_cost_usd: Option<f64>,
    /// Neither recall the answer from the Confidence Lake nor remember it there.
    #[schema(required = false, value_type = Option<bool>, default = false)]
    pub no_store: bool,
}

impl RequestOptions {
    /// Reads them among other fields.
    pub(in crate::http) fn read(fields: &mut Fields<'_>, limits: &RequestLimits) -> Self {
        let longest = millis(limits.max_deadline);
        let context = fields.optional("context", |field| passages(field, limits));
        Self {
            context: context.unwrap_or_default(),
            session_id: fields.optional("session_id", |field| field.parsed(SessionId::new)),
            strategy: fields.optional("strategy", |f| f.name()),
            mode: fields.optional("mode", |f| f.name()),
            consensus: fields.optional("consensus", |f| f.name()),
            deadline_ms: fields.optional("deadline_ms", |field| field.whole(1..=longest)),
            max_cost_usd: fields.optional("max_cost_usd", |f| f.number(0.0..=1_000_000.0)),
            no_store: fields.optional("no_store", |f| f.flag()).unwrap_or(false),
        }
    }

    /// The request with this input, in the house's own terms.
    pub(in crate::http) fn into_request(
        self,
        id: ResponseId,
        tenant: TenantId,
        input: String,
        limits: &RequestLimits,
    ) -> Request {
        let deadline = self.deadline_ms.map_or(limits.default_deadline, Duration::from_millis);
        Request {
            id,
            tenant,
            session: self.session_id,
            input,
            context: self.context,
            strategy: self.strategy,
            mode: self.mode,
            consensus: self.consensus,
            budget: Budget {
                deadline: deadline.min(limits.max_deadline),
                max_cost_usd: self.max_cost_usd,
            },
            dialogue: None,
            expert: None,
            no_store: self.no_store,
            fresh: false,
        }
    }
}

/// Lets `Cache-Control` of a request say what it says of any cache (RFC 9111, 5.2.1): with `no-store`
/// nothing is recalled or remembered, with `no-cache` or `max-age=0` nothing is recalled.
pub(in crate::http) fn heed_cache_control(request: &mut Request, headers: &HeaderMap) {
    let values = headers.get_all(header::CACHE_CONTROL).iter().filter_map(|v| v.to_str().ok());
    for directive in values.flat_map(|value| value.split(',')) {
        match directive.trim().to_ascii_lowercase().as_str() {
            "no-store" => request.no_store = true,
            "no-cache" | "max-age=0" => request.fresh = true,
            _ => {}
        }
    }
}

/// A piece of text to answer from: the text alone, or with the name of where it came from.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(untagged)]
pub enum ContextPassage {
    /// The text alone.
    Text(String),
    /// The text and where it came from.
    Named(NamedPassage),
}

/// A text and where it came from.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct NamedPassage {
    /// Where it came from: a title, a path, an address.
    #[schema(min_length = 1, max_length = 256, pattern = r"\S", example = "handbook.md")]
    pub source: Option<String>,
    /// The text; more than white space.
    #[schema(min_length = 1, pattern = r"\S")]
    pub text: String,
}

/// Ask a question
///
/// Routes the question to the cheapest mind that is likely to be right, checks the answer and
/// explains itself. When nobody knows, the answer is an honest abstention with status 200. Closing
/// the connection cancels the work. `Cache-Control: no-store` is the same as `no_store`; with
/// `no-cache` the answer is found anew, and may be remembered.
///
/// With `"stream": true` or `Accept: text/event-stream` the answer comes as server-sent events:
/// `decision`; a `position` for each position passed; `delta` with text, as it is written where one
/// expert speaks alone, else once it stands; `retract` when the text so far is not the answer's; and
/// at the end either `result` with the whole result or `error` with a problem. A stream without
/// either was cut.
#[utoipa::path(
    post,
    path = "/api/v1/unified/process",
    operation_id = "process",
    tag = "unified",
    request_body(content = ProcessBody, description = "The question and how to treat it.", examples(
        ("question" = (summary = "A question", value = json!({"input": "what is 15 percent of 80?"}))),
        ("with_context" = (summary = "A question about given passages", value = json!({
            "input": "When does support answer?",
            "context": ["Support answers within one working day.",
                {"source": "handbook.md", "text": "On weekends nobody is on call."}],
            "strategy": "ai_first", "mode": "thorough", "deadline_ms": 10000
        }))),
    )),
    responses((status = 200, description = "The answer, or an honest abstention.", content(
        (ProcessResult = "application/json"),
        (String = "text/event-stream"),
    ))),
)]
pub(super) async fn process(
    State(state): State<ApiState>,
    Extension(id): Extension<RequestId>,
    headers: HeaderMap,
    JsonBody(body): JsonBody<ProcessBody>,
) -> Result<Response, Problem> {
    let limits = &state.request_limits;
    let streamed = body.stream || wants_events(&headers);
    let mut request = body.into_request(ResponseId::generate(), TenantId::default(), limits);
    heed_cache_control(&mut request, &headers);
    if streamed {
        return Ok(stream::respond(state, request, id));
    }
    let reply = state.orchestrator.process(request).await?;
    Ok(json::response(&ProcessResult::from(reply)))
}

/// Whether the caller takes events and does not take JSON.
fn wants_events(headers: &HeaderMap) -> bool {
    let mut accepted = headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|range| range.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
        .peekable();
    accepted.peek().is_some() && accepted.all(|range| range == EVENT_STREAM)
}

impl FromFields for ProcessBody {
    type Context = RequestLimits;

    fn from_fields(fields: &mut Fields<'_>, limits: &RequestLimits) -> Option<Self> {
        let input = fields.required("input", "send the question or task as a string", |field| {
            field.filled_text(limits.max_input_chars)
        });
        let options = RequestOptions::read(fields, limits);
        let stream = fields.optional("stream", |f| f.flag()).unwrap_or(false);
        let RequestOptions { context, session_id, strategy, mode, consensus, .. } = options;
        let RequestOptions { deadline_ms, max_cost_usd, no_store, .. } = options;
        Some(Self {
            input: input?,
            context,
            session_id,
            strategy,
            mode,
            consensus,
            deadline_ms,
            max_cost_usd,
            no_store,
            stream,
        })
    }
}

impl ProcessBody {
    /// The request in the house's own terms.
    #[must_use]
    pub fn into_request(self, id: ResponseId, tenant: TenantId, limits: &RequestLimits) -> Request {
        let options = RequestOptions {
            context: self.context,
            session_id: self.session_id,
            strategy: self.strategy,
            mode: self.mode,
            consensus: self.consensus,
            deadline_ms: self.deadline_ms,
            max_cost_usd: self.max_cost_usd,
            no_store: self.no_store,
        };
        options.into_request(id, tenant, self.input, limits)
    }
}

fn passages(field: Field<'_>, limits: &RequestLimits) -> Option<Vec<Passage>> {
    let mut left = limits.max_context_chars;
    field.items(limits.max_context_passages, |index, item| {
        let nameless = || format!("context {}", index + 1);
        let passage = if item.is_text() {
            Passage { source: nameless(), text: item.filled_text(left)? }
        } else if item.is_object() {
            item.object(|fields| {
                let source = fields.optional("source", |f| f.filled_text(LONGEST_SOURCE));
                let text = fields
                    .required("text", "send the passage as a string", |f| f.filled_text(left));
                Some(Passage { source: source.unwrap_or_else(nameless), text: text? })
            })?
        } else {
            return item.mistyped("a string or an object with `source` and `text`");
        };
        left = left.saturating_sub(passage.text.chars().count());
        Some(passage)
    })
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::http::fields;

    fn read(body: Value) -> Result<Request, Vec<(String, String)>> {
        let Value::Object(body) = body else { panic!("not an object") };
        let limits = RequestLimits {
            max_input_chars: 20,
            max_context_passages: 3,
            max_context_chars: 10,
            ..RequestLimits::default()
        };
        fields::read::<ProcessBody>(body, &limits)
            .map(|body| body.into_request(ResponseId::generate(), TenantId::default(), &limits))
            .map_err(|problem| {
                let errors = problem.errors().iter();
                errors.map(|e| (e.pointer.clone(), e.detail.clone())).collect()
            })
    }

    #[test]
    fn the_input_alone_is_a_request_with_the_default_deadline() {
        let request = read(json!({"input": " 2 + 2 "})).unwrap();
        assert_eq!(request.input, " 2 + 2 ", "the input goes on as it was put");
        assert_eq!(request.budget.deadline, RequestLimits::default().default_deadline);
        assert!(request.stands_alone() && !request.no_store);
    }

    #[test]
    fn every_field_reaches_the_request() {
        let request = read(json!({
            "input": "why?", "context": ["ab", {"source": "s", "text": "cd"}, {"text": "ef"}],
            "session_id": "s-1", "strategy": "AIFirst", "mode": "reasoning",
            "consensus": "ensemble", "deadline_ms": 1500, "max_cost_usd": 0.5, "no_store": true,
        }))
        .unwrap();
        let passages: Vec<_> =
            request.context.iter().map(|p| (p.source.as_str(), p.text.as_str())).collect();
        assert_eq!(passages, [("context 1", "ab"), ("s", "cd"), ("context 3", "ef")]);
        assert_eq!(request.session.unwrap().as_str(), "s-1");
        assert_eq!(request.strategy, Some(Strategy::AiFirst));
        assert_eq!(request.mode, Some(AsiMode::Reasoning));
        assert_eq!(request.consensus, Some(Consensus::Ensemble));
        assert_eq!(request.budget.deadline, Duration::from_millis(1500));
        assert_eq!(request.budget.max_cost_usd, Some(0.5));
        assert!(request.no_store);
    }

    #[test]
    fn each_bound_is_kept_and_its_field_named() {
        for (body, pointer) in [
            (json!({}), "/input"),
            (json!({"input": null}), "/input"),
            (json!({"input": " \n\t"}), "/input"),
            (json!({"input": "x".repeat(21)}), "/input"),
            (json!({"input": "x", "context": "text"}), "/context"),
            (json!({"input": "x", "context": ["a", "b", "c", "d"]}), "/context"),
            (json!({"input": "x", "context": ["123456", "78901"]}), "/context/1"),
            (json!({"input": "x", "context": [{"source": "s"}]}), "/context/0/text"),
            (json!({"input": "x", "context": [{"text": "t", "url": ""}]}), "/context/0/url"),
            (json!({"input": "x", "context": [7]}), "/context/0"),
            (json!({"input": "x", "session_id": "a b"}), "/session_id"),
            (json!({"input": "x", "deadline_ms": 0}), "/deadline_ms"),
            (json!({"input": "x", "deadline_ms": 120_001}), "/deadline_ms"),
            (json!({"input": "x", "max_cost_usd": -0.01}), "/max_cost_usd"),
            (json!({"input": "x", "no_store": "yes"}), "/no_store"),
        ] {
            let errors = read(body.clone()).unwrap_err();
            let pointers: Vec<_> = errors.iter().map(|(pointer, _)| pointer.as_str()).collect();
            assert_eq!(pointers, [pointer], "{body}");
        }
    }

    #[test]
    fn cache_control_is_heeded_as_by_any_cache() {
        for (value, expected) in [
            ("no-store", (true, false)),
            ("No-Cache", (false, true)),
            ("max-age=0, no-store", (true, true)),
            ("max-age=60", (false, false)),
            ("no-storage", (false, false)),
        ] {
            let mut request = read(json!({"input": "why?"})).unwrap();
            let mut headers = HeaderMap::new();
            headers.insert(header::CACHE_CONTROL, value.parse().unwrap());
            heed_cache_control(&mut request, &headers);
            assert_eq!((request.no_store, request.fresh), expected, "{value}");
        }
    }

    #[test]
    fn length_is_counted_in_characters() {
        assert!(read(json!({"input": "ä".repeat(20)})).is_ok());
    }
}
