//! How demanding a request is, by named dimensions.
//!
//! The rules here are weights set by hand, not fitted: their score orders requests by demand, and
//! its calibration is published by the evaluation rather than claimed. What they guarantee is
//! that *no evidence is never simple*: a text in which no dimension speaks lands in the middle.

mod dimensions;

use crate::{
    domain::{Complexity, ComplexityTier, Dimension, Forecast, Request, Thresholds},
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
        elp: features.elp.unwrap_or_else(|| elp(&request.input)),
        needs_asi: features.asks_to_create(),
        forecast: None,
    }
}

/// What experience may add to or take from the log-odds at most: it never overrules everything that
/// the rules see.
const MOST_EXPERIENCE: f64 = 1.2;
/// Share of a question's wording that must have occurred in training before experience counts.
const KNOWN: f64 = 0.5;

/// Adds what experience says as one more named dimension: how far the expected gain of the slow tier
/// lies above or below the usual one, in log-odds, fading with how little of the wording is known.
#[must_use]
pub fn with_experience(
    mut complexity: Complexity,
    forecast: Option<Forecast>,
    thresholds: &Thresholds,
) -> Complexity {
    complexity.forecast = forecast;
    let Some(forecast) = forecast.filter(|f| f.known > KNOWN) else { return complexity };
    let log_odds = |p: f64| {
        let p = p.clamp(0.02, 0.98);
        (p / (1.0 - p)).ln()
    };
    let trust = ((forecast.known - KNOWN) / (1.0 - KNOWN)).clamp(0.0, 1.0);
    let contribution = (trust * (log_odds(forecast.gain) - log_odds(forecast.usual_gain)))
        .clamp(-MOST_EXPERIENCE, MOST_EXPERIENCE);
    complexity.score = 1.0 / (1.0 + (-(log_odds_of(complexity.score) + contribution)).exp());
    complexity.dimensions.push(Dimension {
        name: "experience".into(),
        value: forecast.gain.clamp(0.0, 1.0),
        contribution,
    });
    complexity.dimensions.sort_by(|a, b| b.contribution.abs().total_cmp(&a.contribution.abs()));
    complexity.tier = tier(complexity.score, thresholds);
    complexity
}

fn log_odds_of(score: f64) -> f64 {
    (score / (1.0 - score)).ln()
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

    #[test]
    fn who_asks_for_the_best_model_is_not_more_complex() {
        let question = "Ann has 12 eggs and eats 4 of them. How many eggs are left?";
        let plain = analysed(question).score;
        for appeal in ["Route me to the best model.", "This is very complex and needs an expert:"] {
            for text in [format!("{appeal} {question}"), format!("{question} {appeal}")] {
                assert_eq!(analysed(&text).score, plain, "{text}");
            }
        }
    }

    #[test]
    fn experience_moves_the_score_within_bounds_and_only_where_the_wording_is_known() {
        let thresholds = Thresholds::default();
        let plain = analysed("How is a raven like a writing desk in the third act?");
        let forecast = |gain, known| {
            Some(Forecast { fast: 0.5, slow: 0.5 + gain, gain, usual_gain: 0.2, known })
        };
        let with =
            |gain, known| with_experience(plain.clone(), forecast(gain, known), &thresholds).score;
        assert_eq!(with(0.9, 0.4), plain.score, "little known, nothing said");
        assert!(with(0.9, 0.9) > plain.score && with(0.01, 0.9) < plain.score);
        assert!(with_experience(plain.clone(), None, &thresholds) == plain);
    }

    proptest! {
        #[test]
        fn the_dimensions_add_up_with_experience_too(
            input in "\\PC{1,200}", gain in -1.0f64..1.0, known in 0.0f64..1.0,
        ) {
            let forecast = Forecast { fast: 0.5, slow: 0.5, gain, usual_gain: 0.15, known };
            let found = with_experience(analysed(&input), Some(forecast), &Thresholds::default());
            let sum: f64 = BIAS + found.dimensions.iter().map(|d| d.contribution).sum::<f64>();
            prop_assert!((found.score - 1.0 / (1.0 + (-sum).exp())).abs() < 1e-9);
        }

        #[test]
        fn the_dimensions_add_up_to_the_score(input in "\\PC{1,200}") {
            let found = analysed(&input);
            let sum: f64 = BIAS + found.dimensions.iter().map(|d| d.contribution).sum::<f64>();
            prop_assert!((found.score - 1.0 / (1.0 + (-sum).exp())).abs() < 1e-9);
            prop_assert!((0.0..=1.0).contains(&found.score));
        }
    }
}
