//! The point itself, in bytes.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

/// Dimensions of a point.
pub const DIMENSIONS: usize = 384;
/// Hexadecimal digits of a point's scale.
const SCALE_DIGITS: usize = 8;

/// A unit vector in bytes, with the step that they count in. Quantising moves a cosine by less than
/// 0.005 (tested) and takes a quarter of the memory. As JSON it is one string of hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Embedding {
    steps: [i8; DIMENSIONS],
    step: f32,
}

impl Embedding {
    /// The direction of a vector; `None` where it has none, or another number of dimensions.
    #[must_use]
    pub fn of(vector: &[f32]) -> Option<Self> {
        let vector: &[f32; DIMENSIONS] = vector.try_into().ok()?;
        let length = vector.iter().map(|v| v * v).sum::<f32>().sqrt();
        let most = vector.iter().fold(0.0_f32, |most, v| most.max(v.abs()));
        if !(length.is_normal() && most > 0.0) {
            return None;
        }
        let steps = vector.map(|v| (v / most * 127.0).round() as i8);
        // The step that gives the quantised vector length one, so that it is like itself by 1.
        let length = steps.iter().map(|s| f32::from(*s) * f32::from(*s)).sum::<f32>().sqrt();
        Some(Self { steps, step: 1.0 / length })
    }

    /// Cosine of two points, −1 to 1.
    #[must_use]
    pub fn cosine(&self, other: &Self) -> f32 {
        let dot: i32 = self
            .steps
            .iter()
            .zip(&other.steps)
            .map(|(a, b)| i32::from(i16::from(*a) * i16::from(*b)))
            .sum();
        dot as f32 * self.step * other.step
    }
}

impl From<Embedding> for String {
    fn from(point: Embedding) -> Self {
        let mut text = Self::with_capacity(SCALE_DIGITS + 2 * DIMENSIONS);
        let step = point.step.to_bits();
        // Writing to a string cannot fail.
        let _ = write!(text, "{step:08x}");
        for step in point.steps {
            let _ = write!(text, "{:02x}", step.cast_unsigned());
        }
        text
    }
}

/// A string that is no point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no embedding")]
pub struct NoEmbedding;

impl TryFrom<String> for Embedding {
    type Error = NoEmbedding;

    fn try_from(text: String) -> Result<Self, NoEmbedding> {
        let (step, rest) = text.split_at_checked(SCALE_DIGITS).ok_or(NoEmbedding)?;
        let step = u32::from_str_radix(step, 16).map_err(|_| NoEmbedding)?;
        let mut steps = [0_i8; DIMENSIONS];
        let (digits, odd) = rest.as_bytes().as_chunks::<2>();
        if !odd.is_empty() || digits.len() != DIMENSIONS {
            return Err(NoEmbedding);
        }
        for (place, digits) in steps.iter_mut().zip(digits) {
            let pair = std::str::from_utf8(digits).map_err(|_| NoEmbedding)?;
            *place = u8::from_str_radix(pair, 16).map_err(|_| NoEmbedding)?.cast_signed();
        }
        let step = f32::from_bits(step);
        if step > 0.0 && step <= 1.0 { Ok(Self { steps, step }) } else { Err(NoEmbedding) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A vector of a number, the same each time.
    fn vector(seed: u32) -> Vec<f32> {
        let mut state = seed.wrapping_mul(0x9e37_79b1) | 1;
        (0..DIMENSIONS)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 8) as f32 / (1 << 23) as f32 - 1.0
            })
            .collect()
    }

    fn exactly(a: &[f32], b: &[f32]) -> f32 {
        let dot = |x: &[f32], y: &[f32]| x.iter().zip(y).map(|(a, b)| a * b).sum::<f32>();
        dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
    }

    #[test]
    fn bytes_keep_the_cosine() {
        for seed in 1..50 {
            let (a, other) = (vector(seed), vector(seed + 1000));
            for share in [0.0, 0.3, 1.0] {
                let b: Vec<f32> = a.iter().zip(&other).map(|(x, y)| x + share * y).collect();
                let kept = Embedding::of(&a).unwrap().cosine(&Embedding::of(&b).unwrap());
                assert!((kept - exactly(&a, &b)).abs() < 0.005, "{kept} {}", exactly(&a, &b));
            }
        }
    }

    #[test]
    fn a_point_comes_back_from_its_text_as_it_was() {
        let point = Embedding::of(&vector(7)).unwrap();
        let text = serde_json::to_string(&point).unwrap();
        assert_eq!(serde_json::from_str::<Embedding>(&text).unwrap(), point);
        assert!((point.cosine(&point) - 1.0).abs() < 1e-5);
    }

    #[test]
    fn what_is_no_point_is_refused() {
        let good = String::from(Embedding::of(&vector(3)).unwrap());
        let step = "7fc00000"; // not a number
        for bad in [
            String::new(),
            "é".repeat(388),
            good[1..].to_owned(),
            format!("{good}00"),
            good.replacen(&good[..8], step, 1),
            format!("{}zz", &good[..good.len() - 2]),
        ] {
            assert_eq!(Embedding::try_from(bad.clone()), Err(NoEmbedding), "{bad}");
        }
        assert_eq!(Embedding::of(&[0.0; DIMENSIONS]), None);
        assert_eq!(Embedding::of(&[f32::NAN; DIMENSIONS]), None);
        assert_eq!(Embedding::of(&[1.0; 3]), None);
    }
}
