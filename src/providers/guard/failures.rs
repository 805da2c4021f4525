//! What of a provider's failures is told at once, and what is only counted: in an outage every call
//! fails in the same way, and a line for each would bury everything else.

use std::{collections::HashMap, time::Duration};

use tokio::time::Instant;

/// Least time between two lines about failures of one kind.
const PAUSE: Duration = Duration::from_secs(10);

/// A kind of failure: its cause, of a fixed set, and which attempt it was, the first or the second.
type Kind = (&'static str, u8);

/// When failures of each kind were last told, and how many have been kept back since. As many entries
/// as there are kinds, however many calls fail.
#[derive(Debug, Default)]
pub(super) struct Failures {
    kinds: HashMap<Kind, Told>,
    /// When a success last told of failures before it.
    recovered: Option<Instant>,
}

#[derive(Debug)]
struct Told {
    last: Instant,
    kept_back: u64,
}

impl Failures {
    /// A call failed. Where that is to be told: how many like it were not since the last time.
    pub(super) fn note(&mut self, cause: &'static str, attempt: u8, now: Instant) -> Option<u64> {
        let Some(told) = self.kinds.get_mut(&(cause, attempt)) else {
            self.kinds.insert((cause, attempt), Told { last: now, kept_back: 0 });
            return Some(0);
        };
        if now.duration_since(told.last) < PAUSE {
            told.kept_back += 1;
            return None;
        }
        told.last = now;
        Some(std::mem::take(&mut told.kept_back))
    }

    /// A call succeeded: how many failures were kept back and are now told together. Where every other
    /// call fails, the pause goes on, for failures and for this.
    pub(super) fn end(&mut self, now: Instant) -> u64 {
        let pausing = |last: Instant| now.duration_since(last) < PAUSE;
        if self.recovered.is_some_and(pausing) {
            return 0;
        }
        let kept_back =
            self.kinds.values_mut().map(|told| std::mem::take(&mut told.kept_back)).sum();
        self.kinds.retain(|_, told| pausing(told.last));
        if kept_back > 0 {
            self.recovered = Some(now);
        }
        kept_back
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_a_kind_is_told_at_once_and_the_rest_are_counted() {
        let mut failures = Failures::default();
        let mut now = Instant::now();
        assert_eq!(failures.note("timeout", 1, now), Some(0));
        assert_eq!(failures.note("timeout", 2, now), Some(0), "the retry is of another kind");
        assert_eq!(failures.note("refused", 1, now), Some(0));
        for _ in 0..5000 {
            now += PAUSE / 5001;
            assert_eq!(failures.note("timeout", 1, now), None);
        }
        now += PAUSE;
        assert_eq!(failures.note("timeout", 1, now), Some(5000));
        assert_eq!(failures.note("timeout", 1, now), None);
        assert_eq!(failures.kinds.len(), 3, "what fails does not grow it");
    }

    #[test]
    fn a_success_tells_what_was_kept_back_and_ends_no_pause() {
        let mut failures = Failures::default();
        let now = Instant::now();
        (0..4).for_each(|_| {
            failures.note("timeout", 1, now);
        });
        assert_eq!(failures.end(now), 3);
        for _ in 0..10 {
            assert_eq!(failures.note("timeout", 1, now), None, "every other call fails");
            assert_eq!(failures.end(now), 0);
        }
        let later = now + PAUSE;
        assert_eq!((failures.end(later), failures.end(later)), (10, 0));
        assert_eq!(failures.note("timeout", 1, later), Some(0));
    }
}
