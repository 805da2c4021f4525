//! The public face: routes, wire types, problem+json, OpenAPI, the accept loop.
//!
//! A request comes in through [`serve`], is dressed by [`dress`], read by [`JsonBody`] into the
//! house's own types, answered by the orchestrator, and written by the types of [`unified`].

mod downconvert;
mod error;
mod extract;
mod fields;
mod guarded;
mod json;
mod middleware;
mod near;
mod openapi;
mod pointer;
mod probes;
mod problem;
mod serve;
mod sse;
mod stalled;
pub mod unified;
pub mod v1;

use std::sync::Arc;

use axum::{Router, extract::FromRef};
use tokio_util::task::TaskTracker;

use crate::meta::MetaOrchestrator;

pub use extract::{BodyLimits, JsonBody};
pub use fields::{Field, Fields, FromFields};
pub use middleware::{HttpTelemetry, NoTelemetry, REQUEST_ID, admit, dress};
pub use openapi::{document, document_3_0, paths};
pub use probes::Readiness;
pub use problem::{ExpertFailure, FieldError, PROBLEM_JSON, Problem, ProblemBody, ProblemKind};
pub use serve::{ServeOptions, ServeReport, serve};
pub use unified::RequestLimits;

/// What the handlers share. Cheap to clone.
#[derive(Clone)]
pub struct ApiState {
    /// Answers.
    pub orchestrator: Arc<MetaOrchestrator>,
    /// Counts requests and renders the metrics.
    pub telemetry: Arc<dyn HttpTelemetry>,
    /// Whether the service wants traffic; the same that [`serve`] sets.
    pub readiness: Readiness,
    /// Limits of every body.
    pub body_limits: BodyLimits,
    /// Limits of requests to `process`.
    pub request_limits: RequestLimits,
    /// Most requests in flight; the probes, the metrics and the documents are exempt.
    pub max_in_flight: usize,
    /// The work behind streamed responses, to be waited for at the end. Each ends with its response.
    pub streams: TaskTracker,
}

impl ApiState {
    /// The state of a service with default limits.
    #[must_use]
    pub fn new(orchestrator: Arc<MetaOrchestrator>, telemetry: Arc<dyn HttpTelemetry>) -> Self {
        Self {
            orchestrator,
            telemetry,
            readiness: Readiness::default(),
            body_limits: BodyLimits::default(),
            request_limits: RequestLimits::default(),
            max_in_flight: 512,
            streams: TaskTracker::new(),
        }
    }
}

impl FromRef<ApiState> for BodyLimits {
    fn from_ref(state: &ApiState) -> Self {
        state.body_limits
    }
}

impl FromRef<ApiState> for RequestLimits {
    fn from_ref(state: &ApiState) -> Self {
        state.request_limits
    }
}

impl FromRef<ApiState> for () {
    fn from_ref(_: &ApiState) -> Self {}
}

/// Everything that is served.
pub fn router(state: ApiState) -> Router {
    let (work, _) = unified::work().merge(v1::work()).split_for_parts();
    let looks = unified::looks().merge(v1::looks()).merge(probes::routes());
    let (looks, _) = looks.split_for_parts();
    let telemetry = Arc::clone(&state.telemetry);
    let routes = admit(work, state.max_in_flight).merge(looks).with_state(state);
    dress(routes, telemetry, openapi::paths())
}
