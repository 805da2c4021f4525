//! From scores to decisions: what a score is worth, and from which one on a match is accepted.

use super::bound::most_events;

/// Confidence of the bounds.
pub(super) const CONFIDENCE: f64 = 0.95;
/// Pairs that share a question err together. So many of them count as one.
const DESIGN_EFFECT: usize = 2;
/// Highest scores of different questions that are kept; they reach down to a rate of some 20 %.
pub(super) const TAIL: usize = 4096;

/// What labelled pairs that took no part in training said of the scores.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Calibration {
    /// Log-odds that two questions are the same: `slope × score + offset` (Platt 1999).
    pub(super) slope: f32,
    pub(super) offset: f32,
    /// Pairs of different questions, those included that a guard turned away.
    pub(super) different: usize,
    /// The highest scores among them that no guard turned away, descending.
    pub(super) tail: Vec<f32>,
}

impl Calibration {
    /// Of nothing: no score is ever accepted.
    pub(super) fn none() -> Self {
        Self { slope: 1.0, offset: 0.0, different: 0, tail: Vec::new() }
    }

    /// Of `(score, same)` pairs; `None` for the score of one that a guard turned away.
    pub(super) fn of(scored: &[(Option<f32>, bool)]) -> Self {
        let different: Vec<_> = scored.iter().filter(|(_, same)| !same).collect();
        let mut tail: Vec<f32> = different.iter().filter_map(|(score, _)| *score).collect();
        tail.sort_by(|a, b| b.total_cmp(a));
        tail.truncate(TAIL);
        let open: Vec<(f64, bool)> = scored
            .iter()
            .filter_map(|(score, same)| score.map(|score| (f64::from(score), *same)))
            .collect();
        let (slope, offset) = platt(&open);
        Self { slope, offset, different: different.len(), tail }
    }

    pub(super) fn log_odds(&self, score: f32) -> f32 {
        self.slope * score + self.offset
    }

    /// The score that must be exceeded so that at most this share of different questions is taken
    /// for the same, with 95 % confidence (the Clopper–Pearson bound on the tail; since the share
    /// only falls as the score rises, choosing the lowest such score costs no confidence: Bates et
    /// al., "Distribution-free, risk-controlling prediction sets", JACM 2021). `None` when there
    /// is too little evidence for any.
    pub(super) fn threshold(&self, rate: f64) -> Option<f32> {
        let most = most_events(self.different / DESIGN_EFFECT, rate, CONFIDENCE)? * DESIGN_EFFECT;
        // As many different questions may score above as the bound allows: the next one may not.
        match self.tail.get(most) {
            Some(score) => Some(*score),
            None if self.tail.len() < TAIL => Some(self.tail.last().map_or(f32::MIN, |s| s - 1.0)),
            None => self.tail.last().copied(),
        }
    }
}

/// Logistic regression on one number, by Newton's method, with a little shrinkage. A step that would
/// make the fit worse is halved: far from the optimum the curvature promises too much.
fn platt(scored: &[(f64, bool)]) -> (f32, f32) {
    let (mut slope, mut offset) = (1.0_f64, 0.0_f64);
    let loss = |slope: f64, offset: f64| {
        let prior = ((slope - 1.0).powi(2) + offset.powi(2)) / 2.0;
        let each = scored.iter().map(|&(score, same)| {
            let odds = slope * score + offset;
            let against = if same { -odds } else { odds };
            // ln(1 + e^x) without overflow.
            against.max(0.0) + (-against.abs()).exp().ln_1p()
        });
        prior + each.sum::<f64>()
    };
    let mut best = loss(slope, offset);
    for _ in 0..50 {
        // Gradient and curvature; the prior is slope 1, offset 0.
        let (mut gs, mut go) = (1.0 - slope, -offset);
        let (mut hss, mut hso, mut hoo) = (1.0, 0.0, 1.0);
        for &(score, same) in scored {
            let p = 1.0 / (1.0 + (-(slope * score + offset)).exp());
            let (error, weight) = (f64::from(u8::from(same)) - p, p * (1.0 - p));
            gs += error * score;
            go += error;
            hss += weight * score * score;
            hso += weight * score;
            hoo += weight;
        }
        let determinant = hss * hoo - hso * hso;
        if determinant.is_nan() || determinant <= 1e-12 {
            break;
        }
        let step = ((hoo * gs - hso * go) / determinant, (hss * go - hso * gs) / determinant);
        let shorter = (0..30).map(|halvings| 0.5_f64.powi(halvings));
        let tried = shorter.map(|share| (slope + share * step.0, offset + share * step.1));
        let better = tried.map(|(s, o)| (s, o, loss(s, o))).find(|(.., loss)| *loss < best);
        let Some((s, o, improved)) = better else { break };
        let gain = best - improved;
        (slope, offset, best) = (s, o, improved);
        if gain < 1e-9 {
            break;
        }
    }
    // A score is never worth less when it rises.
    if slope.is_finite() && offset.is_finite() && slope > 0.0 {
        (slope as f32, offset as f32)
    } else {
        (1.0, 0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{super::bound::rate_upper_bound, *};

    /// A thousand different questions scored 0 to 999, and as many same ones scored 500 higher.
    fn thousand() -> Calibration {
        let scored: Vec<_> = (0..1000_u16)
            .flat_map(|n| {
                [(Some(f32::from(n) / 100.0), false), (Some(f32::from(n) / 100.0 + 5.0), true)]
            })
            .collect();
        Calibration::of(&scored)
    }

    #[test]
    fn the_threshold_keeps_the_bound_and_falls_as_the_rate_rises() {
        let calibration = thousand();
        let mut last = f32::INFINITY;
        for rate in [0.01, 0.02, 0.05, 0.1] {
            let threshold = calibration.threshold(rate).unwrap();
            assert!(threshold <= last);
            last = threshold;
            let above = calibration.tail.iter().filter(|score| **score > threshold).count();
            let independent = (above / DESIGN_EFFECT, 1000 / DESIGN_EFFECT);
            let bound = rate_upper_bound(independent.0, independent.1, CONFIDENCE);
            assert!(bound <= rate, "{bound} at {rate}");
        }
        assert!(last < 9.99);
    }

    #[test]
    fn thin_evidence_accepts_nothing() {
        let few: Vec<_> = (0..200).map(|_| (Some(0.0), false)).collect();
        assert_eq!(Calibration::of(&few).threshold(0.01), None);
        assert_eq!(Calibration::none().threshold(0.5), None);
    }

    #[test]
    fn what_guards_turn_away_counts_as_not_taken() {
        let guarded: Vec<_> = (0..1000).map(|n| ((n < 5).then_some(1.0), false)).collect();
        let threshold = Calibration::of(&guarded).threshold(0.05).unwrap();
        assert!(threshold < 1.0, "five of a thousand are within the bound");
    }

    #[test]
    fn log_odds_are_about_what_was_counted() {
        let calibration = thousand();
        // At 7.5 as many are the same as are different.
        assert!(calibration.log_odds(7.5).abs() < 0.3, "{}", calibration.log_odds(7.5));
        assert!(calibration.log_odds(9.9) > 1.0 && calibration.log_odds(5.1) < -1.0);
    }
}
