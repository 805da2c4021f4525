//! The two experts over a corpus, and how sure each is of its best sentence.

use tantivy::TantivyError;

use super::{
    DocumentsStats,
    bm25::FullText,
    corpus::{Corpus, Sentence},
    question::{Question, Wanted},
};

/// Sentences that an expert looks at closely.
const CANDIDATES: usize = 160;
/// Weight of an expert's own score, brought to 1 for its best, beside the closer look.
const OWN_SCORE: f64 = 0.7;
/// Least coverage of the question with which a sentence answers it.
pub(super) const COVERAGE_FLOOR: f64 = 0.5;
/// Coverage with which it does so even where the most telling word is missing.
const COVERAGE_ENOUGH: f64 = 0.74;
/// Least standing of the question's most telling word.
const RAREST_FLOOR: f64 = 0.4;

/// Least signal of a draft: less is a guess, and the experts are silent instead.
pub(super) const SIGNAL_FLOOR: f64 = 0.3;

/// Which expert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expert {
    Bm25,
    Ngrams,
}

impl Expert {
    pub(super) const ALL: [Self; 2] = [Self::Bm25, Self::Ngrams];

    /// The name in reports, labels and custom weights.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Bm25 => "documents-bm25",
            Self::Ngrams => "documents-ngrams",
        }
    }
}

/// A sentence as one expert ranks it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ranked {
    /// Its number in the corpus.
    pub sentence: usize,
    /// The expert's own score, 1 for the sentence that it likes best before looking closely.
    pub score: f64,
    /// Share of the question's words that is covered, 0 to 1.
    pub coverage: f64,
    /// Cosine of question and sentence.
    pub likeness: f64,
    /// How well the most telling word is covered, 0 to 1.
    pub rarest: f64,
    /// Whether the question's figures stand here, with words enough beside them.
    pub figures: bool,
}

impl Ranked {
    /// Whether the sentence covers the question well enough to answer it.
    pub(super) fn answers(&self) -> bool {
        let covered = self.coverage >= COVERAGE_ENOUGH
            || (self.coverage >= COVERAGE_FLOOR && self.rarest >= RAREST_FLOOR);
        covered && self.figures
    }
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

    /// The expert's best sentences, best first.
    pub(super) fn rank(&self, expert: Expert, question: &Question) -> Vec<Ranked> {
        let found = match expert {
            Expert::Bm25 => self.full_text.search(question, CANDIDATES),
            Expert::Ngrams => self.nearest(question),
        };
        let top = found.first().map_or(0.0, |&(_, score)| score).max(f64::MIN_POSITIVE);
        let mut ranked: Vec<Ranked> = found
            .into_iter()
            .filter_map(|(number, score)| {
                let sentence = self.corpus.sentences.get(number)?;
                let standings = question.standings(sentence);
                let coverage = question.coverage(&standings);
                Some(Ranked {
                    sentence: number,
                    score: OWN_SCORE * score / top + closer_look(question, sentence, coverage),
                    coverage,
                    likeness: f64::from(question.vector.cosine(&sentence.vector)),
                    rarest: question.rarest_covered(&standings),
                    figures: question.knows_the_figures(&standings),
                })
            })
            .collect();
        // What covers the question comes first, whatever else speaks for the rest.
        ranked.sort_by(|a, b| {
            let covers = b.answers().cmp(&a.answers());
            covers.then(b.score.total_cmp(&a.score)).then(a.sentence.cmp(&b.sentence))
        });
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

    /// How sure an expert may be of the first of its ranking: a hand-set logistic over coverage,
    /// the margin to the next other sentence, and likeness.
    ///
    /// On the questions of `questions.rs` the mean signal lies within a few points of the share of
    /// right sentences; it is no calibration on anybody's own documents.
    pub(super) fn signal(&self, ranked: &[Ranked]) -> f64 {
        let Some(first) = ranked.first() else { return 0.0 };
        let text = |r: &Ranked| self.corpus.sentences.get(r.sentence).map(|s| s.text.as_str());
        let next = ranked.iter().skip(1).find(|r| text(r) != text(first));
        let margin = next.map_or(1.0, |r| (first.score - r.score) / first.score.max(0.01));
        let odds = -5.6
            + 5.0 * first.coverage
            + 4.5 * margin.clamp(0.0, 0.5)
            + 4.0 * first.likeness.clamp(0.0, 1.0);
        // Words in common prove no answer, so retrieval is never sure.
        (1.0 / (1.0 + (-odds).exp())).min(0.97)
    }
}

/// What a sentence gains or loses when it is read beside the question. Set by hand.
fn closer_look(question: &Question, sentence: &Sentence, coverage: f64) -> f64 {
    let (subject, opens, form) = match question.wanted {
        Wanted::Definition => (0.2, 0.35, 0.8),
        Wanted::Enumeration => (0.0, 0.2, 0.6),
        Wanted::Method => (0.0, 0.1, 0.25),
        Wanted::Quantity => (0.1, 0.1, 0.3),
        Wanted::Time => (0.1, 0.1, 0.5),
        Wanted::Remedy => (0.0, 0.1, 0.3),
        Wanted::Other => (0.2, 0.1, 0.0),
    };
    let shape = &sentence.form;
    // A sentence that only announces what follows answers nothing; a list of many names defines
    // none of them; a condition or a purpose answers few questions but how.
    let announces = if shape.announces { 0.5 } else { 0.0 };
    let lists = if question.wanted == Wanted::Definition { 0.2 * shape.enumerates } else { 0.0 };
    let tells_how = question.how || question.wanted == Wanted::Remedy;
    let strays = if shape.conditional && !tells_how { 0.25 } else { 0.0 };
    0.8 * coverage
        + 0.15 * question.lead(sentence)
        + subject * question.subject(sentence)
        + opens * question.opens(sentence)
        + form * question.form(sentence)
        - announces
        - lists
        - strays
}
