//! The Vortex Context Preserver: what context to keep, and the checks at positions 3 and 9.

mod arithmetic;
mod choose;
mod context;
mod expressions;
#[cfg(test)]
mod measured;
pub mod names;
mod readings;
mod signal;
mod tokens;
mod verify;

pub use choose::{Context, choose_context};
pub use context::check_context;
pub use signal::{adjusted_signal, highest_signal};
pub use verify::{verify, verify_answer};
