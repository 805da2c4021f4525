//! Searching one or more libraries, and what comes of it.

use std::sync::Arc;

use rustc_hash::FxHashSet;

use super::{
    library::{self, Library, Ranked},
    question::Question,
};
use crate::{
    domain::{Canonical, Citation, Draft, Passage, Signal, Source, SourceKind, Tier},
    text::normal_key,
};

/// Passages that are handed on as evidence.
pub(super) const MAX_EVIDENCE: usize = 4;
/// Sentences that are tried as the answer, from the first on.
const MAX_TRIED: usize = 8;
/// What the odds lose, as a logarithm, where a nearer sentence answers another question.
const PASSED_OVER: f64 = 1.0;
/// Least share of a question that the documents' words can cover, for it to be searched at all.
const READ_FLOOR: f64 = 0.3;
/// Least coverage with which a passage is evidence for a language model.
const EVIDENCE_FLOOR: f64 = 0.45;

/// What was found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Retrieval {
    /// At most one draft; none when the documents do not cover the question.
    pub drafts: Vec<Draft>,
    /// The passages nearest to the question, best first, as evidence for a language model. Empty
    /// when nothing is near.
    pub passages: Vec<Passage>,
    /// Whether a sentence in the question's words was held back, because it answers another
    /// question: a language model may make something of its passage.
    pub held_back: bool,
}

/// Documents that are searched together, without those of them that are no longer valid.
pub(super) struct Searched<'l> {
    pub library: &'l Library,
    pub hidden: Option<&'l FxHashSet<Arc<str>>>,
}

/// What was found on one or more libraries: the surest sentence, and what is near.
#[derive(Default)]
pub(super) struct Finds {
    draft: Option<Draft>,
    near: Vec<(f64, Passage)>,
    held_back: bool,
}

impl Finds {
    /// Searches one more library.
    pub(super) fn search(&mut self, searched: &Searched<'_>, question: &str) {
        let library = searched.library;
        let Some(question) = Question::read(question, &library.corpus, READ_FLOOR) else {
            return;
        };
        let mut ranked = library.rank(&question);
        ranked.retain(|r| searched.shows(r.sentence));
        self.near.extend(evidence(library, &ranked));
        // What is near helps a model; what is offered as the answer must be of the kind asked for.
        ranked.retain(|r| {
            library.corpus.sentences.get(r.sentence).is_some_and(|s| question.asks.admits(s))
        });
        let Some((at, doubt)) = first_that_fits(library, &question, &ranked) else {
            let in_its_words = library.signal(&question, &ranked, 0.0) >= library::SIGNAL_FLOOR;
            self.held_back |= in_its_words && !question.fit.is_about_the_unknown();
            return;
        };
        if let Some(found) = draft(library, &question, ranked.get(at..).unwrap_or_default(), doubt)
            && self.draft.as_ref().is_none_or(|best| best.signal < found.signal)
        {
            self.draft = Some(found);
        }
    }

    /// All of it.
    pub(super) fn retrieval(mut self) -> Retrieval {
        self.near.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        Retrieval {
            drafts: self.draft.into_iter().collect(),
            held_back: self.held_back,
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

/// The first sentence that can answer this very question, and what speaks against it.
fn first_that_fits(
    library: &Library,
    question: &Question,
    ranked: &[Ranked],
) -> Option<(usize, f64)> {
    let doubt = |r: &Ranked| {
        let sentence = library.corpus.sentences.get(r.sentence)?;
        question.fit.doubt(question, sentence, &library.corpus)
    };
    let (at, doubt) =
        ranked.iter().take(MAX_TRIED).enumerate().find_map(|(at, r)| Some((at, doubt(r)?)))?;
    Some((at, if at > 0 { doubt + PASSED_OVER } else { doubt }))
}

fn draft(library: &Library, question: &Question, ranked: &[Ranked], doubt: f64) -> Option<Draft> {
    let best = ranked.first().filter(|r| r.figures)?;
    let sentence = library.corpus.sentences.get(best.sentence)?;
    let passage = library.corpus.passages.get(sentence.passage)?;
    let signal = Signal::clamped(library.signal(question, ranked, doubt));
    if signal.get() < library::SIGNAL_FLOOR {
        return None;
    }
    let answer = Canonical::Text(normal_key(&sentence.text));
    let source = Source::new(Tier::Asi, SourceKind::Document, library::NAME);
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

/// The passages of the sentences that rank highest, with their scores.
fn evidence(library: &Library, ranked: &[Ranked]) -> Vec<(f64, Passage)> {
    let mut near: Vec<(usize, f64)> = Vec::new();
    for r in ranked.iter().filter(|r| r.coverage >= EVIDENCE_FLOOR) {
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
