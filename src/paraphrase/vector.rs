//! A question as a point: near points are worth comparing closely.

use super::{lexicon::hash, profile::Word};

/// Dimensions of a vector. A power of two, for hashing and for the rotation.
pub const DIMENSIONS: usize = 256;

const PAIR: f32 = 0.35;
const THREE: f32 = 0.25;
/// A unit vector's components are spread around 1/16; this keeps seven bits of them.
const SCALE: f32 = 420.0;

/// A question's words, pairs of words and groups of three letters, weighted by how rare the words
/// are, hashed with signs (Weinberger et al. 2009), of unit length, turned so that no dimension is
/// empty, in bytes. The vector of a text without words is zero and near nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vector(pub(super) [i8; DIMENSIONS]);

impl Vector {
    pub(super) fn of(words: &[Word]) -> Self {
        let mut sums = Sums::new();
        for word in words {
            sums.add(word.stem, word.weight, word.stop, &word.threes);
        }
        sums.vector()
    }

    /// Cosine of two vectors, about −1 to 1; 0 when either is zero.
    #[must_use]
    pub fn cosine(&self, other: &Self) -> f32 {
        self.dot(other) as f32 / (SCALE * SCALE)
    }

    /// The inner product of the bytes; orders as the cosine does.
    #[must_use]
    pub fn dot(&self, other: &Self) -> i32 {
        self.0.iter().zip(&other.0).map(|(a, b)| i32::from(i16::from(*a) * i16::from(*b))).sum()
    }

    /// Its components, each −127 to 127.
    #[must_use]
    pub fn components(&self) -> &[i8; DIMENSIONS] {
        &self.0
    }
}

/// A vector in the making.
pub(super) struct Sums {
    sums: [f32; DIMENSIONS],
    before: Option<(u32, f32)>,
}

impl Sums {
    pub(super) fn new() -> Self {
        Self { sums: [0.0; DIMENSIONS], before: None }
    }

    /// Adds the next word: its stem and its groups of three letters, by their hashes. Groups of a
    /// stop word tell nothing.
    pub(super) fn add(&mut self, stem: u32, weight: f32, stop: bool, threes: &[u32]) {
        self.put(stem, weight);
        if let Some((before, its_weight)) = self.before.replace((stem, weight)) {
            let pair = hash(b'v', [before.to_le_bytes(), stem.to_le_bytes()].into_iter().flatten());
            self.put(pair, PAIR * (its_weight * weight).sqrt());
        }
        if !stop {
            let share = weight * THREE / (threes.len().max(1) as f32).sqrt() * 2.0;
            for &three in threes {
                self.put(three, share);
            }
        }
    }

    fn put(&mut self, feature: u32, weight: f32) {
        let slot = feature as usize & (DIMENSIONS - 1);
        if let Some(sum) = self.sums.get_mut(slot) {
            *sum += if feature >> 20 & 1 == 0 { weight } else { -weight };
        }
    }

    pub(super) fn vector(mut self) -> Vector {
        rotate(&mut self.sums);
        let length = self.sums.iter().map(|v| v * v).sum::<f32>().sqrt();
        let scale = if length > 0.0 { SCALE / length } else { 0.0 };
        // Half away from zero, as `round` does, which is a call per dimension where the processor that
        // is built for has no instruction for it.
        let byte = |v: f32| (v * scale + 0.5_f32.copysign(v)).clamp(-127.0, 127.0) as i8;
        Vector(self.sums.map(byte))
    }
}

/// Signs at random, then the Walsh–Hadamard transform: a rotation that spreads every component
/// over all of them.
fn rotate(values: &mut [f32; DIMENSIONS]) {
    for (at, value) in (0_u32..).zip(values.iter_mut()) {
        // Multiplicative hashing (Knuth): the top bit is as good as a coin.
        if at.wrapping_mul(0x9e37_79b1) >> 31 == 1 {
            *value = -*value;
        }
    }
    let mut width = 1;
    while width < DIMENSIONS {
        for block in values.chunks_exact_mut(2 * width) {
            let (left, right) = block.split_at_mut(width);
            for (a, b) in left.iter_mut().zip(right) {
                (*a, *b) = (*a + *b, *a - *b);
            }
        }
        width *= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paraphrase::{lexicon::Lexicon, profile::Profile};

    fn vector(text: &str) -> Vector {
        Profile::of(text, &Lexicon::empty()).vector
    }

    #[test]
    fn paraphrases_are_nearer_than_strangers() {
        let question = vector("how do I configure a provider?");
        let paraphrase = vector("how can I configure the providers");
        let stranger = vector("what is the capital of France");
        assert!(question.cosine(&paraphrase) > 0.6, "{}", question.cosine(&paraphrase));
        assert!(question.cosine(&stranger) < 0.3);
        assert!((question.cosine(&question) - 1.0).abs() < 0.02);
    }

    #[test]
    fn a_text_without_words_is_near_nothing() {
        assert_eq!(vector("?!").cosine(&vector("?!")), 0.0);
    }
}
