//! Which of the offered passages go along.

use super::{OVERHEAD, excerpt::excerpt, relevance::Wanted};
use crate::{domain::Passage, text::estimated_tokens};

/// Fewer tokens than this of a passage say nothing.
const LEAST: usize = 40;

/// The passages that were kept so far, each in its place.
#[derive(Debug)]
pub(super) struct Kept<'a> {
    offered: Vec<&'a Passage>,
    relevance: Vec<f64>,
    kept: Vec<Option<Passage>>,
    pub(super) shortened: usize,
}

impl<'a> Kept<'a> {
    /// Nothing yet of these; `relevance` is given for each, 0 to 1.
    pub(super) fn nothing_of(offered: Vec<&'a Passage>, relevance: Vec<f64>) -> Self {
        Self { kept: vec![None; offered.len()], offered, relevance, shortened: 0 }
    }

    /// Keeps the more relevant first, as far as they fit; where none is, in the order in which
    /// they were offered. Returns what is left of the room.
    pub(super) fn keep_whole(&mut self, mut room: usize) -> usize {
        for at in self.missing() {
            let Some(passage) = self.offered.get(at) else { continue };
            let cost = cost(passage);
            if cost <= room {
                room -= cost;
                self.kept[at] = Some((*passage).clone());
            }
        }
        room
    }

    /// Keeps of those that are too long what bears on the input, sharing the room among them.
    /// Returns what is left of it.
    pub(super) fn keep_in_part(&mut self, mut room: usize, wanted: &Wanted) -> usize {
        let missing = self.missing();
        let mut sharing = missing.iter().filter(|&&at| self.relevance[at] > 0.0).count();
        for at in missing {
            let (Some(passage), true) = (self.offered.get(at), self.relevance[at] > 0.0) else {
                continue;
            };
            let frame = estimated_tokens(&passage.source) + OVERHEAD;
            let share = (room / sharing.max(1)).saturating_sub(frame);
            sharing = sharing.saturating_sub(1);
            if share < LEAST {
                continue;
            }
            let text = excerpt(&passage.text, |sentence| wanted.share_of(sentence), share);
            let part = Passage { source: passage.source.clone(), text };
            room = room.saturating_sub(cost(&part));
            self.kept[at] = Some(part);
            self.shortened += 1;
        }
        room
    }

    /// What was kept, in the order in which it was offered.
    pub(super) fn into_passages(self) -> Vec<Passage> {
        self.kept.into_iter().flatten().collect()
    }

    fn missing(&self) -> Vec<usize> {
        let rank = |at: usize| {
            let length = self.offered.get(at).map_or(0, |passage| cost(passage));
            #[expect(clippy::cast_precision_loss, reason = "tokens of one passage")]
            let length = (length as f64 + 50.0).sqrt();
            self.relevance.get(at).copied().unwrap_or(0.0) / length
        };
        let mut missing: Vec<usize> =
            (0..self.kept.len()).filter(|&at| self.kept[at].is_none()).collect();
        missing.sort_by(|&a, &b| rank(b).total_cmp(&rank(a)).then(a.cmp(&b)));
        missing
    }
}

/// Tokens that a passage takes.
pub(super) fn cost(passage: &Passage) -> usize {
    estimated_tokens(&passage.text) + estimated_tokens(&passage.source) + OVERHEAD
}
