//! How long good answers of a model take, looked back on a little way.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// Answers that are looked back on.
const WINDOW: usize = 64;
/// With fewer, a percentile says nothing.
const FEWEST: usize = 20;

/// The latencies of recent good answers.
#[derive(Debug, Default)]
pub(super) struct Latencies {
    recent: Mutex<VecDeque<Duration>>,
}

impl Latencies {
    /// A good answer took this long.
    pub(super) fn note(&self, took: Duration) {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if recent.len() == WINDOW {
            recent.pop_front();
        }
        recent.push_back(took);
    }

    /// Their 95th percentile (nearest rank), once there are enough.
    pub(super) fn p95(&self) -> Option<Duration> {
        let mut sorted: Vec<Duration> = {
            let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
            recent.iter().copied().collect()
        };
        if sorted.len() < FEWEST {
            return None;
        }
        sorted.sort_unstable();
        sorted.get((sorted.len() * 95).div_ceil(100) - 1).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_needs_enough_answers_and_forgets_old_ones() {
        let latencies = Latencies::default();
        (1..20).for_each(|ms| latencies.note(Duration::from_millis(ms)));
        assert_eq!(latencies.p95(), None);
        latencies.note(Duration::from_millis(20));
        assert_eq!(latencies.p95(), Some(Duration::from_millis(19)));
        (0..WINDOW).for_each(|_| latencies.note(Duration::from_millis(5)));
        assert_eq!(latencies.p95(), Some(Duration::from_millis(5)));
    }
}
