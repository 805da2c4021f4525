//! The API of the orchestrator, `/api/v1/unified/…`.

mod documents;
mod explain;
mod feedback;
mod health;
mod lake;
mod metrics;
mod process;
mod strategy;
mod stream;
mod wire;

use utoipa_axum::{router::OpenApiRouter, routes};

use super::ApiState;

pub use documents::{DocumentBody, DocumentList, DocumentRemoval, DocumentResult, ListQuery};
pub use explain::ExplainResult;
pub use feedback::{FeedbackBody, FeedbackResult, FeedbackVerdict};
pub use health::{Component, ComponentState, HealthResult, OverallState};
#[cfg(test)]
pub(super) use lake::Pairs;
pub use lake::{
    CurateBody, CurateResult, CuratedPair, CuratedVerdict, EpochResult, EvictResult, LakeResult,
};
pub use metrics::{
    AccuracyFigure, BaselineFigures, ComplexityFigures, Figures, FluxFigures, LakeFigures,
    LedgerFigures, MetricsResult, StrategyFigures, TierFigures,
};
pub(super) use process::heed_cache_control;
pub use process::{ContextPassage, NamedPassage, ProcessBody, RequestLimits, RequestOptions};
pub use strategy::{AdaptiveChange, PolicyChange, PolicyResult, ThresholdsChange};
pub use stream::{DecisionEvent, DeltaEvent};
pub use wire::{
    Chances, CheckReport, ComplexityReport, Cost, DecisionReport, Expert, Explanation, Metadata,
    OrchestratorsUsed, ProcessResult, TierWeights, TokenUsage, TraceVisit,
};

/// Routes that do work, and are refused when too much is in flight.
pub(super) fn work() -> OpenApiRouter<ApiState> {
    OpenApiRouter::default()
        .routes(routes!(process::process))
        .routes(routes!(explain::explain))
        .routes(routes!(strategy::get_strategy, strategy::change_strategy))
        .routes(routes!(feedback::give_feedback))
        .routes(routes!(documents::add_document, documents::list_documents))
        .routes(routes!(documents::remove_document))
        .routes(routes!(lake::curate_answers))
        .routes(routes!(lake::begin_lake_epoch))
        .routes(routes!(lake::evict_answer))
}

/// Routes that only look, and always answer.
pub(super) fn looks() -> OpenApiRouter<ApiState> {
    OpenApiRouter::default()
        .routes(routes!(metrics::get_metrics))
        .routes(routes!(lake::get_lake))
        .routes(routes!(health::get_health))
}
