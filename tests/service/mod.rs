//! The service as its users meet it: the real binary, real sockets, a real store.

mod answers;
mod consensus;
mod memory;
mod operations;
mod providers;
mod strategies;
