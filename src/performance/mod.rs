//! What each strategy and tier has been worth, folded from the ledger and from nothing else, so
//! that a restart arrives at the same figures.

mod board;
mod experts;
mod guarantee;
mod interval;
mod latency;
mod live;
mod quality;
mod tally;

pub use board::{Board, Snapshot, SnapshotCell};
pub use experts::ExpertSummary;
pub use guarantee::{Cut, HeldOut, Kept, Refusal, cut, held_out, upper_bound};
pub use interval::{Interval, wilson};
pub use latency::{LatencyHistogram, Quantiles};
pub use live::{Baselines, FEW};
pub use quality::Audited;
pub use tally::{Accuracy, Summary, Tally};
