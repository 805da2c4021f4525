//! The named choices of the API: strategies, modes, consensus, tiers.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A name that is none of the known ones; says which are.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is no {kind}; known are {known}")]
pub struct UnknownName {
    /// What was given.
    pub given: String,
    /// What kind of name was wanted.
    pub kind: &'static str,
    /// The names that would have been right, comma-separated.
    pub known: String,
}

/// Gives an enum its wire names, the aliases it also reads, and the list of all of them.
macro_rules! named {
    ($(#[$doc:meta])* $type:ident, $kind:literal { $($(#[$vdoc:meta])* $variant:ident = $name:tt $(| $alias:tt)*),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
        pub enum $type { $($(#[$vdoc])* #[serde(rename = $name $(, alias = $alias)*)] $variant),+ }

        impl $type {
            /// Every value, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name on the wire, in metric labels and in the ledger.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }

        impl FromStr for $type {
            type Err = UnknownName;
            fn from_str(given: &str) -> Result<Self, Self::Err> {
                match given {
                    $($name $(| $alias)* => Ok(Self::$variant),)+
                    _ => Err(UnknownName {
                        given: given.chars().take(64).collect(),
                        kind: $kind,
                        known: [$($name),+].join(", "),
                    }),
                }
            }
        }
    };
}

named! {
    /// Which mind is asked, and in what order.
    Strategy, "strategy" {
        /// ASI answers; Flux's best draft stands in when ASI fails.
        AiFirst = "ai_first" | "AIFirst" | "AiFirst",
        /// Flux answers; ASI is asked when Flux abstains.
        RuntimeFirst = "runtime_first" | "RuntimeFirst",
        /// Draft, then decide: keep the draft or escalate it.
        Hybrid = "hybrid" | "Hybrid",
        /// Both at once, fused at position 6.
        ParallelFusion = "parallel_fusion" | "ParallelFusion",
        /// Chooses among the four others, and ASI's modes, by what each has lately been worth.
        Adaptive = "adaptive" | "Adaptive",
    }
}

impl Strategy {
    /// The name by which chat clients ask for the service with this strategy: `meta/hybrid`.
    #[must_use]
    pub fn model_name(self) -> String {
        format!("meta/{}", self.name().replace('_', "-"))
    }
}

/// What a chat client means that asks for the service itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnModel {
    /// Whatever the policy says: `meta`, `auto`.
    Policy,
    /// This strategy: `meta/hybrid` and the like.
    Strategy(Strategy),
}

impl OwnModel {
    /// The names that route by the policy.
    pub const BY_POLICY: [&'static str; 2] = ["auto", "meta"];

    /// Reads a model's name; `None` for names that are no own. Strategies are read as they are
    /// written elsewhere, too: `meta/ai_first`.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        if Self::BY_POLICY.contains(&name) {
            return Some(Self::Policy);
        }
        let strategy = name.strip_prefix("meta/")?.replace('-', "_");
        strategy.parse().ok().map(Self::Strategy)
    }
}

named! {
    /// How hard ASI tries.
    AsiMode, "ASI mode" {
        /// The best single expert.
        Fast = "fast",
        /// One expert, verified; a second opinion when its signal is low.
        Balanced = "balanced",
        /// At least three experts and consensus.
        Thorough = "thorough",
        /// Thorough, plus one revision when verification fails.
        Reasoning = "reasoning",
    }
}

named! {
    /// How experts' answers become one, always over canonical answers.
    Consensus, "consensus strategy" {
        /// One expert, one vote.
        MajorityVote = "majority_vote",
        /// Votes weighed by signal.
        WeightedConfidence = "weighted_confidence",
        /// The single draft with the highest signal.
        BestResponse = "best_response",
        /// Independent evidence for an answer multiplies (noisy-or over each class).
        Ensemble = "ensemble",
        /// Votes weighed by the operator's own table.
        CustomWeights = "custom_weights",
    }
}

named! {
    /// One of the two minds.
    Tier, "tier" {
        /// The runtime tier: in process, quick.
        Flux = "flux",
        /// The AI tier: slow and strong.
        Asi = "asi",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_strategy_has_a_model_name_that_means_it() {
        for strategy in Strategy::ALL {
            let meant = OwnModel::of(&strategy.model_name());
            assert_eq!(meant, Some(OwnModel::Strategy(*strategy)));
        }
        assert_eq!(Strategy::ParallelFusion.model_name(), "meta/parallel-fusion");
        assert_eq!(OwnModel::of("meta/AIFirst"), Some(OwnModel::Strategy(Strategy::AiFirst)));
        assert_eq!(OwnModel::of("auto"), Some(OwnModel::Policy));
        for stranger in ["meta/llama-3.1-8b", "hybrid", "meta/", "openrouter/auto", "gpt-4o"] {
            assert_eq!(OwnModel::of(stranger), None, "{stranger}");
        }
    }
}
