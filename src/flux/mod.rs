//! The runtime tier: solvers, lake, drafter and the background loop.

mod earlier;
mod tier;
mod vortex;

pub use crate::lake::{EpochBegun, LakeStats, Refusal};
pub use crate::solvers::refusal;
pub use earlier::asks_plainly;
pub use tier::{Flux, FluxParts, Immediate, Vouched};
pub use vortex::run_vortex;
