//! What Hybrid promises of its answers, and whether the evidence carries it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What Hybrid promises: that of the next requests with a draft, as many as were audited, at most
/// `alpha` lose a right answer against always asking ASI, with confidence `1 − delta`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct QualityTarget {
    /// Most right answers that may be lost against always asking ASI, as a share of the requests
    /// that Flux has a draft for; 0 promises nothing and leaves the cut-off to
    /// `thresholds.keep_signal`. Else from 0.001.
    #[schema(minimum = 0, maximum = 0.5)]
    pub alpha: f64,
    /// Chance that the promise does not hold.
    #[schema(minimum = 0.001, maximum = 0.5)]
    pub delta: f64,
}

impl Default for QualityTarget {
    fn default() -> Self {
        Self { alpha: 0.0, delta: 0.05 }
    }
}

impl QualityTarget {
    /// Whether anything is promised.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.alpha > 0.0
    }
}

/// What the evidence says of a quality target.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Promise {
    /// It is kept by a cut-off.
    Kept {
        /// Drafts with at least this signal are kept, any other escalated.
        keep_signal: f64,
        /// Upper bound of the mean loss, with the confidence that was asked for.
        loss_bound: f64,
        /// Share of drafted requests that go to ASI.
        slow_share: f64,
        /// Audited requests behind it.
        n: usize,
    },
    /// Nothing can be promised yet; `thresholds.keep_signal` is in force.
    Thin {
        /// Audited requests so far.
        n: usize,
        /// Audited requests that are enough, where the surest do not lose.
        needed: usize,
    },
    /// Even the surest drafts lose too often: none is kept, however sure.
    Unsure {
        /// Audited requests behind it.
        n: usize,
    },
}

impl Promise {
    /// Whether it decides what is kept, in place of `thresholds.keep_signal`.
    #[must_use]
    pub fn is_in_force(&self) -> bool {
        !matches!(self, Self::Thin { .. })
    }

    /// The signal from which drafts are kept; `None` where it keeps none, and where it is not in
    /// force.
    #[must_use]
    pub fn keep_signal(&self) -> Option<f64> {
        match self {
            Self::Kept { keep_signal, .. } => Some(*keep_signal),
            Self::Thin { .. } | Self::Unsure { .. } => None,
        }
    }
}
