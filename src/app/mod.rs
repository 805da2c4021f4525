//! The only hand that picks concrete parts.

mod assemble;
mod bench;
mod core;
mod history;
mod judge;
mod memory;
mod obstacles;
mod run;
mod sentences;
mod shelf;
mod tasks;

pub use crate::{
    flux::{Refusal, Vouched},
    lake::{Kept, ShelfStats},
};
pub use assemble::{App, StartError, assemble};
pub use bench::ReplayBench;
pub use history::{audited_drafts, complexity_of, decision_log};
pub use judge::{JudgeError, judge, models};
pub use memory::lake_in_memory;
pub use obstacles::obstacles;
pub use run::{RunError, Started, run};
pub use sentences::sentences_of;
pub use shelf::LakeShelf;
