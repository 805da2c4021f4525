//! Asking the service in each of its ways, and how a call may end.

use std::{collections::BTreeSet, time::Duration};

use serde_json::{Value, json};
use tokio::{sync::RwLock, time::Instant};

use super::{
    DEADLINE_MS, GRACE,
    sse::{Event, events},
};
use crate::support::Service;

/// A way of asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Face {
    /// `process`, the answer as a whole.
    Whole,
    /// `process`, the answer as it comes.
    Stream,
    /// OpenAI's chat completions, the answer as a whole.
    Chat,
    /// OpenAI's chat completions, the answer in chunks.
    ChatStream,
}

impl Face {
    pub(super) const fn streams(self) -> bool {
        matches!(self, Self::Stream | Self::ChatStream)
    }

    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::Whole | Self::Stream => "/api/v1/unified/process",
            Self::Chat | Self::ChatStream => "/v1/chat/completions",
        }
    }
}

/// How a call ended.
#[derive(Debug)]
pub(super) enum End {
    /// With an answer; the whole result.
    Answered(Value),
    /// With an honest abstention.
    Abstained,
    /// With a problem that the documentation lists.
    Problem(Value),
}

impl End {
    /// What a client would take for an answer.
    pub(super) fn content(&self) -> Option<&str> {
        match self {
            Self::Answered(result) => result["content"].as_str(),
            Self::Abstained | Self::Problem(_) => None,
        }
    }

    pub(super) fn status(&self) -> u64 {
        match self {
            Self::Answered(_) | Self::Abstained => 200,
            Self::Problem(body) => body["status"].as_u64().unwrap_or_default(),
        }
    }
}

/// One question as it is asked again and again.
#[derive(Debug, Clone)]
pub(super) struct Question {
    pub(super) face: Face,
    pub(super) strategy: &'static str,
    pub(super) mode: Option<&'static str>,
    pub(super) input: String,
    pub(super) no_store: bool,
    pub(super) deadline_ms: u64,
}

impl Question {
    pub(super) fn new(face: Face, strategy: &'static str, input: String) -> Self {
        Self { face, strategy, mode: None, input, no_store: true, deadline_ms: DEADLINE_MS }
    }

    pub(super) fn body(&self) -> Value {
        if let Face::Chat | Face::ChatStream = self.face {
            let options = json!({
                "mode": self.mode, "deadline_ms": self.deadline_ms, "no_store": self.no_store,
            });
            return json!({
                "model": format!("meta/{}", self.strategy.replace('_', "-")),
                "messages": [{ "role": "user", "content": self.input }],
                "stream": self.face.streams(), "meta": options,
            });
        }
        json!({
            "input": self.input, "strategy": self.strategy, "mode": self.mode,
            "deadline_ms": self.deadline_ms, "no_store": self.no_store,
            "stream": self.face.streams(),
        })
    }

    /// Asks. A call that ends later than it may is asked again, alone: a machine that was busy
    /// elsewhere is forgiven, a service that is late each time is not.
    ///
    /// # Errors
    /// What was wrong with the end, for people.
    pub(super) async fn ask(&self, service: &Service) -> Result<End, String> {
        /// Held by each call that is made beside others, and by those that want to be alone.
        static COMPANY: RwLock<()> = RwLock::const_new(());
        let latest = Duration::from_millis(self.deadline_ms) + GRACE;
        let mut late = Vec::new();
        while late.len() < 4 {
            let (end, took) = if late.is_empty() {
                let _among_others = COMPANY.read().await;
                self.ask_once(service).await
            } else {
                let _alone = COMPANY.write().await;
                self.ask_once(service).await
            };
            let end = end.map_err(|wrong| format!("{self:?}: {wrong}"))?;
            if took <= latest {
                return Ok(end);
            }
            late.push(took);
        }
        Err(format!("{self:?}: ended after {late:?} instead of {latest:?}"))
    }

    /// Asks, however long it takes. What is counted ends when the last byte has come.
    pub(super) async fn ask_once(&self, service: &Service) -> (Result<End, String>, Duration) {
        let since = Instant::now();
        let came = self.response(service).await;
        let took = since.elapsed();
        (came.and_then(|came| came.end(self.face)), took)
    }

    async fn response(&self, service: &Service) -> Result<Came, String> {
        let request = service.client.post(service.url(self.face.path()));
        let response = request.json(&self.body()).send().await;
        let response =
            response.map_err(|error| format!("no response: {error:?}: {}", service.log()))?;
        let header = |name: &str| {
            let value = response.headers().get(name);
            value.and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
        };
        Ok(Came {
            status: response.status().as_u16(),
            kind: header("content-type"),
            retry_after: header("retry-after"),
            text: response.text().await.map_err(|error| format!("no whole body: {error:?}"))?,
        })
    }
}

/// A whole response.
struct Came {
    status: u16,
    kind: String,
    retry_after: String,
    text: String,
}

impl Came {
    fn end(self, face: Face) -> Result<End, String> {
        let Self { status, kind, retry_after, text } = self;
        if status != 200 {
            let body = json_of(&text)?;
            if let Face::Chat | Face::ChatStream = face {
                if kind != "application/json" || (status == 503 && retry_after.is_empty()) {
                    return Err(format!("status {status} as {kind}, {retry_after:?}: {body}"));
                }
                return chat_problem(&body);
            }
            if kind != "application/problem+json" || body["status"] != status {
                return Err(format!("status {status} as {kind}: {body}"));
            }
            if status == 503 && retry_after.is_empty() {
                return Err(format!("no Retry-After: {body}"));
            }
            return problem(body);
        }
        match face {
            Face::Whole => result(json_of(&text)?),
            Face::Stream if kind.starts_with("text/event-stream") => streamed(&text),
            Face::Chat => chat_result(&json_of(&text)?),
            Face::ChatStream if kind.starts_with("text/event-stream") => chunks(&text),
            Face::Stream | Face::ChatStream => {
                Err(format!("a stream was asked for and {kind} came: {text}"))
            }
        }
    }
}

fn json_of(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| format!("no JSON: {error}: {text}"))
}

fn result(body: Value) -> Result<End, String> {
    match (body["abstained"].as_bool(), body["content"].as_str()) {
        (Some(false), Some(_)) => Ok(End::Answered(body)),
        (Some(true), Some(_)) => Ok(End::Abstained),
        _ => Err(format!("no result: {body}")),
    }
}

/// A chat's answer, as `process` would have it.
fn chat_result(body: &Value) -> Result<End, String> {
    let choice = &body["choices"][0];
    if !choice["finish_reason"].is_string() {
        return Err(format!("no end: {body}"));
    }
    let experts = &body["meta"]["experts"];
    result(json!({
        "content": choice["message"]["content"], "abstained": body["meta"]["abstained"],
        "metadata": { "experts": experts },
    }))
}

/// A chat's chunks end with `[DONE]` after a finish, or with an error and without it.
fn chunks(text: &str) -> Result<End, String> {
    let (events, between) = events(text);
    if !between {
        return Err(format!("cut within an event: {text}"));
    }
    let (mut told, mut whole, mut end) = (String::new(), None, None);
    for Event { name, data } in events {
        if end.is_some() || !name.is_empty() {
            return Err(format!("`{name}` {data} after the end or with a name: {text}"));
        }
        if data == "[DONE]" {
            let chunk: Value = whole.take().ok_or("a marker without a finish")?;
            end = Some(result(json!({
                "content": told, "abstained": chunk["meta"]["abstained"],
                "metadata": { "experts": chunk["meta"]["experts"] },
            }))?);
            continue;
        }
        let chunk = json_of(&data)?;
        if chunk["error"].is_object() {
            end = Some(chat_problem(&chunk)?);
            continue;
        }
        told += chunk["choices"][0]["delta"]["content"].as_str().unwrap_or_default();
        if chunk["choices"][0]["finish_reason"].is_string() {
            whole = Some(chunk);
        }
    }
    end.ok_or_else(|| format!("the chunks ended with neither marker nor error: {text}"))
}

/// An error in OpenAI's form, as the problem that it tells of.
fn chat_problem(body: &Value) -> Result<End, String> {
    let code = body["error"]["code"].as_str().ok_or_else(|| format!("no error: {body}"))?;
    let kind = format!("urn:meta-orchestrator:problem:{}", code.replace('_', "-"));
    let row = DOCUMENTED.lines().find(|line| line.contains(&format!("| `{kind}` |")));
    let status = row.and_then(|row| row.split('|').nth(2)?.trim().parse::<u16>().ok());
    problem(json!({ "type": kind, "status": status, "error": body["error"] }))
}

const DOCUMENTED: &str = include_str!("../../openapi/problems.md");

/// A problem is typed when the documentation lists it, with this status.
fn problem(body: Value) -> Result<End, String> {
    let (kind, status) = (body["type"].as_str(), body["status"].as_u64());
    let (Some(kind), Some(status)) = (kind, status) else {
        return Err(format!("no problem: {body}"));
    };
    if !DOCUMENTED.contains(&format!("| `{kind}` | {status} |")) {
        return Err(format!("an undocumented problem: {body}"));
    }
    if ![429, 502, 503, 504].contains(&status) {
        return Err(format!("not what an upstream can do: {body}"));
    }
    Ok(End::Problem(body))
}

/// A stream ends with one `result` or one `error`, and its deltas since the last `retract` are the
/// beginning of what the result says.
fn streamed(text: &str) -> Result<End, String> {
    let (events, between) = events(text);
    if !between {
        return Err(format!("cut within an event: {text}"));
    }
    let known: BTreeSet<_> = ["decision", "position", "delta", "retract", "result", "error"].into();
    let mut told = String::new();
    let mut end = None;
    for Event { name, data } in events {
        if !known.contains(name.as_str()) {
            return Err(format!("an unknown event `{name}`: {data}"));
        }
        if end.is_some() {
            return Err(format!("`{name}` after the end: {data}"));
        }
        let data = json_of(&data)?;
        match name.as_str() {
            "delta" => told += delta(&data)?,
            "retract" => told.clear(),
            "result" => end = Some(result(data)?),
            "error" => end = Some(problem(data)?),
            _ => {}
        }
    }
    let end = end.ok_or("the stream ended with neither result nor error")?;
    match end.content() {
        Some(content) if !content.starts_with(told.trim()) => {
            Err(format!("the deltas said {told:?} and the result {content:?}"))
        }
        _ => Ok(end),
    }
}

fn delta(data: &Value) -> Result<&str, String> {
    data["text"].as_str().ok_or_else(|| format!("a delta without text: {data}"))
}
