use std::collections::BTreeMap;

use proptest::prelude::*;

use crate::domain::{
    Canonical, Check, Consensus, Draft, Likeness, Number, OnlyEqual, Position, Signal, Source,
    SourceKind, Tier, Verdict,
};

use super::{Fused, Rule, Silent, fuse, is_settled};

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

fn custom_weights() -> BTreeMap<String, f64> {
    BTreeMap::from([("a".to_owned(), 3.0), ("b".to_owned(), 0.5)])
}

fn fused_by(consensus: Consensus, sacred_weight: f64, drafts: Vec<Draft>) -> Option<Fused> {
    fused_with(consensus, sacred_weight, &OnlyEqual, drafts)
}

fn fused_with(
    consensus: Consensus,
    sacred_weight: f64,
    likeness: &dyn Likeness,
    drafts: Vec<Draft>,
) -> Option<Fused> {
    let custom_weights = &custom_weights();
    fuse(drafts, &Rule { consensus, custom_weights, sacred_weight, likeness })
}

/// `text 3` is like `text 2` and `text 4`, but these two are not like each other.
#[derive(Debug)]
struct Neighbours;

impl Likeness for Neighbours {
    fn alike(&self, a: &Draft, b: &Draft) -> bool {
        let place = |draft: &Draft| match &draft.answer {
            Some(Canonical::Text(text)) => text.strip_prefix("text ")?.parse::<i64>().ok(),
            _ => None,
        };
        matches!((place(a), place(b)), (Some(a), Some(b)) if a.abs_diff(b) <= 1)
    }
}

fn in_words(name: &str, place: i64, signal: f64) -> Draft {
    let mut draft = draft(name, Tier::Asi, None, signal, false);
    draft.answer = Some(Canonical::Text(format!("text {place}")));
    draft
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
    // Two fair voices for 1, one strong voice for 2; the operator trusts `a`.
    let drafts = || {
        vec![
            draft("a", Tier::Asi, Some(1), 0.6, false),
            draft("b", Tier::Asi, Some(1), 0.65, false),
            draft("c", Tier::Asi, Some(2), 0.85, false),
        ]
    };
    for (consensus, winner) in [
        (Consensus::MajorityVote, "1"),
        (Consensus::WeightedConfidence, "2"),
        (Consensus::BestResponse, "2"),
        (Consensus::Ensemble, "1"),
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
fn a_strong_voice_outweighs_two_weak_ones_but_not_two_good_ones() {
    let winner = |[a, b, c]: [f64; 3]| {
        let drafts = vec![
            draft("a", Tier::Asi, Some(1), a, false),
            draft("b", Tier::Asi, Some(1), b, false),
            draft("c", Tier::Asi, Some(2), c, false),
        ];
        answer_of(&fused_by(Consensus::WeightedConfidence, 1.5, drafts).unwrap())
    };
    assert_eq!(winner([0.8, 0.8, 0.8]), "1");
    assert_eq!(winner([0.55, 0.6, 0.95]), "2");
    assert_eq!(winner([0.85, 0.85, 0.95]), "1");
}

#[test]
fn the_dissent_names_answers_experts_and_weights() {
    let fused = fused_by(
        Consensus::MajorityVote,
        1.5,
        vec![
            draft("a", Tier::Asi, Some(1), 0.6, false),
            draft("b", Tier::Asi, Some(1), 0.6, false),
            draft("c", Tier::Asi, Some(1), 0.6, false),
            draft("d", Tier::Asi, Some(2), 0.9, false),
            draft("e", Tier::Flux, Some(2), 0.3, false),
            draft("f", Tier::Asi, Some(3), 0.9, false),
            draft("g", Tier::Asi, None, 0.9, false),
        ],
    )
    .unwrap();
    let dissent: Vec<_> = fused
        .report
        .dissent
        .iter()
        .map(|d| (d.answer.as_str(), d.experts.join(" "), d.weight))
        .collect();
    assert_eq!(dissent, [("2", "d e".to_owned(), 2.0), ("3", "f".to_owned(), 1.0)]);
    assert_eq!(fused.agreement, 3.0 / 7.0);
}

#[test]
fn the_same_answer_in_other_words_is_one_answer() {
    let drafts = || vec![in_words("a", 2, 0.6), in_words("b", 3, 0.7), in_words("c", 8, 0.65)];
    let rule = Consensus::WeightedConfidence;
    let apart = fused_by(rule, 1.5, drafts()).unwrap();
    assert_eq!((answer_of(&apart).as_str(), apart.report.dissent.len()), ("text 3", 2));
    let together = fused_with(rule, 1.5, &Neighbours, drafts()).unwrap();
    assert_eq!((answer_of(&together).as_str(), together.report.dissent.len()), ("text 3", 1));
    assert!(together.draft.signal.get() > apart.draft.signal.get());
    assert!(together.report.votes[..2].iter().all(|vote| vote.answer == "text 3"));
}

#[test]
fn a_chain_of_likenesses_does_not_join_its_ends() {
    let chain = vec![in_words("a", 2, 0.6), in_words("b", 3, 0.6), in_words("c", 4, 0.6)];
    let fused = fused_with(Consensus::MajorityVote, 1.5, &Neighbours, chain).unwrap();
    assert_eq!(fused.agreement, 2.0 / 3.0);
    assert_eq!(fused.report.dissent[0].answer, "text 4");
}

#[test]
fn a_long_answer_is_shown_by_its_beginning() {
    let mut long = draft("a", Tier::Asi, None, 0.6, false);
    long.answer = Some(Canonical::Text("ä".repeat(5000)));
    let fused = fused_by(Consensus::MajorityVote, 1.5, vec![long]).unwrap();
    assert!(fused.report.votes[0].answer.len() < 300);
}

#[test]
fn verified_evidence_weighs_more_and_says_so() {
    let drafts = || {
        vec![
            draft("a", Tier::Flux, Some(1), 0.6, true),
            draft("b", Tier::Asi, Some(2), 0.65, false),
        ]
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
            draft("a", Tier::Flux, Some(1), 0.68, false),
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

#[test]
fn a_lead_that_nobody_can_catch_up_with_is_settled() {
    let weights = custom_weights();
    let drafts =
        [draft("a", Tier::Asi, Some(1), 0.9, false), draft("b", Tier::Asi, Some(1), 0.9, false)];
    let settled = |consensus, silent: &[(&str, f64)]| {
        let rule =
            Rule { consensus, custom_weights: &weights, sacred_weight: 1.5, likeness: &OnlyEqual };
        let silent: Vec<Silent<'_>> = silent
            .iter()
            .map(|(source, highest)| Silent { source, highest: Signal::clamped(*highest) })
            .collect();
        is_settled(&drafts, &silent, &rule)
    };
    assert!(settled(Consensus::MajorityVote, &[("c", 1.0)]));
    assert!(!settled(Consensus::MajorityVote, &[("c", 1.0), ("d", 1.0)]), "a tie is no lead");
    assert!(settled(Consensus::WeightedConfidence, &[("c", 0.7)]));
    assert!(!settled(Consensus::WeightedConfidence, &[("unknown", 1.0)]));
    assert!(settled(Consensus::BestResponse, &[("c", 0.7), ("d", 0.8)]));
    assert!(!settled(Consensus::BestResponse, &[("c", 0.7), ("d", 0.95)]));
    assert!(settled(Consensus::Ensemble, &[("c", 0.7)]));
    assert!(!settled(Consensus::Ensemble, &[("c", 1.0)]));
    assert!(settled(Consensus::CustomWeights, &[("c", 1.0), ("d", 1.0)]), "`a` weighs 3");
    assert!(settled(Consensus::Ensemble, &[]), "nobody is left to object");
}

#[test]
fn nothing_is_settled_while_nobody_has_answered() {
    let rule = Rule {
        consensus: Consensus::WeightedConfidence,
        custom_weights: &BTreeMap::new(),
        sacred_weight: 1.5,
        likeness: &OnlyEqual,
    };
    let silent = [Silent { source: "b", highest: Signal::ZERO }];
    assert!(!is_settled(&[], &silent, &rule));
    assert!(!is_settled(&[draft("a", Tier::Asi, None, 0.9, true)], &silent, &rule));
}

/// Who stands behind the answer that won.
fn winners(fused: &Fused) -> Vec<String> {
    let votes = fused.report.votes.iter().filter(|vote| vote.won);
    votes.map(|vote| vote.expert.clone()).collect()
}

prop_compose! {
    fn any_draft()(
        name in prop::sample::select(vec!["a", "b", "c", "d"]),
        asi in any::<bool>(),
        answer in prop::option::weighted(0.85, 0i64..4),
        words in any::<bool>(),
        signal in prop::sample::select(vec![0.0, 0.2, 0.5, 0.5, 0.63, 0.9, 1.0]),
        verified in any::<bool>(),
    ) -> Draft {
        let mut draft =
            draft(name, if asi { Tier::Asi } else { Tier::Flux }, answer, signal, verified);
        if let (true, Some(place)) = (words, answer) {
            draft.answer = Some(Canonical::Text(format!("text {place}")));
        }
        draft
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
        let by = |drafts| fused_with(consensus, sacred, &Neighbours, drafts);
        let fused = by(drafts);
        prop_assert_eq!(&fused, &by(other));
        prop_assert_eq!(&fused, &by(reversed));
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

    /// Against every order and any completion: those who were silent say anything, or nothing.
    #[test]
    fn what_is_settled_no_silent_expert_can_change(
        drafts in prop::collection::vec(any_draft(), 1..6),
        completions in prop::collection::vec(
            prop::collection::vec(prop::option::of(any_draft()), 3),
            24,
        ),
        highest in prop::collection::vec(prop::sample::select(vec![0.2, 0.5, 0.63, 1.0]), 1..4),
        consensus in prop::sample::select(Consensus::ALL),
    ) {
        let names = ["e", "f", "g"];
        let weights = custom_weights();
        let rule = Rule {
            consensus,
            custom_weights: &weights,
            sacred_weight: 1.5,
            likeness: &Neighbours,
        };
        let silent: Vec<Silent<'_>> = names
            .iter()
            .zip(&highest)
            .map(|(source, p)| Silent { source, highest: Signal::clamped(*p) })
            .collect();
        if !is_settled(&drafts, &silent, &rule) {
            return Ok(());
        }
        let before = fuse(drafts.clone(), &rule).unwrap();
        for completion in completions {
            let mut all = drafts.clone();
            for (answer, silent) in completion.into_iter().zip(&silent) {
                let Some(mut late) = answer else { continue };
                late.source.name = silent.source.into();
                late.signal = Signal::clamped(late.signal.get().min(silent.highest.get()));
                all.push(late);
            }
            let after = fuse(all, &rule).unwrap();
            let (leaders, now) = (winners(&before), winners(&after));
            // A paraphrase may leave the leaders' class; those who said literally the same stay.
            let literally = |answer: &Option<Canonical>| -> Vec<String> {
                let same = drafts.iter().filter(|d| d.answer == *answer);
                same.map(|d| d.source.name.to_string()).collect()
            };
            let stayed = drafts.iter().filter(|d| d.answer.is_some()).any(|draft| {
                let all = literally(&draft.answer);
                all.iter().all(|name| leaders.contains(name) && now.contains(name))
            });
            prop_assert!(stayed, "{leaders:?} led, {now:?} won");
        }
    }
}
