//! The only hand that picks concrete parts.

mod assemble;
mod bench;
mod core;
mod history;
mod run;
mod tasks;

pub use assemble::{App, StartError, assemble};
pub use bench::ReplayBench;
pub use history::{complexity_of, decision_log};
pub use run::{RunError, Started, run};
