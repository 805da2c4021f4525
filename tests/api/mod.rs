//! The public face over real sockets, in front of small routers of its own.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a helper that fails fails its test")]

mod bodies;
mod drain;
mod dressing;
mod hostile;
mod openapi;
mod support;
