//! An answer that is cut off at any byte, in any way, is no answer: never complete, never kept, never
//! counted as a success.

use futures_util::{StreamExt as _, stream};

use super::{
    EVERY_CALL_IS_MADE, FACES, REST,
    ask::{Face, Question},
    matrix::is_well,
    question,
};
use crate::support::{
    Service,
    evil::{self, Cut, Dialect, Evil, GOOD_ANSWER, Mode, recorded},
};

/// Calls at once.
const AT_ONCE: usize = 16;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_cut_at_any_byte_is_no_answer() {
    for (dialect, face) in held() {
        let upstream = Evil::speaking(dialect, Mode::Good).await;
        let service = evil::serve(&[&upstream], EVERY_CALL_IS_MADE);
        let streams = face.streams();
        let whole = recorded(dialect, streams);
        // Of a stream, the last byte ends a line that already was the whole marker: with or without
        // it, the answer is known to be complete.
        let first_whole = whole.len() - usize::from(streams);
        let cuts: Vec<Mode> = (0..first_whole).flat_map(|at| cuts_at(&whole, at)).collect();
        upstream.script(cuts.iter().copied());
        let calls = stream::iter(0..cuts.len()).map(|number| is_no_answer(&service, face, number));
        let wrong: Vec<String> =
            calls.buffer_unordered(AT_ONCE).filter_map(|wrong| async { wrong }).collect().await;
        for (number, wrong) in wrong.iter().enumerate().take(5) {
            println!("{number}: {wrong}");
        }
        assert!(wrong.is_empty(), "{dialect:?} {face:?}: {} of {} cuts", wrong.len(), cuts.len());
        assert_eq!(upstream.seen().requests, cuts.len() as u64, "each cut was made, once");
        assert!(upstream.falls_quiet(REST).await, "{:?}", upstream.seen());
        nothing_came_of_it(&service, cuts.len()).await;
        is_well(&service).await;

        let uncut = kept(face, question(cuts.len())).ask_once(&service).await.0.unwrap();
        assert_eq!(uncut.content(), Some(GOOD_ANSWER), "the same answer, whole");
    }
}

/// OpenAI's dialect in every way of asking, the others where nothing but the dialect differs.
fn held() -> impl Iterator<Item = (Dialect, Face)> {
    let faces = |dialect| match dialect {
        Dialect::OpenAi => FACES,
        Dialect::Anthropic | Dialect::Ollama => &[Face::Whole, Face::Stream],
    };
    Dialect::ALL.into_iter().flat_map(move |d| faces(d).iter().map(move |face| (d, *face)))
}

/// Where an event ends, every way of cutting there; elsewhere the ways take turns.
fn cuts_at(whole: &[u8], at: usize) -> impl Iterator<Item = Mode> {
    let between_events = whole[..at].ends_with(b"\n") || at == 0;
    let ways = move |how: &usize| between_events || at % Cut::ALL.len() == *how;
    (0..Cut::ALL.len()).filter(ways).map(move |how| Mode::CutAt(at, Cut::ALL[how]))
}

/// A call whose answer may be kept, and that has time enough for failing to have another reason.
fn kept(face: Face, input: String) -> Question {
    // Chunks cannot be taken back: only where one expert speaks alone are they passed on as they come.
    let mode = (face == Face::ChatStream).then_some("fast");
    let asked = Question::new(face, "ai_first", input);
    Question { no_store: false, deadline_ms: 20_000, mode, ..asked }
}

async fn is_no_answer(service: &Service, face: Face, number: usize) -> Option<String> {
    let asked = kept(face, question(number));
    match asked.ask_once(service).await.0 {
        Ok(end) if end.status() == 502 => None,
        Ok(end) => Some(format!("{asked:?}: {end:#?}")),
        Err(wrong) => Some(format!("{asked:?}: {wrong}")),
    }
}

async fn nothing_came_of_it(service: &Service, calls: usize) {
    let (_, metrics) = service.get("/api/v1/unified/metrics").await;
    assert_eq!(metrics["lake"]["entries"], 0, "{metrics:#}");
    let figures = &metrics["strategies"]["ai_first"];
    assert_eq!((&figures["requests"], &figures["failures"]), (&calls.into(), &calls.into()));
}
