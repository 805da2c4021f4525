//! Server-sent events as a response (WHATWG HTML, 9.2). The work runs inside the response's body: it
//! goes on only while the client takes what comes of it, and ends when the client goes.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use super::Problem;
use axum::{
    body::{Body, Bytes},
    http::{HeaderName, HeaderValue, header},
    response::Response,
};
use futures_util::Stream;
use serde::Serialize;
use tokio::time::{Interval, MissedTickBehavior, interval};

/// The media type of a stream of events.
pub(super) const EVENT_STREAM: &str = "text/event-stream";
/// Silence after which a comment shows that the connection lives; proxies cut silent ones.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// Events on their way out. What is written between two looks of the client goes out together.
#[derive(Debug, Default)]
pub(super) struct Outbox(Mutex<Vec<u8>>);

impl Outbox {
    /// Adds an event; without a name it is a plain message.
    pub(super) fn event(&self, name: Option<&str>, data: &impl Serialize) {
        let mut bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(name) = name {
            bytes.extend_from_slice(b"event: ");
            bytes.extend_from_slice(name.as_bytes());
            bytes.push(b'\n');
        }
        bytes.extend_from_slice(b"data: ");
        let before = bytes.len();
        // JSON has no raw line feeds, so one line holds it. Our own types always serialise.
        if serde_json::to_writer(&mut *bytes, data).is_err() {
            bytes.truncate(before);
            bytes.extend_from_slice(b"null");
        }
        bytes.extend_from_slice(b"\n\n");
    }

    /// Adds a plain message of this text, which has no line feed.
    pub(super) fn message(&self, text: &str) {
        let mut bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        bytes.extend_from_slice(b"data: ");
        bytes.extend_from_slice(text.as_bytes());
        bytes.extend_from_slice(b"\n\n");
    }

    /// Whether nothing waits to go out.
    pub(super) fn is_empty(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    fn take(&self) -> Option<Bytes> {
        let mut bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (!bytes.is_empty()).then(|| Bytes::from(std::mem::take(&mut *bytes)))
    }
}

/// Logs a failure of this service that comes after the response's head, where the outermost layer
/// no longer sees it.
pub(super) fn log_failure(problem: &Problem, request_id: &str) {
    let kind = problem.kind();
    if kind.status().is_server_error() {
        tracing::warn!(
            status = kind.status().as_u16(),
            problem = kind.slug(),
            request_id,
            "request failed while it was streamed"
        );
    }
}

/// The work whose events are sent; it writes its last one before it ends.
pub(super) type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A response whose body is the work's events.
pub(super) fn respond(outbox: Arc<Outbox>, work: Work) -> Response {
    let mut heartbeat = interval(HEARTBEAT);
    heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    heartbeat.reset();
    let events = Events { outbox, work: Some(work), heartbeat };
    let mut response = Response::new(Body::from_stream(events));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(EVENT_STREAM));
    // Proxies (nginx) would collect the events else.
    let buffering = HeaderName::from_static("x-accel-buffering");
    headers.insert(buffering, HeaderValue::from_static("no"));
    response
}

struct Events {
    outbox: Arc<Outbox>,
    work: Option<Work>,
    heartbeat: Interval,
}

impl Stream for Events {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(work) = &mut self.work
            && work.as_mut().poll(context).is_ready()
        {
            self.work = None;
        }
        if let Some(bytes) = self.outbox.take() {
            self.heartbeat.reset();
            return Poll::Ready(Some(Ok(bytes)));
        }
        if self.work.is_none() {
            return Poll::Ready(None);
        }
        match self.heartbeat.poll_tick(context) {
            Poll::Ready(_) => Poll::Ready(Some(Ok(Bytes::from_static(b": heartbeat\n\n")))),
            Poll::Pending => Poll::Pending,
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt;
    use serde_json::json;
    use tokio::time::sleep;

    use super::*;

    async fn body(response: Response) -> Vec<String> {
        let chunks = response.into_body().into_data_stream();
        chunks.map(|chunk| String::from_utf8(chunk.unwrap().to_vec()).unwrap()).collect().await
    }

    #[tokio::test(start_paused = true)]
    async fn events_go_out_as_they_come_and_silence_is_kept_alive() {
        let outbox = Arc::new(Outbox::default());
        let writer = Arc::clone(&outbox);
        let work = Box::pin(async move {
            writer.event(Some("a"), &json!({"text": "1\n2"}));
            writer.message("[DONE]");
            sleep(Duration::from_secs(25)).await;
            writer.event(None, &1);
        });
        let chunks = body(respond(outbox, work)).await;
        assert_eq!(
            chunks,
            [
                "event: a\ndata: {\"text\":\"1\\n2\"}\n\ndata: [DONE]\n\n",
                ": heartbeat\n\n",
                ": heartbeat\n\n",
                "data: 1\n\n",
            ]
        );
    }
}
