//! What operators and machines ask: probes, Prometheus' page, the OpenAPI document, an index.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};

use axum::{
    Json,
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{ApiState, Problem, ProblemKind, openapi};

/// Whether the service wants traffic: it is starting, then ready, then draining, and never turns
/// back. Cheap to clone; all clones are one.
#[derive(Debug, Clone, Default)]
pub struct Readiness(Arc<AtomicU8>);

impl Readiness {
    const STARTING: u8 = 0;
    const READY: u8 = 1;
    const DRAINING: u8 = 2;

    /// The service takes traffic from now on, unless it is draining already.
    pub fn ready(&self) {
        self.0.fetch_max(Self::READY, Ordering::AcqRel);
    }

    /// The service wants no more traffic.
    pub fn drain(&self) {
        self.0.fetch_max(Self::DRAINING, Ordering::AcqRel);
    }

    /// Whether it wants traffic now.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.0.load(Ordering::Acquire) == Self::READY
    }

    fn is_starting(&self) -> bool {
        self.0.load(Ordering::Acquire) == Self::STARTING
    }
}

/// The answer of a probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct ProbeResult {
    /// Always `ok`; anything else is another status.
    #[schema(example = "ok")]
    pub status: &'static str,
}

/// What is here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct Index {
    /// The service's name.
    pub name: &'static str,
    /// The service's version.
    pub version: &'static str,
    /// The path of the OpenAPI document.
    #[schema(example = "/openapi.json")]
    pub openapi: &'static str,
    /// Everything that can be called.
    pub endpoints: Vec<Endpoint>,
}

/// Something that can be called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct Endpoint {
    /// The method.
    #[schema(example = "POST")]
    pub method: String,
    /// The path.
    #[schema(example = "/api/v1/unified/process")]
    pub path: String,
    /// What it does.
    #[schema(example = "Ask a question")]
    pub summary: String,
}

pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::default()
        .routes(routes!(livez))
        .routes(routes!(readyz))
        .routes(routes!(prometheus))
        .routes(routes!(openapi_document))
        .routes(routes!(index))
}

/// Probe liveness
///
/// Answers as long as the process serves requests at all.
#[utoipa::path(
    get,
    path = "/livez",
    operation_id = "livez",
    tag = "operations",
    responses((status = 200, description = "The process is alive.", body = ProbeResult)),
)]
async fn livez() -> Json<ProbeResult> {
    Json(ProbeResult { status: "ok" })
}

/// Probe readiness
///
/// 503 while the service is starting or draining: send traffic elsewhere.
#[utoipa::path(
    get,
    path = "/readyz",
    operation_id = "readyz",
    tag = "operations",
    responses((status = 200, description = "The service wants traffic.", body = ProbeResult)),
)]
async fn readyz(State(state): State<ApiState>) -> Result<Json<ProbeResult>, Problem> {
    if state.readiness.is_ready() {
        return Ok(Json(ProbeResult { status: "ok" }));
    }
    let detail = if state.readiness.is_starting() {
        "The service is starting."
    } else {
        "The service is draining."
    };
    Err(Problem::new(ProblemKind::NotReady, detail).retry_after(Duration::from_secs(1)))
}

/// Scrape the metrics
///
/// All metrics in Prometheus' text format 0.0.4.
#[utoipa::path(
    get,
    path = "/metrics",
    operation_id = "scrapeMetrics",
    tag = "operations",
    responses((status = 200, description = "The metrics.", content_type = "text/plain", body = String)),
)]
async fn prometheus(State(state): State<ApiState>) -> Response {
    const TYPE: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    ([(header::CONTENT_TYPE, TYPE)], state.telemetry.render()).into_response()
}

/// Read this document
///
/// The OpenAPI 3.1 description of everything that is served here, with the limits as configured.
#[utoipa::path(
    get,
    path = "/openapi.json",
    operation_id = "getOpenapi",
    tag = "operations",
    responses((status = 200, description = "The OpenAPI document.", body = serde_json::Value)),
)]
async fn openapi_document(State(state): State<ApiState>) -> Response {
    const TYPE: HeaderValue = HeaderValue::from_static("application/json");
    ([(header::CONTENT_TYPE, TYPE)], openapi::served(&state.request_limits)).into_response()
}

/// See what is here
///
/// The name, the version and everything that can be called.
#[utoipa::path(
    get,
    path = "/",
    operation_id = "index",
    tag = "operations",
    responses((status = 200, description = "What is here.", body = Index)),
)]
async fn index() -> Json<Index> {
    Json(Index {
        name: "meta-orchestrator",
        version: env!("CARGO_PKG_VERSION"),
        openapi: "/openapi.json",
        endpoints: openapi::endpoints(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readiness_never_turns_back() {
        let readiness = Readiness::default();
        assert!(!readiness.is_ready());
        readiness.ready();
        assert!(readiness.clone().is_ready());
        readiness.drain();
        readiness.ready();
        assert!(!readiness.is_ready());
    }
}
