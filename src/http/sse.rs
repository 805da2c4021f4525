//! Server-sent events as a response (WHATWG HTML, 9.2). The work runs as a task of its own: its
//! deadline and its places never wait for the client to take what came of it. It ends with the
//! response: who goes ends the work.

use std::{
    convert::Infallible,
    fmt,
    future::poll_fn,
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU16, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use super::Problem;
use axum::{
    body::{Body, Bytes},
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::Response,
};
use futures_util::{FutureExt, Stream, task::AtomicWaker};
use serde::Serialize;
use tokio::time::{Interval, MissedTickBehavior, interval};
use tokio_util::task::{AbortOnDropHandle, TaskTracker};
use tracing::Instrument;

/// The media type of a stream of events.
pub(super) const EVENT_STREAM: &str = "text/event-stream";
/// Silence after which a comment shows that the connection lives; proxies cut silent ones.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// Events as bytes.
#[derive(Debug, Default)]
pub(super) struct Letters(Vec<u8>);

impl Letters {
    /// Adds an event; without a name it is a plain message.
    pub(super) fn event(&mut self, name: Option<&str>, data: &impl Serialize) {
        let bytes = &mut self.0;
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
    pub(super) fn message(&mut self, text: &str) {
        self.0.extend_from_slice(b"data: ");
        self.0.extend_from_slice(text.as_bytes());
        self.0.extend_from_slice(b"\n\n");
    }
}

/// How text of the answer is written.
type Wording = Box<dyn Fn(&mut Letters, &str) + Send + Sync>;

/// Events on their way out. What is written between two looks of the client goes out together, and
/// text is one event then, so that a client who takes nothing costs no more than the text itself.
pub(super) struct Outbox {
    state: Mutex<State>,
    reader: AtomicWaker,
    wording: Wording,
}

#[derive(Default)]
struct State {
    letters: Letters,
    /// Text that is not written yet.
    text: String,
    ended: Option<Result<(), Problem>>,
}

impl fmt::Debug for Outbox {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Outbox").finish_non_exhaustive()
    }
}

impl Outbox {
    /// Nothing is in it; text will be written like this.
    pub(super) fn new(wording: impl Fn(&mut Letters, &str) + Send + Sync + 'static) -> Self {
        let wording = Box::new(wording);
        Self { state: Mutex::default(), reader: AtomicWaker::new(), wording }
    }

    /// More of the answer's text.
    pub(super) fn text(&self, text: &str) {
        self.change(|state| state.text.push_str(text));
    }

    /// Writes what follows the text.
    pub(super) fn write(&self, write: impl FnOnce(&mut Letters)) {
        self.change(|state| {
            self.word(state);
            write(&mut state.letters);
        });
    }

    /// Writes that the text so far is not the answer's; what of it is not written yet never is.
    pub(super) fn retract(&self, write: impl FnOnce(&mut Letters)) {
        self.change(|state| {
            state.text.clear();
            write(&mut state.letters);
        });
    }

    fn end(&self, ended: Result<(), Problem>) {
        self.change(|state| state.ended = Some(ended));
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state());
        self.reader.wake();
    }

    fn word(&self, state: &mut State) {
        if !state.text.is_empty() {
            (self.wording)(&mut state.letters, &state.text);
            // The room is given back: who writes much once need not keep it.
            state.text = String::new();
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Work under way, whose events fill an outbox. Dropping it ends the work.
pub(super) struct Running {
    outbox: Arc<Outbox>,
    _task: AbortOnDropHandle<()>,
}

impl Running {
    /// Starts the work, as one of these tasks.
    pub(super) fn start(
        tasks: &TaskTracker,
        outbox: Arc<Outbox>,
        work: impl Future<Output = Result<(), Problem>> + Send + 'static,
    ) -> Self {
        let letters = Arc::clone(&outbox);
        let task = async move {
            // The layer that catches panics sees the response's head only.
            let ended = AssertUnwindSafe(work).catch_unwind().await.unwrap_or_else(|_| {
                tracing::error!("a request panicked while it was streamed");
                Err(Problem::internal())
            });
            letters.end(ended);
        };
        Self { outbox, _task: AbortOnDropHandle::new(tasks.spawn(task.in_current_span())) }
    }

    /// Waits for the first event or the end.
    ///
    /// # Errors
    /// [`Problem`] when the work failed before its first event.
    pub(super) async fn begun(&self) -> Result<(), Problem> {
        poll_fn(|context| {
            self.outbox.reader.register(context.waker());
            let mut state = self.outbox.state();
            if !state.letters.0.is_empty() || !state.text.is_empty() {
                return Poll::Ready(Ok(()));
            }
            match state.ended.take_if(|ended| ended.is_err()) {
                Some(failed) => Poll::Ready(failed),
                None if state.ended.is_some() => Poll::Ready(Ok(())),
                None => Poll::Pending,
            }
        })
        .await
    }

    /// A response whose body is the work's events; `close` writes the last one.
    pub(super) fn respond(
        self,
        request_id: Arc<str>,
        close: impl FnOnce(Result<(), Problem>, &mut Letters) + Send + 'static,
    ) -> Response {
        let mut heartbeat = interval(HEARTBEAT);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        heartbeat.reset();
        let outcome = Outcome::default();
        let close: Close = Box::new(move |ended, letters| {
            if let Err(problem) = &ended {
                log_failure(problem, &request_id);
            }
            close(ended, letters);
        });
        let events =
            Events { running: self, close: Some(close), outcome: outcome.clone(), heartbeat };
        let mut response = Response::new(Body::from_stream(events));
        response.extensions_mut().insert(outcome);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(EVENT_STREAM));
        // Proxies (nginx) would collect the events else.
        let buffering = HeaderName::from_static("x-accel-buffering");
        headers.insert(buffering, HeaderValue::from_static("no"));
        response
    }
}

/// How a stream ended, for whoever counts responses: its head said 200 long before.
#[derive(Debug, Clone, Default)]
pub(super) struct Outcome(Arc<AtomicU16>);

impl Outcome {
    /// The status that tells it; `None` while the client has not taken the end.
    pub(super) fn status(&self) -> Option<u16> {
        let status = self.0.load(Ordering::Relaxed);
        (status != 0).then_some(status)
    }

    fn set(&self, status: StatusCode) {
        self.0.store(status.as_u16(), Ordering::Relaxed);
    }
}

/// Logs a failure of this service that comes after the response's head, where the outermost layer
/// no longer sees it.
fn log_failure(problem: &Problem, request_id: &str) {
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

/// Writes the last event.
type Close = Box<dyn FnOnce(Result<(), Problem>, &mut Letters) + Send>;

struct Events {
    running: Running,
    /// Taken when the last event is written.
    close: Option<Close>,
    outcome: Outcome,
    heartbeat: Interval,
}

impl Events {
    /// What has come since the last look, with the last event if that was all.
    fn take(&mut self) -> Option<Bytes> {
        let outbox = &self.running.outbox;
        let mut state = outbox.state();
        outbox.word(&mut state);
        if let Some(ended) = state.ended.take()
            && let Some(close) = self.close.take()
        {
            self.outcome.set(match &ended {
                Ok(()) => StatusCode::OK,
                Err(problem) => problem.kind().status(),
            });
            close(ended, &mut state.letters);
        }
        let bytes = std::mem::take(&mut state.letters.0);
        (!bytes.is_empty()).then(|| bytes.into())
    }
}

impl Stream for Events {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.running.outbox.reader.register(context.waker());
        if let Some(bytes) = self.take() {
            self.heartbeat.reset();
            return Poll::Ready(Some(Ok(bytes)));
        }
        if self.close.is_none() {
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
    use http_body_util::BodyExt;
    use serde_json::json;
    use tokio::{
        sync::oneshot,
        time::{sleep, timeout},
    };

    use super::*;
    use crate::http::ProblemKind;

    fn outbox() -> Arc<Outbox> {
        Arc::new(Outbox::new(|letters, text| letters.event(Some("t"), &text)))
    }

    fn response(
        outbox: Arc<Outbox>,
        work: impl Future<Output = Result<(), Problem>> + Send + 'static,
    ) -> Response {
        Running::start(&TaskTracker::new(), outbox, work)
            .respond(Arc::from("req_1"), |ended, letters| letters.event(None, &ended.is_ok()))
    }

    async fn body(response: Response) -> Vec<String> {
        let chunks = response.into_body().into_data_stream();
        chunks.map(|chunk| String::from_utf8(chunk.unwrap().to_vec()).unwrap()).collect().await
    }

    #[tokio::test(start_paused = true)]
    async fn events_go_out_as_they_come_and_silence_is_kept_alive() {
        let outbox = outbox();
        let writer = Arc::clone(&outbox);
        let work = async move {
            writer.write(|letters| {
                letters.event(Some("a"), &json!({"text": "1\n2"}));
                letters.message("[DONE]");
            });
            sleep(Duration::from_secs(25)).await;
            Ok(())
        };
        let chunks = body(response(outbox, work)).await;
        assert_eq!(
            chunks,
            [
                "event: a\ndata: {\"text\":\"1\\n2\"}\n\ndata: [DONE]\n\n",
                ": heartbeat\n\n",
                ": heartbeat\n\n",
                "data: true\n\n",
            ]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn the_work_comes_to_its_end_though_nobody_takes_what_it_says() {
        let outbox = outbox();
        let writer = Arc::clone(&outbox);
        let (done, ended) = oneshot::channel();
        let work = async move {
            for _ in 0..1000 {
                writer.text("word ");
                sleep(Duration::from_millis(1)).await;
            }
            done.send(()).unwrap();
            Ok(())
        };
        let response = response(Arc::clone(&outbox), work);
        timeout(Duration::from_secs(60), ended).await.unwrap().unwrap();
        assert!(outbox.state().letters.0.is_empty(), "text that nobody took is not framed");
        let chunks = body(response).await;
        assert_eq!(
            chunks,
            [format!("event: t\ndata: \"{}\"\n\ndata: true\n\n", "word ".repeat(1000))]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_taken_back_before_it_was_written_never_is() {
        let outbox = outbox();
        let writer = Arc::clone(&outbox);
        let work = async move {
            writer.text("wrong");
            writer.retract(|letters| letters.event(Some("retract"), &json!({})));
            writer.text("right");
            Ok(())
        };
        let chunks = body(response(outbox, work)).await;
        assert_eq!(
            chunks,
            ["event: retract\ndata: {}\n\nevent: t\ndata: \"right\"\n\ndata: true\n\n"]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn who_goes_ends_the_work() {
        let (held, released) = oneshot::channel::<()>();
        let work = async move {
            let _held = held;
            std::future::pending().await
        };
        let response = response(outbox(), work);
        tokio::task::yield_now().await;
        drop(response);
        assert!(timeout(Duration::from_secs(1), released).await.unwrap().is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_and_a_panic_end_the_stream_as_what_they_are() {
        let failing = async { Err(Problem::new(ProblemKind::ExpertsFailed, "none")) };
        let panicking = async { panic!("on purpose") };
        let works: [(Pin<Box<dyn Future<Output = _> + Send>>, _); 2] =
            [(Box::pin(failing), 502), (Box::pin(panicking), 500)];
        for (work, status) in works {
            let response = response(outbox(), work);
            let outcome = response.extensions().get::<Outcome>().unwrap().clone();
            assert_eq!(outcome.status(), None);
            let text = response.into_body().collect().await.unwrap().to_bytes();
            assert_eq!((text.as_ref(), outcome.status()), (&b"data: false\n\n"[..], Some(status)));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_before_the_first_event_can_still_be_a_status() {
        let failing = async { Err(Problem::new(ProblemKind::ExpertsFailed, "none")) };
        let running = Running::start(&TaskTracker::new(), outbox(), failing);
        assert_eq!(running.begun().await.unwrap_err().kind(), ProblemKind::ExpertsFailed);
        let quiet = Running::start(&TaskTracker::new(), outbox(), async { Ok(()) });
        assert!(quiet.begun().await.is_ok());
    }
}
