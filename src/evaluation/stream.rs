//! Adaptive on a made-up stream of real outcomes: what each arm came to is known for every row, so
//! the chosen arm's part is shown to the bandit and the rest is the yardstick.

use rand::{RngExt, SeedableRng, rngs::StdRng, seq::SliceRandom};

use crate::{
    bandit::{Evidence, HALF_LIFE, Observation, Seen, expectations},
    domain::{
        ARMS, AdaptiveRule, Arm, Complexity, ComplexityTier, Elp, Outlook, ResponseId, need_of,
    },
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
    // Dice of their own for who judges: so runs that differ in a liar alone differ by him alone.
    let mut judges = StdRng::seed_from_u64(!seed);
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
            forecast: None,
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
        see(Seen::Ended { answered, latency_s: outcome.latency_s, cost_usd: Some(0.0) });
        if answered {
            let (score, principal) =
                judgement(event, outcome.score, choice.arm == best, &mut judges);
            let response = ResponseId::generate();
            see(Seen::Judged { response, score, revises: false, principal });
        }
    }
    run
}

/// What is said of an answer, and by whom; `None` is the operator.
fn judgement(event: Event, score: f64, best: bool, dice: &mut StdRng) -> (f64, Option<u64>) {
    const LIAR: u64 = 0;
    const HONEST: u64 = 100;
    let Event::Lies(share) = event else { return (score, None) };
    let (lot, judge) = (dice.random::<f64>(), 1 + dice.random_range(0..HONEST));
    if lot < share { (if best { 0.0 } else { 1.0 }, Some(LIAR)) } else { (score, Some(judge)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `evaluate-adaptive` takes a hundred; these are for a build without optimisation.
    const SEEDS: u64 = 20;

    /// Rows on which each arm is right with a chance that is linear in the complexity.
    fn rows(chances: [(f64, f64); ARMS]) -> Vec<StreamRow> {
        let mut dice = StdRng::seed_from_u64(1);
        (0..2000)
            .map(|_| {
                let complexity: f64 = dice.random();
                let arms = chances.map(|(easy, hard)| {
                    let chance = easy + (hard - easy) * complexity;
                    let score = f64::from(u8::from(dice.random::<f64>() < chance));
                    ArmOutcome { score, latency_s: 1.0 }
                });
                StreamRow { complexity, arms }
            })
            .collect()
    }

    /// One arm is clearly the best, whatever is asked.
    fn one_best() -> Vec<StreamRow> {
        let mut chances = [(0.6, 0.6); ARMS];
        chances[Arm::AiFirstThorough.index()] = (0.9, 0.9);
        rows(chances)
    }

    fn runs(rows: &[StreamRow], event: Event, requests: usize) -> Vec<Run> {
        (0..SEEDS).map(|seed| run(rows, &AdaptiveRule::default(), event, requests, seed)).collect()
    }

    fn mean(runs: &[Run], of: impl Fn(&Run) -> f64) -> f64 {
        runs.iter().map(of).sum::<f64>() / runs.len() as f64
    }

    fn average(values: &[f64]) -> f64 {
        values.iter().sum::<f64>() / values.len() as f64
    }

    #[test]
    fn where_the_best_arm_depends_on_the_question_it_beats_every_single_arm_within_150_requests() {
        let mut chances = [(0.4, 0.4); ARMS];
        chances[Arm::RuntimeFirst.index()] = (1.0, 0.0);
        chances[Arm::AiFirstFast.index()] = (0.2, 1.0);
        let rows = rows(chances);
        let best = best_arm(&rows, &AdaptiveRule::default(), None).1;
        let runs = runs(&rows, Event::Quiet, 150);
        let reached = mean(&runs, |run| average(&run.utility[100..150]));
        assert!(reached > best, "{reached:.3} against {best:.3}");
    }

    #[test]
    fn a_best_arm_that_dies_is_left_and_has_the_majority_again_within_200_requests() {
        let runs = runs(&one_best(), Event::Dies(300, 600), 801);
        let share = |at: usize| mean(&runs, |run| run.best_share[at]);
        assert!(share(299) > 0.5, "{:.2}", share(299));
        assert!(share(350) < 0.2, "{:.2}", share(350));
        assert!(share(800) > 0.5, "{:.2}", share(800));
    }

    #[test]
    fn a_liar_takes_five_points_at_most() {
        let rows = one_best();
        let share = |lies: f64| {
            let runs = runs(&rows, Event::Lies(lies), 600);
            mean(&runs, |run| average(&run.best_share[300..]))
        };
        let honest = share(0.0);
        for lies in [0.01, 0.1] {
            let lied = share(lies);
            assert!(lied > honest - 0.05, "{lies}: {lied:.3} against {honest:.3}");
        }
    }

    #[test]
    fn no_arm_is_ever_below_a_hundredth() {
        for event in [Event::Quiet, Event::Dies(100, 200), Event::Lies(0.1)] {
            let least =
                runs(&one_best(), event, 300).iter().map(|run| run.least_share).fold(1.0, f64::min);
            assert!(least >= 0.01 - 1e-12, "{least}");
        }
    }
}
