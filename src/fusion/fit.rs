//! What a passed checkpoint is worth, fitted on answers whose truth is known.

/// What stood behind an answer: the plain weights of its votes, before any boost.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Evidence {
    /// Of votes that passed a checkpoint.
    pub passed: f64,
    /// Of the others.
    pub other: f64,
}

impl Evidence {
    fn total(self, sacred_weight: f64) -> f64 {
        self.passed * sacred_weight + self.other
    }
}

/// A fusion in which two answers competed, and whether the one that was returned is right.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Contest {
    /// Behind the answer that was returned.
    pub winner: Evidence,
    /// Behind the strongest other one.
    pub runner_up: Evidence,
    /// Whether the returned one is right.
    pub right: bool,
}

/// The weight of passed checkpoints that contests speak for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SacredFit {
    /// Posterior mean.
    pub weight: f64,
    /// The interval that has it with 95 % probability.
    pub ci95: [f64; 2],
    /// Contests that had any say: where the checkpoint weighs on one side more than on the other.
    pub contests: usize,
}

/// What is believed without any contest: 1.5, and 95 % of it between 0.75 and 3.
const PRIOR: f64 = 1.5;
const PRIOR_SPREAD: f64 = 0.35;
/// How far the scale of the weights is off: 1, and 95 % of it between 1/3 and 3. It is averaged over,
/// so that signals that are all too sure are not taken for checkpoints that mislead.
const SCALE_SPREAD: f64 = 0.55;
/// Points of the grids, from 0.5 to 4 (weights) and from 1/5 to 5 (scales), evenly in logarithms.
const WEIGHTS: u8 = 105;
const SCALES: u8 = 17;

/// Fits the weight: the chance that the winner is right is taken as logistic in the difference of
/// both sides' weight, as weights are log-odds; with a log-normal prior around 1.5.
#[must_use]
pub fn fit_sacred_weight(contests: &[Contest]) -> SacredFit {
    let telling = |c: &&Contest| (c.winner.passed - c.runner_up.passed).abs() > 1e-9;
    let telling: Vec<&Contest> = contests.iter().filter(telling).collect();
    let grid: Vec<(f64, f64)> = points(0.5, 4.0, WEIGHTS)
        .map(|weight| {
            let of_scales = points(0.2, 5.0, SCALES).map(|scale| {
                let likelihood: f64 = telling.iter().map(|c| c.log_likelihood(weight, scale)).sum();
                likelihood + log_normal(scale, 1.0, SCALE_SPREAD)
            });
            (weight, log_sum_exp(of_scales) + log_normal(weight, PRIOR, PRIOR_SPREAD))
        })
        .collect();
    let highest = grid.iter().map(|(_, log)| *log).fold(f64::NEG_INFINITY, f64::max);
    let mass: Vec<(f64, f64)> =
        grid.into_iter().map(|(w, log)| (w, (log - highest).exp())).collect();
    let all: f64 = mass.iter().map(|(_, m)| m).sum();
    let weight = mass.iter().map(|(weight, m)| weight * m).sum::<f64>() / all;
    let quantile = |share: f64| {
        let mut below = 0.0;
        let reached = mass.iter().find(|(_, m)| {
            below += m / all;
            below >= share
        });
        reached.map_or(PRIOR, |(weight, _)| *weight)
    };
    SacredFit { weight, ci95: [quantile(0.025), quantile(0.975)], contests: telling.len() }
}

impl Contest {
    fn log_likelihood(&self, sacred_weight: f64, scale: f64) -> f64 {
        let margin = self.winner.total(sacred_weight) - self.runner_up.total(sacred_weight);
        let odds = scale * if self.right { margin } else { -margin };
        // ln of the logistic function, without overflow.
        odds.min(0.0) - (-odds.abs()).exp().ln_1p()
    }
}

/// Points between two bounds, evenly in logarithms.
fn points(from: f64, to: f64, count: u8) -> impl Iterator<Item = f64> {
    let step = (to / from).ln() / f64::from(count - 1);
    (0..count).map(move |at| from * (step * f64::from(at)).exp())
}

/// The logarithm, up to a constant, of a log-normal density per step of the logarithm.
fn log_normal(value: f64, median: f64, spread: f64) -> f64 {
    -0.5 * ((value / median).ln() / spread).powi(2)
}

fn log_sum_exp(logs: impl Iterator<Item = f64>) -> f64 {
    let logs: Vec<f64> = logs.collect();
    let highest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    highest + logs.iter().map(|log| (log - highest).exp()).sum::<f64>().ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A checked vote against an unchecked one of another weight; the checked one is right.
    fn contest(passed: f64, other: f64, checked_is_right: bool) -> Contest {
        let checked = Evidence { passed, other: 0.0 };
        let unchecked = Evidence { passed: 0.0, other };
        if passed * PRIOR > other {
            Contest { winner: checked, runner_up: unchecked, right: checked_is_right }
        } else {
            Contest { winner: unchecked, runner_up: checked, right: !checked_is_right }
        }
    }

    /// Contests whose truth follows a weight, by an even spread of chances.
    fn world(sacred_weight: f64, scale: f64) -> Vec<Contest> {
        (0..4_000_u32)
            .map(|i| {
                let (passed, other) =
                    (0.3 + f64::from(i % 37) / 15.0, 0.3 + f64::from(i % 41) / 12.0);
                let odds = scale * (passed * sacred_weight - other);
                let chance = 1.0 / (1.0 + (-odds).exp());
                let dice = (f64::from(i) * 0.618_033_988_749_895).fract();
                contest(passed, other, dice < chance)
            })
            .collect()
    }

    #[test]
    fn without_contests_the_prior_stands() {
        let fit = fit_sacred_weight(&[]);
        assert!((fit.weight - PRIOR).abs() < 0.12 && fit.contests == 0, "{fit:?}");
        assert!(fit.ci95[0] < 0.85 && fit.ci95[1] > 2.6, "{fit:?}");
    }

    #[test]
    fn the_weight_that_made_the_outcomes_is_found_whatever_the_scale() {
        for (truth, scale) in [(1.0, 1.0), (1.5, 0.5), (2.2, 1.0)] {
            let fit = fit_sacred_weight(&world(truth, scale));
            assert!((fit.weight - truth).abs() < 0.12, "{truth}: {fit:?}");
            assert!(fit.ci95[0] <= truth + 0.05 && truth - 0.05 <= fit.ci95[1], "{truth}: {fit:?}");
        }
    }

    #[test]
    fn contests_that_tell_nothing_of_checkpoints_move_nothing() {
        let side = |other| Evidence { passed: 1.0, other };
        let alike = Contest { winner: side(2.0), runner_up: side(0.5), right: false };
        let fit = fit_sacred_weight(&[alike; 50]);
        assert_eq!(fit, fit_sacred_weight(&[]));
    }
}
