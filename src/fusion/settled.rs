//! Whether those who are still silent can change who wins.

use crate::domain::{Draft, Signal};

use super::{
    Rule,
    classes::{Group, by_source, groups},
};

/// Somebody who was asked and has not answered yet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Silent<'a> {
    /// The name that its draft will have as its source.
    pub source: &'a str,
    /// The highest signal that its draft can have; [`Signal::ONE`] where nothing is known.
    pub highest: Signal,
}

/// Whether the answer that leads now wins whatever the silent ones say, each of them one draft or
/// none. Then they need not be waited for: what they could still add is confidence.
///
/// It is never said of a lead that a tie could end, and never while nobody has given an answer. It
/// holds for every strategy: sums lead by more than all silent ones together can weigh, and under
/// `best_response` the strongest draft leads by more than any one of them can. Words may turn out to
/// be other words' paraphrase once a further draft is there, so that all rivals in words count as
/// one rival, and only literally equal answers stand together.
#[must_use]
pub fn is_settled(drafts: &[Draft], silent: &[Silent<'_>], rule: &Rule<'_>) -> bool {
    if silent.is_empty() {
        return true;
    }
    let standing: Vec<Behind> = groups(drafts.to_vec())
        .iter()
        .filter(|group| group.key.is_answer())
        .map(|group| Behind::of(group, rule))
        .collect();
    let leads = |a: &&Behind, b: &&Behind| a.score.total_cmp(&b.score);
    let Some(leader) = standing.iter().max_by(leads) else { return false };
    let rivals: Vec<&Behind> = standing.iter().filter(|s| !std::ptr::eq(*s, leader)).collect();
    let coming = silent.iter().map(|s| rule.most(s.source, s.highest));
    let most = if rule.highest_wins() {
        rivals.iter().map(|s| s.score).chain(coming).fold(0.0, f64::max)
    } else {
        let in_words: f64 = rivals.iter().filter(|s| s.loose).map(|s| s.score).sum();
        let others = rivals.iter().filter(|s| !s.loose).map(|s| s.score);
        in_words + others.fold(0.0, f64::max) + coming.sum::<f64>()
    };
    // Sums in another order differ in their last digits.
    leader.score > most + 1e-9 * (1.0 + most)
}

/// What one canonical answer has behind it.
struct Behind {
    score: f64,
    loose: bool,
}

impl Behind {
    fn of(group: &Group, rule: &Rule<'_>) -> Self {
        // The strongest draft of a source speaks for it, as in fusion.
        let weights = by_source(&group.drafts)
            .into_iter()
            .map(|drafts| drafts.into_iter().map(|d| rule.weight(d).value).fold(0.0, f64::max));
        let score =
            if rule.highest_wins() { weights.fold(0.0, f64::max) } else { weights.sum::<f64>() };
        Self { score, loose: group.key.is_loose() }
    }
}
