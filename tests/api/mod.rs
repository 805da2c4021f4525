//! The public face over real sockets, in front of small routers of its own.

mod bodies;
mod drain;
mod dressing;
mod hostile;
mod openapi;
mod support;
mod windows;
