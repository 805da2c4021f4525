//! Whatever an upstream sends, a request's share of memory is bounded.

#![cfg(target_os = "linux")]

use std::fs;

use futures_util::future::join_all;

use super::{EVERY_CALL_IS_MADE, FACES, REST, ask::Question, matrix::is_well, question};
use crate::support::{
    Service,
    evil::{self, Bounds, Evil, Mode},
};

/// What a request may need beyond the cap.
const SLACK: u64 = 16 << 20;
/// Requests at once.
const AT_ONCE: u64 = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_is_bounded_whatever_an_upstream_sends() {
    for mode in [
        Mode::Gigabyte { announced: false },
        Mode::Gigabyte { announced: true },
        Mode::EndlessLine,
        Mode::EndlessHead,
        Mode::GzipBomb,
    ] {
        for face in FACES {
            let upstream = Evil::start(mode).await;
            let service = evil::serve(&[&upstream], EVERY_CALL_IS_MADE);
            is_well(&service).await;
            let before = forget_the_peak(&service);
            let calls = (0..AT_ONCE as usize).map(|number| {
                let asked = Question::new(*face, "ai_first", question(number));
                let asked = Question { deadline_ms: 20_000, ..asked };
                let service = &service;
                async move { asked.ask_once(service).await.0.unwrap() }
            });
            for end in join_all(calls).await {
                assert_eq!(end.status(), 502, "{mode:?}: it is the cap that ends it: {end:#?}");
            }
            let grown = kib_of(&service, "VmHWM").saturating_sub(before) << 10;
            let bound = AT_ONCE * (Bounds::default().bytes as u64 + SLACK);
            assert!(grown <= bound, "{mode:?}: {} MiB, {} allowed", grown >> 20, bound >> 20);
            assert!(upstream.falls_quiet(REST).await, "{mode:?}: {:?}", upstream.seen());
            let sent = upstream.seen().sent;
            assert!(sent <= bound, "{mode:?}: {} MiB were taken", sent >> 20);
            is_well(&service).await;
        }
    }
}

/// Lets the kernel measure the peak anew, and returns the resident memory of now in KiB.
fn forget_the_peak(service: &Service) -> u64 {
    fs::write(format!("/proc/{}/clear_refs", service.pid()), "5").unwrap();
    kib_of(service, "VmRSS")
}

fn kib_of(service: &Service, figure: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", service.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(figure)).unwrap();
    line.trim_matches(|c: char| !c.is_ascii_digit()).parse().unwrap()
}
