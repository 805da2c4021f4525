//! The decision: which mind, in what order, with what probability. Pure, so that replay and
//! evaluation reuse it unchanged.

use crate::domain::{
    AsiMode, Complexity, ComplexityTier, Decision, Policy, Route, Strategy, Tier, TierRecord,
};

/// Stands in for a tier's record until there is one: what an untried tier is assumed to be worth.
const UNTRIED_FLUX: TierRecord = TierRecord { requests: 0, success: 0.5, latency_ms: 1.0 };
const UNTRIED_ASI: TierRecord = TierRecord { requests: 0, success: 0.8, latency_ms: 1000.0 };

/// Decides where a request goes. `strategy` and `mode` are the caller's wishes; `dice` is a number
/// from [0, 1) by which Adaptive explores, handed in so that the same dice decide the same.
#[must_use]
pub fn decide(
    strategy: Option<Strategy>,
    mode: Option<AsiMode>,
    complexity: &Complexity,
    policy: &Policy,
    dice: f64,
) -> Decision {
    let strategy = strategy.unwrap_or(policy.strategy);
    let keep = policy.thresholds.keep_signal;
    let plan = Decision {
        strategy,
        route: Route::Flux,
        mode: mode.unwrap_or_else(|| mode_for(complexity.tier)),
        ask_drafter: true,
        may_escalate: true,
        keep_signal: keep,
        probability: 1.0,
        reason: String::new(),
    };
    match strategy {
        Strategy::AiFirst => Decision {
            route: Route::Asi,
            reason: "AIFirst asks ASI; Flux stands in should it fail".into(),
            ..plan
        },
        Strategy::RuntimeFirst => Decision {
            may_escalate: policy.runtime_fallback,
            keep_signal: policy.thresholds.abstain_floor,
            reason: "RuntimeFirst asks Flux; ASI is asked only when Flux abstains".into(),
            ..plan
        },
        Strategy::ParallelFusion => Decision {
            route: Route::Both,
            reason: "ParallelFusion asks both and fuses at position 6".into(),
            ..plan
        },
        Strategy::Hybrid => hybrid(complexity, plan),
        Strategy::Adaptive => adaptive(complexity, policy, dice, plan),
    }
}

/// The mode that a complexity asks for.
const fn mode_for(tier: ComplexityTier) -> AsiMode {
    match tier {
        ComplexityTier::Simple => AsiMode::Fast,
        ComplexityTier::Moderate => AsiMode::Balanced,
        ComplexityTier::Complex => AsiMode::Thorough,
    }
}

/// The analysis requires ASI: complex, or of a kind that only a language model can do.
fn requires_asi(complexity: &Complexity) -> bool {
    complexity.tier == ComplexityTier::Complex || complexity.needs_asi
}

/// Solvers and the lake cost microseconds and are right or silent, so they look at everything; the
/// complexity decides whether the *drafter* is worth its time.
fn hybrid(complexity: &Complexity, plan: Decision) -> Decision {
    let ask_drafter = !requires_asi(complexity);
    let reason = if ask_drafter {
        format!(
            "Hybrid drafts first: complexity {:.2} is {}; a draft with signal {:.2} or more is kept",
            complexity.score,
            complexity.tier.name(),
            plan.keep_signal
        )
    } else {
        format!(
            "Hybrid sends this to ASI: complexity {:.2} is {}{}; only a solver or a remembered answer comes first",
            complexity.score,
            complexity.tier.name(),
            if complexity.needs_asi { " and asks for a text to be made" } else { "" }
        )
    };
    Decision { ask_drafter, reason, ..plan }
}

fn adaptive(complexity: &Complexity, policy: &Policy, dice: f64, plan: Decision) -> Decision {
    if requires_asi(complexity) {
        return Decision {
            route: Route::Asi,
            reason: "Adaptive: the analysis requires ASI".into(),
            ..plan
        };
    }
    let flux = expected_value(policy.record(Tier::Flux), UNTRIED_FLUX);
    let asi = expected_value(policy.record(Tier::Asi), UNTRIED_ASI);
    let rule = policy.adaptive;
    let prefers_asi = asi > rule.asi_advantage * flux;
    let explores = dice < rule.exploration;
    let to_asi = prefers_asi != explores;
    Decision {
        route: if to_asi { Route::Asi } else { Route::Flux },
        probability: if explores { rule.exploration } else { 1.0 - rule.exploration },
        reason: format!(
            "Adaptive: expected value {flux:.3} of Flux against {asi:.3} of ASI{}",
            if explores { "; this request explores the other tier" } else { "" }
        ),
        ..plan
    }
}

/// Success per 100 ms, by the moving averages.
fn expected_value(record: TierRecord, untried: TierRecord) -> f64 {
    let record = if record.requests == 0 { untried } else { record };
    // A microsecond at least: a figure of zero would be worth infinitely much.
    record.success / (record.latency_ms.max(0.001) / 100.0)
}

/// Estimated chance that asking ASI would improve on what Flux has: orders requests by their need
/// of the slow tier. With a draft, what matters is how likely it is wrong; its doubt is tilted by
/// the complexity. Without one, the complexity is all there is.
#[must_use]
pub fn escalation(complexity: &Complexity, best_signal: Option<f64>) -> f64 {
    best_signal.map_or(complexity.score, |signal| {
        ((1.0 - signal) * (0.7 + 0.3 * complexity.score)).clamp(0.0, 1.0)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{Elp, Strategy};

    fn complexity(score: f64, tier: ComplexityTier) -> Complexity {
        Complexity { score, tier, dimensions: Vec::new(), elp: Elp::default(), needs_asi: false }
    }

    fn decided(strategy: Strategy, policy: &Policy, dice: f64) -> Decision {
        decide(Some(strategy), None, &complexity(0.4, ComplexityTier::Moderate), policy, dice)
    }

    #[test]
    fn the_clearly_hard_skips_the_drafter() {
        let policy = Policy::default();
        let hard = complexity(0.9, ComplexityTier::Complex);
        let decision = decide(None, None, &hard, &policy, 0.5);
        assert_eq!((decision.strategy, decision.ask_drafter), (Strategy::Hybrid, false));
        assert_eq!(decision.mode, AsiMode::Thorough);
    }

    #[test]
    fn runtime_first_without_fallback_never_escalates() {
        let policy = Policy { runtime_fallback: false, ..Policy::default() };
        assert!(!decided(Strategy::RuntimeFirst, &policy, 0.5).may_escalate);
    }

    #[test]
    fn adaptive_follows_the_better_value_and_explores_its_share() {
        let slow = TierRecord { requests: 9, success: 0.1, latency_ms: 900.0 };
        let good = TierRecord { requests: 9, success: 0.9, latency_ms: 300.0 };
        let policy = Policy { flux_record: slow, asi_record: good, ..Policy::default() };
        assert_eq!(decided(Strategy::Adaptive, &policy, 0.5).route, Route::Asi);
        let explored = decided(Strategy::Adaptive, &policy, 0.01);
        assert_eq!((explored.route, explored.probability), (Route::Flux, 0.05));
    }

    #[test]
    fn adaptive_needs_a_clear_advantage_of_asi() {
        let same = TierRecord { requests: 9, success: 0.9, latency_ms: 300.0 };
        let policy = Policy { flux_record: same, asi_record: same, ..Policy::default() };
        assert_eq!(decided(Strategy::Adaptive, &policy, 0.5).route, Route::Flux);
    }

    #[test]
    fn the_callers_mode_wins_over_the_complexity() {
        let hard = complexity(0.9, ComplexityTier::Complex);
        let decision = decide(None, Some(AsiMode::Fast), &hard, &Policy::default(), 0.5);
        assert_eq!(decision.mode, AsiMode::Fast);
    }

    proptest! {
        #[test]
        fn the_chances_of_adaptives_routes_sum_to_one(
            success in 0.0f64..1.0, latency in 0.0f64..5000.0,
        ) {
            let record = TierRecord { requests: 3, success, latency_ms: latency };
            let policy = Policy { flux_record: record, ..Policy::default() };
            let explored = decided(Strategy::Adaptive, &policy, 0.0);
            let followed = decided(Strategy::Adaptive, &policy, 0.99);
            prop_assert_ne!(explored.route, followed.route);
            prop_assert!((explored.probability + followed.probability - 1.0).abs() < 1e-12);
        }

        #[test]
        fn a_surer_draft_never_needs_asi_more(score in 0.0f64..1.0, a in 0.0f64..1.0, b in 0.0f64..1.0) {
            let c = complexity(score, ComplexityTier::Moderate);
            let (low, high) = (a.min(b), a.max(b));
            prop_assert!(escalation(&c, Some(high)) <= escalation(&c, Some(low)));
        }
    }
}
