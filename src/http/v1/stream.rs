//! A chat's answer as chunks. What was sent cannot be taken back here: text goes out only where it
//! is sure to stand, and an answer that fails half-way ends with an error and without `[DONE]`.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value, json};
use tokio::time::timeout;

use super::{
    error,
    wire::{ChatUsage, RoutingReport, finish_reason, response_id_header},
};
use crate::{
    domain::{Complexity, Decision, Listener, Reply, Request, TraceEntry},
    http::{
        ApiState, Problem, ProblemKind,
        middleware::RequestId,
        sse::{Letters, Outbox, Running},
    },
};

/// How long the head of the response waits for the first chunk: until then a failure still is a
/// status, which clients understand and try again; later the connection must show that it lives.
const PATIENCE: Duration = Duration::from_secs(5);

/// Answers a chat by chunks.
///
/// # Errors
/// [`Problem`] when the answer fails before its first chunk.
pub(super) async fn respond(
    state: ApiState,
    request: Request,
    model: String,
    include_usage: bool,
    RequestId(request_id): RequestId,
) -> Result<Response, Problem> {
    let id = request.id;
    let voice = Arc::new(Voice {
        id: id.to_string(),
        created: id.unix_seconds(),
        model,
        include_usage,
        begun: AtomicBool::new(false),
    });
    let words = Arc::clone(&voice);
    let outbox = Arc::new(Outbox::new(move |letters, text| {
        words.choice(letters, json!({ "content": text }), None, None);
    }));
    let teller =
        Arc::new(Teller { outbox: Arc::clone(&outbox), voice, spoilt: AtomicBool::new(false) });
    let meta = state.orchestrator;
    let work = async move {
        let reply = meta.process_heard(request, Some(Arc::clone(&teller) as _)).await?;
        teller.end(&reply)
    };
    let running = Running::start(&state.streams, outbox, work);
    if let Ok(begun) = timeout(PATIENCE, running.begun()).await {
        begun?;
    }
    let asked = Arc::clone(&request_id);
    let response = running.respond(request_id, move |ended, letters| match ended {
        Ok(()) => letters.message("[DONE]"),
        Err(problem) => letters.event(None, &error::body(problem, &asked)),
    });
    Ok((response_id_header(id), response).into_response())
}

/// Tells a client of the answer as it grows.
struct Teller {
    outbox: Arc<Outbox>,
    voice: Arc<Voice>,
    /// Whether text went out that is not the answer's.
    spoilt: AtomicBool,
}

/// Writes the chunks of one answer.
struct Voice {
    id: String,
    created: u64,
    model: String,
    include_usage: bool,
    /// Whether the first chunk has been written.
    begun: AtomicBool,
}

#[derive(Serialize)]
struct Chunk<'a> {
    id: &'a str,
    object: &'static str,
    created: u64,
    model: &'a str,
    choices: &'a [Value],
    /// Null in all chunks but the one that counts, as OpenAI has it; absent where nobody asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Option<ChatUsage>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    meta: Option<RoutingReport>,
}

impl Voice {
    /// A chunk of the answer. The first one says who speaks.
    fn choice(
        &self,
        letters: &mut Letters,
        delta: Value,
        finish_reason: Option<&str>,
        end: Option<(&str, RoutingReport)>,
    ) {
        if !self.begun.swap(true, Ordering::Relaxed) {
            self.choice(letters, json!({"role": "assistant", "content": ""}), None, None);
        }
        let choice = json!({
            "index": 0, "delta": delta, "logprobs": null, "finish_reason": finish_reason,
        });
        let (model, meta) = match end {
            Some((model, meta)) => (model, Some(meta)),
            None => (self.model.as_str(), None),
        };
        self.chunk(letters, model, &[choice], None, meta);
    }

    fn chunk(
        &self,
        letters: &mut Letters,
        model: &str,
        choices: &[Value],
        usage: Option<ChatUsage>,
        meta: Option<RoutingReport>,
    ) {
        letters.event(
            None,
            &Chunk {
                id: &self.id,
                object: "chat.completion.chunk",
                created: self.created,
                model,
                choices,
                usage: self.include_usage.then_some(usage),
                meta,
            },
        );
    }

    /// What follows the text.
    fn end(&self, letters: &mut Letters, reply: &Reply) {
        if !reply.tool_calls.is_empty() {
            let calls = (0..).zip(&reply.tool_calls).map(|(index, call)| numbered(index, call));
            let calls: Vec<Value> = calls.collect();
            self.choice(letters, json!({ "tool_calls": calls }), None, None);
        }
        let model = reply.model.as_deref().unwrap_or(&self.model);
        let end = (model, RoutingReport::of(reply));
        self.choice(letters, Value::Object(Map::new()), Some(finish_reason(reply)), Some(end));
        if self.include_usage {
            self.chunk(letters, model, &[], Some(reply.usage.into()), None);
        }
    }
}

impl Teller {
    fn end(&self, reply: &Reply) -> Result<(), Problem> {
        if self.spoilt.load(Ordering::Relaxed) {
            return Err(Problem::new(
                ProblemKind::ExpertsFailed,
                "The answer failed when a part of it had been sent. Ask again.",
            ));
        }
        self.outbox.write(|letters| self.voice.end(letters, reply));
        Ok(())
    }
}

/// A call of a tool with its place among the calls.
fn numbered(index: u32, call: &Value) -> Value {
    let mut call = call.clone();
    if let Some(call) = call.as_object_mut() {
        call.insert("index".to_owned(), index.into());
    }
    call
}

impl Listener for Teller {
    fn decided(&self, _: &Decision, _: &Complexity) {}

    fn visited(&self, _: &TraceEntry) {}

    fn delta(&self, text: &str) {
        if !self.spoilt.load(Ordering::Relaxed) {
            self.outbox.text(text);
        }
    }

    /// Never called while text cannot be taken back; were it, the stream must not look whole.
    fn retract(&self) {
        self.spoilt.store(true, Ordering::Relaxed);
    }

    fn can_retract(&self) -> bool {
        false
    }
}
