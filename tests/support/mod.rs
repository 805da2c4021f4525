//! Fixtures: the real binary in a folder of its own, and a real upstream to misbehave.

mod service;
mod upstream;

pub use service::Service;
pub use upstream::{Answer, Upstream};
