//! Hashed n-gram vectors: a likeness of texts that needs no model and no vocabulary.

use super::{fold, is_stop_word, stem, words};

/// Dimensions of a vector. A power of two, so that hashing is a mask.
const DIMENSIONS: usize = 512;

/// Hashed counts of a text's stemmed words, word pairs and character trigrams, of unit length
/// (feature hashing with signs, Weinberger et al. 2009). The vector of a text without any letter
/// or digit is zero and like nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct NgramVector(Box<[f32; DIMENSIONS]>);

impl NgramVector {
    const WORD: f32 = 1.0;
    const STOP_WORD: f32 = 0.15;
    const PAIR: f32 = 0.5;
    const TRIGRAM: f32 = 0.25;

    /// The vector of a text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let mut sums = Box::new([0f32; DIMENSIONS]);
        let mut add = |feature: u64, weight: f32| {
            #[expect(clippy::cast_possible_truncation, reason = "masked to the dimensions anyway")]
            let slot = feature as usize & (DIMENSIONS - 1);
            // A bit that the slot does not use gives the sign, so that collisions cancel out.
            let sign = if feature >> 40 & 1 == 0 { 1.0 } else { -1.0 };
            sums[slot] += sign * weight;
        };
        let found = words(&fold(text));
        let mut previous: Option<u64> = None;
        for word in &found {
            let weight = if is_stop_word(word) { Self::STOP_WORD } else { Self::WORD };
            let hash = fnv1a(b'w', stem(word).as_bytes());
            add(hash, weight);
            if let Some(before) = previous {
                add(
                    fnv1a(b'p', &[before.to_le_bytes(), hash.to_le_bytes()].concat()),
                    Self::PAIR * weight,
                );
            }
            previous = Some(hash);
            if weight == Self::WORD {
                let padded: Vec<char> = format!("^{word}$").chars().collect();
                for gram in padded.windows(3) {
                    let gram: String = gram.iter().collect();
                    add(fnv1a(b'c', gram.as_bytes()), Self::TRIGRAM);
                }
            }
        }
        let length = sums.iter().map(|v| v * v).sum::<f32>().sqrt();
        if length > 0.0 {
            for v in sums.iter_mut() {
                *v /= length;
            }
        }
        Self(sums)
    }

    /// Cosine of two vectors, −1 to 1; 0 when either is zero.
    #[must_use]
    pub fn cosine(&self, other: &Self) -> f32 {
        self.0.iter().zip(other.0.iter()).map(|(a, b)| a * b).sum()
    }
}

/// FNV-1a (Fowler, Noll, Vo), 64 bit, finished with a mix so that the low bits are good. Stable
/// across versions and machines, unlike the standard library's hasher.
fn fnv1a(kind: u8, bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let hash = bytes.iter().fold(step(0xcbf2_9ce4_8422_2325, kind), |h, &b| step(h, b));
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^ (hash >> 33)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn paraphrases_are_nearer_than_strangers() {
        let question = NgramVector::of("how do I configure a provider?");
        let paraphrase = NgramVector::of("configuring providers");
        let stranger = NgramVector::of("what is the capital of France");
        assert!(question.cosine(&paraphrase) > 0.4);
        assert!(question.cosine(&stranger) < 0.2);
    }

    #[test]
    fn a_text_without_words_is_like_nothing() {
        assert_eq!(NgramVector::of("?!").cosine(&NgramVector::of("?!")), 0.0);
    }

    proptest! {
        #[test]
        fn likeness_is_symmetric_and_bounded(a in "\\PC{0,60}", b in "\\PC{0,60}") {
            let (va, vb) = (NgramVector::of(&a), NgramVector::of(&b));
            prop_assert!((va.cosine(&vb) - vb.cosine(&va)).abs() < 1e-5);
            prop_assert!(va.cosine(&vb).abs() <= 1.0 + 1e-4);
        }
    }
}
