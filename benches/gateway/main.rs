//! The parts that `scripts/bench` measures with, in one program: `upstream`, `proxy` and `load`.
//!
//! Each part is a process of its own, so that the kernel's accounts tell their costs apart. The
//! upstream and the load generator use a blocking thread per connection and no library for HTTP:
//! on a machine that all of them share, what they cost is missing from what is measured.
#![expect(clippy::print_stderr, reason = "a command-line tool")]

mod connection;
mod hello;
mod load;
mod message;
mod proxy;
mod upstream;

use std::{
    error::Error,
    io::{self, Write},
    net::SocketAddr,
    process::ExitCode,
};

use clap::Parser;

// The service's own allocator: the control must not lose for a slower one.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Whatever went wrong; a tool has nobody to tell but its user.
type Outcome = Result<(), Box<dyn Error + Send + Sync>>;

#[derive(Debug, Parser)]
#[command(about = "Parts of scripts/bench, which is what you want to run.")]
enum Part {
    /// Speaks OpenAI's chat completions, whole or as a stream of 20 chunks.
    Upstream(upstream::Options),
    /// The control: a bare axum and reqwest proxy.
    Proxy(proxy::Options),
    /// The control of what is answered in process: axum saying hello in JSON.
    Hello(hello::Options),
    /// Sends requests and prints one line of JSON on how they went.
    Load(load::Options),
}

fn main() -> ExitCode {
    // `cargo bench` and `cargo test --benches` start every benchmark without any part.
    if std::env::args().skip(1).all(|argument| argument == "--bench") {
        eprintln!("These are the parts of scripts/bench; run that.");
        return ExitCode::SUCCESS;
    }
    let ended = match Part::parse() {
        Part::Upstream(options) => upstream::run(&options),
        Part::Proxy(options) => proxy::run(options),
        Part::Hello(options) => hello::run(options),
        Part::Load(options) => load::run(&options),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Says on standard output where a server listens: its port is free, hence not known before.
fn announce(address: SocketAddr) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "listens on http://{address}")?;
    out.flush()
}
