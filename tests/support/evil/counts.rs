//! What the upstream saw, and how it is to treat what comes next.

use std::{
    collections::VecDeque,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use serde_json::Value;
use tokio::time::Instant;

use super::mode::Mode;

/// Most calls that are remembered; the oldest are forgotten, never the counts.
pub const MOST_CALLS: usize = 10_000;

/// What was counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Seen {
    /// Connections that were opened.
    pub opened: u64,
    /// Connections that are open now.
    pub open: u64,
    /// Of these, how many are at work: a request is read or answered, or our end is closed and the
    /// service's is not.
    pub busy: u64,
    /// Requests that came, whole.
    pub requests: u64,
    /// Requests that the service left before the answer was whole.
    pub left: u64,
    /// Bytes that were sent.
    pub sent: u64,
}

/// One call as it arrived, and how it ended.
#[derive(Debug, Clone)]
pub struct Call {
    /// How it was treated.
    pub mode: Mode,
    pub path: String,
    pub authorization: Option<String>,
    pub body: Value,
    said: String,
    /// When the request was whole.
    pub at: Instant,
    /// When the service closed the connection, where it did so before the answer was whole.
    pub left: Option<Instant>,
}

impl Call {
    /// Whether the answer was asked for as a stream.
    pub fn streams(&self) -> bool {
        self.body["stream"] == true
    }

    /// All messages, as they were sent.
    pub fn said(&self) -> &str {
        &self.said
    }
}

/// Names a call among those remembered.
#[derive(Debug, Clone, Copy)]
pub(super) struct CallId(u64);

#[derive(Default)]
pub(super) struct Counts {
    state: Mutex<State>,
    sent: AtomicU64,
}

#[derive(Default)]
struct State {
    next: VecDeque<Mode>,
    always: Vec<Mode>,
    turn: usize,
    seen: Seen,
    calls: VecDeque<Call>,
    forgotten: u64,
}

impl Counts {
    pub(super) fn treat_all(&self, modes: Vec<Mode>) {
        assert!(!modes.is_empty(), "nothing to do");
        let mut state = self.state.lock().unwrap();
        state.always = modes;
        state.turn = 0;
    }

    pub(super) fn treat_next(&self, modes: impl IntoIterator<Item = Mode>) {
        self.state.lock().unwrap().next.extend(modes);
    }

    /// How requests are treated that no script is for.
    pub(super) fn standing(&self) -> Mode {
        self.state.lock().unwrap().always[0]
    }

    pub(super) fn seen(&self) -> Seen {
        Seen { sent: self.sent.load(Ordering::Relaxed), ..self.state.lock().unwrap().seen }
    }

    pub(super) fn calls(&self) -> Vec<Call> {
        self.state.lock().unwrap().calls.iter().cloned().collect()
    }

    /// Whether one of the latest calls speaks of this.
    pub(super) fn lately(&self, text: &str) -> bool {
        const LATEST: usize = 32;
        let state = self.state.lock().unwrap();
        state.calls.iter().rev().take(LATEST).any(|call| call.said.contains(text))
    }

    pub(super) fn sent(&self, bytes: usize) {
        self.sent.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Notes a request and says how to treat it, and the how manieth it is.
    pub(super) fn asked(
        &self,
        path: String,
        authorization: Option<String>,
        body: Value,
    ) -> (CallId, Mode, u64) {
        let said = body["messages"].to_string();
        let mut state = self.state.lock().unwrap();
        let mode = state.next.pop_front().unwrap_or_else(|| {
            let mode = state.always[state.turn % state.always.len()];
            state.turn += 1;
            mode
        });
        let number = state.seen.requests;
        state.seen.requests += 1;
        let call = Call { mode, path, authorization, said, body, at: Instant::now(), left: None };
        state.calls.push_back(call);
        if state.calls.len() > MOST_CALLS {
            state.calls.pop_front();
            state.forgotten += 1;
        }
        (CallId(number), mode, number)
    }

    /// The service left before the answer was whole.
    pub(super) fn left(&self, CallId(number): CallId) {
        let mut state = self.state.lock().unwrap();
        state.seen.left += 1;
        let place = number.checked_sub(state.forgotten).and_then(|place| place.try_into().ok());
        if let Some(call) = place.and_then(|place: usize| state.calls.get_mut(place)) {
            call.left = Some(Instant::now());
        }
    }
}

/// A connection, counted as open while this lives, and as busy while it is said to be.
pub(super) struct Counted<'a> {
    counts: &'a Counts,
    busy: bool,
}

impl<'a> Counted<'a> {
    pub(super) fn open(counts: &'a Counts) -> Self {
        let mut state = counts.state.lock().unwrap();
        state.seen.opened += 1;
        state.seen.open += 1;
        drop(state);
        Self { counts, busy: false }
    }

    pub(super) fn busy(&mut self, busy: bool) {
        if busy != self.busy {
            let mut state = self.counts.state.lock().unwrap();
            if busy {
                state.seen.busy += 1;
            } else {
                state.seen.busy -= 1;
            }
            self.busy = busy;
        }
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.busy(false);
        self.counts.state.lock().unwrap().seen.open -= 1;
    }
}
