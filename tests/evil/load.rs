//! Promises about rates and quantiles. They need minutes and a machine of their own:
//! `scripts/evil-load` runs them.

use std::{
    env,
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::future::join_all;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep, sleep_until},
};

use super::{
    PLAIN, REST,
    ask::{End, Face, Question},
    matrix::is_well,
    question,
};
use crate::support::{
    Service,
    evil::{self, Bounds, Evil, GOOD_ANSWER, Mode},
};

/// How long an outage lasts, and how long Flux is measured in each state.
fn seconds() -> u64 {
    env::var("EVIL_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(60)
}

/// One call of a load.
struct Sample {
    /// When it was due.
    due: Instant,
    took: Duration,
    end: Result<End, String>,
}

impl Sample {
    fn says(&self, answer: &str) -> bool {
        matches!(&self.end, Ok(end) if end.content() == Some(answer))
    }
}

/// Asks at this rate for this long, whether or not answers come, and waits for all of them. What a
/// call takes is counted from when it was due.
async fn offered(rate: f64, length: Duration, call: impl Fn(usize) -> Answering) -> Vec<Sample> {
    let since = Instant::now();
    let mut calls = JoinSet::new();
    for number in 0.. {
        let due = since + Duration::from_secs_f64(number as f64 / rate);
        if due >= since + length {
            break;
        }
        sleep_until(due).await;
        let call = call(number);
        calls.spawn(async move {
            let end = call.await;
            Sample { due, took: due.elapsed(), end }
        });
    }
    calls.join_all().await
}

fn p99(samples: &[Sample]) -> Duration {
    let mut took: Vec<_> = samples.iter().map(|sample| sample.took).collect();
    took.sort_unstable();
    took[took.len() * 99 / 100]
}

type Answering = Pin<Box<dyn Future<Output = Result<End, String>> + Send>>;

/// What Flux answers in process.
fn flux_knows(service: &Arc<Service>, number: usize) -> Answering {
    let service = Arc::clone(service);
    let question = Question {
        deadline_ms: 10_000,
        ..Question::new(Face::Whole, "hybrid", format!("what is {number} * 3 + 1"))
    };
    Box::pin(async move { question.ask_once(&service).await.0 })
}

/// What an upstream has to answer.
fn asi_knows(service: &Arc<Service>, number: usize) -> Answering {
    let service = Arc::clone(service);
    let question =
        Question { deadline_ms: 5000, ..Question::new(Face::Whole, "ai_first", question(number)) };
    Box::pin(async move { question.ask_once(&service).await.0 })
}

/// Flux answers per second when that is all there is to do.
async fn capacity(service: &Arc<Service>) -> f64 {
    const CLIENTS: usize = 16;
    const LENGTH: Duration = Duration::from_secs(5);
    let asked = Arc::new(AtomicUsize::new(0));
    let since = Instant::now();
    let clients = (0..CLIENTS).map(|_| {
        let (service, asked) = (Arc::clone(service), Arc::clone(&asked));
        tokio::spawn(async move {
            while since.elapsed() < LENGTH {
                let number = asked.fetch_add(1, Ordering::Relaxed);
                flux_knows(&service, number).await.unwrap();
            }
        })
    });
    for client in join_all(clients).await {
        client.unwrap();
    }
    asked.load(Ordering::Relaxed) as f64 / since.elapsed().as_secs_f64()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "timed: scripts/evil-load"]
async fn flux_answers_as_quickly_while_every_upstream_hangs() {
    /// Requests that hang at once, each for its deadline of 5 s.
    const HANGING: usize = 200;
    /// The two states take turns, so that the machine's own moods fall on both.
    const TURNS: u32 = 5;
    let upstreams =
        [Evil::start(Mode::HangBeforeHead).await, Evil::start(Mode::HangAfterHead).await];
    // Places for all of them: what is refused at once would not hang, and come again at once.
    let bounds = Bounds { calls: HANGING, ..Bounds::default() };
    let service = evil::serve_bounded(&[&upstreams[0], &upstreams[1]], bounds, &[]);
    let service = Arc::new(service);
    let capacity = capacity(&service).await;
    let turn = Duration::from_secs(seconds()) / TURNS;
    let (mut calm, mut hanging) = (Vec::new(), Vec::new());
    let hung = Arc::new(AtomicUsize::new(0));
    for _ in 0..TURNS {
        calm.extend(offered(capacity / 2.0, turn, |n| flux_knows(&service, n)).await);
        let stop = Arc::new(AtomicBool::new(false));
        let stuck: Vec<_> = (0..HANGING)
            .map(|number| {
                let (service, stop) = (Arc::clone(&service), Arc::clone(&stop));
                let hung = Arc::clone(&hung);
                tokio::spawn(async move {
                    // Spread, so that they do not all begin and end at once.
                    sleep(Duration::from_secs(5) * number as u32 / HANGING as u32).await;
                    while !stop.load(Ordering::Relaxed) {
                        let _ended = asi_knows(&service, number).await;
                        hung.fetch_add(1, Ordering::Relaxed);
                        // What is refused at once is not asked again at once.
                        sleep(Duration::from_millis(100)).await;
                    }
                })
            })
            .collect();
        sleep(Duration::from_secs(5)).await;
        hanging.extend(offered(capacity / 2.0, turn, |n| flux_knows(&service, n)).await);
        stop.store(true, Ordering::Relaxed);
        for client in join_all(stuck).await {
            client.unwrap();
        }
    }
    let errors = calm.iter().chain(&hanging).filter(|s| s.end.is_err()).count();
    let wrong = calm
        .iter()
        .chain(&hanging)
        .filter(|s| s.end.as_ref().is_ok_and(|end| end.content().is_none()));
    let (before, during) = (p99(&calm), p99(&hanging));
    let ratio = during.as_secs_f64() / before.as_secs_f64();
    println!(
        "flux at {:.0}/s, half its capacity: p99 {before:?} calm, {during:?} with every upstream \
         hanging ({} such requests): ratio {ratio:.2}, clients in the same process; {errors} errors",
        capacity / 2.0,
        hung.load(Ordering::Relaxed)
    );
    assert_eq!((errors, wrong.count()), (0, 0));
    // How much slower Flux gets, scripts/hang-load judges: the clients that wait in vain here take
    // turns with those whose time is measured.
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "timed: scripts/evil-load"]
async fn flux_answers_while_more_requests_hang_than_are_worked_on_at_once() {
    let upstream = Evil::start(Mode::HangBeforeHead).await;
    let service = Arc::new(evil::serve(&[&upstream], &[("SERVER__MAX_IN_FLIGHT", "100")]));
    let hanging: Vec<_> =
        (0..150).map(|number| tokio::spawn(asi_knows(&service, number))).collect();
    sleep(Duration::from_secs(2)).await;
    let flux = join_all((0..20).map(|number| flux_knows(&service, number))).await;
    let answered = flux.iter().filter(|end| matches!(end, Ok(End::Answered(_)))).count();
    println!(
        "150 requests hang where 100 are worked on at once: {answered} of 20 answered by flux"
    );
    for call in join_all(hanging).await {
        call.unwrap().unwrap();
    }
    assert_eq!(answered, 20, "{:#?}", flux.last());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "timed: scripts/evil-load"]
async fn an_outage_is_not_amplified_and_its_end_is_noticed() {
    const RATE: f64 = 50.0;
    let upstream = Evil::start(Mode::Good).await;
    let service = Arc::new(evil::serve(&[&upstream], PLAIN));
    offered(RATE, Duration::from_secs(5), |number| asi_knows(&service, number)).await;

    let outage = Duration::from_secs(seconds());
    upstream.be(Mode::Status(503, None)).await;
    let before = upstream.seen().requests;
    let samples = offered(RATE, outage, |number| asi_knows(&service, number)).await;
    let calls = upstream.seen().requests - before;
    let allowed = 1.2 * samples.len() as f64 + 10.0 * outage.as_secs_f64();
    println!(
        "all 503 for {outage:?}: {} requests, {calls} upstream calls, {allowed:.0} allowed",
        samples.len()
    );
    assert!(samples.iter().all(|sample| sample.end.is_ok()));

    upstream.be(Mode::Good).await;
    let back = Instant::now();
    let samples = offered(RATE, Duration::from_secs(6), |number| asi_knows(&service, number)).await;
    let share = share_after(&samples, back, |sample| sample.says(GOOD_ANSWER));
    println!(
        "upstream back: from 1 s on, {:.1} % of the requests are answered by it",
        share * 100.0
    );
    assert!(calls as f64 <= allowed, "{calls} calls, {allowed} allowed");
    assert!(share >= 0.95, "{share}");
    is_well(&service).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "timed: scripts/evil-load"]
async fn traffic_goes_to_the_second_upstream_and_comes_back() {
    const RATE: f64 = 50.0;
    let (best, second) = (Evil::start(Mode::Good).await, Evil::start(Mode::Good).await);
    let service = Arc::new(evil::serve(&[&best, &second], PLAIN));
    offered(RATE, Duration::from_secs(5), |number| asi_knows(&service, number)).await;
    assert_eq!(second.seen().requests, 0, "the best upstream is asked first");

    let outage = Duration::from_secs(seconds());
    best.be(Mode::Status(503, None)).await;
    let before = best.seen().requests;
    let samples = offered(RATE, outage, |number| asi_knows(&service, number)).await;
    let answered = samples.iter().filter(|sample| sample.says(GOOD_ANSWER)).count();
    let calls = best.seen().requests - before;
    let allowed = 1.2 * samples.len() as f64 + 10.0 * outage.as_secs_f64();
    println!(
        "the best of two 503 for {outage:?}: {} requests, {answered} answered; {calls} calls of \
         it, {allowed:.0} allowed",
        samples.len()
    );
    assert!(calls as f64 <= allowed, "{calls} calls, {allowed} allowed");
    assert_eq!(answered, samples.len(), "the second upstream was there all the time");

    best.be(Mode::Good).await;
    let back = Instant::now();
    let samples = offered(RATE, Duration::from_secs(6), |number| asi_knows(&service, number)).await;
    let by_best = |sample: &Sample| match &sample.end {
        Ok(End::Answered(result)) => {
            result["metadata"]["experts"].to_string().contains("\"model-0-2026\"")
        }
        _ => false,
    };
    let share = share_after(&samples, back, by_best);
    println!("the best upstream back: from 1 s on, {:.1} % of the traffic is on it", share * 100.0);
    assert!(share >= 0.95, "{share}");
    for upstream in [&best, &second] {
        assert!(upstream.falls_quiet(REST).await, "{:?}", upstream.seen());
    }
    is_well(&service).await;
}

/// The share of what was due later than a second after that moment.
fn share_after(samples: &[Sample], moment: Instant, counts: impl Fn(&Sample) -> bool) -> f64 {
    let later = || samples.iter().filter(|s| s.due > moment + Duration::from_secs(1));
    later().filter(|sample| counts(sample)).count() as f64 / later().count() as f64
}
