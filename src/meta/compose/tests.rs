//! Every strategy against every way in which the two tiers can come back.

use std::time::Duration;

use proptest::{prelude::*, strategy::Strategy as _};

use super::*;
use crate::{
    asi::Findings,
    domain::{
        AsiMode, Budget, Canonical, Check, Promise, QualityTarget, ResponseId, Source, Strategy,
        TenantId,
    },
    vcp,
};

const STRATEGIES: &[Strategy] = Strategy::ALL;

fn request() -> Request {
    Request {
        id: ResponseId::generate(),
        tenant: TenantId::default(),
        session: None,
        input: "How many?".to_owned(),
        context: Vec::new(),
        strategy: None,
        mode: None,
        consensus: None,
        budget: Budget { deadline: Duration::from_secs(30), max_cost_usd: None },
        dialogue: None,
        expert: None,
        no_store: false,
        fresh: false,
    }
}

fn decision(strategy: Strategy, policy: &Policy) -> Decision {
    let keep = match strategy {
        Strategy::RuntimeFirst => policy.thresholds.abstain_floor,
        _ => policy.thresholds.keep_signal,
    };
    Decision {
        strategy,
        follows: strategy,
        arm: None,
        route: Route::Flux,
        mode: AsiMode::Balanced,
        ask_drafter: true,
        may_escalate: true,
        keep_signal: Some(keep),
        promised: false,
        probability: 1.0,
        reason: String::new(),
        alternatives: Vec::new(),
    }
}

fn draft(tier: Tier, kind: SourceKind, name: &str, answer: &str, signal: f64) -> Draft {
    let source = Source::new(tier, kind, name);
    let answer = Some(Canonical::Text(answer.to_owned()));
    Draft::new(source, format!("{name} says so"), answer, Signal::clamped(signal))
}

fn flux(answer: &str, signal: f64) -> Draft {
    draft(Tier::Flux, SourceKind::Drafter, "small", answer, signal)
}

fn asi(name: &str, answer: &str, signal: f64) -> Draft {
    draft(Tier::Asi, SourceKind::Model, name, answer, signal)
}

fn refusal(mut draft: Draft) -> Draft {
    draft.content = "I don't know.".to_owned();
    draft.signal = Signal::clamped(0.02);
    draft.checks.push(Check {
        position: Position::VERIFIED,
        name: vcp::names::ANSWERED,
        verdict: Verdict::Failed,
        note: String::new(),
    });
    draft
}

fn complexity() -> Complexity {
    Complexity {
        score: 0.5,
        tier: crate::domain::ComplexityTier::Moderate,
        dimensions: Vec::new(),
        elp: Elp::default(),
        needs_asi: false,
        forecast: None,
    }
}

/// What came back, on the route that the strategy takes when ASI was asked.
fn gathered(
    strategy: Strategy,
    flux_drafts: Vec<Draft>,
    asi_drafts: Vec<Draft>,
    failures: &[ModelError],
) -> Gathered {
    let route = match strategy {
        Strategy::AiFirst => Route::Asi,
        Strategy::ParallelFusion => Route::Both,
        _ => Route::FluxThenAsi,
    };
    let failures = failures.iter().map(|e| ("big".to_owned(), e.clone())).collect();
    Gathered {
        flux_drafts,
        route: Some(route),
        asi: Some(Findings { drafts: asi_drafts, failures, ..Findings::default() }),
        ..Gathered::default()
    }
}

fn ended(strategy: Strategy, gathered: &Gathered) -> Result<Ending, ProcessError> {
    ended_before(strategy, gathered, Instant::now() + Duration::from_secs(30))
}

fn ended_before(
    strategy: Strategy,
    gathered: &Gathered,
    deadline: Instant,
) -> Result<Ending, ProcessError> {
    let policy = Policy::default();
    let decision = decision(strategy, &policy);
    end(&request(), &policy, &decision, gathered, &Trace::default(), true, deadline)
}

fn answer(ending: Result<Ending, ProcessError>) -> (Fused, bool) {
    match ending.unwrap() {
        Ending::Answer { fused, recovered } => (*fused, recovered),
        Ending::Abstention { message } => panic!("abstained: {message}"),
    }
}

fn abstains(ending: Result<Ending, ProcessError>) -> String {
    match ending.unwrap() {
        Ending::Abstention { message } => message,
        Ending::Answer { fused, .. } => panic!("answered: {}", fused.draft.content),
    }
}

#[test]
fn a_sure_flux_draft_stands_in_for_a_failed_asi_under_every_strategy() {
    for &strategy in STRATEGIES {
        let back = gathered(strategy, vec![flux("4", 0.9)], vec![], &[ModelError::Cut]);
        let (fused, recovered) = answer(ended(strategy, &back));
        assert_eq!((fused.draft.source.tier, recovered), (Tier::Flux, true), "{strategy}");
    }
}

#[test]
fn a_weak_flux_draft_stands_in_for_nobody_under_any_strategy() {
    for &strategy in STRATEGIES {
        let back = gathered(strategy, vec![flux("4", 0.3)], vec![], &[ModelError::Cut]);
        let failed = ended(strategy, &back).err().unwrap();
        assert_eq!(failed.code(), "asi_failed", "{strategy}");
    }
}

#[test]
fn where_nothing_failed_and_nobody_knows_everybody_abstains() {
    for &strategy in STRATEGIES {
        abstains(ended(strategy, &gathered(strategy, vec![], vec![], &[])));
        abstains(ended(strategy, &gathered(strategy, vec![flux("4", 0.2)], vec![], &[])));
    }
}

#[test]
fn an_abstention_says_why_and_a_greeting_hears_who_we_are() {
    let policy = Policy::default();
    let decision = decision(Strategy::Hybrid, &policy);
    let told = |input: &str| {
        let request = Request { input: input.to_owned(), ..request() };
        abstention(&request, &decision, &policy, false, false)
    };
    assert!(told("what is 5/0?").contains("Division by zero"));
    for greeting in ["hello", "Who are you?", "what can you do"] {
        assert!(told(greeting).starts_with("I am Meta Orchestrator"), "{greeting}");
    }
    for other in ["who are you voting for?", "hello world", "5/0.5 of what"] {
        assert!(told(other).starts_with("I don't know."), "{other}");
    }
}

#[test]
fn an_expert_that_says_it_does_not_know_makes_an_abstention_in_its_own_words() {
    for &strategy in STRATEGIES {
        let back = gathered(strategy, vec![], vec![refusal(asi("big", "x", 0.8))], &[]);
        assert_eq!(abstains(ended(strategy, &back)), "I don't know.", "{strategy}");
    }
}

#[test]
fn a_non_answer_is_no_voice_beside_an_answer() {
    for &strategy in STRATEGIES {
        let silent = ["a", "b"].map(|name| refusal(asi(name, "i don't know", 0.8)));
        let drafts = [silent.to_vec(), vec![asi("c", "42", 0.4)]].concat();
        let (fused, _) = answer(ended(strategy, &gathered(strategy, vec![], drafts, &[])));
        assert_eq!(fused.draft.source.name.as_ref(), "c", "{strategy}");
        assert_eq!(fused.agreement, 1.0);
    }
}

#[test]
fn what_flux_abstained_from_counts_under_hybrid_but_not_under_runtime_first() {
    let drafts = || (vec![flux("4", 0.4)], vec![asi("big", "4", 0.8)]);
    let under = |strategy| {
        let (flux, asi) = drafts();
        answer(ended(strategy, &gathered(strategy, flux, asi, &[]))).0
    };
    assert!(under(Strategy::Hybrid).draft.signal.get() > 0.8);
    assert_eq!(under(Strategy::RuntimeFirst).draft.signal.get(), 0.8);
    assert_eq!(under(Strategy::AiFirst).draft.signal.get(), 0.8);
}

#[test]
fn a_remembered_answer_does_not_agree_with_the_expert_that_gave_it() {
    for strategy in [Strategy::Hybrid, Strategy::ParallelFusion] {
        let lake = draft(Tier::Flux, SourceKind::Lake, "lake", "4", 0.7);
        let back = gathered(strategy, vec![lake], vec![asi("big", "4", 0.7)], &[]);
        let (fused, _) = answer(ended(strategy, &back));
        assert_eq!(fused.draft.signal.get(), 0.7, "{strategy}: nothing new was heard");
        assert_eq!(fused.report.votes.len(), 1);
    }
}

#[test]
fn a_remembered_answer_in_other_words_does_not_agree_with_the_expert_that_gave_it() {
    let remembered = "it rises in the high mountains of the north near the old border";
    let again = "rises in the high mountains of the north near the old border";
    for strategy in [Strategy::Hybrid, Strategy::ParallelFusion] {
        for others in [&["big"][..], &["big", "large"]] {
            let mut lake = draft(Tier::Flux, SourceKind::Lake, "lake", remembered, 0.7);
            lake.recalled_from = Some(ResponseId::generate());
            let asi_drafts = || others.iter().map(|name| asi(name, again, 0.72)).collect();
            let alone = answer(ended(strategy, &gathered(strategy, vec![], asi_drafts(), &[]))).0;
            let back = gathered(strategy, vec![lake.clone()], asi_drafts(), &[]);
            let (fused, _) = answer(ended(strategy, &back));
            assert_eq!(fused.report.dissent.len(), 0, "{strategy}: they are alike");
            assert_eq!(fused.draft.signal, alone.draft.signal, "{strategy}: nothing new was heard");
            assert_eq!(fused.report.votes.len(), others.len());
            assert_eq!(fused.derived_from, lake.recalled_from);
        }
    }
}

#[test]
fn a_solver_agrees_with_a_remembered_answer_as_a_witness_of_its_own() {
    let lake = draft(Tier::Flux, SourceKind::Lake, "lake", "4", 0.7);
    let solver = draft(Tier::Flux, SourceKind::Solver, "arithmetic", "4", 0.7);
    let strategy = Strategy::ParallelFusion;
    let back = gathered(strategy, vec![lake, solver], vec![asi("big", "5", 0.6)], &[]);
    assert_eq!(answer(ended(strategy, &back)).0.report.votes.len(), 3);
}

#[test]
fn where_no_draft_is_sure_enough_not_even_certainty_is_kept() {
    let policy = Policy {
        quality_target: QualityTarget { alpha: 0.05, delta: 0.05 },
        promise: Some(Promise::Unsure { n: 80 }),
        ..Policy::default()
    };
    let certain = flux("4", 1.0);
    for (promise, kept) in [
        (Promise::Unsure { n: 80 }, false),
        (Promise::Thin { n: 3, needed: 80 }, true),
        (Promise::Kept { keep_signal: 1.0, loss_bound: 0.01, slow_share: 0.5, n: 80 }, true),
    ] {
        let policy = Policy { promise: Some(promise), ..policy.clone() };
        let complexity = complexity();
        let decision = crate::routing::decide(None, None, &complexity, &policy, 0.5);
        assert_eq!(decision.keeps(&certain), kept, "{promise:?}");
        // What was escalated takes no part where the promise is in force.
        let back =
            gathered(Strategy::Hybrid, vec![certain.clone()], vec![asi("big", "5", 0.6)], &[]);
        let deadline = Instant::now() + Duration::from_secs(30);
        let ending = end(&request(), &policy, &decision, &back, &Trace::default(), true, deadline);
        let competed = answer(ending).0.report.votes.len();
        assert_eq!(competed, if promise.is_in_force() { 1 } else { 2 }, "{promise:?}");
    }
}

#[test]
fn a_remembered_answer_still_dissents() {
    let lake = draft(Tier::Flux, SourceKind::Lake, "lake", "5", 0.7);
    let back = gathered(Strategy::ParallelFusion, vec![lake], vec![asi("big", "4", 0.8)], &[]);
    let (fused, _) = answer(ended(Strategy::ParallelFusion, &back));
    assert!(fused.draft.signal.get() < 0.8);
    assert_eq!(fused.report.votes.len(), 2);
}

#[test]
fn an_answer_of_asi_beside_a_failed_model_is_not_a_recovery() {
    for &strategy in STRATEGIES {
        let back = gathered(strategy, vec![], vec![asi("b", "4", 0.8)], &[ModelError::Timeout]);
        assert!(!answer(ended(strategy, &back)).1, "{strategy}");
    }
}

#[tokio::test(start_paused = true)]
async fn only_a_deadline_that_passed_is_a_deadline_exceeded() {
    let back = gathered(Strategy::AiFirst, vec![], vec![], &[ModelError::Timeout]);
    let (early, late) = (Instant::now() + Duration::from_secs(9), Instant::now());
    let code = |deadline| ended_before(Strategy::AiFirst, &back, deadline).err().unwrap().code();
    assert_eq!((code(early), code(late)), ("asi_failed", "deadline_exceeded"));
}

#[test]
fn the_shortest_wait_that_a_provider_asks_for_is_passed_on() {
    let limited = |s| ModelError::RateLimited { retry_after: Some(Duration::from_secs(s)) };
    let back = gathered(Strategy::AiFirst, vec![], vec![], &[limited(9), limited(3)]);
    let Err(ProcessError::AsiFailed { retry_after, failures }) = ended(Strategy::AiFirst, &back)
    else {
        panic!("it did not fail");
    };
    assert_eq!((retry_after, failures.len()), (Some(Duration::from_secs(3)), 2));
}

/// An answer that the lake takes, to be spoiled in one respect.
fn worthy() -> (Fused, bool) {
    let mut draft = asi("big", "4", 0.8);
    draft.checks.push(Check {
        position: Position::VERIFIED,
        name: vcp::names::ANSWERED,
        verdict: Verdict::Passed,
        note: String::new(),
    });
    answer(ended(Strategy::AiFirst, &gathered(Strategy::AiFirst, vec![], vec![draft], &[])))
}

#[test]
fn the_gate_to_the_lake_opens_only_to_whole_verified_answers() {
    let opens = |spoil: &dyn Fn(&mut Fused, &mut bool)| {
        let (mut fused, mut recovered) = worthy();
        spoil(&mut fused, &mut recovered);
        let ending = Ending::Answer { fused: Box::new(fused), recovered };
        may_enter_lake(&ending, &Policy::default())
    };
    assert!(opens(&|_, _| {}));
    assert!(!opens(&|_, recovered| *recovered = true), "recovered");
    assert!(!opens(&|f, _| f.draft.complete = false), "cut");
    assert!(!opens(&|f, _| f.draft.signal = Signal::clamped(0.59)), "unsure");
    assert!(!opens(&|f, _| f.draft.checks.clear()), "unverified");
    assert!(!opens(&|f, _| f.draft.recalled_from = Some(ResponseId::generate())), "recalled");
    assert!(!opens(&|f, _| f.draft.source.kind = SourceKind::Solver), "solved");
    assert!(!may_enter_lake(&Ending::Abstention { message: String::new() }, &Policy::default()));
}

fn tier_drafts(tier: Tier) -> impl proptest::strategy::Strategy<Value = Vec<Draft>> {
    let one = (0usize..4, 0usize..3, 0.0..=1.0f64, any::<bool>());
    prop::collection::vec(one, 0..4).prop_map(move |parts| {
        let built = parts.into_iter().map(|(name, text, signal, knows)| {
            let (name, text) = (["a", "b", "c", "d"][name], ["4", "5", "6"][text]);
            let kind = match (tier, name) {
                (Tier::Flux, "a") => SourceKind::Lake,
                (Tier::Flux, "b") => SourceKind::Solver,
                (Tier::Flux, _) => SourceKind::Drafter,
                (Tier::Asi, "a") => SourceKind::Document,
                (Tier::Asi, _) => SourceKind::Model,
            };
            let made = draft(tier, kind, name, text, signal);
            if knows { made } else { refusal(made) }
        });
        built.collect()
    })
}

proptest! {
    #[test]
    fn whatever_comes_back_the_flags_keep_their_word(
        strategy in prop::sample::select(STRATEGIES),
        flux_drafts in tier_drafts(Tier::Flux),
        asi_drafts in tier_drafts(Tier::Asi),
        model_failed in any::<bool>(),
    ) {
        let failures: &[ModelError] = if model_failed { &[ModelError::Cut] } else { &[] };
        let asi_knows = asi_drafts.iter().any(answers);
        let back = gathered(strategy, flux_drafts.clone(), asi_drafts.clone(), failures);
        let policy = Policy::default();
        let decision = decision(strategy, &policy);
        match ended(strategy, &back) {
            Ok(ending) => {
                let reply =
                    reply(&request(), &policy, &decision, &complexity(), &back, &ending);
                let shares: f64 = reply.weights.iter().map(|(_, w)| w).sum();
                if reply.abstained {
                    prop_assert!(!asi_knows, "ASI knew");
                    prop_assert_eq!((reply.confidence, reply.kind), (Signal::ZERO, OrchestratorKind::None));
                    prop_assert_eq!(shares, 0.0);
                } else {
                    prop_assert!((shares - 1.0).abs() < 1e-9);
                    let words = &reply.content;
                    let spoken = flux_drafts.iter().chain(&asi_drafts).filter(|d| answers(d));
                    prop_assert!(spoken.into_iter().any(|d| d.content == *words));
                }
                prop_assert!(!reply.recovered || (model_failed && !asi_knows && !reply.abstained));
            }
            Err(_) => prop_assert!(model_failed && !asi_knows),
        }
    }
}
