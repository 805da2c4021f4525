//! Adaptive on a made-up stream of real outcomes: what each arm came to is known for every row, so
//! the chosen arm's part is shown to the bandit and the rest is the yardstick.

use rand::{RngExt, SeedableRng, rngs::StdRng, seq::SliceRandom};

use crate::{
    bandit::{Evidence, HALF_LIFE, Observation, Seen, expectations},
    domain::{ARMS, AdaptiveRule, Arm, Complexity, ComplexityTier, Elp, Outlook, need_of},
    routing,
};

/// What an arm came to on one row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct ArmOutcome {
    /// 1 is right, 0 is wrong.
    pub(super) score: f64,
    /// Time to the answer, in seconds.
    pub(super) latency_s: f64,
}

/// One request of the stream.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct StreamRow {
    /// Its complexity score.
    pub(super) complexity: f64,
    /// What each arm comes to.
    pub(super) arms: [ArmOutcome; ARMS],
}

/// What happens on the stream besides requests.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Event {
    /// Nothing.
    Quiet,
    /// The best arm answers nothing from the first request on, until the second.
    Dies(usize, usize),
    /// One principal gives this share of all feedback, and lies: the best arm is always wrong, all
    /// others are right. The rest comes from a hundred honest ones.
    Lies(f64),
}

/// One run.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Run {
    /// Utility of each request, by the arm that was chosen.
    pub(super) utility: Vec<f64>,
    /// Chance of the best arm at each request.
    pub(super) best_share: Vec<f64>,
    /// The least chance that any arm ever had.
    pub(super) least_share: f64,
}

/// The arm with the highest mean utility over the whole table, and that utility; one may be left
/// out.
pub(super) fn best_arm(rows: &[StreamRow], rule: &AdaptiveRule, but: Option<Arm>) -> (Arm, f64) {
    let mean = |arm: Arm| {
        let all: f64 = rows.iter().map(|row| utility(row, arm, rule)).sum();
        #[expect(clippy::cast_precision_loss, reason = "rows of a table")]
        let n = rows.len().max(1) as f64;
        all / n
    };
    let mut best = (Arm::Hybrid, f64::NEG_INFINITY);
    for arm in Arm::ALL.into_iter().filter(|arm| Some(*arm) != but) {
        let mean = mean(arm);
        if mean > best.1 {
            best = (arm, mean);
        }
    }
    best
}

fn utility(row: &StreamRow, arm: Arm, rule: &AdaptiveRule) -> f64 {
    let outcome = row.arms.get(arm.index());
    outcome.map_or(0.0, |o| o.score - rule.price(o.latency_s, 0.0))
}

/// Runs `requests` rows, drawn in an order of the seed's, through a bandit that begins knowing
/// nothing.
pub(super) fn run(
    rows: &[StreamRow],
    rule: &AdaptiveRule,
    event: Event,
    requests: usize,
    seed: u64,
) -> Run {
    let mut dice = StdRng::seed_from_u64(seed);
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.shuffle(&mut dice);
    let best = best_arm(rows, rule, None).0;
    let (mut evidence, mut seq) = (Evidence::default(), 0);
    let mut run = Run { utility: Vec::new(), best_share: Vec::new(), least_share: 1.0 };
    let mut shares = Outlook::default();
    for (at, row) in order.iter().cycle().take(requests).filter_map(|i| rows.get(*i)).enumerate() {
        let complexity = Complexity {
            score: row.complexity,
            tier: ComplexityTier::Moderate,
            dimensions: Vec::new(),
            elp: Elp::default(),
            needs_asi: false,
        };
        if let Some(need) = shares.needs.get_mut(need_of(row.complexity)) {
            *need = expectations(&evidence, rule, row.complexity);
        }
        let choice = routing::choose(&shares, &complexity, None, dice.random());
        let dead = matches!(event, Event::Dies(from, to) if (from..to).contains(&at));
        let answered = !(dead && choice.arm == best);
        let Some(outcome) = row.arms.get(choice.arm.index()) else { continue };
        let price = rule.price(outcome.latency_s, 0.0);
        run.utility.push(if answered { outcome.score - price } else { -price });
        run.best_share.push(shares.of(row.complexity).get(best.index()).map_or(0.0, |e| e.share));
        let least = choice.alternatives.iter().map(|a| a.probability).fold(1.0, f64::min);
        run.least_share = run.least_share.min(least);

        let mut see = |seen| {
            seq += 1;
            let observation = Observation { arm: choice.arm, complexity: row.complexity, seen };
            evidence.observe("stream", seq, &observation, HALF_LIFE);
        };
        see(Seen::Ended { answered, latency_s: outcome.latency_s, cost_usd: 0.0 });
        if answered {
            let (score, principal) = judgement(event, outcome.score, choice.arm == best, &mut dice);
            see(Seen::Judged { score, previous: None, principal });
        }
    }
    run
}

/// What is said of an answer, and by whom; `None` is the operator.
fn judgement(event: Event, score: f64, best: bool, dice: &mut StdRng) -> (f64, Option<u64>) {
    const LIAR: u64 = 0;
    const HONEST: u64 = 100;
    let Event::Lies(share) = event else { return (score, None) };
    if dice.random::<f64>() < share {
        (if best { 0.0 } else { 1.0 }, Some(LIAR))
    } else {
        (score, Some(1 + dice.random_range(0..HONEST)))
    }
}
