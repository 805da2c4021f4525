use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;

const HALF_LIFE: f64 = 50.0;

fn judged(arm: Arm, score: f64, principal: Option<u64>) -> Observation {
    judged_of(ResponseId::generate(), arm, score, principal)
}

fn judged_of(response: ResponseId, arm: Arm, score: f64, principal: Option<u64>) -> Observation {
    let seen = Seen::Judged { response, score, revises: false, principal };
    Observation { arm, complexity: 0.5, seen }
}

fn revised(mut observation: Observation) -> Observation {
    if let Seen::Judged { revises, .. } = &mut observation.seen {
        *revises = true;
    }
    observation
}

fn ended(arm: Arm, answered: bool) -> Observation {
    let seen = Seen::Ended { answered, latency_s: 0.5, cost_usd: Some(0.001) };
    Observation { arm, complexity: 0.3, seen }
}

fn weight_of(evidence: &Evidence, arm: Arm, prior: f64) -> f64 {
    evidence.sums(prior)[arm.index()].scores.n
}

#[test]
fn an_event_counts_half_after_its_half_life() {
    let mut evidence = Evidence::default();
    evidence.observe("a", 1, &judged(Arm::Hybrid, 1.0, None), HALF_LIFE);
    for seq in 2..52 {
        evidence.observe("a", seq, &ended(Arm::RuntimeFirst, true), HALF_LIFE);
    }
    let left = weight_of(&evidence, Arm::Hybrid, 1.0);
    assert!((left - 0.5).abs() < 1e-9, "{left}");
}

#[test]
fn a_long_life_neither_overflows_nor_forgets_the_newest() {
    let mut evidence = Evidence::default();
    for seq in 1..50_000 {
        evidence.observe("a", seq, &ended(Arm::Hybrid, seq % 2 == 0), 10.0);
    }
    let sums = evidence.sums(1.0)[Arm::Hybrid.index()];
    let steady = 1.0 / (1.0 - 0.5f64.powf(0.1));
    assert!((sums.asked - steady).abs() < 0.01, "{} of {steady}", sums.asked);
}

#[test]
fn nobody_alone_weighs_more_than_a_twentieth() {
    let mut evidence = Evidence::default();
    for seq in 1..=500 {
        evidence.observe("a", seq, &judged(Arm::Hybrid, 0.0, Some(7)), HALF_LIFE);
    }
    let prior = 4.0;
    let weight = weight_of(&evidence, Arm::Hybrid, prior);
    assert!(weight <= MOST_OF_ONE * (prior + weight) + 1e-9, "{weight}");
    evidence.observe("a", 501, &judged(Arm::Hybrid, 1.0, None), HALF_LIFE);
    assert!(weight_of(&evidence, Arm::Hybrid, prior) >= 1.0, "the operator counts in full");
}

#[test]
fn a_changed_mind_counts_as_much_as_it_changed() {
    let response = ResponseId::generate();
    let mut evidence = Evidence::default();
    evidence.observe("a", 1, &judged_of(response, Arm::Hybrid, 1.0, None), HALF_LIFE);
    evidence.observe("a", 2, &revised(judged_of(response, Arm::Hybrid, 0.0, None)), HALF_LIFE);
    let mut once = Evidence::default();
    once.observe("a", 2, &judged_of(response, Arm::Hybrid, 0.0, None), HALF_LIFE);
    assert_eq!(evidence.sums(1.0), once.sums(1.0));
}

/// Both see the same but for one judgement, which one of them hears late, as a revision.
fn late_and_at_once(
    said: (f64, Option<u64>),
    revision: (f64, Option<u64>),
    between: u64,
) -> [Evidence; 2] {
    let response = ResponseId::generate();
    let of = |(score, principal)| judged_of(response, Arm::Hybrid, score, principal);
    let [mut late, mut at_once] = [Evidence::default(), Evidence::default()];
    late.observe("a", 1, &of(said), 10.0);
    at_once.observe("a", 1, &of(revision), 10.0);
    for seq in 2..2 + between {
        // Beside it, the judgements that both of these judges stand by.
        let other = match seq % 3 {
            0 => ended(Arm::RuntimeFirst, true),
            judge => judged(Arm::Hybrid, 0.5, Some(judge)),
        };
        late.observe("a", seq, &other, 10.0);
        at_once.observe("a", seq, &other, 10.0);
    }
    late.observe("a", 2 + between, &revised(of(revision)), 10.0);
    [late, at_once]
}

fn assert_alike(a: &Evidence, b: &Evidence) {
    let sums = |evidence: &Evidence| evidence.sums(1.0)[Arm::Hybrid.index()].scores;
    assert!((sums(a).n - sums(b).n).abs() < 1e-9, "{:?} {:?}", sums(a), sums(b));
    assert!((sums(a).mean() - sums(b).mean()).abs() < 1e-9, "{:?} {:?}", sums(a), sums(b));
}

#[test]
fn a_late_revision_takes_back_what_is_left_of_the_original() {
    for between in [0, 1, 40, 2000] {
        let [late, at_once] = late_and_at_once((1.0, None), (0.0, None), between);
        assert_alike(&late, &at_once);
        let recent = |evidence: &Evidence| evidence.recent()[Arm::Hybrid.index()].sum;
        assert!((recent(&late) - recent(&at_once)).abs() < 1e-9);
    }
}

#[test]
fn a_revision_by_another_takes_back_what_the_first_judge_said() {
    for (first, second) in [(Some(1), Some(2)), (None, Some(1)), (Some(2), None)] {
        for between in [0, 40, 2000] {
            let [late, at_once] = late_and_at_once((1.0, first), (0.0, second), between);
            assert_alike(&late, &at_once);
            let judges = |evidence: &Evidence| {
                evidence
                    .judges()
                    .into_iter()
                    .map(|(who, judge)| {
                        let scores = judge.0[Arm::Hybrid.index()].scores;
                        (who, scores.n, scores.mean())
                    })
                    .collect::<Vec<_>>()
            };
            for ((who, n, mean), expected) in judges(&late).into_iter().zip(judges(&at_once)) {
                assert_eq!(who, expected.0);
                assert!((n - expected.1).abs() < 1e-9 && (mean - expected.2).abs() < 1e-9);
            }
        }
    }
}

#[test]
fn who_says_the_same_again_and_again_gains_no_weight() {
    let response = ResponseId::generate();
    let mut evidence = Evidence::default();
    for seq in 1..=100 {
        let again = judged_of(response, Arm::Hybrid, f64::from(u8::from(seq % 2 == 0)), Some(1));
        let again = if seq == 1 { again } else { revised(again) };
        evidence.observe("a", seq, &again, HALF_LIFE);
    }
    let of_one = evidence.judges().remove(&1).unwrap().0[Arm::Hybrid.index()].scores;
    assert!((of_one.n - 1.0).abs() < 1e-9 && (of_one.mean() - 1.0).abs() < 1e-9, "{of_one:?}");
}

#[test]
fn a_revision_of_what_was_never_taken_in_changes_nothing() {
    let mut evidence = Evidence::default();
    evidence.observe("a", 1, &judged(Arm::Hybrid, 1.0, Some(1)), HALF_LIFE);
    let before = evidence.sums(1.0);
    evidence.observe("a", 2, &revised(judged(Arm::Hybrid, 0.0, Some(1))), HALF_LIFE);
    assert_eq!(evidence.sums(1.0), before);
}

#[test]
fn neither_judges_nor_services_grow_without_end() {
    let mut evidence = Evidence::default();
    for seq in 1..3000 {
        evidence.observe("a", seq, &judged(Arm::Hybrid, 1.0, Some(seq)), HALF_LIFE);
        evidence.observe(&format!("o{seq}"), seq, &ended(Arm::Hybrid, true), HALF_LIFE);
    }
    assert_eq!(evidence.0.len(), MOST_ORIGINS);
    assert!(evidence.0.values().all(|origin| origin.principals.len() <= MOST_PRINCIPALS));
}

static RESPONSES: LazyLock<[ResponseId; 8]> =
    LazyLock::new(|| std::array::from_fn(|_| ResponseId::generate()));

fn observation() -> impl Strategy<Value = Observation> {
    let seen = prop_oneof![
        (any::<bool>(), 0.0..5.0f64, 0.0..0.1f64).prop_map(|(answered, latency_s, cost_usd)| {
            Seen::Ended { answered, latency_s, cost_usd: Some(cost_usd).filter(|_| answered) }
        }),
        (0..RESPONSES.len(), 0.0..=1.0f64, any::<bool>(), proptest::option::of(0u64..5)).prop_map(
            |(response, score, revises, principal)| Seen::Judged {
                response: RESPONSES[response],
                score,
                revises,
                principal,
            }
        ),
    ];
    (0..ARMS, 0.0..=1.0f64, seen).prop_map(|(arm, complexity, seen)| Observation {
        arm: Arm::ALL[arm],
        complexity,
        seen,
    })
}

/// States as services have them that have heard of each other up to some point.
fn states() -> impl Strategy<Value = Vec<Evidence>> {
    let events = proptest::collection::vec((0usize..3, observation()), 0..60);
    (events, proptest::collection::vec(proptest::collection::vec(0usize..61, 3), 3)).prop_map(
        |(events, cuts)| {
            let state = |cut: &Vec<usize>| {
                let mut evidence = Evidence::default();
                for (at, (origin, seen)) in events.iter().enumerate() {
                    if at < cut[*origin] {
                        evidence.observe(&origin.to_string(), at as u64 + 1, seen, HALF_LIFE);
                    }
                }
                evidence
            };
            cuts.iter().map(state).collect()
        },
    )
}

fn merged(a: &Evidence, b: &Evidence) -> Evidence {
    let mut merged = a.clone();
    merged.merge(b);
    merged
}

proptest! {
    #[test]
    fn states_merge_in_any_order_grouping_and_number(states in states()) {
        let [a, b, c] = &states[..] else { panic!("three states") };
        prop_assert_eq!(merged(&merged(a, b), c), merged(a, &merged(b, c)));
        prop_assert_eq!(merged(a, b), merged(b, a));
        prop_assert_eq!(merged(&merged(a, b), b), merged(a, b));
    }

    #[test]
    fn an_event_that_comes_again_changes_nothing(
        events in proptest::collection::vec(observation(), 1..40), again in 0usize..40,
    ) {
        let mut evidence = Evidence::default();
        for (at, seen) in events.iter().enumerate() {
            evidence.observe("a", at as u64 + 1, seen, HALF_LIFE);
        }
        let before = evidence.clone();
        let again = again % events.len();
        evidence.observe("a", again as u64 + 1, &events[again], HALF_LIFE);
        prop_assert_eq!(evidence, before);
    }

    #[test]
    fn each_judge_keeps_to_his_share_of_the_whole(
        firm in 0.5..50.0f64, influences in proptest::collection::vec(0.0..100.0f64, 0..60),
    ) {
        let limit = limit(firm, influences.iter().copied());
        let whole = firm + influences.iter().map(|i| i.min(limit)).sum::<f64>();
        for influence in influences {
            prop_assert!(influence.min(limit) <= MOST_OF_ONE * whole * (1.0 + 1e-9));
        }
    }

    #[test]
    fn what_is_saved_is_what_is_loaded(states in states()) {
        let text = serde_json::to_string(&states[0]).unwrap();
        prop_assert_eq!(&serde_json::from_str::<Evidence>(&text).unwrap(), &states[0]);
    }
}

#[test]
fn who_contradicts_everybody_is_not_heard() {
    let (mut evidence, mut seq) = (Evidence::default(), 0);
    let mut tell = |arm, score, principal| {
        seq += 1;
        evidence.observe("a", seq, &judged(arm, score, Some(principal)), 1e6);
    };
    for round in 0..10 {
        for honest in 1..=50 {
            let right = f64::from(u8::from((round + honest) % 10 < 8));
            tell(Arm::Hybrid, right, honest);
        }
    }
    for _ in 0..50 {
        tell(Arm::Hybrid, 0.0, 1000);
    }
    let mean = evidence.sums(2.0)[Arm::Hybrid.index()].scores.mean();
    assert!((mean - 0.8).abs() < 0.005, "{mean}");
}
