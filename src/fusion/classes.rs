//! Classes of equal answers and the evidence behind them.

use std::{cmp::Ordering, collections::BTreeMap, sync::Arc};

use crate::domain::{Canonical, Draft, Likeness, ResponseId, Signal, SourceKind, Step, Tier};

/// Longest answer that a vote shows, in bytes; a longer one is cut.
const SHOWN: usize = 240;

/// What makes two drafts the same answer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    /// The canonical answer.
    Answer(Canonical),
    /// The words of a draft that gives no answer: folded, white space collapsed.
    Words(String),
}

impl Key {
    pub(super) fn of(draft: &Draft) -> Self {
        match &draft.answer {
            Some(answer) => Self::Answer(answer.clone()),
            None => {
                let lower = draft.content.to_lowercase();
                Self::Words(lower.split_whitespace().collect::<Vec<_>>().join(" "))
            }
        }
    }

    pub(super) fn is_answer(&self) -> bool {
        matches!(self, Self::Answer(_))
    }

    /// Words can say in their own way what another answer says; numbers, letters and the like are
    /// equal or they are not.
    pub(super) fn is_loose(&self) -> bool {
        matches!(self, Self::Answer(Canonical::Text(_)))
    }

    pub(super) fn shown(&self) -> String {
        match self {
            Self::Answer(answer) => cut(answer.to_string()),
            Self::Words(_) => "(no answer)".to_owned(),
        }
    }
}

fn cut(mut text: String) -> String {
    if text.len() > SHOWN {
        text.truncate(text.floor_char_boundary(SHOWN));
        text.push('…');
    }
    text
}

/// The drafts of one canonical answer, in an order that only their content decides, the best first.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) key: Key,
    pub(super) drafts: Vec<Draft>,
}

/// Sorts drafts by their canonical answers, in the order of the answers.
pub(super) fn groups(drafts: Vec<Draft>) -> Vec<Group> {
    let mut found: BTreeMap<Key, Vec<Draft>> = BTreeMap::new();
    for draft in drafts {
        found.entry(Key::of(&draft)).or_default().push(draft);
    }
    found
        .into_iter()
        .map(|(key, mut drafts)| {
            drafts.sort_by(best_first);
            Group { key, drafts }
        })
        .collect()
}

/// Whether two canonical answers are one answer in different words.
pub(super) fn alike(a: &Group, b: &Group, likeness: &dyn Likeness) -> bool {
    let answers = a.key.is_answer() && b.key.is_answer();
    let loose = a.key.is_loose() || b.key.is_loose();
    match (a.drafts.first(), b.drafts.first()) {
        (Some(first), Some(other)) => answers && loose && likeness.alike(first, other),
        _ => false,
    }
}

/// One class: answers that are the same, and their drafts, the best first.
#[derive(Debug)]
pub(super) struct Class {
    /// Its first answer, in the order of answers: what breaks ties.
    pub(super) key: Key,
    pub(super) drafts: Vec<Draft>,
}

impl Class {
    pub(super) fn by_source(&self) -> Vec<Vec<&Draft>> {
        by_source(&self.drafts)
    }

    /// The best signal of each source.
    pub(super) fn signals(&self) -> Vec<Signal> {
        self.by_source().iter().filter_map(|drafts| drafts.first()).map(|d| d.signal).collect()
    }

    /// The response whose remembered answer is part of it.
    pub(super) fn recalled_from(&self) -> Option<ResponseId> {
        self.drafts.iter().find_map(|draft| draft.recalled_from)
    }

    /// Its answer in the words of its best draft.
    pub(super) fn shown(&self) -> String {
        self.drafts.first().map_or_else(|| self.key.shown(), |best| Key::of(best).shown())
    }
}

/// The drafts of each source, in their order: two drafts of one source are not independent.
pub(super) fn by_source(drafts: &[Draft]) -> Vec<Vec<&Draft>> {
    let mut sources: Vec<Vec<&Draft>> = Vec::new();
    for draft in drafts {
        let known = sources.iter_mut().find(|drafts| {
            drafts.first().is_some_and(|first| first.source.name == draft.source.name)
        });
        match known {
            Some(drafts) => drafts.push(draft),
            None => sources.push(vec![draft]),
        }
    }
    sources
}

/// Sorts drafts into classes, in the order of the answers.
///
/// Likeness is not transitive, and chains of likenesses end at opposites. So an answer joins the
/// first class whose every answer it is like, the answers taken in their own order: any two answers
/// of a class are alike, and who answered first does not matter.
pub(super) fn classes(drafts: Vec<Draft>, likeness: &dyn Likeness) -> Vec<Class> {
    let mut found: Vec<Vec<Group>> = Vec::new();
    for group in groups(drafts) {
        let home = found.iter_mut().find(|c| c.iter().all(|g| alike(g, &group, likeness)));
        match home {
            Some(class) => class.push(group),
            None => found.push(vec![group]),
        }
    }
    found.into_iter().filter_map(class_of).collect()
}

fn class_of(groups: Vec<Group>) -> Option<Class> {
    let key = groups.first()?.key.clone();
    let mut drafts: Vec<Draft> = groups.into_iter().flat_map(|group| group.drafts).collect();
    drafts.sort_by(best_first);
    hear_memory_once(&mut drafts);
    Some(Class { key, drafts })
}

/// A remembered answer was once given by one of those that may now give it again, in these words or
/// in others. So it takes the name of the surest of them: the two are one source, and nobody's
/// agreement with himself raises the confidence. What a solver computes is never remembered, so that
/// a solver beside it is a witness of its own.
fn hear_memory_once(drafts: &mut [Draft]) {
    let again = drafts
        .iter()
        .find(|d| !matches!(d.source.kind, SourceKind::Lake | SourceKind::Solver))
        .map(|d| Arc::clone(&d.source.name));
    let Some(name) = again else { return };
    for draft in drafts.iter_mut().filter(|d| d.source.kind == SourceKind::Lake) {
        draft.source.name = Arc::clone(&name);
    }
}

/// The higher signal first, then the checkpoint, then what can be read up or followed; what is
/// left is decided by the text, so that equal drafts do not depend on who came first.
fn best_first(a: &Draft, b: &Draft) -> Ordering {
    let steps =
        |d: &Draft| -> Vec<String> { d.steps.iter().map(|Step { text }| text.clone()).collect() };
    let cited = |d: &Draft| -> Vec<(String, u32)> {
        d.citations.iter().map(|c| (c.document.clone(), c.line)).collect()
    };
    b.signal
        .get()
        .total_cmp(&a.signal.get())
        .then_with(|| b.passed_a_checkpoint().cmp(&a.passed_a_checkpoint()))
        .then_with(|| b.position().get().cmp(&a.position().get()))
        .then_with(|| b.citations.len().cmp(&a.citations.len()))
        .then_with(|| b.steps.len().cmp(&a.steps.len()))
        .then_with(|| kind_order(a.source.kind).cmp(&kind_order(b.source.kind)))
        .then_with(|| a.content.cmp(&b.content))
        .then_with(|| a.source.cmp(&b.source))
        .then_with(|| a.latency.cmp(&b.latency))
        .then_with(|| a.usage.completion_tokens.cmp(&b.usage.completion_tokens))
        .then_with(|| a.usage.prompt_tokens.cmp(&b.usage.prompt_tokens))
        .then_with(|| steps(a).cmp(&steps(b)))
        .then_with(|| cited(a).cmp(&cited(b)))
        .then_with(|| a.recalled_from.cmp(&b.recalled_from))
        .then_with(|| format!("{a:?}").cmp(&format!("{b:?}")))
}

/// Whose wording is preferred among equals.
fn kind_order(kind: SourceKind) -> u8 {
    match kind {
        SourceKind::Solver => 0,
        SourceKind::Document => 1,
        SourceKind::Fused => 2,
        SourceKind::Model => 3,
        SourceKind::Lake => 4,
        SourceKind::Drafter => 5,
    }
}

/// Each tier's share of some weights; halves of nothing are shared by heads.
pub(super) fn tier_shares(weights: &[(Tier, f64)]) -> [(Tier, f64); 2] {
    let total: f64 = weights.iter().map(|(_, w)| w).sum();
    let share = |tier: Tier| -> f64 {
        let of_tier = weights.iter().filter(|(t, _)| *t == tier);
        if total > 0.0 {
            of_tier.fold(0.0, |sum, (_, w)| sum + w / total)
        } else {
            #[expect(clippy::cast_precision_loss, reason = "a handful of experts")]
            {
                of_tier.count() as f64 / weights.len().max(1) as f64
            }
        }
    };
    [(Tier::Flux, share(Tier::Flux)), (Tier::Asi, share(Tier::Asi))]
}
