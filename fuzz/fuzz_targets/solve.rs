//! No input makes a solver panic, or keeps it busy: `cargo +nightly fuzz run solve -- -timeout=1`.
//! Good seeds are the lines of `src/solvers/corpus`; the property tests beside them run in CI.
#![no_main]

use jiff::civil::date;
use libfuzzer_sys::fuzz_target;
use meta_orchestrator::solvers::{evaluate, solve, solve_undated};

fuzz_target!(|text: &str| {
    let solved = solve(text, date(2026, 11, 22));
    // What does not hang on the day is the same on any.
    if let Some(undated) = solve_undated(text) {
        assert_eq!(Some(undated.content), solved.map(|s| s.content));
    }
    let _ = evaluate(text);
});
