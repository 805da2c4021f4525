use std::collections::BTreeMap;

use proptest::prelude::*;

use crate::domain::{
    Canonical, Check, Consensus, Draft, Number, Position, Signal, Source, SourceKind, Tier, Verdict,
};

use super::{Fused, Rule, fuse};

fn draft(name: &str, tier: Tier, answer: Option<i64>, signal: f64, verified: bool) -> Draft {
    let content = answer.map_or("no idea".to_owned(), |n| format!("It is {n}, says {name}."));
    let answer = answer.map(|n| Canonical::Number(Number::from(n)));
    let source = Source::new(tier, SourceKind::Model, name);
    let mut draft = Draft::new(source, content, answer, Signal::clamped(signal));
    if verified {
        draft.checks.push(Check {
            position: Position::VERIFIED,
            name: "arithmetic",
            verdict: Verdict::Passed,
            note: String::new(),
        });
    }
    draft
}

fn fused_by(consensus: Consensus, sacred_weight: f64, drafts: Vec<Draft>) -> Option<Fused> {
    let custom_weights = BTreeMap::from([("a".to_owned(), 3.0), ("b".to_owned(), 0.5)]);
    fuse(drafts, &Rule { consensus, custom_weights: &custom_weights, sacred_weight })
}

fn answer_of(fused: &Fused) -> String {
    fused.draft.answer.as_ref().map_or("none".to_owned(), ToString::to_string)
}

#[test]
fn nothing_fuses_to_nothing() {
    assert!(fused_by(Consensus::MajorityVote, 1.5, vec![]).is_none());
}

#[test]
fn one_draft_passes_through_with_its_own_signal_and_stage() {
    let only = draft("a", Tier::Flux, Some(18), 0.63, true);
    let fused = fused_by(Consensus::WeightedConfidence, 1.5, vec![only.clone()]).unwrap();
    assert_eq!(fused.draft, only);
    assert!(!fused.sacred_boost);
    assert_eq!(fused.agreement, 1.0);
    assert_eq!(fused.weights, [(Tier::Flux, 1.0), (Tier::Asi, 0.0)]);
}

#[test]
fn each_strategy_counts_in_its_own_way() {
    // Two weak voices for 1, one strong verified voice for 2, and the operator trusts `a`.
    let drafts = || {
        vec![
            draft("a", Tier::Asi, Some(1), 0.4, false),
            draft("b", Tier::Asi, Some(1), 0.45, false),
            draft("c", Tier::Asi, Some(2), 0.8, false),
        ]
    };
    for (consensus, winner) in [
        (Consensus::MajorityVote, "1"),
        (Consensus::WeightedConfidence, "1"),
        (Consensus::BestResponse, "2"),
        (Consensus::Ensemble, "2"),
        (Consensus::CustomWeights, "1"),
    ] {
        let fused = fused_by(consensus, 1.5, drafts()).unwrap();
        assert_eq!(answer_of(&fused), winner, "{consensus}");
        assert_eq!(fused.report.strategy, consensus);
        assert_eq!(fused.report.votes.len(), 3);
        assert_eq!(fused.report.votes[0].answer, winner, "the winner's votes come first");
    }
}

#[test]
fn verified_evidence_weighs_more_and_says_so() {
    let drafts = || {
        vec![draft("a", Tier::Flux, Some(1), 0.6, true), draft("b", Tier::Asi, Some(2), 0.7, false)]
    };
    let boosted = fused_by(Consensus::WeightedConfidence, 1.5, drafts()).unwrap();
    assert_eq!((answer_of(&boosted).as_str(), boosted.sacred_boost), ("1", true));
    let plain = fused_by(Consensus::WeightedConfidence, 1.0, drafts()).unwrap();
    assert_eq!((answer_of(&plain).as_str(), plain.sacred_boost), ("2", false));
}

#[test]
fn a_boost_behind_the_loser_is_none_of_the_winner() {
    let fused = fused_by(
        Consensus::WeightedConfidence,
        1.5,
        vec![
            draft("a", Tier::Flux, Some(1), 0.2, true),
            draft("b", Tier::Asi, Some(2), 0.9, false),
        ],
    )
    .unwrap();
    assert!(!fused.sacred_boost);
}

#[test]
fn a_source_that_repeats_itself_counts_once() {
    let once = vec![
        draft("a", Tier::Asi, Some(1), 0.6, false),
        draft("b", Tier::Asi, Some(2), 0.7, false),
    ];
    let mut thrice = once.clone();
    thrice.push(draft("a", Tier::Asi, Some(1), 0.55, false));
    thrice.push(draft("a", Tier::Asi, Some(1), 0.5, false));
    for consensus in Consensus::ALL {
        let (once, thrice) = (
            fused_by(*consensus, 1.5, once.clone()).unwrap(),
            fused_by(*consensus, 1.5, thrice.clone()).unwrap(),
        );
        assert_eq!(answer_of(&once), answer_of(&thrice), "{consensus}");
        assert_eq!(once.draft.signal, thrice.draft.signal, "{consensus}");
    }
}

#[test]
fn a_draft_without_an_answer_neither_wins_nor_dissents() {
    let fused = fused_by(
        Consensus::BestResponse,
        1.5,
        vec![draft("a", Tier::Asi, None, 0.99, false), draft("b", Tier::Asi, Some(2), 0.5, false)],
    )
    .unwrap();
    assert_eq!(answer_of(&fused), "2");
    assert_eq!(fused.draft.signal.get(), 0.5);
}

#[test]
fn agreement_of_independent_sources_is_marked_as_fused_at_six() {
    let fused = fused_by(
        Consensus::WeightedConfidence,
        1.5,
        vec![
            draft("a", Tier::Flux, Some(1), 0.6, false),
            draft("b", Tier::Asi, Some(1), 0.7, false),
        ],
    )
    .unwrap();
    assert_eq!(fused.draft.source.kind, SourceKind::Fused);
    assert_eq!(fused.draft.stage, Position::FUSION);
    assert!(fused.draft.signal.get() > 0.7);
    assert!(fused.weights.iter().all(|(_, w)| (0.4..0.6).contains(w)));
}

#[test]
fn worthless_weights_still_give_shares_and_an_answer() {
    let fused = fused_by(
        Consensus::WeightedConfidence,
        f64::NAN,
        vec![
            draft("a", Tier::Flux, Some(1), 0.0, false),
            draft("b", Tier::Asi, Some(2), 0.0, true),
        ],
    )
    .unwrap();
    assert_eq!(fused.agreement, 0.5);
    assert_eq!(fused.weights.iter().map(|(_, w)| w).sum::<f64>(), 1.0);
}

prop_compose! {
    fn any_draft()(
        name in prop::sample::select(vec!["a", "b", "c", "d"]),
        asi in any::<bool>(),
        answer in prop::option::weighted(0.85, 0i64..4),
        signal in prop::sample::select(vec![0.0, 0.2, 0.5, 0.5, 0.63, 0.9, 1.0]),
        verified in any::<bool>(),
    ) -> Draft {
        draft(name, if asi { Tier::Asi } else { Tier::Flux }, answer, signal, verified)
    }
}

proptest! {
    #[test]
    fn the_order_of_drafts_never_matters(
        (drafts, other) in prop::collection::vec(any_draft(), 1..7)
            .prop_flat_map(|drafts| (Just(drafts.clone()), Just(drafts).prop_shuffle())),
        consensus in prop::sample::select(Consensus::ALL),
        sacred in prop::sample::select(vec![1.0, 1.5]),
    ) {
        let reversed: Vec<_> = drafts.iter().rev().cloned().collect();
        let fused = fused_by(consensus, sacred, drafts);
        prop_assert_eq!(&fused, &fused_by(consensus, sacred, other));
        prop_assert_eq!(&fused, &fused_by(consensus, sacred, reversed));
    }

    #[test]
    fn everything_stays_on_its_scale(
        drafts in prop::collection::vec(any_draft(), 1..7),
        consensus in prop::sample::select(Consensus::ALL),
        sacred in prop::sample::select(vec![1.0, 1.5]),
    ) {
        let fused = fused_by(consensus, sacred, drafts).unwrap();
        prop_assert!((0.0..=1.0).contains(&fused.draft.signal.get()));
        prop_assert!((0.0..=1.0 + 1e-12).contains(&fused.agreement));
        prop_assert!((fused.weights.iter().map(|(_, w)| w).sum::<f64>() - 1.0).abs() < 1e-9);
        prop_assert!(sacred > 1.0 || !fused.sacred_boost);
    }

    #[test]
    fn an_agreeing_draft_never_lowers_the_signal(
        drafts in prop::collection::vec(any_draft(), 1..6),
        consensus in prop::sample::select(Consensus::ALL),
        signal in 0.0..=1.0f64,
        verified in any::<bool>(),
        name in prop::sample::select(vec!["a", "e"]),
    ) {
        let before = fused_by(consensus, 1.5, drafts.clone()).unwrap();
        let mut agreeing = draft(name, Tier::Asi, None, signal, verified);
        agreeing.answer = before.draft.answer.clone();
        agreeing.content = before.draft.content.clone();
        let mut more = drafts;
        more.push(agreeing);
        let after = fused_by(consensus, 1.5, more).unwrap();
        prop_assert_eq!(&after.draft.answer, &before.draft.answer);
        prop_assert!(after.draft.signal.get() >= before.draft.signal.get() - 1e-12);
    }
}
