//! Adaptive's memory: what each arm has lately been worth, and what follows for the next requests.
//!
//! The evidence is decayed sums, folded from the ledger alone ([`Evidence`]); what follows from it
//! is computed when it changes and published with the policy ([`outlook()`]), so that a decision only
//! reads a table and rolls its dice. The probability with which an arm is chosen is therefore known
//! exactly, and the ledger keeps it.

mod evidence;
mod given;
mod moments;
mod outlook;
mod recent;

/// Requests to Adaptive after which what was seen counts half.
pub const HALF_LIFE: f64 = 1000.0;

pub use evidence::{Evidence, Observation, Seen};
pub use outlook::{expectations, outlook};
