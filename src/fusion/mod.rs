//! Drafts in, one answer out, their order never mattering.
//!
//! Drafts fall into classes of equal canonical answers. The [`Consensus`] in force chooses the
//! winning class; its best draft gives the words, and [`pooled_signal`] gives the probability that
//! it is right. Every sum runs in an order that the content decides, so that not even rounding
//! depends on who answered first.
//!
//! [`Consensus`]: crate::domain::Consensus

mod classes;
mod fit;
mod fuse;
mod pool;
mod rule;
mod settled;
#[cfg(test)]
mod tests;

pub use fit::{Contest, Evidence, SacredFit, fit_sacred_weight};
pub use fuse::{Fused, fuse};
pub use pool::pooled_signal;
pub use rule::Rule;
pub use settled::{Silent, is_settled};
