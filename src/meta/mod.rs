//! The orchestrator: one request, one direction.

mod face;

pub use face::{
    FeedbackError, FeedbackReceipt, Health, Internals, PartHealth, PartState, PolicyError,
    ProcessError,
};
