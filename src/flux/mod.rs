//! The runtime tier: solvers, lake, drafter and the background loop.

mod tier;
mod vortex;

pub use crate::lake::{LakeStats, Refusal};
pub use crate::solvers::refusal;
pub use tier::{Flux, FluxParts, Immediate, Vouched};
pub use vortex::run_vortex;
