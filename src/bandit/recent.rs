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
    /// Results that were taken in.
    #[serde(default)]
    taken: u64,
    /// Who judged last, the oldest first; `None` is the operator, whose pauses do not matter.
    judges: Vec<u64>,
}

impl Recent {
    /// Takes in a result, 0 to 1: a request without an answer is 0 and needs no judge. Returns its
    /// place, where it was heard.
    pub(super) fn add(&mut self, result: f64, principal: Option<u64>) -> Option<u64> {
        if let Some(principal) = principal {
            if self.judges.contains(&principal) {
                return None;
            }
            self.judges.push(principal);
            if self.judges.len() > PAUSE {
                self.judges.remove(0);
            }
        }
        let fade = fade(1);
        self.n = self.n * fade + 1.0;
        self.sum = self.sum * fade + result;
        self.taken += 1;
        Some(self.taken)
    }

    /// The result at this place is another one by so much.
    pub(super) fn revise(&mut self, place: u64, change: f64) {
        self.sum += fade(self.taken.saturating_sub(place)) * change;
    }

    /// The same of several services together.
    pub(super) fn join(&mut self, other: &Self) {
        self.n += other.n;
        self.sum += other.sum;
    }
}

/// What is left of a result after so many others.
fn fade(results: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "beyond 2^52 results nothing is left")]
    let half_lives = results as f64 / HALF_LIFE;
    (-std::f64::consts::LN_2 * half_lives).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_results_outweigh_all_before() {
        let mut recent = Recent::default();
        assert!((0..100).all(|_| recent.add(1.0, None).is_some()));
        assert!((0..12).all(|_| recent.add(0.0, None).is_some()));
        assert!(recent.sum / recent.n < 0.26, "{recent:?}");
    }

    #[test]
    fn a_result_that_is_revised_is_as_if_it_had_been_so_at_once() {
        let [mut late, mut at_once] = [Recent::default(), Recent::default()];
        let place = late.add(1.0, None).unwrap();
        at_once.add(0.0, None).unwrap();
        for recent in [&mut late, &mut at_once] {
            assert!((0..5).all(|_| recent.add(0.5, None).is_some()));
        }
        late.revise(place, -1.0);
        assert!((late.sum - at_once.sum).abs() < 1e-12);
    }

    #[test]
    fn who_speaks_all_the_time_is_heard_once_in_twenty() {
        let mut recent = Recent::default();
        assert_eq!((0..100).filter_map(|_| recent.add(0.0, Some(7))).count(), 1);
        assert!((recent.n - 1.0).abs() < 1e-9);
        assert!((0..19).all(|other| recent.add(1.0, Some(100 + other)).is_some()));
        let before = recent.sum;
        recent.add(1.0, Some(7));
        assert!(recent.sum > before, "after nineteen others he is heard again");
    }
}
