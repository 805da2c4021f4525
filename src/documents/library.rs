//! A corpus with its two indexes, and the ranking of what they find.

use rustc_hash::{FxHashMap, FxHashSet};
use tantivy::TantivyError;

use super::{
    DocumentsStats,
    bm25::FullText,
    corpus::{Corpus, Sentence},
    evidence::Evidence,
    look::Look,
    question::Question,
};

/// The name in reports, labels and custom weights.
pub(super) const NAME: &str = "documents";

/// Sentences of each index that are looked at closely.
const CANDIDATES: usize = 160;
/// Least signal of a draft: less is a guess, and silence is better.
pub(super) const SIGNAL_FLOOR: f64 = 0.3;

/// A sentence in its rank.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ranked {
    /// Its number in the corpus.
    pub sentence: usize,
    /// By what it is ranked.
    pub score: f64,
    /// Share of the question's words that is covered, 0 to 1.
    pub coverage: f64,
    /// What speaks for it.
    pub look: Look,
    /// How well the most telling word is covered, 0 to 1.
    pub rarest: f64,
    /// Whether the question's figures stand here, with words enough beside them.
    pub figures: bool,
}

/// A corpus, indexed.
pub(super) struct Library {
    pub corpus: Corpus,
    full_text: FullText,
}

impl Library {
    pub(super) fn build(corpus: Corpus) -> Result<Self, TantivyError> {
        Ok(Self { full_text: FullText::build(&corpus)?, corpus })
    }

    /// Whether there is anything to search.
    pub(super) fn has_sentences(&self) -> bool {
        !self.corpus.sentences.is_empty()
    }

    /// How much there is to search.
    pub(super) fn stats(&self) -> DocumentsStats {
        DocumentsStats {
            documents: self.corpus.documents,
            passages: self.corpus.passages.len(),
            sentences: self.corpus.sentences.len(),
        }
    }

    /// The sentences that speak to a question, best first, whichever index found them.
    pub(super) fn rank(&self, question: &Question) -> Vec<Ranked> {
        let by_words = self.full_text.search(question, CANDIDATES);
        let top = by_words.first().map_or(0.0, |&(_, score)| score).max(f64::MIN_POSITIVE);
        let scores: FxHashMap<usize, f64> = by_words.into_iter().collect();
        let mut found: FxHashSet<usize> = scores.keys().copied().collect();
        found.extend(self.nearest(question).into_iter().map(|(number, _)| number));
        let mut ranked: Vec<Ranked> = found
            .into_iter()
            .filter_map(|number| {
                let sentence = self.corpus.sentences.get(number)?;
                let standings = question.standings(sentence);
                let full_text = scores.get(&number).map_or(0.0, |score| score / top);
                let look = Look::at(question, sentence, &self.corpus, full_text);
                Some(Ranked {
                    sentence: number,
                    score: look.score(),
                    look,
                    coverage: question.coverage(&standings),
                    rarest: question.rarest_covered(&standings),
                    figures: question.knows_the_figures(&standings),
                })
            })
            .collect();
        ranked.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.sentence.cmp(&b.sentence)));
        ranked
    }

    fn nearest(&self, question: &Question) -> Vec<(usize, f64)> {
        let likeness = |s: &Sentence| f64::from(question.vector.cosine(&s.vector));
        let mut found: Vec<(usize, f64)> =
            self.corpus.sentences.iter().map(likeness).enumerate().collect();
        found.retain(|&(_, likeness)| likeness > 0.0);
        let order = |a: &(usize, f64), b: &(usize, f64)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
        if found.len() > CANDIDATES {
            found.select_nth_unstable_by(CANDIDATES, order);
            found.truncate(CANDIDATES);
        }
        found.sort_by(order);
        found
    }

    /// How sure one may be of the first of a ranking, of which this doubt speaks against it.
    pub(super) fn signal(&self, question: &Question, ranked: &[Ranked], doubt: f64) -> f64 {
        let Some(evidence) = self.evidence(question, ranked) else { return 0.0 };
        evidence.signal(doubt)
    }

    fn evidence(&self, question: &Question, ranked: &[Ranked]) -> Option<Evidence> {
        let first = ranked.first()?;
        let sentence = self.corpus.sentences.get(first.sentence)?;
        let text = |r: &Ranked| self.corpus.sentences.get(r.sentence).map(|s| s.text.as_str());
        let next = ranked.iter().skip(1).find(|r| text(r) != text(first));
        let margin = next.map_or(1.0, |r| first.score - r.score).clamp(0.0, 1.0);
        Some(Evidence::of(question, sentence, first, margin))
    }
}
