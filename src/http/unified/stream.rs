//! `process` as a stream of events: the decision, each position passed, the text, the whole result.

use std::{panic::AssertUnwindSafe, sync::Arc};

use axum::response::Response;
use futures_util::FutureExt;
use serde::Serialize;
use utoipa::ToSchema;

use super::wire::{ComplexityReport, DecisionReport, ProcessResult, TraceVisit};
use crate::{
    domain::{Complexity, Decision, Listener, Request, Strategy, TraceEntry},
    http::{
        Problem,
        middleware::RequestId,
        sse::{self, Outbox},
    },
    meta::MetaOrchestrator,
};

/// The first event: where the request goes.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct DecisionEvent {
    /// Names the response; feedback refers to it once there is a result.
    pub id: String,
    /// The strategy in force.
    pub strategy: Strategy,
    /// The analysis of the request.
    pub complexity: ComplexityReport,
    /// What routing decided.
    pub decision: DecisionReport,
}

/// More of the answer's text. All deltas since the last `retract`, joined, are its beginning, and
/// with the result they are the whole.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct DeltaEvent<'a> {
    /// The text.
    pub text: &'a str,
}

#[derive(Serialize)]
struct RetractEvent {}

/// Answers a request by a stream of events.
pub(super) fn respond(
    orchestrator: Arc<MetaOrchestrator>,
    request: Request,
    RequestId(request_id): RequestId,
) -> Response {
    let outbox = Arc::new(Outbox::default());
    let teller = Arc::new(Teller { outbox: Arc::clone(&outbox), id: request.id.to_string() });
    let letters = Arc::clone(&outbox);
    let work = async move {
        let process = orchestrator.process_heard(request, Some(teller));
        // The layer that catches panics sees the response's head only.
        let ended = AssertUnwindSafe(process).catch_unwind().await;
        let problem = match ended {
            Ok(Ok(reply)) => {
                letters.event(Some("result"), &ProcessResult::from(reply));
                return;
            }
            Ok(Err(error)) => Problem::from(error),
            Err(_) => {
                tracing::error!("a request panicked while it was streamed");
                Problem::internal()
            }
        };
        sse::log_failure(&problem, &request_id);
        letters.event(Some("error"), &problem.body(Some(&request_id)));
    };
    sse::respond(outbox, Box::pin(work))
}

/// Tells a client of the request's progress.
struct Teller {
    outbox: Arc<Outbox>,
    id: String,
}

impl Listener for Teller {
    fn decided(&self, decision: &Decision, complexity: &Complexity) {
        self.outbox.event(
            Some("decision"),
            &DecisionEvent {
                id: self.id.clone(),
                strategy: decision.strategy,
                complexity: ComplexityReport::from(complexity.clone()),
                decision: DecisionReport::from(decision),
            },
        );
    }

    fn visited(&self, entry: &TraceEntry) {
        self.outbox.event(Some("position"), &TraceVisit::from(entry.clone()));
    }

    fn delta(&self, text: &str) {
        self.outbox.event(Some("delta"), &DeltaEvent { text });
    }

    fn retract(&self) {
        self.outbox.event(Some("retract"), &RetractEvent {});
    }

    fn can_retract(&self) -> bool {
        true
    }
}
