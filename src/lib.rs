//! Routes each AI request to the cheapest mind that is likely to be right, and proves it with live
//! accuracy and latency. `ARCHITECTURE.md` is the map of this house; a room imports only rooms below it.

pub mod answers;
pub mod app;
pub mod asi;
pub mod bandit;
pub mod cli;
pub mod complexity;
pub mod documents;
pub mod domain;
pub mod embedding;
pub mod evaluation;
pub mod flux;
pub mod fusion;
pub mod http;
pub mod json;
pub mod judgement;
pub mod lake;
pub mod learning;
pub mod ledger;
pub mod meta;
pub mod paraphrase;
pub mod performance;
pub mod providers;
pub mod routing;
pub mod seal;
pub mod sessions;
pub mod settings;
pub mod solvers;
pub mod store;
pub mod telemetry;
pub mod text;
pub mod vcp;
