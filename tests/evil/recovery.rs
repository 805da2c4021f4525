//! After the storm: upstreams that come back, and those that ask for patience.

use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use tokio::time::sleep;

use super::{
    FACES, PLAIN, RETRACTING,
    ask::{Face, Question},
    question,
};
use crate::support::{
    Service,
    evil::{self, Evil, GOOD_ANSWER, Mode},
};

fn patient(face: Face, number: usize) -> Question {
    Question { deadline_ms: 10_000, ..Question::new(face, "ai_first", question(number)) }
}

/// How many of twenty questions the upstream's answer comes to.
async fn answered_of_twenty(service: &Service, face: Face, first: usize) -> usize {
    let calls = (first..first + 20).map(|number| async move {
        let end = patient(face, number).ask_once(service).await.0.unwrap();
        usize::from(end.content() == Some(GOOD_ANSWER))
    });
    stream::iter(calls).buffer_unordered(5).fold(0, |sum, one| async move { sum + one }).await
}

#[tokio::test]
async fn an_upstream_that_is_back_is_used_within_a_second() {
    for face in FACES {
        for outage in [Mode::Refuse, Mode::Status(503, None), Mode::ResetAtOnce] {
            let upstream = Evil::start(Mode::Good).await;
            let service = evil::serve(&[&upstream], PLAIN);
            assert_eq!(answered_of_twenty(&service, *face, 0).await, 20);
            upstream.be(outage).await;
            assert_eq!(answered_of_twenty(&service, *face, 20).await, 0, "{outage:?}");
            upstream.be(Mode::Good).await;
            sleep(Duration::from_secs(1)).await;
            assert!(answered_of_twenty(&service, *face, 40).await >= 19, "{outage:?}");
        }
    }
}

#[tokio::test]
async fn an_upstream_that_asks_for_patience_is_not_asked_before() {
    for face in FACES {
        let upstream = Evil::start(Mode::Good).await;
        let service = evil::serve(&[&upstream], PLAIN);
        upstream.script([Mode::Status(429, Some(1))]);
        let (end, _) = patient(*face, 0).ask_once(&service).await;
        let times: Vec<_> = upstream.calls().iter().map(|call| call.at).collect();
        if let [first, second] = times[..] {
            assert!(second - first >= Duration::from_secs(1), "{:?}", second - first);
            assert_eq!(end.unwrap().content(), Some(GOOD_ANSWER));
        } else {
            assert_eq!((times.len(), end.unwrap().status()), (1, 503), "asked again or passed on");
        }
    }
}

#[tokio::test]
async fn the_second_upstream_answers_for_the_first() {
    for face in RETRACTING {
        for outage in [Mode::Refuse, Mode::Burst, Mode::ResetMidBody, Mode::NoTerminalMarker] {
            let (best, second) = (Evil::start(outage).await, Evil::start(Mode::Good).await);
            let service = evil::serve(&[&best, &second], PLAIN);
            assert_eq!(answered_of_twenty(&service, *face, 0).await, 20, "{outage:?}");
        }
    }
}
