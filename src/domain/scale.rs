//! The three scales: where a request is, how likely a draft is right, how a text speaks.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A value that left its scale.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum ScaleError {
    /// Positions run from 1 to 9.
    #[error("a position is a whole number from 1 to 9, not {0}")]
    Position(u8),
    /// Probabilities run from 0 to 1 and are never NaN.
    #[error("a signal is a probability from 0 to 1, not {0}")]
    Signal(f64),
}

/// A position of the vortex, 1 to 9. Positions 3, 6 and 9 are the checkpoints ("sacred"): they
/// never produce an answer, they check one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Position(u8);

impl Position {
    /// Parsed, normalised, tenant and session resolved.
    pub const RECEIVED: Self = Self(1);
    /// Complexity, ELP and decision known.
    pub const ANALYSED: Self = Self(2);
    /// Checkpoint: context chosen, drafts grounded.
    pub const CONTEXT: Self = Self(3);
    /// Flux drafted.
    pub const DRAFTED: Self = Self(4);
    /// The answer is composed.
    pub const COMPOSED: Self = Self(5);
    /// Checkpoint: independent sources weighed against each other.
    pub const FUSION: Self = Self(6);
    /// All drafts in ladder order.
    pub const RANKED: Self = Self(7);
    /// ASI's experts asked.
    pub const EXPANDED: Self = Self(8);
    /// Checkpoint: the answer verified; the gate to the lake.
    pub const VERIFIED: Self = Self(9);

    /// The number itself, 1 to 9.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }

    /// Whether this is one of the checkpoints 3, 6 and 9.
    #[must_use]
    pub const fn is_checkpoint(self) -> bool {
        self.0.is_multiple_of(3)
    }
}

impl TryFrom<u8> for Position {
    type Error = ScaleError;
    fn try_from(value: u8) -> Result<Self, Self::Error> {
        if (1..=9).contains(&value) { Ok(Self(value)) } else { Err(ScaleError::Position(value)) }
    }
}

impl From<Position> for u8 {
    fn from(value: Position) -> Self {
        value.0
    }
}

/// Probability in [0, 1] that a draft is right. Not a model's praise of itself.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Signal(f64);

impl Signal {
    /// Surely wrong, or nothing known.
    pub const ZERO: Self = Self(0.0);
    /// Proven.
    pub const ONE: Self = Self(1.0);

    /// Takes a probability as it is.
    ///
    /// # Errors
    /// [`ScaleError::Signal`] outside [0, 1] or for NaN.
    pub fn new(value: f64) -> Result<Self, ScaleError> {
        if (0.0..=1.0).contains(&value) { Ok(Self(value)) } else { Err(ScaleError::Signal(value)) }
    }

    /// The nearest value on the scale; NaN becomes 0, because no evidence is no confidence.
    #[must_use]
    pub fn clamped(value: f64) -> Self {
        if value.is_nan() { Self::ZERO } else { Self(value.clamp(0.0, 1.0)) }
    }

    /// The probability.
    #[must_use]
    pub const fn get(self) -> f64 {
        self.0
    }

    /// What the vote of somebody weighs who is right with this probability p: its log-odds
    /// ln(p ÷ (1 − p)) against each of two ways to be wrong, that is ln(2p ÷ (1 − p)); from 0.05,
    /// so that no voice counts for nothing, to 5.29, the weight at 0.99.
    ///
    /// Log-odds are the best weights where errors are independent and there is one way to be wrong
    /// (Nitzan and Paroush 1982). Open questions have many, and then even those who are more often
    /// wrong than right seldom agree by chance: a constant for that keeps them from being silenced.
    #[must_use]
    pub fn vote_weight(self) -> f64 {
        let p = self.0.clamp(0.001, 0.99);
        (2.0 * p / (1.0 - p)).ln().max(0.05)
    }
}

impl TryFrom<f64> for Signal {
    type Error = ScaleError;
    fn try_from(value: f64) -> Result<Self, Self::Error> {
        Self::new(value)
    }
}

impl From<Signal> for f64 {
    fn from(value: Signal) -> Self {
        value.0
    }
}

/// How a text speaks, each from 0 to 9.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Elp {
    /// Credibility and norms: sources, authority, what ought to be.
    pub ethos: f64,
    /// Reasoning and quantity: numbers, causes, conditions.
    pub logos: f64,
    /// Feeling: urgency, hope, fear, praise and blame.
    pub pathos: f64,
}

impl Elp {
    /// Builds a profile, each value brought to 0–9.
    #[must_use]
    pub fn clamped(ethos: f64, logos: f64, pathos: f64) -> Self {
        let on_scale = |v: f64| if v.is_nan() { 0.0 } else { v.clamp(0.0, 9.0) };
        Self { ethos: on_scale(ethos), logos: on_scale(logos), pathos: on_scale(pathos) }
    }

    /// The mean of profiles under non-negative weights; the neutral profile when all weigh nothing.
    #[must_use]
    pub fn weighted_mean(parts: &[(Self, f64)]) -> Self {
        let total: f64 = parts.iter().map(|(_, w)| w.max(0.0)).sum();
        if total <= 0.0 {
            return Self::default();
        }
        let mean = |pick: fn(&Self) -> f64| {
            parts.iter().map(|(elp, w)| pick(elp) * w.max(0.0)).sum::<f64>() / total
        };
        Self::clamped(mean(|e| e.ethos), mean(|e| e.logos), mean(|e| e.pathos))
    }

    /// How far two profiles lie apart, from 0 (alike) to 1 (opposite corners).
    #[must_use]
    pub fn drift(&self, other: &Self) -> f64 {
        let square = |a: f64, b: f64| (a - b) * (a - b);
        let sum = square(self.ethos, other.ethos)
            + square(self.logos, other.logos)
            + square(self.pathos, other.pathos);
        (sum / 3.0).sqrt() / 9.0
    }
}
