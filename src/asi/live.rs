//! An answer's text on its way to the caller while its expert is still speaking.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use crate::domain::{DeltaSink, Listener};

/// Nobody speaks.
const NOBODY: usize = usize::MAX;

/// One caller's ear. Of several experts that are asked at once, the first to speak has the floor;
/// what the others say is not heard.
pub struct Live {
    listener: Arc<dyn Listener>,
    floor: AtomicUsize,
    said: Mutex<Said>,
}

/// What was passed on. Answers are trimmed in the end, so white space waits until text follows it.
#[derive(Default)]
struct Said {
    text: String,
    waiting: String,
}

impl Live {
    /// An ear that has heard nothing.
    #[must_use]
    pub fn new(listener: Arc<dyn Listener>) -> Self {
        Self { listener, floor: AtomicUsize::new(NOBODY), said: Mutex::default() }
    }

    /// Makes what was heard so far the caller's answer: says what is missing, or takes back what was
    /// said where the answer is another one.
    pub fn settle(&self, content: &str) {
        let said = self.said();
        let rest = match content.strip_prefix(said.as_str()) {
            Some(rest) => rest,
            None => {
                self.retract();
                content
            }
        };
        if !rest.is_empty() {
            self.listener.delta(rest);
        }
    }

    /// Whether the caller has heard any text.
    #[must_use]
    pub fn has_spoken(&self) -> bool {
        !self.lock().text.is_empty()
    }

    /// Whether the caller has heard text that can no longer be taken back.
    #[must_use]
    pub fn is_committed(&self) -> bool {
        self.has_spoken() && !self.listener.can_retract()
    }

    /// Whether text can be taken back.
    #[must_use]
    pub fn can_retract(&self) -> bool {
        self.listener.can_retract()
    }

    /// Takes back what was said; the floor is free again.
    pub fn retract(&self) {
        let spoken = !std::mem::take(&mut *self.lock()).text.is_empty();
        if spoken {
            self.listener.retract();
        }
        self.floor.store(NOBODY, Ordering::Relaxed);
    }

    /// Who has the floor.
    pub(super) fn speaker(&self) -> Option<usize> {
        let speaker = self.floor.load(Ordering::Relaxed);
        (speaker != NOBODY).then_some(speaker)
    }

    /// The ear as this expert finds it.
    pub(super) fn microphone(&self, expert: usize) -> Microphone<'_> {
        Microphone { live: self, expert, spoken: Mutex::default() }
    }

    fn said(&self) -> String {
        self.lock().text.clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Said> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One expert's way to the caller's ear.
pub(super) struct Microphone<'a> {
    live: &'a Live,
    expert: usize,
    /// What was said while another one had the floor: who takes it later begins at the beginning.
    spoken: Mutex<String>,
}

impl DeltaSink for Microphone<'_> {
    fn delta(&self, text: &str) {
        let mut said = self.live.lock();
        let mut spoken = self.spoken.lock().unwrap_or_else(PoisonError::into_inner);
        let unheard = self.live.speaker().is_some_and(|speaker| speaker != self.expert);
        if unheard {
            spoken.push_str(text);
            return;
        }
        let whole = std::mem::take(&mut *spoken) + text;
        let text = whole.as_str();
        let begun = !said.text.is_empty();
        let body = if begun { text } else { text.trim_start() };
        if !begun && body.trim().is_empty() {
            return;
        }
        let taken = self.live.floor.compare_exchange(
            NOBODY,
            self.expert,
            Ordering::Relaxed,
            Ordering::Relaxed,
        );
        if taken.is_err_and(|speaker| speaker != self.expert) {
            return;
        }
        let kept = body.trim_end();
        if kept.is_empty() {
            said.waiting.push_str(body);
            return;
        }
        let mut heard = std::mem::take(&mut said.waiting);
        heard.push_str(kept);
        said.waiting.push_str(&body[kept.len()..]);
        said.text.push_str(&heard);
        drop(said);
        self.live.listener.delta(&heard);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{Complexity, Decision, TraceEntry};

    /// Keeps the text as a caller would have it.
    #[derive(Default)]
    struct Caller(Mutex<(String, usize)>);

    impl Caller {
        fn text(&self) -> String {
            self.0.lock().unwrap().0.clone()
        }

        fn retractions(&self) -> usize {
            self.0.lock().unwrap().1
        }
    }

    impl Listener for Caller {
        fn decided(&self, _: &Decision, _: &Complexity) {}
        fn visited(&self, _: &TraceEntry) {}
        fn delta(&self, text: &str) {
            assert!(!text.is_empty());
            self.0.lock().unwrap().0.push_str(text);
        }
        fn retract(&self) {
            let mut heard = self.0.lock().unwrap();
            heard.0.clear();
            heard.1 += 1;
        }
        fn can_retract(&self) -> bool {
            true
        }
    }

    #[test]
    fn the_first_to_speak_has_the_floor() {
        let caller = Arc::new(Caller::default());
        let live = Live::new(caller.clone());
        let one = live.microphone(1);
        one.delta(" \n");
        live.microphone(2).delta("two");
        one.delta("one");
        assert_eq!((live.speaker(), caller.text().as_str()), (Some(2), "two"));
        live.retract();
        one.delta(" more");
        assert_eq!((live.speaker(), caller.text().as_str()), (Some(1), "one more"));
    }

    #[test]
    fn another_answer_takes_back_what_was_said() {
        let caller = Arc::new(Caller::default());
        let live = Live::new(caller.clone());
        live.microphone(0).delta("It is 4");
        live.settle("It is 5.");
        assert_eq!((caller.text().as_str(), caller.retractions()), ("It is 5.", 1));
    }

    proptest! {
        #[test]
        fn the_caller_hears_exactly_the_answer(
            pieces in prop::collection::vec("[ a\n]{0,4}", 0..12),
        ) {
            let caller = Arc::new(Caller::default());
            let live = Live::new(caller.clone());
            for piece in &pieces {
                live.microphone(0).delta(piece);
            }
            let content = pieces.concat();
            live.settle(content.trim());
            prop_assert_eq!(caller.text(), content.trim());
            prop_assert_eq!(caller.retractions(), 0);
        }
    }
}
