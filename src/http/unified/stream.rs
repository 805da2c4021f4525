//! `process` as a stream of events: the decision, each position passed, the text, the whole result.

use std::sync::Arc;

use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::wire::{ComplexityReport, DecisionReport, ProcessResult, TraceVisit};
use crate::{
    domain::{Complexity, Decision, Listener, Request, Strategy, TraceEntry},
    http::{
        ApiState,
        middleware::RequestId,
        sse::{Outbox, Running},
    },
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
    state: ApiState,
    request: Request,
    RequestId(request_id): RequestId,
) -> Response {
    let outbox = Arc::new(Outbox::new(|letters, text| {
        letters.event(Some("delta"), &DeltaEvent { text });
    }));
    let teller = Arc::new(Teller { outbox: Arc::clone(&outbox), id: request.id.to_string() });
    let letters = Arc::clone(&outbox);
    let orchestrator = state.orchestrator;
    let work = async move {
        let reply = orchestrator.process_heard(request, Some(teller)).await?;
        letters.write(|letters| letters.event(Some("result"), &ProcessResult::from(reply)));
        Ok(())
    };
    let id = Arc::clone(&request_id);
    Running::start(&state.streams, outbox, work).respond(request_id, move |ended, letters| {
        if let Err(problem) = ended {
            letters.event(Some("error"), &problem.body(Some(&id)));
        }
    })
}

/// Tells a client of the request's progress.
struct Teller {
    outbox: Arc<Outbox>,
    id: String,
}

impl Teller {
    fn event(&self, name: &str, data: &impl Serialize) {
        self.outbox.write(|letters| letters.event(Some(name), data));
    }
}

impl Listener for Teller {
    fn decided(&self, decision: &Decision, complexity: &Complexity) {
        self.event(
            "decision",
            &DecisionEvent {
                id: self.id.clone(),
                strategy: decision.strategy,
                complexity: ComplexityReport::from(complexity.clone()),
                decision: DecisionReport::from(decision),
            },
        );
    }

    fn visited(&self, entry: &TraceEntry) {
        self.event("position", &TraceVisit::from(entry.clone()));
    }

    fn delta(&self, text: &str) {
        self.outbox.text(text);
    }

    fn retract(&self) {
        self.outbox.retract(|letters| letters.event(Some("retract"), &RetractEvent {}));
    }

    fn can_retract(&self) -> bool {
        true
    }
}
