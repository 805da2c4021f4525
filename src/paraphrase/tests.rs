//! The matcher as its users see it, and the model that ships.

use proptest::prelude::*;

use super::*;

fn judged(matcher: &Matcher, a: &str, b: &str) -> Judgement {
    matcher.judge(&matcher.profile(a), &matcher.profile(b))
}

#[test]
fn the_shipped_model_is_whole_and_trained() {
    let matcher = Matcher::read(SHIPPED).expect("models/recall.bin is of this version");
    assert!(matcher.trees() > 0);
    assert!(matcher.acceptance(0.01).is_open(), "the default bound accepts something");
    assert!(SHIPPED.len() < 2 << 20);
    assert!(!matcher.needs_points(), "it is given none");
}

#[test]
fn the_shipped_model_for_points_is_whole_and_needs_them() {
    let matcher = Matcher::shipped_for_points();
    assert_eq!(matcher.is_some(), cfg!(feature = "minilm"));
    if let Some(matcher) = matcher {
        assert!(matcher.needs_points());
        assert!(matcher.acceptance(0.01).is_open(), "the default bound accepts something");
    }
}

#[test]
fn a_model_is_read_back_as_it_was_written() {
    let matcher = Matcher::shipped();
    let again = Matcher::read(&matcher.written()).unwrap();
    assert_eq!(again.model, matcher.model);
    assert_eq!(matcher.written(), SHIPPED);
}

#[test]
fn a_file_that_is_not_exactly_a_model_is_refused() {
    assert_eq!(Matcher::read(b"").unwrap_err(), ModelFileError::NoModel);
    assert_eq!(Matcher::read(b"<html>").unwrap_err(), ModelFileError::NoModel);
    let mut other = SHIPPED.to_vec();
    other[8] = 99;
    assert_eq!(Matcher::read(&other).unwrap_err(), ModelFileError::Version { found: 99 });
    for cut in [9, 15, 17, SHIPPED.len() - 1] {
        assert_eq!(Matcher::read(&SHIPPED[..cut]).unwrap_err(), ModelFileError::Damaged, "{cut}");
    }
    let mut flipped = SHIPPED.to_vec();
    flipped[SHIPPED.len() / 2] ^= 1;
    assert_eq!(Matcher::read(&flipped).unwrap_err(), ModelFileError::Damaged);
}

#[test]
fn an_untrained_matcher_accepts_nothing() {
    let matcher = Matcher::untrained();
    let same = judged(&matcher, "what is a mutex", "what is a mutex");
    assert!(!matcher.acceptance(0.5).is_open());
    assert!(!matcher.acceptance(0.5).accepts(&same));
}

#[test]
fn what_asks_the_same_is_accepted_and_what_turns_the_answer_around_is_not() {
    let matcher = Matcher::shipped();
    let acceptance = matcher.acceptance(0.01);
    for (a, b) in [
        ("How do I lose weight fast?", "What is the best way to lose weight quickly?"),
        ("How can I learn to speak English fluently?", "How do I speak English fluently?"),
        ("What is the best way to learn Python?", "How do I learn Python?"),
    ] {
        let judgement = judged(&matcher, a, b);
        assert!(
            judgement.mismatch.is_none() && judgement.probability > 0.5,
            "{a} / {b}: {judgement:?}"
        );
    }
    for (a, b) in [
        ("How do I lose weight fast?", "How do I gain weight fast?"),
        ("How do I get from Rome to Paris?", "How do I get from Paris to Rome?"),
        ("What is the capital of France?", "What is the capital of Spain?"),
        ("Is it safe to eat raw eggs?", "Is it not safe to eat raw eggs?"),
    ] {
        let judgement = judged(&matcher, a, b);
        assert!(!acceptance.accepts(&judgement), "{a} / {b}: {judgement:?}");
    }
}

#[test]
fn training_is_the_same_every_time_and_refuses_too_little() {
    let pair = |n: usize, same: bool| LabelledPair {
        a: format!("how do I mend a boat of kind{n} in town{n}"),
        b: if same {
            format!("what is the way to mend a boat of kind{n} in town{n}")
        } else {
            format!("who sells the boat of kind{n}")
        },
        same,
    };
    let pairs: Vec<_> = (0..4000).map(|n| pair(n, n % 3 == 0)).collect();
    let trained = train(&pairs, &[], &|_| None, 3, |_, _| {}).unwrap();
    assert!(trained.held_out.wrong_hit_bound <= 0.02, "{:?}", trained.held_out);
    assert_eq!(
        trained.matcher.written(),
        train(&pairs, &[], &|_| None, 3, |_, _| {}).unwrap().matcher.written()
    );
    assert!(train(&pairs[..100], &[], &|_| None, 3, |_, _| {}).is_err());
}

#[test]
fn pairs_that_share_a_question_are_in_one_part() {
    let pair = |a: usize, b: usize| LabelledPair { a: a.to_string(), b: b.to_string(), same: true };
    // Chains of ten, given in an order that joins them late.
    let mut pairs: Vec<_> = (0..100).filter(|n| n % 2 == 0).map(|n| pair(n, n + 1)).collect();
    pairs.extend((0..100).filter(|n| n % 2 == 1 && n % 10 != 9).map(|n| pair(n + 1, n)));
    let parts = split(&pairs);
    for (pair, part) in pairs.iter().zip(&parts) {
        let chain = pair.a.parse::<usize>().unwrap() / 10;
        let same = |other: &LabelledPair| other.a.parse::<usize>().unwrap() / 10 == chain;
        assert!(pairs.iter().zip(&parts).filter(|(p, _)| same(p)).all(|(_, other)| other == part));
    }
    let train = parts.iter().filter(|(part, _)| *part == Split::Train).count();
    assert!(train > 0 && train < pairs.len());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn judging_is_symmetric_and_a_probability(
        a in "[a-zA-Z0-9 ?'.]{0,60}", b in "[a-zA-Z0-9 ?'.]{0,60}"
    ) {
        let matcher = Matcher::shipped();
        let (there, back) = (judged(&matcher, &a, &b), judged(&matcher, &b, &a));
        prop_assert!((0.0..=1.0).contains(&there.probability));
        prop_assert_eq!(there.mismatch.is_some(), back.mismatch.is_some());
        prop_assert!((there.score - back.score).abs() < 1e-2);
    }

    #[test]
    fn a_lower_bound_accepts_no_more(a in "[a-z ]{0,40}", b in "[a-z ]{0,40}") {
        let matcher = Matcher::shipped();
        let judgement = judged(&matcher, &a, &b);
        let rates = [0.0, 0.001, 0.01, 0.05, 0.2];
        let accepted = rates.map(|rate| matcher.acceptance(rate).accepts(&judgement));
        prop_assert!(accepted.is_sorted(), "{:?}", accepted);
    }
}
