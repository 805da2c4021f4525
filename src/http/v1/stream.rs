//! A chat's answer as chunks. What was sent cannot be taken back here: text goes out only where it
//! is sure to stand, and an answer that fails half-way ends with an error and without `[DONE]`.

use std::{
    future::poll_fn,
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
    time::Duration,
};

use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
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
        Problem, ProblemKind,
        middleware::RequestId,
        sse::{self, Outbox},
    },
    meta::MetaOrchestrator,
};

/// How long the head of the response waits for the first chunk: until then a failure still is a
/// status, which clients understand and try again; later the connection must show that it lives.
const PATIENCE: Duration = Duration::from_secs(5);

/// Answers a chat by chunks.
///
/// # Errors
/// [`Problem`] when the answer fails before its first chunk.
pub(super) async fn respond(
    meta: Arc<MetaOrchestrator>,
    request: Request,
    model: String,
    include_usage: bool,
    RequestId(request_id): RequestId,
) -> Result<Response, Problem> {
    let id = request.id;
    let outbox = Arc::new(Outbox::default());
    let teller = Arc::new(Teller {
        outbox: Arc::clone(&outbox),
        id: id.to_string(),
        created: id.unix_seconds(),
        model,
        include_usage,
        begun: AtomicBool::new(false),
        spoilt: AtomicBool::new(false),
    });
    let mut work: Pin<Box<dyn Future<Output = Result<(), Problem>> + Send>> =
        Box::pin(async move {
            let process = meta.process_heard(request, Some(Arc::clone(&teller) as _));
            // The layer that catches panics sees the response's head only.
            let ended = AssertUnwindSafe(process).catch_unwind().await;
            let reply = ended.map_err(|_| {
                tracing::error!("a request panicked while it was streamed");
                Problem::internal()
            })??;
            teller.end(&reply)
        });
    let head = poll_fn(|context| match work.as_mut().poll(context) {
        Poll::Ready(ended) => Poll::Ready(Some(ended)),
        Poll::Pending if outbox.is_empty() => Poll::Pending,
        Poll::Pending => Poll::Ready(None),
    });
    let letters = Arc::clone(&outbox);
    let rest: sse::Work = match timeout(PATIENCE, head).await {
        Ok(Some(Err(problem))) if letters.is_empty() => return Err(problem),
        Ok(Some(ended)) => Box::pin(async move { close(&letters, ended, &request_id) }),
        Ok(None) | Err(_) => Box::pin(async move { close(&letters, work.await, &request_id) }),
    };
    Ok((response_id_header(id), sse::respond(outbox, rest)).into_response())
}

/// The last event.
fn close(letters: &Outbox, ended: Result<(), Problem>, request_id: &str) {
    match ended {
        Ok(()) => letters.message("[DONE]"),
        Err(problem) => {
            sse::log_failure(&problem, request_id);
            letters.event(None, &error::body(problem, request_id));
        }
    }
}

/// Tells a client of the answer as it grows.
struct Teller {
    outbox: Arc<Outbox>,
    id: String,
    created: u64,
    model: String,
    include_usage: bool,
    /// Whether the first chunk has gone out.
    begun: AtomicBool,
    /// Whether text went out that is not the answer's.
    spoilt: AtomicBool,
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

impl Teller {
    /// A chunk of the answer. The first one says who speaks.
    fn choice(
        &self,
        delta: Value,
        finish_reason: Option<&str>,
        end: Option<(&str, RoutingReport)>,
    ) {
        if !self.begun.swap(true, Ordering::Relaxed) {
            self.choice(json!({"role": "assistant", "content": ""}), None, None);
        }
        let choice = json!({
            "index": 0, "delta": delta, "logprobs": null, "finish_reason": finish_reason,
        });
        let (model, meta) = match end {
            Some((model, meta)) => (model, Some(meta)),
            None => (self.model.as_str(), None),
        };
        self.send(model, &[choice], None, meta);
    }

    fn send(
        &self,
        model: &str,
        choices: &[Value],
        usage: Option<ChatUsage>,
        meta: Option<RoutingReport>,
    ) {
        self.outbox.event(
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
    fn end(&self, reply: &Reply) -> Result<(), Problem> {
        if self.spoilt.load(Ordering::Relaxed) {
            return Err(Problem::new(
                ProblemKind::ExpertsFailed,
                "The answer failed when a part of it had been sent. Ask again.",
            ));
        }
        if !reply.tool_calls.is_empty() {
            let calls = (0..).zip(&reply.tool_calls).map(|(index, call)| numbered(index, call));
            let calls: Vec<Value> = calls.collect();
            self.choice(json!({ "tool_calls": calls }), None, None);
        }
        let model = reply.model.as_deref().unwrap_or(&self.model);
        let end = (model, RoutingReport::of(reply));
        self.choice(Value::Object(Map::new()), Some(finish_reason(reply)), Some(end));
        if self.include_usage {
            self.send(model, &[], Some(reply.usage.into()), None);
        }
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
            self.choice(json!({ "content": text }), None, None);
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
