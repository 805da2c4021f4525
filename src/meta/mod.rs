//! The orchestrator: one request, one direction.
//!
//! `process` loads the policy once, analyses, decides, runs the route, fuses and verifies, records,
//! and returns. Analysis, decision, fusion and verification are pure functions of other rooms;
//! what is here is their order.

mod compose;
mod explain;
mod face;
mod gather;
mod operate;
mod orchestrator;
mod record;

pub use face::{
    FeedbackError, FeedbackReceipt, Health, Internals, PartHealth, PartState, PolicyError,
    ProcessError,
};
pub use orchestrator::{MetaOrchestrator, Parts};
