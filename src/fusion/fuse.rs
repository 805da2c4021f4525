//! The consensus strategies.

use std::{cmp::Ordering, collections::BTreeMap};

use crate::domain::{
    Check, ConsensusReport, Dissent, Draft, Elp, Position, ResponseId, Signal, Source, SourceKind,
    Tier, Verdict, Vote,
};

use super::{
    Rule,
    classes::{Class, classes, tier_shares},
    pool::pooled_signal,
    rule::Weight,
};

/// One answer out of several drafts.
#[derive(Debug, Clone, PartialEq)]
pub struct Fused {
    /// The best draft of the winning answer. Its signal is [`pooled_signal`]; where several
    /// sources stand behind the answer its source is `fusion`, of the best draft's tier; where
    /// two drafts or more took part its stage is 6.
    pub draft: Draft,
    /// Who voted for what, the winner's votes first.
    pub report: ConsensusReport,
    /// Each tier's share of the weight behind the answer; they sum to 1.
    pub weights: [(Tier, f64); 2],
    /// Whether evidence behind the answer weighed more because it had passed a checkpoint.
    pub sacred_boost: bool,
    /// Share of all weight that is behind the answer, 0 to 1.
    pub agreement: f64,
    /// The response whose remembered answer stands behind this one, also where another draft gave
    /// the words: should that one be withdrawn, this one rests on nothing better.
    pub derived_from: Option<ResponseId>,
}

/// Fuses drafts into one; `None` when there are none.
///
/// Each source has one piece of evidence per answer, its strongest draft. Its weight is
///
/// - `majority_vote`: 1;
/// - `weighted_confidence`: the log-odds of the signal × checkpoint weight, see
///   [`Signal::vote_weight`]. A signal is what the expert's own record says, moved by what the
///   checks found, both in log-odds;
/// - `best_response`: signal, and the highest single one wins instead of the sum;
/// - `ensemble`: −ln(1 − signal) × checkpoint weight, the noisy-or in logarithms;
/// - `custom_weights`: the operator's weight × checkpoint weight;
///
/// where the checkpoint weight is `sacred_weight` for a draft that passed a checkpoint, else 1.
/// Answers are one where their canonical forms are equal, or where the rule's likeness says so of
/// any two of them. A remembered answer is no second witness beside whoever gives it again. The answer with the most weight wins; ties go to the larger sum of signals, then to the answer
/// that comes first in the order of answers. A draft that gives no answer wins only where nobody
/// gives one, and is no dissent.
#[must_use]
pub fn fuse(drafts: Vec<Draft>, rule: &Rule<'_>) -> Option<Fused> {
    let took_part = drafts.len();
    let mut weighed: Vec<Weighed> =
        classes(drafts, rule.likeness).into_iter().map(|class| Weighed::new(class, rule)).collect();
    weighed.sort_by(Weighed::winner_first);
    let winner = weighed.first()?;
    let total: f64 = weighed.iter().map(|w| w.total).sum();
    let agreement = if total > 0.0 {
        winner.total / total
    } else {
        let voices: usize = weighed.iter().map(|w| w.votes.len()).sum();
        #[expect(clippy::cast_precision_loss, reason = "a handful of experts")]
        {
            winner.votes.len() as f64 / voices.max(1) as f64
        }
    };
    let support = winner.class.signals();
    let derived_from = winner.class.recalled_from();
    let others = weighed.get(1..).unwrap_or_default();
    let against = strongest_objections(others);
    let won = winner.votes.iter().map(|vote| Vote { won: true, ..vote.clone() });
    let lost = others.iter().flat_map(|w| w.votes.iter().cloned());
    let report = ConsensusReport {
        strategy: rule.consensus,
        agreement,
        votes: won.chain(lost).collect(),
        dissent: others.iter().filter(|w| w.class.key.is_answer()).map(Weighed::dissent).collect(),
    };
    let mut draft = winner.class.drafts.first()?.clone();
    draft.signal = pooled_signal(&support, &against);
    draft.elp = Elp::weighted_mean(&winner.profiles);
    if support.len() > 1 {
        draft.source = Source::new(draft.source.tier, SourceKind::Fused, "fusion");
    }
    if took_part > 1 {
        draft.stage = Position::FUSION;
        draft.checks.push(agreement_check(support.len(), against.len(), agreement));
    }
    Some(Fused {
        draft,
        report,
        weights: tier_shares(&winner.tiers),
        sacred_boost: took_part > 1 && winner.boosted,
        agreement,
        derived_from,
    })
}

/// The strongest dissent of each source: one who gave several other answers dissents once.
fn strongest_objections(others: &[Weighed]) -> Vec<Signal> {
    let mut strongest: BTreeMap<&str, Signal> = BTreeMap::new();
    for draft in others.iter().filter(|w| w.class.key.is_answer()).flat_map(|w| &w.class.drafts) {
        let held = strongest.entry(&draft.source.name).or_insert(draft.signal);
        if draft.signal.get() > held.get() {
            *held = draft.signal;
        }
    }
    strongest.into_values().collect()
}

/// The fusion checkpoint's own word: do independent sources agree?
fn agreement_check(support: usize, dissent: usize, agreement: f64) -> Check {
    let verdict = if agreement < 0.5 && dissent > 0 {
        Verdict::Failed
    } else if support > 1 {
        Verdict::Passed
    } else {
        Verdict::NotApplicable
    };
    let note =
        format!("{support} for it, {dissent} against, {:.0} % of the weight", agreement * 100.0);
    Check { position: Position::FUSION, name: "agreement", verdict, note }
}

/// A class with what the rule makes of it.
struct Weighed {
    class: Class,
    /// What the strategy compares.
    score: f64,
    total: f64,
    signals: f64,
    boosted: bool,
    votes: Vec<Vote>,
    tiers: Vec<(Tier, f64)>,
    profiles: Vec<(Elp, f64)>,
}

impl Weighed {
    fn new(class: Class, rule: &Rule<'_>) -> Self {
        let shown = class.shown();
        let (mut votes, mut tiers, mut profiles) = (Vec::new(), Vec::new(), Vec::new());
        let (mut total, mut highest, mut signals, mut boosted) = (0.0, 0.0f64, 0.0, false);
        for drafts in class.by_source() {
            let Some(best) = drafts.first() else { continue };
            let weighing: Vec<Weight> = drafts.iter().map(|d| rule.weight(d)).collect();
            // Its strongest draft speaks for a source; with equal strength, the one not boosted.
            let weight = weighing.iter().map(|w| w.value).fold(0.0, f64::max);
            let its_boost =
                weight > 0.0 && weighing.iter().filter(|w| w.value >= weight).all(|w| w.boosted);
            boosted |= its_boost;
            total += weight;
            highest = highest.max(weight);
            signals += best.signal.get();
            votes.push(Vote {
                expert: best.source.name.to_string(),
                answer: shown.clone(),
                weight,
                boosted: its_boost,
                won: false,
            });
            tiers.push((best.source.tier, weight));
            profiles.push((best.elp, weight));
        }
        if total <= 0.0 {
            profiles.iter_mut().for_each(|(_, weight)| *weight = 1.0);
        }
        let score = if rule.highest_wins() { highest } else { total };
        Self { class, score, total, signals, boosted, votes, tiers, profiles }
    }

    fn dissent(&self) -> Dissent {
        let mut votes: Vec<&Vote> = self.votes.iter().collect();
        votes.sort_by(|a, b| b.weight.total_cmp(&a.weight).then_with(|| a.expert.cmp(&b.expert)));
        Dissent {
            answer: self.class.shown(),
            experts: votes.into_iter().map(|vote| vote.expert.clone()).collect(),
            weight: self.total,
        }
    }

    fn winner_first(&self, other: &Self) -> Ordering {
        let answers = other.class.key.is_answer().cmp(&self.class.key.is_answer());
        answers
            .then_with(|| other.score.total_cmp(&self.score))
            .then_with(|| other.signals.total_cmp(&self.signals))
            .then_with(|| self.class.key.cmp(&other.class.key))
    }
}
