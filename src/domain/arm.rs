//! What Adaptive chooses among, and what it expects of each choice.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{AsiMode, Strategy};

/// One of Adaptive's choices: a strategy, and for AIFirst also the ASI mode. Elsewhere the mode
/// follows the complexity, as always.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Arm {
    /// RuntimeFirst.
    RuntimeFirst,
    /// Hybrid.
    Hybrid,
    /// ParallelFusion.
    ParallelFusion,
    /// AIFirst in the mode `fast`.
    AiFirstFast,
    /// AIFirst in the mode `balanced`.
    AiFirstBalanced,
    /// AIFirst in the mode `thorough`.
    AiFirstThorough,
    /// AIFirst in the mode `reasoning`.
    AiFirstReasoning,
}

/// How many arms there are.
pub const ARMS: usize = 7;

impl Arm {
    /// Every arm, in the order of their indices.
    pub const ALL: [Self; ARMS] = [
        Self::RuntimeFirst,
        Self::Hybrid,
        Self::ParallelFusion,
        Self::AiFirstFast,
        Self::AiFirstBalanced,
        Self::AiFirstThorough,
        Self::AiFirstReasoning,
    ];

    /// Its place in [`Self::ALL`].
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The name on the wire, in metric labels and in the ledger.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::RuntimeFirst => "runtime_first",
            Self::Hybrid => "hybrid",
            Self::ParallelFusion => "parallel_fusion",
            Self::AiFirstFast => "ai_first_fast",
            Self::AiFirstBalanced => "ai_first_balanced",
            Self::AiFirstThorough => "ai_first_thorough",
            Self::AiFirstReasoning => "ai_first_reasoning",
        }
    }

    /// The arm of this name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|arm| arm.name() == name)
    }

    /// The strategy that it follows.
    #[must_use]
    pub const fn strategy(self) -> Strategy {
        match self {
            Self::RuntimeFirst => Strategy::RuntimeFirst,
            Self::Hybrid => Strategy::Hybrid,
            Self::ParallelFusion => Strategy::ParallelFusion,
            _ => Strategy::AiFirst,
        }
    }

    /// The mode that it asks for; `None` where the complexity picks it.
    #[must_use]
    pub const fn mode(self) -> Option<AsiMode> {
        match self {
            Self::AiFirstFast => Some(AsiMode::Fast),
            Self::AiFirstBalanced => Some(AsiMode::Balanced),
            Self::AiFirstThorough => Some(AsiMode::Thorough),
            Self::AiFirstReasoning => Some(AsiMode::Reasoning),
            _ => None,
        }
    }
}

/// Classes of requests by their complexity score, evenly from 0 to 1.
pub const NEEDS: usize = 8;

/// The class of a request with this complexity score.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a small number that is not negative"
)]
pub fn need_of(complexity: f64) -> usize {
    ((complexity.clamp(0.0, 1.0) * NEEDS as f64) as usize).min(NEEDS - 1)
}

/// What is expected of an arm for one class of requests.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Expectation {
    /// Chance with which Adaptive chooses it.
    pub share: f64,
    /// Chance of a right answer; a request without an answer has none.
    pub right: f64,
    /// Time to the answer, in seconds.
    pub latency_s: f64,
    /// Cost, in US dollars.
    pub cost_usd: f64,
    /// What that is worth under Adaptive's rule.
    pub utility: f64,
}

/// What is expected of every arm, by class of requests. Learned; read by the decision.
#[derive(Debug, Clone, PartialEq)]
pub struct Outlook {
    /// By class, then by arm.
    pub needs: [[Expectation; ARMS]; NEEDS],
    /// Outcomes that it rests on, after fading.
    pub judged: [f64; ARMS],
}

impl Outlook {
    /// The arms for a request with this complexity score.
    #[must_use]
    pub fn of(&self, complexity: f64) -> &[Expectation; ARMS] {
        // The class is below NEEDS by construction; the fallback only keeps the access total.
        self.needs.get(need_of(complexity)).unwrap_or(&self.needs[0])
    }
}

impl Default for Outlook {
    /// Nothing is known: all arms alike.
    fn default() -> Self {
        #[expect(clippy::cast_precision_loss, reason = "a handful")]
        let share = 1.0 / ARMS as f64;
        let alike = Expectation { share, right: 0.5, latency_s: 0.0, cost_usd: 0.0, utility: 0.5 };
        Self { needs: [[alike; ARMS]; NEEDS], judged: [0.0; ARMS] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_arm_is_found_by_its_name_and_place() {
        for (index, arm) in Arm::ALL.into_iter().enumerate() {
            assert_eq!((arm.index(), Arm::of_name(arm.name())), (index, Some(arm)));
            assert_eq!(serde_json::to_value(arm).unwrap(), arm.name());
        }
    }

    #[test]
    fn every_other_strategy_and_every_mode_is_an_arm() {
        let strategies: Vec<_> = Arm::ALL.iter().map(|arm| arm.strategy()).collect();
        let others = Strategy::ALL.iter().filter(|s| **s != Strategy::Adaptive);
        assert!(others.into_iter().all(|s| strategies.contains(s)));
        let modes: Vec<_> = Arm::ALL.iter().filter_map(|arm| arm.mode()).collect();
        assert_eq!(modes, AsiMode::ALL);
    }

    #[test]
    fn every_score_has_a_class() {
        assert_eq!([-1.0, 0.0, 0.13, 0.99, 1.0, f64::NAN].map(need_of), [0, 0, 1, 7, 7, 0]);
    }
}
