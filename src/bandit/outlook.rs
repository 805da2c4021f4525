//! From evidence to the chances with which arms are chosen.
//!
//! Each arm's chance is the probability that it is the best one, given what was seen (Thompson
//! sampling, whose draws are here integrated out instead of being made), mixed with a floor that
//! never ends. Evidence fades, so doubt about an arm that was not tried lately grows again by
//! itself, and an arm that died is found to be back.

use super::{
    Evidence,
    evidence::{ArmSums, CHANGE_NEEDS, SURELY},
    moments::Line,
};
use crate::domain::{ARMS, AdaptiveRule, Arm, Expectation, NEEDS, Outlook};

/// What is believed of an arm before anything was seen: chance of a right answer at a complexity of
/// one half, and its slope over the complexity; latency in seconds.
///
/// The complexity is the chance that Flux is wrong where ASI is right, hence the steep slope of
/// RuntimeFirst. The beliefs are worth a few requests only.
struct Belief {
    right: f64,
    slope: f64,
    latency_s: f64,
}

const BELIEFS: [Belief; ARMS] = [
    Belief { right: 0.55, slope: -0.6, latency_s: 0.5 },
    Belief { right: 0.75, slope: -0.3, latency_s: 1.5 },
    Belief { right: 0.78, slope: -0.2, latency_s: 2.0 },
    Belief { right: 0.77, slope: -0.2, latency_s: 1.5 },
    Belief { right: 0.78, slope: -0.2, latency_s: 2.0 },
    Belief { right: 0.80, slope: -0.2, latency_s: 3.0 },
    Belief { right: 0.80, slope: -0.2, latency_s: 4.0 },
];

/// Observations that the belief about the level, and about the slope, of a score is worth.
pub(super) const LEVEL_WORTH: f64 = 2.0;
const SLOPE_WORTH: f64 = 1.0;
/// The same of latency and cost, which vary less.
const SPENT_WORTH: f64 = 0.5;
/// Requests that the belief is worth that arms answer at all, and that belief.
const ANSWER_WORTH: f64 = 1.0;
const ANSWERS: f64 = 0.95;
/// Noise of one score, as a variance, stays within these.
const NOISE: (f64, f64) = (0.03, 0.25);
/// Least chance of any arm that may be chosen, whatever the rule says.
const FLOOR: f64 = 0.01;
/// Least chance of an arm that was good and has failed lately: how soon it is found to be back.
const PROBE: f64 = 0.08;
/// Doubt counts for less than it is: arms that are nearly alike would be drawn in turn for ever, and
/// what is lost by missing the better of two such is little.
const SHARPNESS: f64 = 0.5;
/// Steps of the integral.
const STEPS: u32 = 64;
#[expect(clippy::cast_precision_loss, reason = "a handful")]
const ARMS_F: f64 = ARMS as f64;

/// An arm's worth, as far as it is known: a normal distribution.
#[derive(Debug, Clone, Copy)]
struct Normal {
    mean: f64,
    deviation: f64,
}

/// What is expected of every arm for every class of requests, and the chances that follow.
#[must_use]
pub fn outlook(evidence: &Evidence, rule: &AdaptiveRule) -> Outlook {
    let known = Known::of(evidence);
    let mut outlook = Outlook::default();
    for (need, expectations) in outlook.needs.iter_mut().enumerate() {
        #[expect(clippy::cast_precision_loss, reason = "a handful")]
        let z = (need as f64 + 0.5) / NEEDS as f64 - 0.5;
        *expectations = known.expectations(rule, z);
    }
    for (judged, sums) in outlook.judged.iter_mut().zip(&known.sums) {
        *judged = sums.scores.n;
    }
    outlook
}

/// The same for one complexity score alone.
#[must_use]
pub fn expectations(
    evidence: &Evidence,
    rule: &AdaptiveRule,
    complexity: f64,
) -> [Expectation; ARMS] {
    Known::of(evidence).expectations(rule, complexity.clamp(0.0, 1.0) - 0.5)
}

/// What is known of all arms.
struct Known {
    sums: [ArmSums; ARMS],
    /// By how much an arm's latest results have left what the long memory expects of it.
    changes: [Option<Change>; ARMS],
}

/// A change that is no chance.
#[derive(Debug, Clone, Copy)]
struct Change {
    by: f64,
    deviation: f64,
}

impl Known {
    fn of(evidence: &Evidence) -> Self {
        let sums = evidence.sums(LEVEL_WORTH);
        let mut changes = [None; ARMS];
        for (((change, belief), sums), recent) in
            changes.iter_mut().zip(&BELIEFS).zip(&sums).zip(&evidence.recent())
        {
            if recent.n < CHANGE_NEEDS {
                continue;
            }
            let usual = sums.right(belief, sums.scores.middle());
            let noise = (usual.mean * (1.0 - usual.mean)).clamp(NOISE.0, NOISE.1);
            let deviation = (noise / recent.n).sqrt();
            let by = recent.sum / recent.n - usual.mean;
            *change = (by.abs() > SURELY * deviation.hypot(usual.deviation))
                .then_some(Change { by, deviation });
        }
        Self { sums, changes }
    }

    fn expectations(&self, rule: &AdaptiveRule, z: f64) -> [Expectation; ARMS] {
        let mut expectations = Outlook::default().needs[0];
        let mut rights = [Normal { mean: 0.0, deviation: 1.0 }; ARMS];
        let dearest = self.sums.iter().map(|sums| sums.paid.mean()).fold(0.0, f64::max);
        let mut floors = [(rule.exploration / ARMS_F).max(FLOOR); ARMS];
        for arm in 0..ARMS {
            let (Some(expected), Some(right), Some(floor), Some(belief), Some(sums)) = (
                expectations.get_mut(arm),
                rights.get_mut(arm),
                floors.get_mut(arm),
                BELIEFS.get(arm),
                self.sums.get(arm),
            ) else {
                continue;
            };
            *right = sums.right(belief, z);
            right.deviation *= SHARPNESS;
            if let Some(change) = self.changes.get(arm).copied().flatten() {
                right.mean = (right.mean + change.by).clamp(0.0, 1.0);
                right.deviation = change.deviation;
                if change.by < 0.0 {
                    *floor = floor.max(PROBE);
                }
            }
            expected.right = right.mean;
            expected.latency_s = spent(sums, belief, z);
            expected.cost_usd = cost(sums, dearest, z);
            expected.utility = right.mean - rule.price(expected.latency_s, expected.cost_usd);
        }
        let shares = if rule.target_accuracy > 0.0 {
            cheapest(&expectations, &rights, rule)
        } else {
            let mut worth = rights;
            for (worth, expected) in worth.iter_mut().zip(&expectations) {
                worth.mean = expected.utility;
            }
            best(&worth)
        };
        let left = 1.0 - floors.iter().sum::<f64>();
        for ((expected, share), floor) in expectations.iter_mut().zip(shares).zip(floors) {
            expected.share = floor + left * share;
        }
        expectations
    }
}

impl ArmSums {
    /// Chance of a right answer. A request that ended without any has none, and needs no judge.
    fn right(&self, belief: &Belief, z: f64) -> Normal {
        let line = Line {
            level: belief.right,
            level_worth: LEVEL_WORTH,
            slope: belief.slope,
            slope_worth: SLOPE_WORTH,
        };
        let (score, spread) = self.scores.expect(&line, z);
        let score = score.clamp(0.0, 1.0);
        let noise = (score * (1.0 - score)).clamp(NOISE.0, NOISE.1);
        let asked = ANSWER_WORTH + self.asked;
        let answers = (ANSWER_WORTH * ANSWERS + self.answered) / asked;
        let unsure = answers * (1.0 - answers) / (asked + 1.0);
        let variance = answers * answers * spread * noise + score * score * unsure;
        Normal { mean: answers * score, deviation: variance.sqrt().max(1e-3) }
    }
}

fn spent(sums: &ArmSums, belief: &Belief, z: f64) -> f64 {
    let line = Line {
        level: belief.latency_s,
        level_worth: SPENT_WORTH,
        slope: 0.0,
        slope_worth: SPENT_WORTH,
    };
    sums.latency.expect(&line, z).0.max(0.0)
}

/// What an arm costs. A request whose price is not known counts as what such requests cost where it is
/// known, `dearest` where this arm has none: ignorance makes nothing cheaper.
fn cost(sums: &ArmSums, dearest: f64, z: f64) -> f64 {
    let line = Line { level: 0.0, level_worth: SPENT_WORTH, slope: 0.0, slope_worth: SPENT_WORTH };
    let stand_in = if sums.paid.n > 0.0 { sums.paid.mean() } else { dearest };
    let mut all = sums.cost;
    all.join(&sums.unpriced.raised(stand_in), 1.0);
    all.expect(&line, z).0.max(0.0)
}

/// The probability of each to be the greatest: ∫ dF(x) ∏ F_other(x).
fn best(worth: &[Normal; ARMS]) -> [f64; ARMS] {
    const REACH: f64 = 4.0;
    let end = |side: f64| {
        let ends = worth.iter().map(|n| n.mean + side * REACH * n.deviation);
        ends.fold(f64::NEG_INFINITY, f64::max)
    };
    // Whoever is the greatest is not below what the greatest surely reaches.
    let (low, high) = (end(-1.0), end(1.0));
    let step = (high - low) / f64::from(STEPS);
    let below = |x: f64| worth.map(|n| normal_cdf((x - n.mean) / n.deviation));
    let mut shares = [0.0; ARMS];
    let mut left = below(low);
    for i in 1..=STEPS {
        let right = below(low + step * f64::from(i));
        let middle: [f64; ARMS] = std::array::from_fn(|arm| {
            f64::midpoint(
                left.get(arm).copied().unwrap_or(0.0),
                right.get(arm).copied().unwrap_or(0.0),
            )
        });
        for (arm, share) in shares.iter_mut().enumerate() {
            let gained = right.get(arm).unwrap_or(&0.0) - left.get(arm).unwrap_or(&0.0);
            if gained > 1e-12 {
                let others = middle.iter().enumerate().filter(|(other, _)| *other != arm);
                *share += gained * others.map(|(_, below)| below).product::<f64>();
            }
        }
        left = right;
    }
    normalised(shares)
}

/// The probability of each to be the cheapest that reaches the target; where none does, of being
/// the one that is most often right.
fn cheapest(
    expectations: &[Expectation; ARMS],
    rights: &[Normal; ARMS],
    rule: &AdaptiveRule,
) -> [f64; ARMS] {
    let price = |arm: &Arm| {
        expectations.get(arm.index()).map_or(0.0, |e| rule.price(e.latency_s, e.cost_usd))
    };
    let mut by_price = Arm::ALL;
    by_price.sort_by(|a, b| price(a).total_cmp(&price(b)));
    let mut shares = best(rights);
    let (mut none_yet, mut reached) = (1.0, [0.0; ARMS]);
    for arm in by_price {
        let Some(right) = rights.get(arm.index()) else { continue };
        let reaches = normal_cdf((right.mean - rule.target_accuracy) / right.deviation);
        if let Some(share) = reached.get_mut(arm.index()) {
            *share = none_yet * reaches;
        }
        none_yet *= 1.0 - reaches;
    }
    for (share, reached) in shares.iter_mut().zip(reached) {
        *share = none_yet * *share + reached;
    }
    normalised(shares)
}

fn normalised(shares: [f64; ARMS]) -> [f64; ARMS] {
    let whole: f64 = shares.iter().sum();
    if whole > 0.0 && whole.is_finite() {
        shares.map(|share| share / whole)
    } else {
        [1.0 / ARMS_F; ARMS]
    }
}

/// The standard normal distribution, to 7.5e-8 (Abramowitz & Stegun 26.2.17).
fn normal_cdf(x: f64) -> f64 {
    const P: f64 = 0.231_641_9;
    const B: [f64; 5] =
        [0.319_381_530, -0.356_563_782, 1.781_477_937, -1.821_255_978, 1.330_274_429];
    if x.abs() > 8.0 {
        return if x > 0.0 { 1.0 } else { 0.0 };
    }
    let t = (1.0 + P * x.abs()).recip();
    let series = B.iter().rev().fold(0.0, |sum, b| (sum + b) * t);
    let tail = (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt() * series;
    if x > 0.0 { 1.0 - tail } else { tail }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        bandit::{Observation, Seen},
        domain::ResponseId,
    };

    fn judged(evidence: &mut Evidence, seq: &mut u64, arm: Arm, score: f64, complexity: f64) {
        let ended = Seen::Ended { answered: true, latency_s: 1.0, cost_usd: Some(0.0) };
        let response = ResponseId::generate();
        let judged = Seen::Judged { response, score, revises: false, principal: None };
        for seen in [ended, judged] {
            *seq += 1;
            evidence.observe("a", *seq, &Observation { arm, complexity, seen }, 1000.0);
        }
    }

    #[test]
    fn the_normal_distribution_is_the_published_one() {
        for (x, below) in [(0.0, 0.5), (1.0, 0.841_344_746), (-1.96, 0.024_997_895), (9.0, 1.0)] {
            assert!((normal_cdf(x) - below).abs() < 1e-7, "{x}");
        }
    }

    #[test]
    fn of_two_alike_each_is_the_best_half_the_time() {
        let mut worth = [Normal { mean: -9.0, deviation: 0.1 }; ARMS];
        worth[2] = Normal { mean: 0.5, deviation: 0.1 };
        worth[5] = worth[2];
        let shares = best(&worth);
        assert!((shares[2] - 0.5).abs() < 0.01 && (shares[5] - 0.5).abs() < 0.01, "{shares:?}");
    }

    #[test]
    fn the_chance_to_be_the_best_is_that_of_draws() {
        // Two normals: P(a > b) = Φ((μa − μb) / √(σa² + σb²)).
        let mut worth = [Normal { mean: -9.0, deviation: 0.1 }; ARMS];
        worth[0] = Normal { mean: 0.6, deviation: 0.2 };
        worth[1] = Normal { mean: 0.5, deviation: 0.1 };
        let expected = normal_cdf(0.1 / 0.05f64.sqrt());
        assert!((best(&worth)[0] - expected).abs() < 0.005, "{:?}", best(&worth));
    }

    #[test]
    fn different_questions_can_have_different_favourites() {
        let (mut evidence, mut seq) = (Evidence::default(), 0);
        for i in 0..300 {
            let complexity = f64::from(i % 10) / 10.0 + 0.05;
            let easy = f64::from(u8::from(complexity < 0.5));
            judged(&mut evidence, &mut seq, Arm::RuntimeFirst, easy, complexity);
            judged(&mut evidence, &mut seq, Arm::AiFirstFast, 1.0 - easy, complexity);
        }
        let outlook = outlook(&evidence, &AdaptiveRule::default());
        let favourite = |complexity| {
            let shares = outlook.of(complexity);
            Arm::ALL
                .into_iter()
                .max_by(|a, b| shares[a.index()].share.total_cmp(&shares[b.index()].share))
        };
        assert_eq!(favourite(0.05), Some(Arm::RuntimeFirst));
        assert_eq!(favourite(0.95), Some(Arm::AiFirstFast));
    }

    #[test]
    fn under_a_target_the_cheapest_that_reaches_it_is_favoured() {
        let (mut evidence, mut seq) = (Evidence::default(), 0);
        for i in 0..400 {
            for (arm, rate) in Arm::ALL.into_iter().zip([5, 8, 9, 9, 9, 10, 10]) {
                judged(&mut evidence, &mut seq, arm, f64::from(u8::from(i % 10 < rate)), 0.5);
            }
        }
        let favourite = |target_accuracy: f64| {
            let rule =
                AdaptiveRule { target_accuracy, latency_weight: 0.1, ..AdaptiveRule::default() };
            let outlook = outlook(&evidence, &rule);
            let shares = outlook.of(0.5);
            Arm::ALL
                .into_iter()
                .max_by(|a, b| shares[a.index()].share.total_cmp(&shares[b.index()].share))
        };
        assert_eq!(favourite(0.4), Some(Arm::RuntimeFirst), "all take equally long but for noise");
        assert!(matches!(favourite(0.97), Some(Arm::AiFirstThorough | Arm::AiFirstReasoning)));
    }

    #[test]
    fn an_unknown_cost_is_never_cheaper_than_a_known_one() {
        let costs = |seen: &[(Arm, Option<f64>)]| {
            let mut evidence = Evidence::default();
            for round in 0..100 {
                for (at, (arm, cost_usd)) in (1..).zip(seen) {
                    let seen = Seen::Ended { answered: true, latency_s: 1.0, cost_usd: *cost_usd };
                    let observation = Observation { arm: *arm, complexity: 0.5, seen };
                    evidence.observe("a", round * 10 + at, &observation, 1e6);
                }
            }
            let expected = expectations(&evidence, &AdaptiveRule::default(), 0.5);
            move |arm: Arm| expected[arm.index()].cost_usd
        };
        let (known, unknown) = (Arm::AiFirstFast, Arm::AiFirstThorough);
        let apart = costs(&[(known, Some(0.02)), (unknown, None)]);
        assert!((apart(unknown) - apart(known)).abs() < 1e-9 && apart(known) > 0.019);
        // Its own record first; and what a solver answered for nothing says nothing of a model.
        let own = costs(&[(known, Some(0.02)), (unknown, None), (unknown, Some(0.05))]);
        assert!((own(unknown) - 0.05).abs() < 1e-3, "{}", own(unknown));
        let beside_solvers = costs(&[(known, Some(0.02)), (unknown, None), (unknown, Some(0.0))]);
        assert!((beside_solvers(unknown) - 0.01).abs() < 1e-3, "{}", beside_solvers(unknown));
        let nobody_knows = costs(&[(known, None), (unknown, None)]);
        assert_eq!((nobody_knows(known), nobody_knows(unknown)), (0.0, 0.0), "costs have no say");
    }

    proptest! {
        #[test]
        fn no_arm_is_ever_below_a_hundredth_and_the_chances_sum_to_one(
            events in proptest::collection::vec((0..ARMS, 0.0..=1.0f64, 0.0..=1.0f64), 0..80),
            exploration in 0.0..0.5f64, target_accuracy in prop_oneof![Just(0.0), 0.1..1.0f64],
        ) {
            let (mut evidence, mut seq) = (Evidence::default(), 0);
            for (arm, score, complexity) in events {
                judged(&mut evidence, &mut seq, Arm::ALL[arm], score, complexity);
            }
            let rule = AdaptiveRule { exploration, target_accuracy, ..AdaptiveRule::default() };
            for expectations in outlook(&evidence, &rule).needs {
                prop_assert!(expectations.iter().all(|e| e.share >= FLOOR - 1e-12));
                let whole: f64 = expectations.iter().map(|e| e.share).sum();
                prop_assert!((whole - 1.0).abs() < 1e-9, "{}", whole);
            }
        }
    }
}
