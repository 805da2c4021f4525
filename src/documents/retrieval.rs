//! Searching one or more libraries, and what comes of it.

use std::sync::Arc;

use rustc_hash::FxHashSet;

use super::{
    experts::{self, Expert, Library, Ranked},
    question::Question,
};
use crate::{
    domain::{Canonical, Citation, Draft, Passage, Signal, Source, SourceKind, Tier},
    text::normal_key,
};

/// Passages that are handed on as evidence.
pub(super) const MAX_EVIDENCE: usize = 4;
/// Least coverage with which a passage is evidence; below the floor for an answer, because a
/// language model can join what two passages say.
const EVIDENCE_FLOOR: f64 = 0.45;

/// What the experts found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Retrieval {
    /// At most one draft for each expert; none when the documents do not cover the question.
    pub drafts: Vec<Draft>,
    /// The passages nearest to the question, best first, as evidence for a language model. Empty
    /// when nothing is near.
    pub passages: Vec<Passage>,
}

/// Documents that are searched together, without those of them that are no longer valid.
pub(super) struct Searched<'l> {
    pub library: &'l Library,
    pub hidden: Option<&'l FxHashSet<Arc<str>>>,
}

/// What was found on one or more libraries: each expert's surest sentence, and what is near.
#[derive(Default)]
pub(super) struct Finds {
    drafts: Vec<(Expert, Draft)>,
    near: Vec<(f64, Passage)>,
}

impl Finds {
    /// Searches one more library.
    pub(super) fn search(&mut self, searched: &Searched<'_>, question: &str) {
        let library = searched.library;
        // What covers less is neither evidence nor, all the more, an answer.
        let Some(question) = Question::read(question, &library.corpus, EVIDENCE_FLOOR) else {
            return;
        };
        let rankings = Expert::ALL.map(|expert| {
            let mut ranked = library.rank(expert, &question);
            ranked.retain(|r| searched.shows(r.sentence));
            (expert, ranked)
        });
        for (expert, ranked) in &rankings {
            let Some(found) = draft(library, *expert, ranked) else { continue };
            match self.drafts.iter_mut().find(|(of, _)| of == expert) {
                Some((_, best)) if best.signal >= found.signal => {}
                Some((_, best)) => *best = found,
                None => self.drafts.push((*expert, found)),
            }
        }
        self.near.extend(evidence(library, rankings.iter().flat_map(|(_, ranked)| ranked)));
    }

    /// All of it.
    pub(super) fn retrieval(mut self) -> Retrieval {
        self.near.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        Retrieval {
            drafts: self.drafts.into_iter().map(|(_, draft)| draft).collect(),
            passages: self.near.into_iter().take(MAX_EVIDENCE).map(|(_, found)| found).collect(),
        }
    }
}

impl Searched<'_> {
    fn shows(&self, sentence: usize) -> bool {
        let Some(hidden) = self.hidden.filter(|hidden| !hidden.is_empty()) else { return true };
        let corpus = &self.library.corpus;
        let passage = corpus.sentences.get(sentence).and_then(|s| corpus.passages.get(s.passage));
        passage.is_some_and(|passage| !hidden.contains(&passage.document))
    }
}

fn draft(library: &Library, expert: Expert, ranked: &[Ranked]) -> Option<Draft> {
    let best = ranked.first().filter(|r| r.answers())?;
    let sentence = library.corpus.sentences.get(best.sentence)?;
    let passage = library.corpus.passages.get(sentence.passage)?;
    let signal = Signal::clamped(library.signal(ranked));
    if signal.get() < experts::SIGNAL_FLOOR {
        return None;
    }
    let answer = Canonical::Text(normal_key(&sentence.text));
    let source = Source::new(Tier::Asi, SourceKind::Document, expert.name());
    let mut draft = Draft::new(source, sentence.text.as_str(), Some(answer), signal);
    draft.citations.push(Citation {
        document: passage.document.to_string(),
        section: passage.section.as_deref().map(str::to_owned),
        line: sentence.line,
        quote: sentence.text.clone(),
        score: signal.get(),
    });
    Some(draft)
}

/// The passages of the sentences that both experts rank highest, taken together, with their scores.
fn evidence<'a>(
    library: &Library,
    ranked: impl Iterator<Item = &'a Ranked>,
) -> Vec<(f64, Passage)> {
    let mut near: Vec<(usize, f64)> = Vec::new();
    for r in ranked.filter(|r| r.coverage >= EVIDENCE_FLOOR) {
        let Some(sentence) = library.corpus.sentences.get(r.sentence) else { continue };
        match near.iter_mut().find(|(passage, _)| *passage == sentence.passage) {
            Some((_, score)) => *score = score.max(r.score),
            None => near.push((sentence.passage, r.score)),
        }
    }
    near.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    near.iter()
        .take(MAX_EVIDENCE)
        .filter_map(|&(number, score)| Some((score, library.corpus.passages.get(number)?)))
        .map(|(score, p)| {
            let section = p.section.as_deref().map(|s| format!(", {s}")).unwrap_or_default();
            let source = format!("{}{section}, line {}", p.document, p.line);
            (score, Passage { source, text: p.text.clone() })
        })
        .collect()
}
