//! Fixtures: the real binary in a folder of its own, and real upstreams to misbehave.

pub mod evil;
mod service;
mod upstream;

pub use service::Service;
pub use upstream::{Answer, Upstream};
