//! The orchestrator: one request, one direction.
//!
//! `process` loads the policy once, analyses, decides, runs the route, fuses and verifies, records,
//! and returns. Analysis, decision, fusion and verification are pure functions of other rooms;
//! what is here is their order.

mod admission;
mod audit;
mod compose;
mod explain;
mod face;
mod gather;
mod keep;
mod limit;
mod operate;
mod orchestrator;
mod record;

pub use crate::flux::{LakeStats, Refusal, Vouched};
pub use admission::Auditor;
pub use audit::{AuditOptions, AuditParts, AuditTask, auditor};
pub use explain::Plan;
pub use face::{
    FeedbackError, FeedbackReceipt, Health, Internals, LakeError, PartHealth, PartState,
    PolicyError, ProcessError,
};
pub use orchestrator::{MetaOrchestrator, Parts};
