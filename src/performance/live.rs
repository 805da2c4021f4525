//! Live accuracy: what the judged answers say of all answers.
//!
//! Answers are counted in cells, by strategy, by the tier that gave them, and by complexity. Within a
//! cell each judged answer stands for as many as its sampling makes it: an audit of one in fifty for
//! fifty, an answer that somebody judged unasked for itself (Hájek's estimator). Cells are joined by
//! the number of answers in them and not by how many were judged, so a tier whose answers draw more
//! feedback does not count more. The interval is Wilson's, with the effective number of outcomes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Accuracy, interval::wilson_share};
use crate::domain::{ComplexityTier, Strategy, Tier};

/// Least chance that an audit may claim: one answer never stands for more than a thousand.
const LEAST_PROBABILITY: f64 = 0.001;

/// Judged answers below which a figure that is shown without its interval says too little.
pub const FEW: u64 = 20;

/// One cell's sums.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct Cell {
    /// Answers given, judged or not.
    answers: u64,
    /// Of these, the ones for which ASI was asked.
    slow: u64,
    judged: u64,
    audits: u64,
    weight: f64,
    squares: f64,
    score: f64,
}

/// All cells.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Cells(BTreeMap<Strategy, BTreeMap<Tier, BTreeMap<ComplexityTier, Cell>>>);

/// Where an answer belongs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) strategy: Strategy,
    pub(super) tier: Tier,
    pub(super) complexity: ComplexityTier,
}

/// One judgement: the score, and the chance with which the answer was picked, where it was.
#[derive(Debug, Clone, Copy)]
pub(super) struct Judgement {
    pub(super) score: f64,
    pub(super) probability: Option<f64>,
}

impl Judgement {
    fn weight(&self) -> f64 {
        self.probability.map_or(1.0, |p| p.clamp(LEAST_PROBABILITY, 1.0).recip())
    }
}

/// What is to be compared with: the tiers alone, on the same traffic.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Baselines {
    /// Accuracy that Flux alone would have.
    pub always_fast: Option<Accuracy>,
    /// Accuracy that ASI alone would have.
    pub always_slow: Option<Accuracy>,
}

impl Baselines {
    /// Accuracy of a coin that asks ASI as often: what a strategy has to beat. Absent while either
    /// tier alone rests on fewer than [`FEW`] judged answers.
    #[must_use]
    pub fn static_mix(&self, slow_share: f64) -> Option<f64> {
        let known = |alone: Option<Accuracy>| alone.filter(|a| a.n >= FEW).map(|a| a.value);
        let (fast, slow) = (known(self.always_fast)?, known(self.always_slow)?);
        Some(fast + slow_share * (slow - fast))
    }
}

impl Cells {
    pub(super) fn answered(&mut self, place: Place, slow: bool) {
        let cell = self.cell(place);
        cell.answers += 1;
        cell.slow += u64::from(slow);
    }

    /// Takes in a judgement, in place of an earlier one where there was one.
    pub(super) fn judged(&mut self, place: Place, new: Judgement, earlier: Option<Judgement>) {
        let cell = self.cell(place);
        for (judgement, sign) in [(Some(new), 1.0), (earlier, -1.0)] {
            let Some(judgement) = judgement else { continue };
            let weight = judgement.weight();
            cell.weight += sign * weight;
            cell.squares += sign * weight * weight;
            cell.score += sign * weight * judgement.score;
        }
        cell.judged += u64::from(earlier.is_none());
        cell.audits += u64::from(new.probability.is_some());
        let was_audit = earlier.is_some_and(|e| e.probability.is_some());
        cell.audits = cell.audits.saturating_sub(u64::from(was_audit));
    }

    fn cell(&mut self, place: Place) -> &mut Cell {
        let tiers = self.0.entry(place.strategy).or_default();
        tiers.entry(place.tier).or_default().entry(place.complexity).or_default()
    }

    fn cells(&self) -> impl Iterator<Item = (Place, &Cell)> {
        self.0.iter().flat_map(|(&strategy, tiers)| {
            tiers.iter().flat_map(move |(&tier, cells)| {
                let place = move |complexity| Place { strategy, tier, complexity };
                cells.iter().map(move |(&complexity, cell)| (place(complexity), cell))
            })
        })
    }

    pub(super) fn of_strategy(&self, strategy: Strategy) -> Option<Accuracy> {
        joined(self.cells().filter(|(p, _)| p.strategy == strategy).map(|(_, cell)| *cell))
    }

    pub(super) fn of_tier(&self, tier: Tier) -> Option<Accuracy> {
        joined(self.cells().filter(|(p, _)| p.tier == tier).map(|(_, cell)| *cell))
    }

    pub(super) fn of_complexity(&self, complexity: ComplexityTier) -> Option<Accuracy> {
        joined(self.cells().filter(|(p, _)| p.complexity == complexity).map(|(_, cell)| *cell))
    }

    pub(super) fn of_tier_and_complexity(
        &self,
        tier: Tier,
        complexity: ComplexityTier,
    ) -> Option<Accuracy> {
        let of = |p: &Place| p.tier == tier && p.complexity == complexity;
        joined(self.cells().filter(|(p, _)| of(p)).map(|(_, cell)| *cell))
    }

    /// Share of a strategy's answers for which ASI was asked; `None` before the first.
    pub(super) fn slow_share(&self, strategy: Strategy) -> Option<f64> {
        let of = || self.cells().filter(|(p, _)| p.strategy == strategy).map(|(_, cell)| cell);
        let (answers, slow) = of().fold((0, 0), |(a, s), cell| (a + cell.answers, s + cell.slow));
        #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
        (answers > 0).then(|| slow as f64 / answers as f64)
    }

    /// Answers of a complexity.
    pub(super) fn answers(&self, complexity: ComplexityTier) -> u64 {
        let of = self.cells().filter(|(p, _)| p.complexity == complexity);
        of.map(|(_, cell)| cell.answers).sum()
    }

    /// What the tiers would score alone on all of the traffic: each complexity by the tier's own
    /// judged answers of that complexity. This takes a tier's answers of one complexity to be alike,
    /// whether it was picked or not. Absent while a complexity that occurs was never judged.
    pub(super) fn baselines(&self) -> Baselines {
        let alone = |tier: Tier| {
            let mut all = Vec::new();
            for complexity in
                [ComplexityTier::Simple, ComplexityTier::Moderate, ComplexityTier::Complex]
            {
                let answers = self.answers(complexity);
                if answers == 0 {
                    continue;
                }
                let mut cell = Cell::default();
                let of = |p: &Place| p.tier == tier && p.complexity == complexity;
                for (_, part) in self.cells().filter(|(p, _)| of(p)) {
                    cell.join(part);
                }
                if cell.judged == 0 {
                    return None;
                }
                all.push(Cell { answers, ..cell });
            }
            joined(all.into_iter())
        };
        Baselines { always_fast: alone(Tier::Flux), always_slow: alone(Tier::Asi) }
    }
}

impl Cell {
    fn join(&mut self, other: &Self) {
        self.answers += other.answers;
        self.slow += other.slow;
        self.judged += other.judged;
        self.audits += other.audits;
        self.weight += other.weight;
        self.squares += other.squares;
        self.score += other.score;
    }

    fn effective(&self) -> f64 {
        if self.squares > 0.0 { self.weight * self.weight / self.squares } else { 0.0 }
    }
}

/// The accuracy of several cells together; `None` where none was judged. Cells without a judged
/// answer say nothing, and the others speak for them.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn joined(cells: impl Iterator<Item = Cell>) -> Option<Accuracy> {
    let cells: Vec<Cell> = cells.filter(|c| c.judged > 0 && c.weight > 0.0).collect();
    // A judged answer was given, even where the count of answers began later than the judging.
    let size = |cell: &Cell| cell.answers.max(cell.judged) as f64;
    let whole: f64 = cells.iter().map(size).sum();
    let (mut value, mut variance) = (0.0, 0.0);
    let (mut n, mut audits) = (0, 0);
    for cell in &cells {
        let share = size(cell) / whole;
        value += share * cell.score / cell.weight;
        variance += share * share / cell.effective();
        n += cell.judged;
        audits += cell.audits;
    }
    let value = value.clamp(0.0, 1.0);
    let ci95 = wilson_share(value, variance.recip()).filter(|_| n > 0)?;
    Some(Accuracy { value, ci95, n, audits })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::Strategy;

    fn place(tier: Tier) -> Place {
        Place { strategy: Strategy::Hybrid, tier, complexity: ComplexityTier::Moderate }
    }

    fn said(score: f64) -> Judgement {
        Judgement { score, probability: None }
    }

    fn audited(score: f64) -> Judgement {
        Judgement { score, probability: Some(0.02) }
    }

    #[test]
    fn an_audit_stands_for_as_many_answers_as_its_chance_says() {
        let mut cells = Cells::default();
        (0..1000).for_each(|_| cells.answered(place(Tier::Flux), false));
        // Who is dissatisfied speaks up; the audits know better.
        (0..10).for_each(|_| cells.judged(place(Tier::Flux), said(0.0), None));
        (0..20).for_each(|i| {
            cells.judged(place(Tier::Flux), audited(f64::from(u8::from(i > 1))), None)
        });
        let accuracy = cells.of_strategy(Strategy::Hybrid).unwrap();
        assert!((accuracy.value - 900.0 / 1010.0).abs() < 1e-9, "{accuracy:?}");
        assert_eq!((accuracy.n, accuracy.audits), (30, 20));
        assert!(accuracy.ci95.lower < 0.8 && accuracy.ci95.upper > 0.9, "twenty prove little");
    }

    #[test]
    fn tiers_count_by_their_answers_and_not_by_their_feedback() {
        let mut cells = Cells::default();
        (0..900).for_each(|_| cells.answered(place(Tier::Flux), false));
        (0..100).for_each(|_| cells.answered(place(Tier::Asi), true));
        (0..10).for_each(|_| cells.judged(place(Tier::Flux), said(1.0), None));
        (0..50).for_each(|_| cells.judged(place(Tier::Asi), said(0.0), None));
        let accuracy = cells.of_strategy(Strategy::Hybrid).unwrap();
        assert!((accuracy.value - 0.9).abs() < 1e-9, "{accuracy:?}");
        assert_eq!(cells.slow_share(Strategy::Hybrid), Some(0.1));
    }

    #[test]
    fn without_audits_and_mixtures_it_is_the_plain_share() {
        let mut cells = Cells::default();
        (0..8).for_each(|i| cells.judged(place(Tier::Asi), said(f64::from(u8::from(i < 6))), None));
        let accuracy = cells.of_tier(Tier::Asi).unwrap();
        assert_eq!(Some(accuracy.ci95), super::super::wilson(6.0, 8));
        assert_eq!(accuracy.value, 0.75);
    }

    #[test]
    fn what_somebody_says_takes_an_audits_place() {
        let mut cells = Cells::default();
        cells.judged(place(Tier::Flux), audited(1.0), None);
        cells.judged(place(Tier::Flux), said(0.0), Some(audited(1.0)));
        let accuracy = cells.of_tier(Tier::Flux).unwrap();
        assert_eq!((accuracy.value, accuracy.n, accuracy.audits), (0.0, 1, 0));
    }

    #[test]
    fn the_tiers_alone_are_compared_on_the_same_traffic() {
        let mut cells = Cells::default();
        let at = |tier, complexity| Place { strategy: Strategy::Hybrid, tier, complexity };
        let (easy, hard) = (ComplexityTier::Simple, ComplexityTier::Complex);
        (0..80).for_each(|_| cells.answered(at(Tier::Flux, easy), false));
        (0..20).for_each(|_| cells.answered(at(Tier::Asi, hard), true));
        cells.judged(at(Tier::Flux, easy), said(1.0), None);
        cells.judged(at(Tier::Asi, hard), said(1.0), None);
        assert_eq!(cells.baselines(), Baselines::default(), "nobody saw them elsewhere");
        cells.judged(at(Tier::Flux, hard), said(0.0), None);
        cells.judged(at(Tier::Asi, easy), said(1.0), None);
        let baselines = cells.baselines();
        assert!((baselines.always_fast.unwrap().value - 0.8).abs() < 1e-9);
        assert!((baselines.always_slow.unwrap().value - 1.0).abs() < 1e-9);
        assert_eq!(baselines.static_mix(0.2), None, "two answers are too few for a comparison");
        for tier in [Tier::Flux, Tier::Asi] {
            (0..20).for_each(|_| cells.judged(at(tier, easy), said(1.0), None));
        }
        assert!((cells.baselines().static_mix(0.2).unwrap() - 0.84).abs() < 1e-9);
    }

    proptest! {
        #[test]
        fn the_accuracy_lies_in_its_interval(
            judged in proptest::collection::vec((any::<bool>(), any::<bool>(), 0.0..=1.0f64), 1..60),
        ) {
            let mut cells = Cells::default();
            for (fast, audit, score) in judged {
                let place = place(if fast { Tier::Flux } else { Tier::Asi });
                cells.answered(place, !fast);
                cells.judged(place, if audit { audited(score) } else { said(score) }, None);
            }
            let accuracy = cells.of_strategy(Strategy::Hybrid).unwrap();
            prop_assert!((0.0..=1.0).contains(&accuracy.value));
            prop_assert!(accuracy.ci95.lower <= accuracy.value + 1e-12);
            prop_assert!(accuracy.value <= accuracy.ci95.upper + 1e-12);
        }
    }
}
