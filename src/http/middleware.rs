//! What holds for every request, whatever its route: a request id, a span without content, one
//! count in the metrics, problems in one form, a limit on requests in flight, no panic that
//! escapes.

use std::{
    any::Any,
    pin::Pin,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
};
use http_body::{Frame, SizeHint};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tracing::Instrument;
use uuid::Uuid;

use super::{Problem, ProblemKind, near::nearest, openapi, sse, stalled, v1};

/// The header that carries the request's id, both ways.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What the public face tells, and asks of, telemetry.
pub trait HttpTelemetry: Send + Sync {
    /// Counts one answered request. All values are bounded: `method` is one of the nine standard
    /// names or `OTHER`, `route` is a route's template or `unmatched`, `status` is 499 when the
    /// client went first; a stream of events that fails in the midst has the status of its problem.
    /// `duration` runs from the head of the request to that of the response, of a stream to its end.
    fn answered(&self, method: &'static str, route: &str, status: u16, duration: Duration);

    /// All metrics in Prometheus' text format 0.0.4.
    fn render(&self) -> String;
}

/// Telemetry that keeps nothing: for tests and tools.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoTelemetry;

impl HttpTelemetry for NoTelemetry {
    fn answered(&self, _: &'static str, _: &str, _: u16, _: Duration) {}

    fn render(&self) -> String {
        String::new()
    }
}

/// Refuses requests beyond a number in flight, at once: who waits in a queue for longer than the
/// caller's patience does the work for nobody.
pub fn admit<S: Clone + Send + Sync + 'static>(
    router: Router<S>,
    max_in_flight: usize,
) -> Router<S> {
    let places = Arc::new(Semaphore::new(max_in_flight.clamp(1, Semaphore::MAX_PERMITS)));
    router.route_layer(from_fn_with_state(places, take_a_place))
}

/// Dresses a router in what holds for every request. `paths` are suggested where a request misses.
/// Call it last: routes added afterwards stay outside.
pub fn dress(
    router: Router,
    telemetry: Arc<dyn HttpTelemetry>,
    paths: impl IntoIterator<Item = String>,
) -> Router {
    let paths: Arc<[String]> = paths.into_iter().collect();
    router
        .method_not_allowed_fallback(no_such_method)
        .fallback(move |request: Request| {
            let problem = nothing_here(request.uri().path(), &paths);
            async move { problem }
        })
        .layer(
            // Outermost first: a panic is counted like any other 500.
            ServiceBuilder::new()
                .layer(from_fn_with_state(telemetry, observe))
                .layer(CatchPanicLayer::custom(panicked)),
        )
}

async fn take_a_place(
    State(places): State<Arc<Semaphore>>,
    request: Request,
    next: Next,
) -> Response {
    let Ok(place) = places.try_acquire_owned() else {
        let detail = "As many requests are in flight as this service takes. Try again.";
        return Problem::new(ProblemKind::Overloaded, detail)
            .retry_after(Duration::from_secs(1))
            .into_response();
    };
    // A body that is still being written works on: its place is free when it ends.
    next.run(request).await.map(|body| Body::new(Placed { body, _place: place }))
}

/// A body that keeps its place among the requests in flight.
struct Placed {
    body: Body,
    _place: OwnedSemaphorePermit,
}

impl http_body::Body for Placed {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A request's id, for handlers that write it themselves.
#[derive(Debug, Clone)]
pub(super) struct RequestId(pub(super) Arc<str>);

async fn observe(
    State(telemetry): State<Arc<dyn HttpTelemetry>>,
    mut request: Request,
    next: Next,
) -> Response {
    let id = request_id(request.headers());
    request.extensions_mut().insert(RequestId(Arc::from(id.as_str())));
    let watch = Watch {
        telemetry,
        method: method_label(request.method()),
        route: request.extensions().get::<MatchedPath>().cloned(),
        since: Instant::now(),
        status: CLIENT_WENT,
    };
    let openai = v1::is_here(request.uri().path());
    let (method, route) = (watch.method, watch.template());
    let span = tracing::info_span!("http_request", request_id = %id, method, route);
    let response = next.run(request).instrument(span.clone()).await;
    let (mut response, problem) = name_the_request(response, &id, openai);
    finish_headers(response.headers_mut(), &id);
    match response.extensions_mut().remove::<sse::Outcome>() {
        // Its head says nothing of how it ends.
        Some(outcome) => {
            response = response.map(|body| Body::new(Streamed { body, outcome, watch }));
        }
        None => span.in_scope(|| watch.end(response.status(), problem)),
    }
    response.map(stalled::watched)
}

/// A stream of events, which is counted when it ends.
struct Streamed {
    body: Body,
    outcome: sse::Outcome,
    watch: Watch,
}

impl http_body::Body for Streamed {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }
}

impl Drop for Streamed {
    fn drop(&mut self) {
        self.watch.status = self.outcome.status().unwrap_or(CLIENT_WENT);
    }
}

/// When the first request was turned away; what is told of them counts from it.
static STARTED: LazyLock<Instant> = LazyLock::new(Instant::now);
static SHED: Shed = Shed { next: AtomicU64::new(0), unsaid: AtomicU64::new(0) };

/// Requests that were turned away under load: a line for each would add to the load and bury
/// everything else.
struct Shed {
    /// The second from which the next one is told.
    next: AtomicU64,
    unsaid: AtomicU64,
}

impl Shed {
    /// Least seconds between two lines.
    const PAUSE: u64 = 10;

    /// A request was turned away. Where the log is to say so: how many were since it last did.
    fn note(&self, now: u64) -> Option<u64> {
        let next = self.next.load(Ordering::Relaxed);
        let told = now >= next
            && self
                .next
                .compare_exchange(next, now + Self::PAUSE, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok();
        if told {
            return Some(self.unsaid.swap(0, Ordering::Relaxed));
        }
        self.unsaid.fetch_add(1, Ordering::Relaxed);
        None
    }
}

/// Status with which a request is counted whose client went before the answer (nginx's custom).
const CLIENT_WENT: u16 = 499;

/// Counts a request once: when it is answered, or when it is dropped before.
struct Watch {
    telemetry: Arc<dyn HttpTelemetry>,
    method: &'static str,
    route: Option<MatchedPath>,
    since: Instant,
    status: u16,
}

impl Watch {
    fn template(&self) -> &str {
        self.route.as_ref().map_or("unmatched", |route| openapi::documented(route.as_str()))
    }

    /// Failures of this service are logged here; those in the midst of a stream where their last event
    /// is written (`sse`).
    fn end(mut self, status: StatusCode, problem: &'static str) {
        self.status = status.as_u16();
        // A log in JSON writes wider numbers as strings.
        let micros = u64::try_from(self.since.elapsed().as_micros()).unwrap_or(u64::MAX);
        let status = self.status;
        if problem == ProblemKind::Overloaded.slug() {
            if let Some(unsaid) = SHED.note(STARTED.elapsed().as_secs()) {
                tracing::warn!(status, problem, unsaid, "requests are turned away");
            }
        } else if status >= 500 {
            tracing::warn!(status, problem, duration_us = micros, "request failed");
        } else {
            tracing::debug!(status, problem, duration_us = micros, "request answered");
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let took = self.since.elapsed();
        self.telemetry.answered(self.method, self.template(), self.status, took);
    }
}

/// Writes a problem again, with the request's id in it and in the form that its client reads; says
/// which kind it was.
fn name_the_request(mut response: Response, id: &str, openai: bool) -> (Response, &'static str) {
    let Some(problem) = response.extensions_mut().remove::<Problem>() else {
        return (response, "");
    };
    let slug = problem.kind().slug();
    let headers = std::mem::take(response.headers_mut());
    let mut response = if openai { v1::respond(problem, id) } else { problem.respond(Some(id)) };
    // What was added on the way, such as `Allow`; but not what described the former body.
    for (name, value) in &headers {
        if name != header::CONTENT_LENGTH && !response.headers().contains_key(name) {
            response.headers_mut().append(name, value.clone());
        }
    }
    (response, slug)
}

fn finish_headers(headers: &mut HeaderMap, id: &str) {
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, id);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}

/// The caller's id where it is safe in a header and a log, else a new one.
fn request_id(headers: &HeaderMap) -> String {
    let offered = headers.get(REQUEST_ID).and_then(|id| id.to_str().ok()).filter(|id| {
        (1..=128).contains(&id.len())
            && id.chars().all(|c| c.is_ascii_alphanumeric() || "-_.:".contains(c))
    });
    offered.map_or_else(|| format!("req_{}", Uuid::now_v7().simple()), str::to_owned)
}

/// Anybody can make up methods; labels are bounded.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        Method::PATCH => "PATCH",
        Method::TRACE => "TRACE",
        Method::CONNECT => "CONNECT",
        _ => "OTHER",
    }
}

async fn no_such_method() -> Problem {
    Problem::new(
        ProblemKind::MethodNotAllowed,
        "This path does not take this method; the Allow header names those that it takes.",
    )
}

fn nothing_here(path: &str, paths: &[String]) -> Problem {
    let trimmed = path.trim_end_matches('/');
    let known = || paths.iter().map(String::as_str);
    let below: Vec<&str> = known()
        .filter(|known| known.strip_prefix(trimmed).is_some_and(|rest| rest.starts_with('/')))
        .collect();
    let detail = if let Some(meant) = known().find(|known| *known == trimmed) {
        format!("Did you mean `{meant}`?")
    } else if !trimmed.is_empty() && !below.is_empty() {
        format!("Below it there are {}.", below.join(", "))
    } else if let Some(meant) = nearest(path, known()) {
        format!("Did you mean `{meant}`?")
    } else {
        format!("The paths here are {}.", paths.join(", "))
    };
    Problem::new(ProblemKind::NotFound, detail)
}

/// The payload is not logged: it may quote what was asked.
fn panicked(_: Box<dyn Any + Send + 'static>) -> Response {
    tracing::error!("a handler panicked");
    Problem::internal().into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_that_are_turned_away_are_told_once_and_then_counted() {
        let shed = Shed { next: AtomicU64::new(0), unsaid: AtomicU64::new(0) };
        assert_eq!(shed.note(0), Some(0));
        assert!((0..500).all(|n| shed.note(n / 50).is_none()));
        assert_eq!((shed.note(10), shed.note(11)), (Some(500), None));
    }

    fn offered(id: &'static str) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(REQUEST_ID, HeaderValue::from_static(id));
        request_id(&headers)
    }

    #[test]
    fn a_safe_request_id_is_kept_and_any_other_replaced() {
        assert_eq!(offered("trace-7.a:b_c"), "trace-7.a:b_c");
        for unsafe_id in ["", "a b", "a\"b", "<script>", "a/../b"] {
            assert!(offered(unsafe_id).starts_with("req_"), "{unsafe_id}");
        }
        let long: &'static str = "x".repeat(129).leak();
        assert!(offered(long).starts_with("req_"));
        assert!(request_id(&HeaderMap::new()).starts_with("req_"));
    }

    #[test]
    fn a_missed_path_is_told_the_near_one_else_all() {
        let paths = ["/livez".to_owned(), "/api/v1/unified/process".to_owned()];
        for (path, told) in [
            ("/api/v1/unified/proces", "Did you mean `/api/v1/unified/process`?"),
            ("/livez/", "Did you mean `/livez`?"),
            ("/api/v1", "Below it there are /api/v1/unified/process."),
            ("//", "The paths here are /livez, /api/v1/unified/process."),
            ("/wp-admin.php", "The paths here are /livez, /api/v1/unified/process."),
        ] {
            assert_eq!(nothing_here(path, &paths), Problem::new(ProblemKind::NotFound, told));
        }
    }

    #[test]
    fn made_up_methods_share_one_label() {
        assert_eq!(method_label(&Method::from_bytes(b"BREW").unwrap()), "OTHER");
        assert_eq!(method_label(&Method::PUT), "PUT");
    }
}
