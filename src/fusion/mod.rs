//! Drafts in, one answer out, their order never mattering.
//!
//! Drafts fall into classes of equal canonical answers. The [`Consensus`] in force chooses the
//! winning class; its best draft gives the words, and [`pooled_signal`] gives the probability that
//! it is right. Every sum runs in an order that the content decides, so that not even rounding
//! depends on who answered first.
//!
//! [`Consensus`]: crate::domain::Consensus

mod classes;
mod fuse;
mod pool;
#[cfg(test)]
mod tests;

pub use fuse::{Fused, Rule, fuse};
pub use pool::pooled_signal;
