//! The service as its users meet it: the real binary, real sockets, a real store.

mod answers;
mod consensus;
mod conversations;
mod documents;
mod lake;
mod memory;
mod operations;
mod providers;
mod recovery;
mod strategies;
mod streaming;
