//! Ridge regression over hashed n-grams: conjugate gradients (Hestenes and Stiefel 1952) to train,
//! one byte a weight to keep.

use super::ngrams::{SLOTS, Sparse};

/// Most rounds of conjugate gradients; they stop early where nothing moves any more.
const ROUNDS: usize = 60;
const ENOUGH: f64 = 1e-4;

/// A linear model of one target.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ridge {
    pub(super) intercept: f64,
    weights: Vec<f32>,
}

impl Ridge {
    /// Fits a target on rows under this penalty.
    pub(super) fn fit(rows: &[&Sparse], targets: &[f64], penalty: f64) -> Self {
        let n = super::question::count(rows.len()).max(1.0);
        let intercept = targets.iter().sum::<f64>() / n;
        let mut weights = vec![0.0_f64; SLOTS];
        let mut residual = vec![0.0_f64; SLOTS];
        for (row, target) in rows.iter().zip(targets) {
            spread(&mut residual, row, target - intercept);
        }
        let mut direction = residual.clone();
        let mut size = dot(&residual, &residual);
        let start = size;
        for _ in 0..ROUNDS {
            if size <= ENOUGH * ENOUGH * start || size == 0.0 {
                break;
            }
            let mut image: Vec<f64> = direction.iter().map(|d| d * penalty).collect();
            for row in rows {
                let along = row.slots.iter().fold(0.0, |sum, (slot, value)| {
                    sum + f64::from(*value) * direction.get(*slot as usize).copied().unwrap_or(0.0)
                });
                spread(&mut image, row, along);
            }
            let step = size / dot(&direction, &image);
            for ((w, r), (d, i)) in
                weights.iter_mut().zip(&mut residual).zip(direction.iter().zip(&image))
            {
                *w += step * d;
                *r -= step * i;
            }
            let next = dot(&residual, &residual);
            let turn = next / size;
            size = next;
            for (d, r) in direction.iter_mut().zip(&residual) {
                *d = r + turn * *d;
            }
        }
        #[expect(clippy::cast_possible_truncation, reason = "kept as bytes later")]
        let weights = weights.into_iter().map(|w| w as f32).collect();
        Self { intercept, weights }
    }

    pub(super) fn predict(&self, row: &Sparse) -> f64 {
        self.intercept
            + row.slots.iter().fold(0.0, |sum, (slot, value)| {
                sum + f64::from(*value * self.weights.get(*slot as usize).copied().unwrap_or(0.0))
            })
    }

    /// The weights as signed bytes, squares apart so that small ones are not lost, and their scale.
    #[expect(clippy::cast_possible_truncation, reason = "within a byte by construction")]
    pub(super) fn packed(&self) -> (f32, Vec<i8>) {
        let scale = self.weights.iter().fold(0.0_f32, |most, w| most.max(w.abs()));
        let byte = |w: &f32| {
            if scale == 0.0 {
                0
            } else {
                ((w.abs() / scale).sqrt() * 127.0).round().copysign(*w) as i8
            }
        };
        (scale, self.weights.iter().map(byte).collect())
    }

    /// The reverse of [`Self::packed`].
    pub(super) fn unpacked(intercept: f64, scale: f32, bytes: &[i8]) -> Self {
        let weight = |b: &i8| {
            let share = f32::from(*b) / 127.0;
            share * share.abs() * scale
        };
        Self { intercept, weights: bytes.iter().map(weight).collect() }
    }
}

fn spread(sums: &mut [f64], row: &Sparse, by: f64) {
    for (slot, value) in &row.slots {
        if let Some(sum) = sums.get_mut(*slot as usize) {
            *sum += f64::from(*value) * by;
        }
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judgement::ngrams::{Counts, Rarity};

    #[test]
    fn a_word_that_tells_is_learned_and_survives_packing() {
        let texts: Vec<String> = (0..200)
            .map(|i| {
                format!(
                    "{} question {} about things",
                    if i % 2 == 0 { "hard" } else { "easy" },
                    i % 7
                )
            })
            .collect();
        let counts: Vec<Counts> = texts.iter().map(|t| Counts::of(t)).collect();
        let rarity = Rarity::of(counts.iter());
        let rows: Vec<Sparse> = counts.iter().map(|c| rarity.weigh(c)).collect();
        let targets: Vec<f64> = (0..200).map(|i| f64::from(u8::from(i % 2 == 0))).collect();
        let ridge = Ridge::fit(&rows.iter().collect::<Vec<_>>(), &targets, 1.0);
        let (scale, bytes) = ridge.packed();
        for ridge in [ridge.clone(), Ridge::unpacked(ridge.intercept, scale, &bytes)] {
            let of = |text: &str| ridge.predict(&rarity.weigh(&Counts::of(text)));
            assert!(of("a hard question") > 0.7 && of("an easy question") < 0.3);
        }
        let stranger = rarity.weigh(&Counts::of("quantum chromodynamics lattice"));
        assert!(stranger.known < 0.3 && (ridge.predict(&stranger) - 0.5).abs() < 0.2);
    }
}
