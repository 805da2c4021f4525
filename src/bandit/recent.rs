//! The short memory: what an arm came to lately, by its own requests. It tells an arm that died, or
//! came back, long before the long memory does.

use serde::{Deserialize, Serialize};

/// Own requests after which one counts half.
const HALF_LIFE: f64 = 6.0;
/// Judgements by others before a principal is heard again: so nobody is more than a twentieth.
const PAUSE: usize = 19;

/// Fading sums of one arm's latest results.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Recent {
    pub(super) n: f64,
    pub(super) sum: f64,
    /// Who judged last, the oldest first; `None` is the operator, whose pauses do not matter.
    judges: Vec<u64>,
}

impl Recent {
    /// Takes in a result, 0 to 1: a request without an answer is 0 and needs no judge.
    pub(super) fn add(&mut self, result: f64, principal: Option<u64>) {
        if let Some(principal) = principal {
            if self.judges.contains(&principal) {
                return;
            }
            self.judges.push(principal);
            if self.judges.len() > PAUSE {
                self.judges.remove(0);
            }
        }
        let fade = (-std::f64::consts::LN_2 / HALF_LIFE).exp();
        self.n = self.n * fade + 1.0;
        self.sum = self.sum * fade + result;
    }

    /// The same of several services together.
    pub(super) fn join(&mut self, other: &Self) {
        self.n += other.n;
        self.sum += other.sum;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_results_outweigh_all_before() {
        let mut recent = Recent::default();
        (0..100).for_each(|_| recent.add(1.0, None));
        (0..12).for_each(|_| recent.add(0.0, None));
        assert!(recent.sum / recent.n < 0.26, "{recent:?}");
    }

    #[test]
    fn who_speaks_all_the_time_is_heard_once_in_twenty() {
        let mut recent = Recent::default();
        (0..100).for_each(|_| recent.add(0.0, Some(7)));
        assert!((recent.n - 1.0).abs() < 1e-9);
        (0..19).for_each(|other| recent.add(1.0, Some(100 + other)));
        let before = recent.sum;
        recent.add(1.0, Some(7));
        assert!(recent.sum > before, "after nineteen others he is heard again");
    }
}
