//! The runtime tier: solvers, lake, drafter and the background loop.

mod tier;
mod vortex;

pub use tier::{Flux, FluxParts, Immediate};
pub use vortex::run_vortex;
