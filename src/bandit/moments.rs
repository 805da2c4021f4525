//! Weighted sums from which a straight line over the complexity is fitted.

use serde::{Deserialize, Serialize};

/// Sums over observations (z, y), where z is the complexity score less one half.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Moments {
    pub(super) n: f64,
    z: f64,
    zz: f64,
    y: f64,
    zy: f64,
}

impl Moments {
    /// Takes in an observation.
    pub(super) fn add(&mut self, weight: f64, z: f64, y: f64) {
        self.n += weight;
        self.z += weight * z;
        self.zz += weight * z * z;
        self.y += weight * y;
        self.zy += weight * z * y;
    }

    /// The same observations, each with a value higher by so much.
    pub(super) fn raised(mut self, by: f64) -> Self {
        self.y += by * self.n;
        self.zy += by * self.z;
        self
    }

    /// Takes in all of another's, at this weight.
    pub(super) fn join(&mut self, other: &Self, weight: f64) {
        self.n += weight * other.n;
        self.z += weight * other.z;
        self.zz += weight * other.zz;
        self.y += weight * other.y;
        self.zy += weight * other.zy;
    }

    pub(super) fn scale(&mut self, by: f64) {
        let mut scaled = Self::default();
        scaled.join(self, by);
        *self = scaled;
    }

    /// The mean value; 0 without any.
    pub(super) fn mean(&self) -> f64 {
        if self.n > 0.0 { self.y / self.n } else { 0.0 }
    }

    /// The mean z.
    pub(super) fn middle(&self) -> f64 {
        if self.n > 0.0 { (self.z / self.n).clamp(-0.5, 0.5) } else { 0.0 }
    }

    /// The value that is expected at `z`, and by how much that can be off, as a variance in units
    /// of the noise of one observation: Bayesian linear regression with a normal prior.
    pub(super) fn expect(&self, prior: &Line, z: f64) -> (f64, f64) {
        let (a, b, d) = (prior.level_worth + self.n, self.z, prior.slope_worth + self.zz);
        let determinant = a * d - b * b;
        let (u, v) =
            (prior.level_worth * prior.level + self.y, prior.slope_worth * prior.slope + self.zy);
        let level = (d * u - b * v) / determinant;
        let slope = (a * v - b * u) / determinant;
        let spread = (d - 2.0 * b * z + a * z * z) / determinant;
        (level + slope * z, spread.max(0.0))
    }
}

/// What is believed before any observation: a level at z = 0 and a slope, and how many observations
/// each belief is worth.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    pub(super) level: f64,
    pub(super) level_worth: f64,
    pub(super) slope: f64,
    pub(super) slope_worth: f64,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PRIOR: Line = Line { level: 0.5, level_worth: 1.0, slope: -0.2, slope_worth: 0.5 };

    #[test]
    fn without_observations_the_prior_holds() {
        let (value, spread) = Moments::default().expect(&PRIOR, 0.25);
        assert!((value - 0.45).abs() < 1e-12 && (spread - 1.125).abs() < 1e-12);
    }

    #[test]
    fn many_observations_speak_for_themselves() {
        let mut seen = Moments::default();
        for i in 0..1000 {
            let z = f64::from(i % 100) / 100.0 - 0.5;
            seen.add(1.0, z, 0.7 + 0.3 * z);
        }
        let (value, spread) = seen.expect(&PRIOR, 0.3);
        assert!((value - 0.79).abs() < 0.01, "{value}");
        assert!(spread < 0.01);
    }

    proptest! {
        #[test]
        fn joining_is_adding_one_after_the_other(
            first in proptest::collection::vec((-0.5f64..0.5, 0.0f64..1.0), 0..20),
            second in proptest::collection::vec((-0.5f64..0.5, 0.0f64..1.0), 0..20),
        ) {
            let sums = |all: &[(f64, f64)]| {
                let mut sums = Moments::default();
                all.iter().for_each(|(z, y)| sums.add(1.0, *z, *y));
                sums
            };
            let mut joined = sums(&first);
            joined.join(&sums(&second), 1.0);
            let whole = sums(&[first, second].concat());
            let (a, b) = (joined.expect(&PRIOR, 0.1), whole.expect(&PRIOR, 0.1));
            prop_assert!((a.0 - b.0).abs() < 1e-9 && (a.1 - b.1).abs() < 1e-9);
        }

        #[test]
        fn more_observations_never_make_it_less_sure(
            seen in proptest::collection::vec((-0.5f64..0.5, 0.0f64..1.0), 1..40), z in -0.5f64..0.5,
        ) {
            let mut sums = Moments::default();
            let mut spread = sums.expect(&PRIOR, z).1;
            for (at, y) in seen {
                sums.add(1.0, at, y);
                let now = sums.expect(&PRIOR, z).1;
                prop_assert!(now <= spread + 1e-9);
                spread = now;
            }
        }
    }
}
