//! Adaptive's choice: a table of chances, and the dice.

use crate::domain::{ARMS, Alternative, Arm, AsiMode, Complexity, Outlook, Strategy};

/// What was chosen, with what chance, and what else there was.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// The arm.
    pub arm: Arm,
    /// The chance that it had.
    pub probability: f64,
    /// All that had one, in the order of their definition.
    pub alternatives: Vec<Alternative>,
}

/// Chooses an arm for a request. `dice` is from [0, 1); the same dice choose the same.
///
/// RuntimeFirst has no chance where the task is of a kind that only a language model can do. Where
/// the caller names a mode, AIFirst is one arm, in that mode.
#[must_use]
pub fn choose(
    outlook: &Outlook,
    complexity: &Complexity,
    mode: Option<AsiMode>,
    dice: f64,
) -> Choice {
    let mut alternatives = Vec::with_capacity(ARMS);
    let expectations = outlook.of(complexity.score);
    let mut merged = 0.0;
    for (arm, expected) in Arm::ALL.into_iter().zip(expectations) {
        if complexity.needs_asi && arm == Arm::RuntimeFirst {
            continue;
        }
        if mode.is_some() && arm.strategy() == Strategy::AiFirst && arm.mode() != mode {
            merged += expected.share;
            continue;
        }
        alternatives.push(Alternative {
            arm,
            probability: expected.share,
            expected_accuracy: expected.right,
            expected_latency_ms: expected.latency_s * 1000.0,
            expected_cost_usd: expected.cost_usd,
        });
    }
    if let Some(named) = alternatives.iter_mut().find(|a| a.arm.strategy() == Strategy::AiFirst) {
        named.probability += merged;
    }
    let whole: f64 = alternatives.iter().map(|a| a.probability).sum();
    let mut chosen = (Arm::Hybrid, 1.0);
    let mut passed = 0.0;
    let mut found = false;
    for alternative in &mut alternatives {
        alternative.probability /= whole;
        passed += alternative.probability;
        // The last one stays chosen should rounding leave the dice beyond the sum.
        if !found {
            chosen = (alternative.arm, alternative.probability);
            found = dice < passed;
        }
    }
    Choice { arm: chosen.0, probability: chosen.1, alternatives }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{ComplexityTier, Elp};

    fn complexity(score: f64, needs_asi: bool) -> Complexity {
        let tier = ComplexityTier::Moderate;
        Complexity {
            score,
            tier,
            dimensions: Vec::new(),
            elp: Elp::default(),
            needs_asi,
            forecast: None,
        }
    }

    fn uneven() -> Outlook {
        let mut outlook = Outlook::default();
        for need in &mut outlook.needs {
            for (expected, share) in need.iter_mut().zip([0.3, 0.2, 0.1, 0.1, 0.1, 0.15, 0.05]) {
                expected.share = share;
            }
        }
        outlook
    }

    #[test]
    fn the_dice_fall_in_the_order_of_the_arms() {
        let arm = |dice| choose(&uneven(), &complexity(0.5, false), None, dice).arm;
        assert_eq!(arm(0.0), Arm::RuntimeFirst);
        assert_eq!(arm(0.31), Arm::Hybrid);
        assert_eq!(arm(0.999_999), Arm::AiFirstReasoning);
    }

    #[test]
    fn what_only_a_model_can_do_is_never_left_to_flux() {
        for i in 0..100 {
            let dice = f64::from(i) / 100.0;
            let choice = choose(&uneven(), &complexity(0.5, true), None, dice);
            assert_ne!(choice.arm, Arm::RuntimeFirst);
        }
    }

    #[test]
    fn a_named_mode_makes_aifirst_one_arm() {
        let choice = choose(&uneven(), &complexity(0.5, false), Some(AsiMode::Thorough), 0.99);
        assert_eq!(choice.arm, Arm::AiFirstThorough);
        assert!((choice.probability - 0.4).abs() < 1e-12);
        assert_eq!(choice.alternatives.len(), 4);
    }

    proptest! {
        #[test]
        fn the_chances_sum_to_one_and_are_those_of_the_dice(
            score in 0.0..=1.0f64, needs_asi: bool, mode in proptest::option::of(0usize..4),
        ) {
            let mode = mode.map(|m| AsiMode::ALL[m]);
            let complexity = complexity(score, needs_asi);
            let rolls = 2000;
            let mut counted = [0.0; ARMS];
            for i in 0..rolls {
                let dice = (f64::from(i) + 0.5) / f64::from(rolls);
                counted[choose(&uneven(), &complexity, mode, dice).arm.index()] += 1.0 / f64::from(rolls);
            }
            let choice = choose(&uneven(), &complexity, mode, 0.5);
            let whole: f64 = choice.alternatives.iter().map(|a| a.probability).sum();
            prop_assert!((whole - 1.0).abs() < 1e-9);
            for alternative in choice.alternatives {
                let share = counted[alternative.arm.index()];
                prop_assert!((share - alternative.probability).abs() < 0.01);
            }
        }
    }
}
