//! The program. Everything it does is in the library.

use std::process::ExitCode;

// Several times the throughput of the system's allocator under many small requests.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    meta_orchestrator::cli::main()
}
