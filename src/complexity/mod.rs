//! How demanding a request is, by named dimensions.
//!
//! The rules here are weights set by hand, not fitted: their score orders requests by demand, and
//! its calibration is published by the evaluation rather than claimed. What they guarantee is
//! that *no evidence is never simple*: a text in which no dimension speaks lands in the middle.

mod dimensions;

use crate::{
    domain::{Complexity, ComplexityTier, Dimension, Request, Thresholds},
    text::elp,
};
use dimensions::{Features, RULES};

/// Log-odds of a text about which nothing is known: a score of 0.46, `moderate`.
const BIAS: f64 = -0.15;

/// Analyses a request under the thresholds in force. Pure; linear in the length of the input.
#[must_use]
pub fn analyse(request: &Request, thresholds: &Thresholds) -> Complexity {
    let features = Features::of(request);
    let mut dimensions: Vec<Dimension> = RULES
        .iter()
        .map(|rule| {
            let value = (rule.measure)(&features).clamp(0.0, 1.0);
            Dimension { name: rule.name.into(), value, contribution: value * rule.weight }
        })
        .filter(|d| d.value > 0.0)
        .collect();
    let log_odds = BIAS + dimensions.iter().map(|d| d.contribution).sum::<f64>();
    dimensions.sort_by(|a, b| b.contribution.abs().total_cmp(&a.contribution.abs()));
    let score = 1.0 / (1.0 + (-log_odds).exp());
    Complexity {
        score,
        tier: tier(score, thresholds),
        dimensions,
        elp: elp(&request.input),
        needs_asi: features.asks_to_create(),
    }
}

/// The tier of a score.
#[must_use]
pub fn tier(score: f64, thresholds: &Thresholds) -> ComplexityTier {
    if score >= thresholds.complex_complexity {
        ComplexityTier::Complex
    } else if score >= thresholds.moderate_complexity {
        ComplexityTier::Moderate
    } else {
        ComplexityTier::Simple
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::domain::{Budget, ResponseId, TenantId};

    fn analysed(input: &str) -> Complexity {
        let request = Request {
            id: ResponseId::generate(),
            tenant: TenantId::default(),
            session: None,
            input: input.to_owned(),
            context: Vec::new(),
            strategy: None,
            mode: None,
            consensus: None,
            budget: Budget { deadline: Duration::from_secs(1), max_cost_usd: None },
            dialogue: None,
            expert: None,
            no_store: false,
            fresh: false,
        };
        analyse(&request, &Thresholds::default())
    }

    #[test]
    fn no_evidence_is_never_simple() {
        for input in ["xyzzy", "…", "Полный текст", "量子力学", "hmm", "a b c"] {
            assert_ne!(analysed(input).tier, ComplexityTier::Simple, "{input}");
        }
    }

    #[test]
    fn a_direct_short_question_is_simple() {
        for input in ["what is 2+2?", "What is the capital of France?", "convert 3 km to miles"] {
            assert_eq!(analysed(input).tier, ComplexityTier::Simple, "{input}");
        }
    }

    #[test]
    fn reasoning_over_several_steps_is_complex() {
        let input = "Prove that the sum of two odd numbers is even, then explain why the converse \
                     fails, and compare both arguments step by step with a counterexample.";
        let found = analysed(input);
        assert_eq!(found.tier, ComplexityTier::Complex, "{found:?}");
    }

    #[test]
    fn writing_and_coding_need_the_ai_tier() {
        assert!(analysed("Write a short poem about the sea").needs_asi);
        assert!(analysed("Translate this into French: good morning").needs_asi);
        assert!(!analysed("how many feet are in a mile").needs_asi);
    }

    proptest! {
        #[test]
        fn the_dimensions_add_up_to_the_score(input in "\\PC{1,200}") {
            let found = analysed(&input);
            let sum: f64 = BIAS + found.dimensions.iter().map(|d| d.contribution).sum::<f64>();
            prop_assert!((found.score - 1.0 / (1.0 + (-sum).exp())).abs() < 1e-9);
            prop_assert!((0.0..=1.0).contains(&found.score));
        }
    }
}
