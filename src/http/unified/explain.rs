//! `POST /api/v1/unified/explain`: what would be done with a request, without doing it.

use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    process::ProcessBody,
    wire::{Chances, ComplexityReport, DecisionReport},
};
use crate::{
    domain::{AsiMode, ResponseId, Strategy, TenantId},
    http::{ApiState, JsonBody},
};

/// What would be done, and why.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ExplainResult {
    /// The strategy that would be in force.
    pub strategy: Strategy,
    /// The strategy whose way the request would go: the same, unless Adaptive chooses.
    pub follows: Strategy,
    /// How hard ASI would try, should it be asked.
    pub asi_mode: AsiMode,
    /// Signal from which on a draft of Flux would be kept; absent where the evidence behind the quality
    /// target says that none is sure enough.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 1)]
    pub keep_signal: Option<f64>,
    /// Whether ASI may be asked after Flux.
    pub may_escalate: bool,
    /// Whether Flux's drafter would be asked.
    pub ask_drafter: bool,
    /// The analysis of the request.
    pub complexity: ComplexityReport,
    /// What routing would decide; of Adaptive's ways, one is drawn as it would be for the request.
    pub decision: DecisionReport,
    /// How likely each mind is to be right about such a request, where that was measured.
    pub chances: Chances,
    /// The models that could be asked, best first.
    pub models: Vec<String>,
}

/// Explain a request
///
/// Analyses a request and decides about it by the same code as `process`, and stops there: nobody is
/// asked, nothing is recorded, nothing costs anything. Takes what `process` takes.
#[utoipa::path(
    post,
    path = "/api/v1/unified/explain",
    operation_id = "explain",
    tag = "unified",
    request_body(content = ProcessBody, description = "The request to explain.", examples(
        ("question" = (summary = "A question", value = json!({"input": "what is 15 percent of 80?"}))),
    )),
    responses((status = 200, description = "What would be done.", body = ExplainResult)),
)]
pub(super) async fn explain(
    State(state): State<ApiState>,
    JsonBody(body): JsonBody<ProcessBody>,
) -> Json<ExplainResult> {
    let limits = &state.request_limits;
    let request = body.into_request(ResponseId::generate(), TenantId::default(), limits);
    let plan = state.orchestrator.explain(&request);
    Json(ExplainResult {
        strategy: plan.decision.strategy,
        follows: plan.decision.follows,
        asi_mode: plan.decision.mode,
        keep_signal: plan.decision.keep_signal,
        may_escalate: plan.decision.may_escalate,
        ask_drafter: plan.decision.ask_drafter,
        decision: DecisionReport::from(&plan.decision),
        chances: Chances::from(plan.chances),
        complexity: ComplexityReport::from(plan.complexity),
        models: state.orchestrator.model_names(),
    })
}
