//! `GET /api/v1/unified/health`: the state of the parts.

use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    domain::Strategy,
    http::ApiState,
    meta::{Health, PartState},
};

/// The state of the whole.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct HealthResult {
    /// `degraded` when a configured part does not do its work; the service answers without it.
    pub status: OverallState,
    /// The service's version.
    pub version: String,
    /// Seconds since the start, with fractions.
    #[schema(minimum = 0)]
    pub uptime_s: f64,
    /// Strategy of requests that name none.
    pub strategy: Strategy,
    /// The parts.
    pub components: Vec<Component>,
}

/// The state of the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OverallState {
    /// Every configured part does its work.
    Ok,
    /// A configured part does not.
    Degraded,
}

/// One part of the service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Component {
    /// The part, such as `flux`, `asi`, `lake`, `documents` or `ledger`.
    pub name: String,
    /// Whether it does its work.
    pub state: ComponentState,
    /// In a few words, for people.
    pub detail: String,
}

/// Whether a part does its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ComponentState {
    /// It does.
    Ok,
    /// It does not, and the service does without.
    Degraded,
    /// It is not configured.
    Absent,
}

impl HealthResult {
    fn new(health: Health, strategy: Strategy) -> Self {
        let degraded = health.parts.iter().any(|part| part.state == PartState::Degraded);
        let components = health.parts.into_iter().map(|part| Component {
            name: part.name.to_owned(),
            state: match part.state {
                PartState::Ok => ComponentState::Ok,
                PartState::Degraded => ComponentState::Degraded,
                PartState::Absent => ComponentState::Absent,
            },
            detail: part.detail,
        });
        Self {
            status: if degraded { OverallState::Degraded } else { OverallState::Ok },
            version: env!("CARGO_PKG_VERSION").to_owned(),
            uptime_s: health.uptime.as_secs_f64(),
            strategy,
            components: components.collect(),
        }
    }
}

/// Read the state
///
/// The state of the parts, learned without calling any provider. The status is 200 as long as the
/// service answers at all; for orchestration use `/livez` and `/readyz`.
#[utoipa::path(
    get,
    path = "/api/v1/unified/health",
    operation_id = "getHealth",
    tag = "unified",
    responses((status = 200, description = "The state of the parts.", body = HealthResult)),
)]
pub(super) async fn get_health(State(state): State<ApiState>) -> Json<HealthResult> {
    let strategy = state.orchestrator.policy().strategy;
    Json(HealthResult::new(state.orchestrator.health(), strategy))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::meta::PartHealth;

    fn status(states: &[PartState]) -> OverallState {
        let part = |&state| PartHealth { name: "asi", state, detail: String::new() };
        let parts = states.iter().map(part).collect();
        HealthResult::new(Health { uptime: Duration::ZERO, parts }, Strategy::Hybrid).status
    }

    #[test]
    fn what_is_not_configured_does_not_degrade() {
        assert_eq!(status(&[PartState::Ok, PartState::Absent]), OverallState::Ok);
        assert_eq!(status(&[PartState::Ok, PartState::Degraded]), OverallState::Degraded);
    }
}
