//! One upstream misbehaves and two do well: what the others know reaches the client, in every mode.

use futures_util::{StreamExt as _, future::join_all, stream};

use super::{
    PLAIN, REST, RETRACTING,
    ask::{End, Question},
    matrix::is_well,
    question,
};
use crate::support::{
    Service,
    evil::{self, Evil, GOOD_ANSWER, Mode},
};

const MODES: [&str; 4] = ["fast", "balanced", "thorough", "reasoning"];

/// Services at once.
const AT_ONCE: usize = 6;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upstream_that_fails_costs_no_answer() {
    let failing = [
        Mode::Refuse,
        Mode::NoSuchHost,
        Mode::TlsGarbage,
        Mode::ResetAtOnce,
        Mode::ResetMidBody,
        Mode::Status(401, None),
        Mode::Status(429, Some(7)),
        Mode::Burst,
        Mode::Malformed,
        Mode::NoTerminalMarker,
        Mode::Gigabyte { announced: false },
        Mode::EndlessHead,
        Mode::LyingType,
        Mode::GzipBomb,
        Mode::Redirect,
    ];
    let all = failing.map(|mode| async move {
        let company = Company::of(mode).await;
        let ends = company.ask(0).await;
        let lost: Vec<_> = ends.iter().filter(|end| end.content() != Some(GOOD_ANSWER)).collect();
        assert!(lost.is_empty(), "{mode:?}: {lost:#?}");
        company.is_well().await;
    });
    stream::iter(all).buffer_unordered(AT_ONCE).collect::<()>().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upstream_that_hangs_soon_costs_no_answer() {
    let hanging = [
        Mode::TlsSilence,
        Mode::HangBeforeHead,
        Mode::HangAfterHead,
        Mode::HangMidBody,
        Mode::Drip(std::time::Duration::from_millis(20)),
        Mode::Forever,
    ];
    let all = hanging.map(|mode| async move {
        let company = Company::of(mode).await;
        // Nobody knows yet that it hangs, and only some may be asked elsewhere beside it.
        company.ask(0).await;
        let ends = company.ask(100).await;
        let lost: Vec<_> = ends.iter().filter(|end| end.content() != Some(GOOD_ANSWER)).collect();
        // One call may be the probe that finds it hanging still.
        assert!(lost.len() <= 1, "{mode:?}: {lost:#?}");
        company.is_well().await;
    });
    stream::iter(all).buffer_unordered(AT_ONCE).collect::<()>().await;
}

/// A service whose best upstream misbehaves.
struct Company {
    upstreams: [Evil; 3],
    service: Service,
}

impl Company {
    async fn of(mode: Mode) -> Self {
        let good = || Evil::start(Mode::Good);
        let upstreams = [Evil::start(mode).await, good().await, good().await];
        let service = evil::serve(&[&upstreams[0], &upstreams[1], &upstreams[2]], PLAIN);
        Self { upstreams, service }
    }

    /// Asks in every mode and every way, all at once.
    async fn ask(&self, first: usize) -> Vec<End> {
        let mut calls = Vec::new();
        for face in RETRACTING {
            for mode in MODES {
                let number = first + calls.len();
                let asked = Question {
                    mode: Some(mode),
                    deadline_ms: 3000,
                    ..Question::new(*face, "ai_first", question(number))
                };
                // How late a call may end is the matrix's affair.
                calls.push(async move { asked.ask_once(&self.service).await.0.unwrap() });
            }
        }
        join_all(calls).await
    }

    async fn is_well(&self) {
        for upstream in &self.upstreams {
            assert!(upstream.falls_quiet(REST).await, "{:?}", upstream.seen());
        }
        is_well(&self.service).await;
    }
}
