//! What was seen of each arm: sums that fade, that merge in any order, and that take each event in
//! once.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    given::{AllGiven, Given},
    moments::Moments,
    recent::Recent,
};
use crate::domain::{ARMS, Arm, ResponseId};

/// Most services whose evidence is kept apart; beyond it, the one heard of least lately goes.
const MOST_ORIGINS: usize = 64;
/// Most judges whose feedback is kept apart, per origin; beyond it, the lightest goes.
const MOST_PRINCIPALS: usize = 1024;
/// The newest event's weight, at which all sums are scaled back: far below what a double holds.
const RESCALE_AT: f64 = 1e9;
/// Results that an arm must have, in the short and in the long memory, before it can be found to
/// have changed; by how many standard deviations; and the least variance of one result.
pub(super) const CHANGE_NEEDS: f64 = 4.0;
pub(super) const SURELY: f64 = 2.5;
const LEAST_NOISE: f64 = 0.03;
/// Results of a changed arm after which it is learned anew, and what is then left of the old.
const MOST_HELD_BACK: u32 = 60;
const FORGOTTEN: f64 = 0.05;
/// What one principal's feedback can weigh in an arm's evidence at most.
pub(super) const MOST_OF_ONE: f64 = 0.05;

/// One thing that was seen of an arm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observation {
    /// The arm.
    pub arm: Arm,
    /// The request's complexity score.
    pub complexity: f64,
    /// What was seen.
    pub seen: Seen,
}

/// What was seen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Seen {
    /// A request ended.
    Ended {
        /// With an answer, right or wrong.
        answered: bool,
        /// How long it took, in seconds.
        latency_s: f64,
        /// What it cost, in US dollars; `None` where something was spent and its price is not known.
        cost_usd: Option<f64>,
    },
    /// An answer was judged.
    Judged {
        /// Which one.
        response: ResponseId,
        /// 1 is right, 0 is wrong.
        score: f64,
        /// Whether this takes the place of an earlier judgement of the same answer, by whomever.
        revises: bool,
        /// Who judged, where it is not the operator (or an audit, or a gold label).
        principal: Option<u64>,
    },
}

/// One arm's sums.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct ArmSums {
    /// Requests, and those that ended with an answer.
    pub(super) asked: f64,
    pub(super) answered: f64,
    pub(super) latency: Moments,
    /// Costs that are known, zeros included.
    pub(super) cost: Moments,
    /// Of these, those of requests that spent anything.
    #[serde(default)]
    pub(super) paid: Moments,
    /// Requests whose cost is not known, with a value of 0 each.
    #[serde(default)]
    pub(super) unpriced: Moments,
    /// Scores, as the operator, audits and gold labels gave them.
    pub(super) scores: Moments,
    /// Results in a row that the long memory did not take in, because the arm is not what it was.
    held_back: u32,
}

/// One principal's judgements of one arm. They weigh as much as there are of them: who changes his
/// mind takes back what he said before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct Judgements {
    scores: Moments,
}

/// What one service saw.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Origin {
    last_seq: u64,
    /// Weight of the newest event. It grows instead of all others fading, which is the same and
    /// costs nothing (forward decay, Cormode et al. 2009).
    weight: f64,
    arms: [ArmSums; ARMS],
    recent: [Recent; ARMS],
    principals: BTreeMap<u64, BTreeMap<Arm, Judgements>>,
    /// Absent in states that were saved before judgements could be taken back.
    #[serde(default)]
    given: AllGiven,
}

impl Default for Origin {
    fn default() -> Self {
        Self {
            last_seq: 0,
            weight: 1.0,
            arms: Default::default(),
            recent: Default::default(),
            principals: BTreeMap::new(),
            given: AllGiven::default(),
        }
    }
}

/// Everything that was seen, by the service that saw it. An event is known by its place in its
/// service's ledger, so seeing it again changes nothing; and merging takes, of each service, the
/// state that has seen more, so that it does not matter in which order, how grouped, or how often
/// states are merged.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Evidence(BTreeMap<String, Origin>);

impl Evidence {
    /// Takes in an event at its place in an origin's ledger. `half_life` is the number of requests
    /// after which an event counts half.
    pub fn observe(&mut self, origin: &str, seq: u64, observation: &Observation, half_life: f64) {
        if !self.0.contains_key(origin) {
            self.0.insert(origin.to_owned(), Origin::default());
            self.bound();
        }
        if let Some(origin) = self.0.get_mut(origin).filter(|origin| origin.last_seq < seq) {
            origin.last_seq = seq;
            origin.take_in(observation, half_life);
        }
    }

    /// Takes in what another has seen.
    pub fn merge(&mut self, other: &Self) {
        for (name, theirs) in &other.0 {
            match self.0.get_mut(name) {
                Some(ours) if ours.last_seq >= theirs.last_seq => {}
                Some(ours) => ours.clone_from(theirs),
                None => {
                    self.0.insert(name.clone(), theirs.clone());
                }
            }
        }
        self.bound();
    }

    fn bound(&mut self) {
        while self.0.len() > MOST_ORIGINS {
            let least = self.0.iter().min_by_key(|(_, origin)| origin.last_seq);
            let Some(name) = least.map(|(name, _)| name.clone()) else { return };
            self.0.remove(&name);
        }
    }

    /// The sums of every arm, in weights of a new event. `prior` says how many observations the
    /// belief about scores is worth that they are weighed against.
    pub(super) fn sums(&self, prior: f64) -> [ArmSums; ARMS] {
        let mut sums = [ArmSums::default(); ARMS];
        for origin in self.0.values() {
            let weight = origin.weight.recip();
            for (sum, theirs) in sums.iter_mut().zip(&origin.arms) {
                sum.join(theirs, weight);
            }
        }
        let judges = self.judges();
        let firm = sums;
        for everybody in [true, false] {
            let trusted = |judge: &&Judge| everybody || !judge.contradicts(&sums);
            let heard: Vec<&Judge> = judges.values().filter(trusted).collect();
            sums = firm;
            for (arm, sum) in sums.iter_mut().enumerate() {
                let of_arm = || heard.iter().filter_map(|judge| judge.0.get(arm));
                let limit = limit(prior + sum.scores.n, of_arm().map(|j| j.scores.n));
                for judgements in of_arm().filter(|j| j.scores.n > 0.0) {
                    sum.scores.join(&judgements.scores, (limit / judgements.scores.n).min(1.0));
                }
            }
        }
        sums
    }

    /// What every arm came to lately.
    pub(super) fn recent(&self) -> [Recent; ARMS] {
        let mut recent: [Recent; ARMS] = Default::default();
        for origin in self.0.values() {
            recent.iter_mut().zip(&origin.recent).for_each(|(sum, theirs)| sum.join(theirs));
        }
        recent
    }

    /// Each principal's judgements, from everywhere together.
    fn judges(&self) -> BTreeMap<u64, Judge> {
        let mut judges: BTreeMap<u64, Judge> = BTreeMap::new();
        for origin in self.0.values() {
            for (principal, arms) in &origin.principals {
                let judge = judges.entry(*principal).or_default();
                for (arm, theirs) in arms {
                    let Some(ours) = judge.0.get_mut(arm.index()) else { continue };
                    ours.scores.join(&theirs.scores, origin.weight.recip());
                }
            }
        }
        judges
    }
}

/// One principal's judgements of every arm.
#[derive(Debug, Default)]
struct Judge([Judgements; ARMS]);

impl Judge {
    /// Whether these judgements differ from everybody's by more than chance would explain: the sum
    /// of squared standard deviations, which for an honest judge is about the number of arms judged.
    fn contradicts(&self, everybody: &[ArmSums; ARMS]) -> bool {
        const NOISE: f64 = 0.05;
        let (mut surprise, mut arms) = (0.0, 0.0);
        for (own, all) in self.0.iter().zip(everybody) {
            let n = own.scores.n;
            if n <= 0.0 || all.scores.n <= 0.0 {
                continue;
            }
            let usual = all.scores.mean();
            let variance = (usual * (1.0 - usual)).max(NOISE);
            surprise += n * (own.scores.mean() - usual).powi(2) / variance;
            arms += 1.0;
        }
        // χ² with k degrees of freedom has mean k and deviation √(2k): three of them, and no fewer
        // than a handful of judgements can give.
        surprise > 4.0 + arms + 3.0 * f64::sqrt(2.0 * arms)
    }
}

/// The most that a judge may weigh, so that none has more than [`MOST_OF_ONE`] of the whole: the
/// prior, what is trusted, and all judges after they were held to it.
fn limit(firm: f64, influences: impl Iterator<Item = f64>) -> f64 {
    let mut influences: Vec<f64> = influences.collect();
    influences.sort_by(f64::total_cmp);
    let mut free: f64 = influences.iter().sum();
    let mut held = 0.0;
    loop {
        // `held` judges have the limit itself: limit = share × (firm + free + held × limit). With
        // as many held as there are shares the limit runs away; the lightest of them bounds it.
        let limit = if MOST_OF_ONE * held < 1.0 {
            MOST_OF_ONE * (firm + free) / (1.0 - MOST_OF_ONE * held)
        } else {
            return f64::INFINITY;
        };
        match influences.pop() {
            Some(heaviest) if heaviest > limit => {
                free -= heaviest;
                held += 1.0;
            }
            _ => return limit,
        }
    }
}

impl ArmSums {
    fn fade(&mut self, by: f64) {
        let mut faded = Self { held_back: self.held_back, ..Self::default() };
        faded.join(self, by);
        *self = faded;
    }

    fn join(&mut self, other: &Self, weight: f64) {
        self.asked += weight * other.asked;
        self.answered += weight * other.answered;
        self.latency.join(&other.latency, weight);
        self.cost.join(&other.cost, weight);
        self.paid.join(&other.paid, weight);
        self.unpriced.join(&other.unpriced, weight);
        self.scores.join(&other.scores, weight);
    }
}

impl Origin {
    fn take_in(&mut self, observation: &Observation, half_life: f64) {
        let z = observation.complexity.clamp(0.0, 1.0) - 0.5;
        let arm = observation.arm;
        match observation.seen {
            Seen::Ended { answered, latency_s, cost_usd } => {
                if !answered {
                    self.lately(arm, 0.0, None);
                }
                if self.is_changed(arm, !answered) {
                    return;
                }
                self.weight *= (std::f64::consts::LN_2 / half_life.max(1.0)).exp();
                self.rescale();
                let weight = self.weight;
                let Some(sums) = self.arms.get_mut(arm.index()) else { return };
                sums.asked += weight;
                sums.answered += if answered { weight } else { 0.0 };
                sums.latency.add(weight, z, latency_s);
                match cost_usd {
                    Some(cost) => sums.cost.add(weight, z, cost),
                    None => sums.unpriced.add(weight, z, 0.0),
                }
                if let Some(paid) = cost_usd.filter(|cost| *cost > 0.0) {
                    sums.paid.add(weight, z, paid);
                }
            }
            Seen::Judged { response, score, revises: true, principal } => {
                self.revise(response, score, principal);
            }
            Seen::Judged { response, score, revises: false, principal } => {
                let recent = self.lately(arm, score, principal);
                // What an arm comes to while it is not itself has no weight, also when it is revised.
                let weight = if self.is_changed(arm, true) { 0.0 } else { self.weight };
                let given = Given { response, arm, z, score, principal, weight, recent };
                self.put(&given, 1.0);
                self.given.remember(given);
                self.bound();
            }
        }
    }

    /// A result for the short memory; its place there.
    fn lately(&mut self, arm: Arm, result: f64, by: Option<u64>) -> Option<u64> {
        self.recent.get_mut(arm.index())?.add(result, by)
    }

    /// Takes an earlier judgement back from whoever gave it, with the weight that it still has, and
    /// puts the new one in its place: as if that had been said at once. So nobody gains weight by
    /// saying something again.
    fn revise(&mut self, response: ResponseId, score: f64, principal: Option<u64>) {
        let Some(given) = self.given.of(response) else { return };
        let old = *given;
        (given.score, given.principal) = (score, principal);
        let new = *given;
        self.put(&old, -1.0);
        self.put(&new, 1.0);
        if let (Some(at), Some(recent)) = (old.recent, self.recent.get_mut(old.arm.index())) {
            recent.revise(at, new.score - old.score);
        }
        self.bound();
    }

    /// Adds a judgement to the sums of whoever gave it, or takes it back (`sign` −1).
    fn put(&mut self, given: &Given, sign: f64) {
        if given.weight <= 0.0 {
            return;
        }
        let weight = sign * given.weight;
        // What is left of sums from which everything was taken back is rounding.
        let is_left = |scores: &Moments| scores.n > 1e-9 * given.weight;
        let Some(principal) = given.principal else {
            let Some(sums) = self.arms.get_mut(given.arm.index()) else { return };
            sums.scores.add(weight, given.z, given.score);
            if !is_left(&sums.scores) {
                sums.scores = Moments::default();
            }
            return;
        };
        let arms = self.principals.entry(principal).or_default();
        let scores = &mut arms.entry(given.arm).or_default().scores;
        scores.add(weight, given.z, given.score);
        if !is_left(scores) {
            arms.remove(&given.arm);
        }
        if arms.is_empty() {
            self.principals.remove(&principal);
        }
    }

    /// Whether the arm has lately left what it used to be. What it comes to meanwhile is left to the
    /// short memory, so that an arm which is back is at once what it was. One that stays changed is
    /// learned anew.
    fn is_changed(&mut self, arm: Arm, counts: bool) -> bool {
        let (Some(sums), Some(recent)) =
            (self.arms.get_mut(arm.index()), self.recent.get(arm.index()))
        else {
            return false;
        };
        let known = sums.scores.n / self.weight;
        if recent.n < CHANGE_NEEDS || known < CHANGE_NEEDS || sums.asked <= 0.0 {
            return false;
        }
        let usual = sums.answered / sums.asked * sums.scores.mean();
        let noise = (usual * (1.0 - usual)).max(LEAST_NOISE);
        let deviation = (noise / recent.n + noise / known).sqrt();
        if (recent.sum / recent.n - usual).abs() <= SURELY * deviation {
            sums.held_back = 0;
            return false;
        }
        sums.held_back += u32::from(counts);
        if sums.held_back > MOST_HELD_BACK {
            sums.fade(FORGOTTEN);
            sums.held_back = 0;
            self.given.scale_own(arm, FORGOTTEN);
        }
        true
    }

    fn bound(&mut self) {
        if self.principals.len() <= MOST_PRINCIPALS {
            return;
        }
        let weight = |arms: &BTreeMap<Arm, Judgements>| -> f64 {
            arms.values().map(|judgements| judgements.scores.n).sum()
        };
        let lightest = self.principals.iter().min_by(|a, b| weight(a.1).total_cmp(&weight(b.1)));
        if let Some(principal) = lightest.map(|(principal, _)| *principal) {
            self.principals.remove(&principal);
            self.given.forget(principal);
        }
    }

    fn rescale(&mut self) {
        if self.weight < RESCALE_AT {
            return;
        }
        let by = self.weight.recip();
        for sums in &mut self.arms {
            sums.fade(by);
        }
        for judgements in self.principals.values_mut().flat_map(BTreeMap::values_mut) {
            judgements.scores.scale(by);
        }
        self.given.scale(by);
        // What has faded to nothing needs no place.
        let given = &mut self.given;
        self.principals.retain(|principal, arms| {
            let stays = arms.values().any(|judgements| judgements.scores.n > 1e-6);
            if !stays {
                given.forget(*principal);
            }
            stays
        });
        self.weight = 1.0;
    }
}

#[cfg(test)]
#[path = "evidence_tests.rs"]
mod tests;
