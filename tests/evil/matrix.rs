//! Every way of failing × every strategy × every way of asking: each call ends, in time, with an
//! answer, an abstention or a documented problem, and nothing stays behind.

use std::time::Duration;

use futures_util::future::join_all;

use super::{
    EVERY_CALL_IS_MADE, FACES, REST,
    ask::{End, Face, Question},
    question,
};
use crate::support::{
    Service,
    evil::{self, Bounds, Evil, GOOD_ANSWER, Mode},
};

const STRATEGIES: [&str; 5] =
    ["ai_first", "runtime_first", "hybrid", "parallel_fusion", "adaptive"];

/// What may come of a question that only the upstream could have answered.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Outcome {
    /// The upstream's answer.
    Answer,
    /// A problem with one of these statuses, or 504.
    Problem(&'static [u64]),
    /// The upstream's answer or such a problem: both can be defended.
    Either(&'static [u64]),
}
use Outcome::{Answer, Either, Problem};

macro_rules! when_an_upstream {
    ($($name:ident: $mode:expr => $outcome:expr;)+) => {
        mod when_an_upstream {
            use super::*;

            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                hold($mode, $outcome).await;
            })+
        }
    };
}

when_an_upstream! {
    answers_well: Mode::Good => Answer;
    is_slow: Mode::Slow(Duration::from_millis(100)) => Answer;
    refuses_connections: Mode::Refuse => Problem(&[502]);
    has_no_address: Mode::NoSuchHost => Problem(&[502]);
    speaks_no_tls: Mode::TlsGarbage => Problem(&[502]);
    hangs_in_the_handshake: Mode::TlsSilence => Problem(&[504]);
    resets_at_once: Mode::ResetAtOnce => Problem(&[502]);
    resets_in_the_body: Mode::ResetMidBody => Problem(&[502]);
    drips: Mode::Drip(Duration::from_millis(20)) => Problem(&[504]);
    hangs_before_its_head: Mode::HangBeforeHead => Problem(&[504]);
    hangs_after_its_head: Mode::HangAfterHead => Problem(&[504]);
    hangs_in_the_body: Mode::HangMidBody => Problem(&[504]);
    limits_the_rate: Mode::Status(429, Some(7)) => Problem(&[503]);
    limits_the_rate_and_does_not_say_how_long: Mode::Status(429, None) => Problem(&[503]);
    refuses_the_key: Mode::Status(401, None) => Problem(&[502]);
    fails_with_one_status_after_the_other: Mode::Burst => Problem(&[502, 503]);
    is_unavailable_for_a_while: Mode::Status(503, Some(3600)) => Problem(&[502, 503]);
    sends_malformed_json: Mode::Malformed => Problem(&[502]);
    leaves_out_the_terminal_marker: Mode::NoTerminalMarker => Problem(&[502]);
    never_comes_to_an_end: Mode::Forever => Problem(&[502]);
    sends_a_gigabyte: Mode::Gigabyte { announced: false } => Problem(&[502]);
    announces_a_gigabyte: Mode::Gigabyte { announced: true } => Problem(&[502]);
    sends_a_line_of_a_gigabyte: Mode::EndlessLine => Problem(&[502]);
    sends_headers_without_end: Mode::EndlessHead => Problem(&[502]);
    lies_about_the_content_type: Mode::LyingType => Problem(&[502]);
    has_odd_ideas_of_the_content_type: Mode::OddType => Either(&[502]);
    sends_a_gzip_bomb: Mode::GzipBomb => Problem(&[502]);
    sends_the_client_elsewhere: Mode::Redirect => Problem(&[502]);
}

async fn hold(mode: Mode, outcome: Outcome) {
    let upstream = Evil::start(mode).await;
    // Exactly as many places as there are calls at once, so that one which is not given back shows.
    let places = FACES.len() * STRATEGIES.len();
    // And few bytes, so that it is the cap that ends what is too long, also on a busy machine.
    let bounds = Bounds { calls: places, bytes: 256 << 10 };
    let service = evil::serve_bounded(&[&upstream], bounds, EVERY_CALL_IS_MADE);
    let mut calls = Vec::new();
    for face in FACES {
        for (number, strategy) in STRATEGIES.into_iter().enumerate() {
            let mut unknown = Question::new(*face, strategy, question(number));
            if outcome == Answer {
                unknown.deadline_ms = 10_000;
            }
            let known = Question::new(*face, strategy, "what is 20 + 3".to_owned());
            let service = &service;
            calls.push(async move {
                let unknown = unknown.ask(service).await.and_then(|end| matches(&end, outcome));
                let known = known.ask(service).await.and_then(|end| is_known(&end, *face, mode));
                (unknown, known)
            });
        }
    }
    for (unknown, known) in join_all(calls).await {
        unknown.unwrap_or_else(|wrong| panic!("{mode:?}: {wrong}"));
        known.unwrap_or_else(|wrong| panic!("{mode:?}: {wrong}"));
    }
    assert!(upstream.falls_quiet(REST).await, "{mode:?}: {:?}", upstream.seen());
    keeps_the_key(&upstream);
    // Who asked for seven seconds is left alone for so long, and no port of TLS turns plain.
    let stays_away =
        [Mode::Status(429, Some(7)), Mode::NoSuchHost, Mode::TlsGarbage, Mode::TlsSilence];
    if !stays_away.contains(&mode) {
        upstream.be(Mode::Slow(Duration::from_millis(200))).await;
        gives_all_places_back(&service, places).await;
    }
    is_well(&service).await;
    assert!(service.terminate(), "{mode:?}: the service did not end with success");
    let gone = upstream.until(REST, |seen| seen.open == 0).await;
    assert!(gone, "{mode:?}: {:?}", upstream.seen());
}

/// As many calls as the upstream may be asked at once are let through and answered.
async fn gives_all_places_back(service: &Service, places: usize) {
    let calls = (0..places).map(|number| async move {
        let asked = Question::new(Face::Whole, "ai_first", question(100 + number));
        Question { deadline_ms: 10_000, ..asked }.ask(service).await.unwrap()
    });
    for end in join_all(calls).await {
        assert_eq!(end.content(), Some(GOOD_ANSWER), "{end:#?}");
    }
}

fn matches(end: &End, outcome: Outcome) -> Result<(), String> {
    let answered = end.content() == Some(GOOD_ANSWER);
    // Whatever fails is tried again where that may help, and the deadline may come before that.
    let failed = |statuses: &[u64]| {
        end.content().is_none() && (statuses.contains(&end.status()) || end.status() == 504)
    };
    let fits = match outcome {
        Answer => answered,
        Problem(statuses) => failed(statuses),
        Either(statuses) => answered || failed(statuses),
    };
    if fits { Ok(()) } else { Err(format!("{outcome:?} was expected: {end:#?}")) }
}

/// What Flux knows, it answers under every strategy, whatever becomes of the upstreams. Only where the
/// words of an upstream that failed later had gone out, and cannot be taken back, nobody can stand in.
fn is_known(end: &End, face: Face, mode: Mode) -> Result<(), String> {
    let spoke = matches!(
        mode,
        Mode::ResetMidBody
            | Mode::HangMidBody
            | Mode::Drip(_)
            | Mode::NoTerminalMarker
            | Mode::Forever
            | Mode::Gigabyte { .. }
    );
    if face == Face::ChatStream && spoke && [502, 504].contains(&end.status()) {
        return Ok(());
    }
    let upstream_answers = matches!(mode, Mode::Good | Mode::Slow(_) | Mode::OddType);
    match end.content() {
        Some("23") => Ok(()),
        Some(GOOD_ANSWER) if upstream_answers => Ok(()),
        _ => Err(format!("Flux knows the answer: {end:#?}")),
    }
}

/// The key goes to the configured address, and nowhere else.
fn keeps_the_key(upstream: &Evil) {
    for call in upstream.calls() {
        assert_eq!(call.path, "/v1/chat/completions");
        assert_eq!(call.authorization.as_deref(), Some("Bearer sk-evil"));
    }
}

/// The service serves as before, and nothing of it fell over.
pub(super) async fn is_well(service: &Service) {
    assert_eq!(service.get("/readyz").await.0, 200);
    assert_eq!(service.ask("what is 20 + 3").await["content"], "23");
    let log = service.log();
    assert!(!log.contains("panicked"), "{log}");
    assert!(!log.contains("sk-evil"), "the key is in the log: {log}");
}
