//! Why it came out as it did: in one plain sentence, and in the numbers behind it.

use super::{MetaOrchestrator, compose::Ending, gather::Gathered};
use crate::{
    complexity,
    domain::{
        Complexity, Decision, Draft, Explanation, Policy, Request, Route, SourceKind, Tier, Usage,
        Verdict,
    },
    routing,
};

/// What would be done with a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The analysis.
    pub complexity: Complexity,
    /// The decision.
    pub decision: Decision,
    /// How often each tier was right about such requests, Flux first.
    pub chances: [Option<f64>; 2],
}

impl MetaOrchestrator {
    /// Analyses a request and decides about it, by the same code as
    /// [`MetaOrchestrator::process`], and stops there: nobody is asked, nothing is recorded.
    #[must_use]
    pub fn explain(&self, request: &Request) -> Plan {
        let policy = self.parts.policy.load();
        let complexity = complexity::analyse(request, &policy.thresholds);
        let reading = policy.judge.as_ref().map(|judge| judge.read(&request.input));
        let forecast = reading.and_then(|reading| reading.forecast());
        let complexity = complexity::with_experience(complexity, forecast, &policy.thresholds);
        let dice = (self.parts.dice)();
        let decision = routing::decide(request.strategy, request.mode, &complexity, &policy, dice);
        Plan { chances: policy.chances(complexity.tier), complexity, decision }
    }
}

/// The decision's reason, with what became of it.
pub(super) fn reason(decision: &Decision, gathered: &Gathered) -> String {
    let intended = &decision.reason;
    let kept = gathered.kept(decision).is_some();
    let best = gathered.best_flux().map(|d| (&d.source.name, d.signal.get()));
    match (gathered.route, best) {
        (Some(Route::Flux), Some((name, signal))) if kept => {
            format!("{intended}; {name} answered with signal {signal:.2}")
        }
        (Some(Route::FluxThenAsi), Some((name, signal))) => {
            format!("{intended}; {name} came to {signal:.2} only, so ASI was asked")
        }
        (Some(Route::FluxThenAsi), None) => {
            format!("{intended}; Flux had no draft, so ASI was asked")
        }
        (Some(Route::Asi), _) if gathered.stand_in => {
            format!("{intended}; ASI gave no answer, so Flux was asked")
        }
        _ => intended.clone(),
    }
}

/// The whole explanation of a response that came about for this reason.
pub(super) fn explanation(
    reason: &str,
    policy: &Policy,
    complexity: &Complexity,
    gathered: &Gathered,
    ending: &Ending,
    usage: &Usage,
) -> Explanation {
    let [flux, asi] = policy.chances(complexity.tier);
    let surest_asi = gathered.asi_answers().map(|d| d.signal.get()).max_by(f64::total_cmp);
    let chances = [gathered.best_flux_signal().or(flux), surest_asi.or(asi)];
    let mut explanation = Explanation { chances, ..Explanation::default() };
    let answer = match ending {
        Ending::Abstention { .. } => "; nobody knew an answer".to_owned(),
        Ending::Answer { fused, .. } => {
            let draft = &fused.draft;
            for check in &draft.checks {
                match check.verdict {
                    Verdict::Passed => explanation.checks_passed += 1,
                    Verdict::Failed => explanation.checks_failed.push(check.name),
                    Verdict::NotApplicable => {}
                }
            }
            format!(
                "; {} is right with a chance of {}, {}",
                whose(draft, fused.weights.iter().filter(|(_, w)| *w > 0.0).count()),
                percent(draft.signal.get()),
                checked(explanation.checks_passed, &explanation.checks_failed)
            )
        }
    };
    explanation.sentence = format!("{reason}{answer}; {}.", price(usage));
    explanation
}

/// A chance in words that never round doubt away, nor hope.
fn percent(chance: f64) -> String {
    match (chance * 100.0).round() {
        rounded if rounded >= 100.0 && chance < 1.0 => "over 99 %".to_owned(),
        rounded if rounded <= 0.0 && chance > 0.0 => "under 1 %".to_owned(),
        rounded => format!("{rounded:.0} %"),
    }
}

fn whose(draft: &Draft, tiers: usize) -> String {
    match (draft.source.kind, tiers) {
        (_, 2..) => "the answer of both tiers".to_owned(),
        (SourceKind::Solver, _) => "the computed answer".to_owned(),
        (SourceKind::Lake, _) => "the remembered answer".to_owned(),
        (SourceKind::Document, _) => "the answer from the documents".to_owned(),
        _ if draft.source.tier == Tier::Flux => format!("the draft of {}", draft.source.name),
        _ => format!("the answer of {}", draft.source.name),
    }
}

fn checked(passed: usize, failed: &[&str]) -> String {
    let plural = if passed == 1 { "check" } else { "checks" };
    match (passed, failed) {
        (0, []) => "no check could examine it".to_owned(),
        (_, []) => format!("{passed} {plural} found nothing wrong"),
        _ => format!("{passed} {plural} passed and {} objected", failed.join(", ")),
    }
}

fn price(usage: &Usage) -> String {
    match usage.cost_usd {
        Some(usd) if usd > 0.0 => format!("it cost ${usd:.6}"),
        None if usage.prompt_tokens + usage.completion_tokens > 0 => {
            let tokens = usage.prompt_tokens + usage.completion_tokens;
            format!("it took {tokens} tokens of no known price")
        }
        _ => "it cost nothing".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chance_is_certain_only_where_it_is_one() {
        for (chance, said) in [
            (1.0, "100 %"),
            (0.9999, "over 99 %"),
            (0.995, "over 99 %"),
            (0.99, "99 %"),
            (0.5, "50 %"),
            (0.004, "under 1 %"),
            (0.0, "0 %"),
        ] {
            assert_eq!(percent(chance), said);
        }
    }

    #[test]
    fn checks_are_told_in_plain_words() {
        assert_eq!(checked(0, &[]), "no check could examine it");
        assert_eq!(checked(1, &[]), "1 check found nothing wrong");
        assert_eq!(checked(2, &["arithmetic"]), "2 checks passed and arithmetic objected");
    }

    #[test]
    fn a_cost_that_is_not_known_is_not_nothing() {
        let tokens = Usage { prompt_tokens: 3, completion_tokens: 4, cost_usd: None };
        assert_eq!(price(&tokens), "it took 7 tokens of no known price");
        assert_eq!(price(&Usage::default()), "it cost nothing");
        assert_eq!(price(&Usage { cost_usd: Some(0.0025), ..tokens }), "it cost $0.002500");
    }
}
