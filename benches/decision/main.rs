//! What a decision costs: `cargo bench --bench decision`, with `-- --check` to fail where a bound is
//! missed. Analysis, what the shipped model expects, and the route, for a question of 200 words.
//!
//! Each question is timed alone, as the quickest of several runs, so that a busy machine disturbs
//! little.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::hint::black_box;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use meta_orchestrator::{
    app, complexity,
    domain::{Budget, Policy, Request, ResponseId, TenantId},
    routing,
};

/// Bound for a question of [`WORDS`] words.
const BOUND: Duration = Duration::from_micros(20);
const WORDS: usize = 200;
const RUNS: u32 = 200;

/// What the long question is made of: a story with numbers, as people ask them.
const STORY: &str = "Ann runs a bakery in a small town and bakes 144 loaves of bread every day. She \
    sells two thirds of them before noon for 3 dollars each, a quarter of the rest in the afternoon \
    at half of that price, and gives what is left to a shelter nearby. Flour costs her 40 dollars a \
    day, and the oven takes 12 kilowatt hours at 25 cents. Her brother works 6 hours and earns 15 \
    dollars an hour, except on Sundays, when the shop is closed and nobody is paid. ";

fn main() -> ExitCode {
    let check = std::env::args().any(|argument| argument == "--check");
    let Ok(judge) = app::judge(None) else {
        println!("the shipped model was refused");
        return ExitCode::FAILURE;
    };
    let policies = [("rules alone", None), ("with the shipped model", judge)];
    let mut slowest = Duration::ZERO;
    for words in [12, WORDS] {
        let question: Vec<&str> = STORY.split_whitespace().cycle().take(words).collect();
        let request = request(question.join(" "));
        for (name, judge) in &policies {
            let policy = Policy { judge: judge.clone(), ..Policy::default() };
            let quickest = (0..RUNS).map(|_| timed(&request, &policy)).min().unwrap_or_default();
            println!("{words} words, {name}: {quickest:?}");
            slowest = slowest.max(quickest);
        }
    }
    let met = slowest <= BOUND;
    println!("bound {BOUND:?}: {}", if met { "met" } else { "MISSED" });
    if check && !met { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn timed(request: &Request, policy: &Policy) -> Duration {
    let start = Instant::now();
    let analysed = complexity::analyse(black_box(request), &policy.thresholds);
    let reading = policy.judge.as_ref().map(|judge| judge.read(&request.input));
    let forecast = reading.as_ref().and_then(|reading| reading.forecast());
    let judged = complexity::with_experience(analysed, forecast, &policy.thresholds);
    black_box(routing::decide(None, None, &judged, policy, 0.5));
    start.elapsed()
}

fn request(input: String) -> Request {
    Request {
        id: ResponseId::generate(),
        tenant: TenantId::default(),
        session: None,
        input,
        context: Vec::new(),
        strategy: None,
        mode: None,
        consensus: None,
        budget: Budget { deadline: Duration::from_secs(1), max_cost_usd: None },
        dialogue: None,
        expert: None,
        no_store: false,
        fresh: false,
    }
}
