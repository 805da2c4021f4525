//! What another policy would have come to, from what Adaptive did and with what chance.
//!
//! Three estimators of the share of right answers: inverse propensity scoring (IPS; unbiased, wide),
//! its self-normalised form (SNIPS; a little biased, narrower), and doubly robust (DR; IPS on what a
//! simple model of the arms does not explain, cross-fitted; Dudík et al. 2014). Intervals are normal
//! ones over requests. They need judged answers that were picked alike, whatever was chosen.

use std::{collections::HashMap, fmt, str::FromStr};

use serde::Serialize;

use crate::domain::{ARMS, Arm, ComplexityTier, Ended, LedgerEvent, Recorded, ResponseId};

/// 97.5th percentile of the standard normal distribution.
const Z: f64 = 1.959_963_984_540_054;
/// Judged answers that the arm's overall mean, or the overall mean, is worth in the model.
const SHRINK: f64 = 5.0;
/// Effective judged answers below which an estimate says little.
const THIN: f64 = 30.0;

/// A policy over Adaptive's arms.
#[derive(Debug, Clone, PartialEq)]
pub enum TargetPolicy {
    /// One arm for each complexity: simple, moderate, complex.
    Arms([Arm; 3]),
    /// All arms alike.
    Uniform,
}

/// What is no policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no policy. Name an arm ({known}), `uniform`, or an arm for each complexity, such as \
     simple=runtime_first,moderate=hybrid,complex=ai_first_thorough",
    known = known()
)]
pub struct UnknownPolicy(String);

fn known() -> String {
    Arm::ALL.map(Arm::name).join(", ")
}

impl FromStr for TargetPolicy {
    type Err = UnknownPolicy;

    fn from_str(text: &str) -> Result<Self, UnknownPolicy> {
        let unknown = || UnknownPolicy(text.chars().take(200).collect());
        if text == "uniform" {
            return Ok(Self::Uniform);
        }
        if let Some(arm) = Arm::of_name(text) {
            return Ok(Self::Arms([arm; 3]));
        }
        let mut arms = [None; 3];
        for part in text.split(',') {
            let (complexity, arm) = part.split_once('=').ok_or_else(unknown)?;
            let at = match complexity.trim() {
                "simple" => 0,
                "moderate" => 1,
                "complex" => 2,
                _ => return Err(unknown()),
            };
            let arm = Arm::of_name(arm.trim()).ok_or_else(unknown)?;
            if let Some(slot) = arms.get_mut(at) {
                *slot = Some(arm);
            }
        }
        match arms {
            [Some(simple), Some(moderate), Some(complex)] => {
                Ok(Self::Arms([simple, moderate, complex]))
            }
            _ => Err(unknown()),
        }
    }
}

impl fmt::Display for TargetPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uniform => f.write_str("uniform"),
            Self::Arms([a, b, c]) if a == b && b == c => f.write_str(a.name()),
            Self::Arms([a, b, c]) => {
                write!(f, "simple={},moderate={},complex={}", a.name(), b.name(), c.name())
            }
        }
    }
}

impl TargetPolicy {
    fn chance(&self, arm: Arm, complexity: ComplexityTier) -> f64 {
        match self {
            #[expect(clippy::cast_precision_loss, reason = "a handful")]
            Self::Uniform => 1.0 / ARMS as f64,
            Self::Arms(arms) => {
                f64::from(u8::from(arms.get(complexity as usize).is_some_and(|a| *a == arm)))
            }
        }
    }
}

/// One decision of Adaptive.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Logged {
    /// What was chosen.
    pub arm: Arm,
    /// With what chance.
    pub probability: f64,
    /// For what.
    pub complexity: ComplexityTier,
    /// Whether there was an answer.
    pub answered: bool,
    /// How it was judged, if it was.
    pub score: Option<f64>,
    /// How long it took, in seconds.
    pub latency_s: f64,
    /// What it cost, in US dollars; `None` where nobody knows.
    pub cost_usd: Option<f64>,
}

/// Adaptive's decisions with what became of them, gathered from a ledger.
#[derive(Debug, Clone, Default)]
pub struct DecisionLog {
    decisions: Vec<Logged>,
    places: HashMap<ResponseId, usize>,
}

impl DecisionLog {
    /// Takes in an event.
    pub fn take_in(&mut self, recorded: &Recorded) {
        match &recorded.event {
            LedgerEvent::Decision(decision) => {
                let Some(arm) = decision.arm.filter(|_| decision.ended != Ended::Cancelled) else {
                    return;
                };
                self.places.insert(decision.id, self.decisions.len());
                #[expect(clippy::cast_precision_loss, reason = "latencies are far below 2^52 µs")]
                let latency_s = decision.duration_us as f64 / 1e6;
                self.decisions.push(Logged {
                    arm,
                    probability: decision.probability,
                    complexity: decision.complexity_tier,
                    answered: decision.ended == Ended::Answered,
                    score: None,
                    latency_s,
                    cost_usd: decision.cost_usd.or((!decision.cost_unknown).then_some(0.0)),
                });
            }
            LedgerEvent::Outcome(outcome) => {
                let place = self.places.get(&outcome.response);
                if let Some(logged) = place.and_then(|at| self.decisions.get_mut(*at)) {
                    logged.score = Some(outcome.score);
                }
            }
            LedgerEvent::Agreement(_) | LedgerEvent::Policy(_) => {}
        }
    }

    /// The decisions so far.
    #[must_use]
    pub fn decisions(&self) -> &[Logged] {
        &self.decisions
    }
}

/// An estimate with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    /// The estimate.
    pub value: f64,
    /// Lower and upper bound.
    pub ci95: [f64; 2],
}

/// What a policy would have come to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OffPolicyReport {
    /// The policy.
    pub policy: String,
    /// Decisions of Adaptive in the ledger.
    pub decisions: usize,
    /// Answers of them that were judged.
    pub judged: usize,
    /// As many judged answers of the policy's own would say as much.
    pub effective_sample_size: f64,
    /// Whether that is too few to say much.
    pub thin: bool,
    /// Share of right answers, by inverse propensity scoring.
    pub ips: Option<Estimate>,
    /// The same, self-normalised.
    pub snips: Option<Estimate>,
    /// The same, doubly robust: the one to read.
    pub doubly_robust: Option<Estimate>,
    /// Share of requests that would have had an answer.
    pub answer_rate: Option<f64>,
    /// Mean latency, in milliseconds.
    pub latency_ms: Option<f64>,
    /// Mean cost, in US dollars; absent where that of any such decision is not known.
    pub cost_usd: Option<f64>,
}

/// Estimates what a policy would have come to.
#[must_use]
pub fn off_policy(log: &[Logged], policy: &TargetPolicy) -> OffPolicyReport {
    let weight = |l: &Logged| policy.chance(l.arm, l.complexity) / l.probability.max(1e-6);
    let judged: Vec<(Logged, f64)> =
        log.iter().filter(|l| l.answered).filter_map(|l| Some((*l, l.score?))).collect();
    let weights: Vec<f64> = judged.iter().map(|(l, _)| weight(l)).collect();
    let sum: f64 = weights.iter().sum();
    let squares: f64 = weights.iter().map(|w| w * w).sum();
    let ess = if squares > 0.0 { sum * sum / squares } else { 0.0 };
    let all: f64 = log.iter().map(weight).sum();
    let mean = |of: &dyn Fn(&Logged) -> f64| {
        (all > 0.0).then(|| log.iter().map(|l| weight(l) * of(l)).sum::<f64>() / all)
    };
    let costs_are_known = log.iter().all(|l| l.cost_usd.is_some() || weight(l) == 0.0);
    let weighted = |(_, y): &(Logged, f64), w: &f64| w * y;
    let ips: Vec<f64> = judged.iter().zip(&weights).map(|(j, w)| weighted(j, w)).collect();
    OffPolicyReport {
        policy: policy.to_string(),
        decisions: log.len(),
        judged: judged.len(),
        effective_sample_size: ess,
        thin: ess < THIN,
        ips: normal(&ips).filter(|_| sum > 0.0),
        snips: self_normalised(&judged, &weights),
        doubly_robust: normal(&doubly_robust(&judged, &weights, policy)).filter(|_| sum > 0.0),
        answer_rate: mean(&|l| f64::from(u8::from(l.answered))),
        latency_ms: mean(&|l| l.latency_s * 1000.0),
        cost_usd: mean(&|l| l.cost_usd.unwrap_or(0.0)).filter(|_| costs_are_known),
    }
}

#[expect(clippy::cast_precision_loss, reason = "rows of a ledger")]
fn normal(values: &[f64]) -> Option<Estimate> {
    let n = values.len() as f64;
    if values.len() < 2 {
        return None;
    }
    let value = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|v| (v - value).powi(2)).sum::<f64>() / (n - 1.0);
    Some(interval(value, (variance / n).sqrt()))
}

fn self_normalised(judged: &[(Logged, f64)], weights: &[f64]) -> Option<Estimate> {
    let sum: f64 = weights.iter().sum();
    if judged.len() < 2 || sum <= 0.0 {
        return None;
    }
    let value = judged.iter().zip(weights).map(|((_, y), w)| w * y).sum::<f64>() / sum;
    let squares: f64 =
        judged.iter().zip(weights).map(|((_, y), w)| (w * (y - value)).powi(2)).sum();
    Some(interval(value, squares.sqrt() / sum))
}

fn interval(value: f64, error: f64) -> Estimate {
    let within = |v: f64| v.clamp(0.0, 1.0);
    Estimate { value: within(value), ci95: [within(value - Z * error), within(value + Z * error)] }
}

/// Each judged answer's part: what the model expects of the policy there, and by how much it was
/// wrong about what was done. The model of a half is fitted on the other half.
fn doubly_robust(judged: &[(Logged, f64)], weights: &[f64], policy: &TargetPolicy) -> Vec<f64> {
    let models = [0, 1].map(|half| {
        let others = judged.iter().enumerate().filter(|(i, _)| i % 2 != half);
        Model::fitted(others.map(|(_, j)| j))
    });
    judged
        .iter()
        .zip(weights)
        .enumerate()
        .map(|(i, ((logged, y), weight))| {
            let Some(model) = models.get(i % 2) else { return 0.0 };
            let expected: f64 = Arm::ALL
                .into_iter()
                .map(|arm| {
                    policy.chance(arm, logged.complexity) * model.expect(arm, logged.complexity)
                })
                .sum();
            expected + weight * (y - model.expect(logged.arm, logged.complexity))
        })
        .collect()
}

/// Mean scores, by arm and complexity, leaning on the arm's mean, which leans on everybody's.
struct Model([[f64; 3]; ARMS]);

impl Model {
    fn fitted<'a>(judged: impl Iterator<Item = &'a (Logged, f64)>) -> Self {
        let (mut n, mut sum) = ([[0.0; 3]; ARMS], [[0.0; 3]; ARMS]);
        for (logged, y) in judged {
            let cell = (logged.arm.index(), logged.complexity as usize);
            if let Some(n) = n.get_mut(cell.0).and_then(|arm: &mut [f64; 3]| arm.get_mut(cell.1)) {
                *n += 1.0;
            }
            if let Some(s) = sum.get_mut(cell.0).and_then(|arm: &mut [f64; 3]| arm.get_mut(cell.1))
            {
                *s += y;
            }
        }
        let total = |of: &[[f64; 3]; ARMS]| of.iter().flatten().sum::<f64>();
        let overall = (total(&sum) + 0.5) / (total(&n) + 1.0);
        let mut model = Self([[overall; 3]; ARMS]);
        for ((means, n), sum) in model.0.iter_mut().zip(&n).zip(&sum) {
            let of_arm =
                (sum.iter().sum::<f64>() + SHRINK * overall) / (n.iter().sum::<f64>() + SHRINK);
            for ((mean, n), sum) in means.iter_mut().zip(n).zip(sum) {
                *mean = (sum + SHRINK * of_arm) / (n + SHRINK);
            }
        }
        model
    }

    fn expect(&self, arm: Arm, complexity: ComplexityTier) -> f64 {
        let means = self.0.get(arm.index());
        means.and_then(|means| means.get(complexity as usize)).copied().unwrap_or(0.5)
    }
}

impl fmt::Display for OffPolicyReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "policy {}", self.policy)?;
        writeln!(
            f,
            "  from {} decisions of Adaptive, {} answers judged; effective sample size {:.0}{}",
            self.decisions,
            self.judged,
            self.effective_sample_size,
            if self.thin { ": too few to say much" } else { "" }
        )?;
        for (name, estimate) in
            [("doubly robust", self.doubly_robust), ("SNIPS", self.snips), ("IPS", self.ips)]
        {
            match estimate {
                Some(Estimate { value, ci95: [low, high] }) => {
                    writeln!(f, "  right, {name:<14} {value:.3}  ({low:.3}–{high:.3})")?;
                }
                None => writeln!(f, "  right, {name:<14} –")?,
            }
        }
        if let (Some(rate), Some(ms)) = (self.answer_rate, self.latency_ms) {
            let cost = self.cost_usd.map_or("of no known price".to_owned(), |c| format!("${c:.6}"));
            writeln!(f, "  answered {:.1} %, mean {ms:.0} ms, {cost}", rate * 100.0)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng, rngs::StdRng};

    use super::*;

    const COMPLEXITIES: [ComplexityTier; 3] =
        [ComplexityTier::Simple, ComplexityTier::Moderate, ComplexityTier::Complex];

    fn truth(arm: Arm, complexity: ComplexityTier) -> f64 {
        let (arm, complexity) = (arm.index() as f64, complexity as usize as f64);
        0.9 - 0.25 * complexity + 0.04 * arm * complexity
    }

    /// Decisions whose chances depend on the complexity, as Adaptive's do.
    fn simulated(n: usize, dice: &mut StdRng) -> Vec<Logged> {
        (0..n)
            .map(|_| {
                let complexity = COMPLEXITIES[dice.random_range(0..3)];
                let favourite = Arm::ALL[complexity as usize * 2];
                let chance = |arm: Arm| if arm == favourite { 0.64 } else { 0.06 };
                let (roll, mut passed) = (dice.random::<f64>(), 0.0);
                let chosen = Arm::ALL.into_iter().find(|arm| {
                    passed += chance(*arm);
                    roll < passed
                });
                let arm = chosen.unwrap_or(Arm::AiFirstReasoning);
                let right = dice.random::<f64>() < truth(arm, complexity);
                Logged {
                    arm,
                    probability: chance(arm),
                    complexity,
                    answered: true,
                    score: (dice.random::<f64>() < 0.5).then_some(f64::from(u8::from(right))),
                    latency_s: 1.0,
                    cost_usd: Some(0.0),
                }
            })
            .collect()
    }

    #[test]
    fn a_mean_cost_is_absent_where_a_part_of_it_is_not_known() {
        let logged = |cost_usd| Logged {
            arm: Arm::AiFirstFast,
            probability: 0.5,
            complexity: ComplexityTier::Simple,
            answered: true,
            score: None,
            latency_s: 1.0,
            cost_usd,
        };
        let policy: TargetPolicy = "ai_first_fast".parse().unwrap();
        let cost = |log: &[Logged]| off_policy(log, &policy).cost_usd;
        assert_eq!(
            cost(&[logged(Some(0.2)), logged(Some(0.4))]).map(|c| (c * 10.0).round()),
            Some(3.0)
        );
        assert_eq!(cost(&[logged(Some(0.2)), logged(None)]), None);
        let other = Logged { arm: Arm::RuntimeFirst, ..logged(None) };
        assert!(cost(&[logged(Some(0.2)), other]).is_some(), "it would not have gone that way");
    }

    fn value_of(policy: &TargetPolicy) -> f64 {
        let mut value = 0.0;
        for complexity in COMPLEXITIES {
            for arm in Arm::ALL {
                value += policy.chance(arm, complexity) * truth(arm, complexity) / 3.0;
            }
        }
        value
    }

    #[test]
    fn the_intervals_cover_the_truth_about_as_often_as_they_say() {
        let mut dice = StdRng::seed_from_u64(5);
        let runs = 400;
        for policy in [
            TargetPolicy::Uniform,
            TargetPolicy::Arms([Arm::Hybrid; 3]),
            TargetPolicy::Arms([Arm::RuntimeFirst, Arm::ParallelFusion, Arm::AiFirstReasoning]),
        ] {
            let truth = value_of(&policy);
            let (mut covered, mut sums) = ([0; 3], [0.0; 3]);
            for _ in 0..runs {
                let report = off_policy(&simulated(2000, &mut dice), &policy);
                let estimates = [report.ips, report.snips, report.doubly_robust];
                for ((covered, sum), estimate) in covered.iter_mut().zip(&mut sums).zip(estimates) {
                    let Estimate { value, ci95: [low, high] } = estimate.unwrap();
                    *covered += u32::from(low <= truth && truth <= high);
                    *sum += value / f64::from(runs);
                }
            }
            // 95 % less three standard errors of a share of 400.
            let least = 0.95 - 3.0 * (0.95f64 * 0.05 / 400.0).sqrt();
            for (covered, mean) in covered.into_iter().zip(sums) {
                let share = f64::from(covered) / f64::from(runs);
                assert!(share >= least, "{policy}: covered {share}");
                assert!((mean - truth).abs() < 0.01, "{policy}: {mean} is not {truth}");
            }
        }
    }

    #[test]
    fn doubly_robust_is_narrower_than_ips() {
        let log = simulated(4000, &mut StdRng::seed_from_u64(6));
        let report = off_policy(&log, &TargetPolicy::Arms([Arm::Hybrid; 3]));
        let width = |e: Option<Estimate>| e.map(|e| e.ci95[1] - e.ci95[0]).unwrap();
        assert!(width(report.doubly_robust) < width(report.ips));
        assert!(report.effective_sample_size < report.judged as f64 / 4.0);
    }

    #[test]
    fn what_was_never_tried_has_no_estimate() {
        let mut log = simulated(500, &mut StdRng::seed_from_u64(7));
        log.retain(|l| l.arm != Arm::Hybrid);
        let report = off_policy(&log, &TargetPolicy::Arms([Arm::Hybrid; 3]));
        assert_eq!((report.ips, report.snips, report.doubly_robust), (None, None, None));
        assert!(report.thin);
        assert_eq!(off_policy(&[], &TargetPolicy::Uniform).doubly_robust, None);
    }

    #[test]
    fn policies_are_read_as_they_are_written() {
        for text in
            ["uniform", "hybrid", "simple=runtime_first,moderate=hybrid,complex=ai_first_thorough"]
        {
            assert_eq!(text.parse::<TargetPolicy>().unwrap().to_string(), text);
        }
        for text in ["", "adaptive", "simple=hybrid", "simple=hybrid,moderate=x,complex=hybrid"] {
            assert!(text.parse::<TargetPolicy>().is_err(), "{text}");
        }
    }
}
