//! The decision: which mind, in what order, with what probability. Pure, so that replay and
//! evaluation reuse it unchanged.

mod adaptive;

use crate::domain::{
    AsiMode, Complexity, ComplexityTier, Decision, Policy, Promise, Route, Strategy,
};

pub use adaptive::{Choice, choose};

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
    if strategy == Strategy::Adaptive {
        return adaptive_way(mode, complexity, policy, dice);
    }
    way(strategy, mode, complexity, policy)
}

/// Adaptive goes the way of the arm that it chose.
fn adaptive_way(
    mode: Option<AsiMode>,
    complexity: &Complexity,
    policy: &Policy,
    dice: f64,
) -> Decision {
    let Choice { arm, probability, alternatives } = choose(&policy.outlook, complexity, mode, dice);
    let chosen = way(arm.strategy(), mode.or(arm.mode()), complexity, policy);
    let expected = alternatives.iter().find(|a| a.arm == arm).map_or(0.0, |a| a.expected_accuracy);
    Decision {
        strategy: Strategy::Adaptive,
        arm: Some(arm),
        probability,
        reason: format!(
            "Adaptive chose {}, as for {:.0} % of such requests (expected to be right {:.0} % of the time): {}",
            arm.name(),
            probability * 100.0,
            expected * 100.0,
            chosen.reason
        ),
        alternatives,
        ..chosen
    }
}

/// The way of one of the four strategies that leave nothing to chance.
fn way(
    strategy: Strategy,
    mode: Option<AsiMode>,
    complexity: &Complexity,
    policy: &Policy,
) -> Decision {
    let plan = Decision {
        strategy,
        follows: strategy,
        arm: None,
        route: Route::Flux,
        mode: mode.unwrap_or_else(|| mode_for(complexity.tier)),
        ask_drafter: true,
        may_escalate: true,
        keep_signal: policy.keep_signal(),
        promised: policy.promise_in_force().is_some(),
        probability: 1.0,
        reason: String::new(),
        alternatives: Vec::new(),
    };
    match strategy {
        Strategy::AiFirst => Decision {
            route: Route::Asi,
            reason: "AIFirst asks ASI; Flux stands in should it fail".into(),
            ..plan
        },
        Strategy::RuntimeFirst => Decision {
            may_escalate: policy.runtime_fallback,
            keep_signal: Some(policy.thresholds.abstain_floor),
            promised: false,
            reason: "RuntimeFirst asks Flux; ASI is asked only when Flux abstains".into(),
            ..plan
        },
        Strategy::ParallelFusion => Decision {
            route: Route::Both,
            reason: "ParallelFusion asks both and fuses at position 6".into(),
            ..plan
        },
        // Adaptive has chosen by now; by itself it would be the default.
        Strategy::Hybrid | Strategy::Adaptive => hybrid(complexity, plan, policy),
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
fn hybrid(complexity: &Complexity, plan: Decision, policy: &Policy) -> Decision {
    let ask_drafter = !requires_asi(complexity);
    let reason = if ask_drafter {
        let kept = plan.keep_signal.map_or_else(
            || "no draft is sure enough to be kept".to_owned(),
            |least| format!("a draft with signal {least:.2} or more is kept"),
        );
        format!(
            "Hybrid drafts first: complexity {:.2} is {}; {kept}{}",
            complexity.score,
            complexity.tier.name(),
            promised(policy)
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

/// What the quality target has to do with the cut-off.
fn promised(policy: &Policy) -> String {
    let target = policy.quality_target;
    if !target.is_set() {
        return String::new();
    }
    let (loss, confidence) = (target.alpha * 100.0, (1.0 - target.delta) * 100.0);
    match policy.promise {
        Some(Promise::Kept { n, .. }) => format!(
            ", so that at most {loss} % is lost against ASI ({confidence} % confidence, {n} audited drafts)"
        ),
        Some(Promise::Unsure { n }) => format!(
            ": by {n} audited drafts, even the surest would lose more than {loss} % against ASI"
        ),
        Some(Promise::Thin { n, needed }) => format!(
            "; a loss of at most {loss} % cannot be promised yet: {n} drafts are audited, it takes {needed}"
        ),
        None => String::new(),
    }
}

/// Estimated chance that asking ASI would improve on what Flux has: orders requests by their need
/// of the slow tier. With a draft, what matters is how likely it is wrong; its doubt is tilted by
/// the complexity. Without one, the complexity is all there is.
#[must_use]
pub fn escalation(complexity: &Complexity, best_signal: Option<f64>) -> f64 {
    best_signal.map_or_else(
        || before_drafting(complexity),
        |signal| ((1.0 - signal) * (0.7 + 0.3 * complexity.score)).clamp(0.0, 1.0),
    )
}

/// The same before there is any draft: the expected gain where there is experience, from 0 (asking
/// the slow tier certainly loses) to 1; else the complexity.
#[must_use]
pub fn before_drafting(complexity: &Complexity) -> f64 {
    complexity.forecast.map_or(complexity.score, |f| f64::midpoint(1.0, f.gain).clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{Elp, QualityTarget, Strategy};

    fn complexity(score: f64, tier: ComplexityTier) -> Complexity {
        Complexity {
            score,
            tier,
            dimensions: Vec::new(),
            elp: Elp::default(),
            needs_asi: false,
            forecast: None,
        }
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
    fn adaptive_goes_the_way_of_what_it_chose() {
        let policy = Policy::default();
        for i in 0..70 {
            let decision = decided(Strategy::Adaptive, &policy, f64::from(i) / 70.0);
            let arm = decision.arm.unwrap();
            let alone = decided(arm.strategy(), &policy, 0.5);
            assert_eq!(decision.strategy, Strategy::Adaptive);
            assert_eq!((decision.follows, decision.route), (arm.strategy(), alone.route));
            assert_eq!(decision.keep_signal, alone.keep_signal);
            assert_eq!(decision.mode, arm.mode().unwrap_or(alone.mode));
            assert!((decision.probability - 1.0 / 7.0).abs() < 1e-9, "nothing is known yet");
        }
    }

    #[test]
    fn a_quality_target_sets_the_cut_off_only_where_the_evidence_carries_it() {
        let target = QualityTarget { alpha: 0.05, delta: 0.05 };
        let kept = Promise::Kept { keep_signal: 0.62, loss_bound: 0.04, slow_share: 0.3, n: 400 };
        let thin = Promise::Thin { n: 12, needed: 80 };
        for (promise, keep_signal, said) in [
            (
                kept,
                Some(0.62),
                "at most 5 % is lost against ASI (95 % confidence, 400 audited drafts)",
            ),
            (thin, Some(0.75), "cannot be promised yet: 12 drafts are audited, it takes 80"),
            (Promise::Unsure { n: 80 }, None, "even the surest would lose more than 5 %"),
        ] {
            let promise = Some(promise);
            let policy = Policy { quality_target: target, promise, ..Policy::default() };
            let decision = decided(Strategy::Hybrid, &policy, 0.5);
            assert_eq!(decision.keep_signal, keep_signal);
            assert!(decision.reason.contains(said), "{}", decision.reason);
            let nothing_promised = Policy { promise, ..Policy::default() };
            assert_eq!(decided(Strategy::Hybrid, &nothing_promised, 0.5).keep_signal, Some(0.75));
        }
    }

    #[test]
    fn the_callers_mode_wins_over_the_complexity() {
        let hard = complexity(0.9, ComplexityTier::Complex);
        let decision = decide(None, Some(AsiMode::Fast), &hard, &Policy::default(), 0.5);
        assert_eq!(decision.mode, AsiMode::Fast);
    }

    proptest! {
        #[test]
        fn a_surer_draft_never_needs_asi_more(score in 0.0f64..1.0, a in 0.0f64..1.0, b in 0.0f64..1.0) {
            let c = complexity(score, ComplexityTier::Moderate);
            let (low, high) = (a.min(b), a.max(b));
            prop_assert!(escalation(&c, Some(high)) <= escalation(&c, Some(low)));
        }
    }
}
