//! The answer to a chat, as it is written on the wire.

use axum::{
    http::{HeaderMap, HeaderName, HeaderValue},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    domain::{
        AsiMode, ExpertReport, OrchestratorKind, Reply, ResponseId, Route, SourceKind, Strategy,
        Usage,
    },
    http::{json, unified::Cost},
};

/// The answer to a chat.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ChatCompletion {
    /// Names this response; feedback refers to it.
    #[schema(example = "resp_019a8f5e0c7a7bd2a1c5e0b8f3d2c1a0")]
    pub id: String,
    /// Always `chat.completion`.
    #[schema(example = "chat.completion")]
    pub object: &'static str,
    /// In seconds since 1970.
    pub created: u64,
    /// The model whose own words the answer is, as its provider names it; else the name that was
    /// asked for.
    #[schema(example = "gpt-4o-mini-2024-07-18")]
    pub model: String,
    /// The one answer.
    #[schema(min_items = 1, max_items = 1)]
    pub choices: Vec<ChatChoice>,
    /// Tokens of all calls together.
    pub usage: ChatUsage,
    /// How the answer came about; beyond OpenAI's dialect.
    pub meta: RoutingReport,
}

/// One answer.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ChatChoice {
    /// Always 0.
    pub index: u32,
    /// What is answered.
    pub message: AssistantMessage,
    /// Always null.
    #[schema(required, value_type = Option<Object>)]
    pub logprobs: Option<Value>,
    /// `stop`, `length` where a limit on its length cut the answer, or `tool_calls`.
    #[schema(example = "stop")]
    pub finish_reason: &'static str,
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct AssistantMessage {
    /// Always `assistant`.
    #[schema(example = "assistant")]
    pub role: &'static str,
    /// The text; null where there are only calls of tools.
    #[schema(required)]
    pub content: Option<String>,
    /// Always null.
    #[schema(required)]
    pub refusal: Option<String>,
    /// Calls of the caller's tools, as the model made them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false, value_type = Vec<Object>)]
    pub tool_calls: Vec<Value>,
}

/// Tokens of all provider calls together; 0 where no provider was called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct ChatUsage {
    /// Tokens sent.
    pub prompt_tokens: u64,
    /// Tokens received.
    pub completion_tokens: u64,
    /// Both together.
    pub total_tokens: u64,
}

/// How an answer came about.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct RoutingReport {
    /// Names this response; feedback refers to it.
    pub id: String,
    /// Calibrated probability that the answer is right, 0 to 1.
    #[schema(minimum = 0, maximum = 1)]
    pub confidence: f64,
    /// Whether nobody knew; the text then says what would help.
    pub abstained: bool,
    /// Whether Flux stood in for a failed ASI.
    pub recovered: bool,
    /// The strategy in force.
    pub strategy: Strategy,
    /// Where the request went.
    pub route: Route,
    /// Which minds made the answer.
    pub kind: OrchestratorKind,
    /// The ASI mode in force; null when ASI was not asked.
    #[schema(required, inline)]
    pub mode: Option<AsiMode>,
    /// Highest checkpoint (3, 6, 9) that the answer passed, else the stage that produced it.
    #[schema(minimum = 1, maximum = 9)]
    pub flux_position: u8,
    /// Everyone who was asked.
    pub experts: Vec<AskedExpert>,
    /// Whether the answer was recalled from the Confidence Lake.
    pub confidence_lake_hit: bool,
    /// Whether the answer was remembered in the Confidence Lake.
    pub remembered: bool,
    /// Time spent outside of provider calls, in microseconds.
    pub overhead_us: u64,
    /// Cost of all provider calls together.
    pub cost: Cost,
    /// What could not be honoured, such as a mode that wants more experts than are configured.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub shortfall: Option<String>,
}

/// An expert that was asked.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct AskedExpert {
    /// Its configured name.
    pub name: String,
    /// Its kind.
    pub kind: SourceKind,
    /// The model that really answered, where a provider said.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub model: Option<String>,
    /// A fixed code when it failed, such as `timeout`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub error: Option<String>,
}

/// Writes the answer to a chat that asked for the model of this name.
pub(super) fn respond(reply: Reply, asked_for: String) -> Response {
    let meta = RoutingReport::of(&reply);
    let headers = headers(&meta, reply.model.as_deref());
    let completion = ChatCompletion {
        id: meta.id.clone(),
        object: "chat.completion",
        created: reply.id.unix_seconds(),
        choices: vec![ChatChoice {
            index: 0,
            finish_reason: finish_reason(&reply),
            message: AssistantMessage {
                role: "assistant",
                content: (!reply.content.is_empty()).then_some(reply.content),
                refusal: None,
                tool_calls: reply.tool_calls,
            },
            logprobs: None,
        }],
        model: reply.model.unwrap_or(asked_for),
        usage: reply.usage.into(),
        meta,
    };
    (headers, json::response(&completion)).into_response()
}

pub(super) fn finish_reason(reply: &Reply) -> &'static str {
    match reply.complete {
        false => "length",
        true if !reply.tool_calls.is_empty() => "tool_calls",
        true => "stop",
    }
}

/// The header that names the response; the only one that is known before a stream ends.
pub(super) fn response_id_header(id: ResponseId) -> HeaderMap {
    let mut headers = HeaderMap::new();
    put(&mut headers, "x-meta-response-id", &id.to_string());
    headers
}

/// What a client sees that does not read `meta`.
fn headers(meta: &RoutingReport, model: Option<&str>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    put(&mut headers, "x-meta-response-id", &meta.id);
    put(&mut headers, "x-meta-confidence", &format!("{:.4}", meta.confidence));
    put(&mut headers, "x-meta-strategy", meta.strategy.name());
    put(&mut headers, "x-meta-route", &named(&meta.route));
    put(&mut headers, "x-meta-flux-position", &meta.flux_position.to_string());
    put(&mut headers, "x-meta-abstained", &meta.abstained.to_string());
    if let Some(model) = model {
        put(&mut headers, "x-meta-model", model);
    }
    headers
}

/// What no header may carry is left out.
fn put(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(HeaderName::from_static(name), value);
    }
}

/// The name that a value has on the wire.
fn named(value: &impl Serialize) -> String {
    let value = serde_json::to_value(value).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}

impl RoutingReport {
    pub(super) fn of(reply: &Reply) -> Self {
        Self {
            id: reply.id.to_string(),
            confidence: reply.confidence.get(),
            abstained: reply.abstained,
            recovered: reply.recovered,
            strategy: reply.decision.strategy,
            route: reply.decision.route,
            kind: reply.kind,
            mode: reply.mode,
            flux_position: reply.position.get(),
            experts: reply.experts.iter().map(AskedExpert::from).collect(),
            confidence_lake_hit: reply.recalled_from.is_some(),
            remembered: reply.remembered,
            overhead_us: u64::try_from(reply.overhead.as_micros()).unwrap_or(u64::MAX),
            cost: Cost { usd: reply.usage.cost_usd.filter(|usd| usd.is_finite()) },
            shortfall: reply.shortfall.clone(),
        }
    }
}

impl From<&ExpertReport> for AskedExpert {
    fn from(report: &ExpertReport) -> Self {
        Self {
            name: report.name.clone(),
            kind: report.kind,
            model: report.model.clone(),
            error: report.error.map(str::to_owned),
        }
    }
}

impl From<Usage> for ChatUsage {
    fn from(usage: Usage) -> Self {
        Self {
            prompt_tokens: usage.prompt_tokens,
            completion_tokens: usage.completion_tokens,
            total_tokens: usage.prompt_tokens.saturating_add(usage.completion_tokens),
        }
    }
}
