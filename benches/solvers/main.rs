//! What the exact solvers cost: `cargo bench --bench solvers`, with `-- --check` to fail where a
//! bound is missed.
//!
//! Each question of the solvers' own tables is timed alone, as the quickest of several runs, so
//! that a busy machine disturbs little; the quantiles are over the questions.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::hint::black_box;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use jiff::civil::{Date, date};
use meta_orchestrator::solvers::solve;

const ANSWERED: &str = include_str!("../../src/solvers/corpus/answered.txt");
const ABSTAINED: &str = include_str!("../../src/solvers/corpus/abstained.txt");

/// Bounds: the slowest hundredth of the questions, and a text that nothing can be computed from.
const P99: Duration = Duration::from_micros(200);
const UNSOLVABLE: Duration = Duration::from_micros(15);

const RUNS: u32 = 40;

fn main() -> ExitCode {
    let check = std::env::args().any(|argument| argument == "--check");
    let today = date(2026, 11, 22);
    let answered = lines(ANSWERED).filter_map(|line| Some(line.rsplit_once(" => ")?.0));
    let answered = timed("answered", answered.collect(), today);
    let abstained = timed("abstained", lines(ABSTAINED).collect(), today);
    let text = unsolvable();
    let prose = quickest(&text, today);
    println!("a text of {} words, not solvable: {prose:?}", text.split(' ').count());
    let met = answered.max(abstained) <= P99 && prose <= UNSOLVABLE;
    println!(
        "bounds: p99 {P99:?}, unsolvable text {UNSOLVABLE:?}: {}",
        if met { "met" } else { "MISSED" }
    );
    if check && !met { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn lines(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines().filter(|line| !line.is_empty() && !line.starts_with("# "))
}

/// Prints the quantiles over the questions and returns the 99th percentile.
fn timed(name: &str, questions: Vec<&str>, today: Date) -> Duration {
    let mut costs: Vec<(Duration, &str)> =
        questions.into_iter().map(|question| (quickest(question, today), question)).collect();
    costs.sort_unstable();
    let at = |share: usize| costs[(costs.len() - 1) * share / 100];
    let (slowest, question) = at(100);
    println!(
        "{} {name}: p50 {:?}, p99 {:?}, slowest {slowest:?} ({question})",
        costs.len(),
        at(50).0,
        at(99).0
    );
    at(99).0
}

fn quickest(text: &str, today: Date) -> Duration {
    let once = || {
        let started = Instant::now();
        let _ = black_box(solve(black_box(text), today));
        started.elapsed()
    };
    (0..RUNS).map(|_| once()).min().unwrap_or_default()
}

/// Two hundred words of prose, as a request that no solver can help with.
fn unsolvable() -> String {
    let words = "please look at the following minutes of our meeting and write a friendly summary for \
        the whole team in which you name who promised what by when and what is still open after the \
        second round of talks with the supplier about the delayed parts";
    words.split_whitespace().cycle().take(200).collect::<Vec<_>>().join(" ")
}
