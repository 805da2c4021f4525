//! What the analysis found and where the request was sent.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Arm, AsiMode, Draft, Elp, Forecast, Strategy};

/// How demanding a request looks.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ComplexityTier {
    /// There is evidence that the fast tier will do.
    Simple,
    /// Some demand, or no evidence either way: unknown is never simple.
    Moderate,
    /// The slow tier is likely to be needed.
    Complex,
}

impl ComplexityTier {
    /// The name on the wire and in labels.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Simple => "simple",
            Self::Moderate => "moderate",
            Self::Complex => "complex",
        }
    }
}

/// One named part of the complexity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Dimension {
    /// The name, from a fixed set.
    #[schema(value_type = String)]
    pub name: std::borrow::Cow<'static, str>,
    /// How strongly it is present, 0 to 1.
    pub value: f64,
    /// What it added to (or took from) the score's log-odds.
    pub contribution: f64,
}

/// The analysis of a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Complexity {
    /// Chance that the fast tier would be wrong where the slow tier would be right, 0 to 1.
    pub score: f64,
    /// The score's tier under the policy's thresholds.
    pub tier: ComplexityTier,
    /// The parts, most telling first.
    pub dimensions: Vec<Dimension>,
    /// How the request speaks.
    pub elp: Elp,
    /// Whether the task is of a kind that only a language model can do (write, translate, code).
    pub needs_asi: bool,
    /// What experience says of it, where there is any.
    pub forecast: Option<Forecast>,
}

/// Where a request was sent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Route {
    /// Flux alone answered, or was asked alone.
    Flux,
    /// Flux drafted, then ASI was asked.
    FluxThenAsi,
    /// ASI was asked first.
    Asi,
    /// Both at once.
    Both,
}

impl Route {
    /// The name on the wire and in labels.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Flux => "flux",
            Self::FluxThenAsi => "flux_then_asi",
            Self::Asi => "asi",
            Self::Both => "both",
        }
    }
}

/// What routing decided, with the probability of having decided so.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// The strategy in force.
    pub strategy: Strategy,
    /// The strategy whose way the request goes: the one in force, or what Adaptive chose.
    pub follows: Strategy,
    /// What Adaptive chose.
    pub arm: Option<Arm>,
    /// Where the request goes first.
    pub route: Route,
    /// The ASI mode, should ASI be asked.
    pub mode: AsiMode,
    /// Whether Flux's local drafter is worth asking.
    pub ask_drafter: bool,
    /// Whether ASI may be asked after Flux.
    pub may_escalate: bool,
    /// Signal that a Flux draft needs to be kept; `None` where none is sure enough.
    pub keep_signal: Option<f64>,
    /// Whether a quality target decides what is kept.
    pub promised: bool,
    /// Chance with which this route was chosen (1 unless exploring): learning's propensity.
    pub probability: f64,
    /// Why, in one plain sentence.
    pub reason: String,
    /// What else was thought of, and what was expected of each: Adaptive's arms; empty elsewhere.
    pub alternatives: Vec<Alternative>,
}

impl Decision {
    /// Whether a draft of Flux is kept without asking ASI.
    #[must_use]
    pub fn keeps(&self, draft: &Draft) -> bool {
        self.keep_signal.is_some_and(|least| draft.signal.get() >= least)
    }
}

/// One way that a request could have gone, as it looked before.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct Alternative {
    /// The way.
    pub arm: Arm,
    /// Chance with which it is chosen.
    #[schema(minimum = 0, maximum = 1)]
    pub probability: f64,
    /// Chance of a right answer that is expected of it.
    #[schema(minimum = 0, maximum = 1)]
    pub expected_accuracy: f64,
    /// Latency that is expected of it, in milliseconds.
    #[schema(minimum = 0)]
    pub expected_latency_ms: f64,
    /// Cost that is expected of it, in US dollars; 0 where no price is configured.
    #[schema(minimum = 0)]
    pub expected_cost_usd: f64,
}
