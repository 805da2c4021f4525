//! Routes each AI request to the cheapest mind that is likely to be right, and proves it with live
//! accuracy and latency. `ARCHITECTURE.md` is the map of this house; a room imports only rooms below it.

pub mod domain;
pub mod text;
pub mod settings;
pub mod telemetry;
pub mod solvers;
pub mod answers;
pub mod complexity;
pub mod performance;
pub mod routing;
pub mod fusion;
pub mod vcp;
pub mod store;
pub mod providers;
pub mod ledger;
pub mod lake;
pub mod documents;
pub mod sessions;
pub mod flux;
pub mod asi;
pub mod learning;
pub mod meta;
pub mod http;
pub mod evaluation;
pub mod app;
pub mod cli;
