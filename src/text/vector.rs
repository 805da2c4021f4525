//! Hashed n-gram vectors: a likeness of texts that needs no model and no vocabulary.

use super::{fold, is_stop_word, stem, words::words_of_folded};

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
        let folded = fold(text);
        let mut previous: Option<u64> = None;
        let (mut padded, mut starts) = (String::new(), Vec::new());
        for word in words_of_folded(&folded) {
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
                padded.clear();
                padded.extend(["^", word, "$"]);
                starts.clear();
                starts.extend(padded.char_indices().map(|(at, _)| at));
                starts.push(padded.len());
                for ends in starts.windows(4) {
                    let gram = ends.first().zip(ends.last()).map(|(from, to)| *from..*to);
                    let gram = gram.and_then(|gram| padded.as_bytes().get(gram));
                    add(fnv1a(b'c', gram.unwrap_or_default()), Self::TRIGRAM);
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
        // Sums side by side: one alone would have to wait for each addition before the next.
        const LANES: usize = 16;
        let mut sums = [0f32; LANES];
        for (a, b) in self.0.chunks_exact(LANES).zip(other.0.chunks_exact(LANES)) {
            for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
                *sum += a * b;
            }
        }
        sums.iter().sum()
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
