//! Sentences in their passages, with the statistics by which words are weighed.

use std::{collections::BTreeMap, ops::Bound, sync::Arc};

use rustc_hash::{FxHashMap, FxHashSet};

use super::{grammar, kin, markdown, terms};
use crate::text::NgramVector;

/// A word of the corpus, stemmed.
pub(super) type TermId = u32;

/// A passage: neighbouring blocks under one heading.
#[derive(Debug)]
pub(super) struct CorpusPassage {
    pub document: Arc<str>,
    /// The headings above, joined; `None` above the first.
    pub section: Option<Arc<str>>,
    pub line: u32,
    pub text: String,
}

/// One sentence as it is searched.
#[derive(Debug)]
pub(super) struct Sentence {
    pub text: String,
    pub line: u32,
    /// Index of its passage.
    pub passage: usize,
    /// Its own content words, in order.
    pub body: Vec<TermId>,
    /// The content words of the headings above.
    pub heading: Vec<TermId>,
    /// Content words to pass over before its subject: "the field x", "the mode y".
    pub preamble: usize,
    /// What it looks like.
    pub form: grammar::Form,
    /// The content words of what it defines; empty when it defines nothing.
    pub defined: Vec<TermId>,
    /// The content words of the nearest heading.
    pub nearest_heading: Vec<TermId>,
    /// 1 for the first sentence under its heading, less for the next ones, 0 further down.
    pub opening: f64,
    /// The content words of the sentences before and after it in the passage, and of its code.
    pub aside: Vec<TermId>,
    /// The sentence under its nearest heading.
    pub vector: NgramVector,
}

impl Sentence {
    /// Its content words from its subject on.
    pub(super) fn subject(&self) -> &[TermId] {
        self.body.get(self.preamble..).unwrap_or_default()
    }
}

/// A document's word that may stand for a question's word.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Match {
    pub term: TermId,
    /// 1 for the word itself, less for kin.
    pub quality: f64,
}

/// A closed set of documents.
#[derive(Debug, Default)]
pub(super) struct Corpus {
    pub documents: usize,
    pub passages: Vec<CorpusPassage>,
    pub sentences: Vec<Sentence>,
    vocabulary: FxHashMap<String, TermId>,
    /// The vocabulary in order, for derivations.
    ordered: BTreeMap<String, TermId>,
    /// In how many sentences a term stands, in the sentence itself or in its headings.
    document_frequency: Vec<u32>,
}

impl Corpus {
    /// Most words that a question's word is compared with when it is unknown and may be mistyped.
    const MAX_TYPO_SCAN: usize = 20_000;

    /// Adds a document, but not more sentences than leave the corpus at `limit`. Returns whether
    /// the whole document was taken.
    pub(super) fn add(
        &mut self,
        name: &str,
        sections: Vec<markdown::Section>,
        limit: usize,
    ) -> bool {
        self.documents += 1;
        let name: Arc<str> = Arc::from(name);
        let mut headings = Vec::new();
        for section in sections {
            // A long section is several passages; only the first of them opens it.
            let opens = headings != section.headings;
            headings.clone_from(&section.headings);
            let room = limit.saturating_sub(self.sentences.len());
            if room < section.statements.len() {
                return false;
            }
            self.add_section(&name, section, opens);
        }
        true
    }

    fn add_section(&mut self, document: &Arc<str>, section: markdown::Section, opens: bool) {
        let passage = self.passages.len();
        let heading = self.intern(&section.headings.join(" "));
        let nearest = section.headings.last().cloned().unwrap_or_default();
        let nearest_heading = self.intern(&nearest);
        let bodies: Vec<(Vec<TermId>, Vec<TermId>)> = section
            .statements
            .iter()
            .map(|s| (self.intern(&s.text), self.intern(&s.code)))
            .collect();
        for (i, statement) in section.statements.into_iter().enumerate() {
            let of = |at: Option<usize>| at.and_then(|at| bodies.get(at));
            let Some((body, code)) = of(Some(i)) else { continue };
            let mut aside = code.clone();
            for (neighbour, _) in [of(i.checked_sub(1)), of(Some(i + 1))].into_iter().flatten() {
                aside.extend(neighbour);
            }
            for &term in body.iter().chain(&heading).collect::<FxHashSet<_>>() {
                if let Some(count) = self.document_frequency.get_mut(term as usize) {
                    *count += 1;
                }
            }
            let preamble = usize::from(grammar::has_preamble(&statement.text));
            let defined: Vec<TermId> = grammar::defined(&statement.text)
                .map(terms::joined)
                .unwrap_or_default()
                .iter()
                .filter_map(|word| self.vocabulary.get(word).copied())
                .collect();
            self.sentences.push(Sentence {
                preamble,
                form: grammar::Form::of(&statement.text),
                defined: defined.get(preamble..).unwrap_or_default().to_vec(),
                vector: NgramVector::of(&terms::spell_out(&format!(
                    "{nearest} {}",
                    statement.text
                ))),
                text: statement.text,
                line: statement.line,
                passage,
                body: body.clone(),
                heading: heading.clone(),
                nearest_heading: nearest_heading.clone(),
                opening: match i {
                    0 if opens => 1.0,
                    1 if opens => 0.5,
                    _ => 0.0,
                },
                aside,
            });
        }
        self.passages.push(CorpusPassage {
            document: Arc::clone(document),
            section: (!section.headings.is_empty())
                .then(|| Arc::from(section.headings.join(" › ").as_str())),
            line: section.line,
            text: section.text,
        });
    }

    fn intern(&mut self, text: &str) -> Vec<TermId> {
        terms::of_document(text)
            .into_iter()
            .map(|word| {
                if let Some(&id) = self.vocabulary.get(&word) {
                    return id;
                }
                let id = TermId::try_from(self.document_frequency.len()).unwrap_or(TermId::MAX);
                self.document_frequency.push(0);
                self.ordered.insert(word.clone(), id);
                self.vocabulary.insert(word, id);
                id
            })
            .collect()
    }

    /// How telling a word is: BM25's inverse document frequency, highest for an unknown word.
    pub(super) fn idf(&self, term: Option<TermId>) -> f64 {
        let known = term.and_then(|t| self.document_frequency.get(t as usize)).copied();
        let frequency = f64::from(known.unwrap_or(0));
        let count = f64::from(u32::try_from(self.sentences.len()).unwrap_or(u32::MAX));
        ((count - frequency + 0.5) / (frequency + 0.5)).max(0.0).ln_1p()
    }

    /// Whether a stem is one of the corpus's words.
    pub(super) fn knows(&self, stem: &str) -> bool {
        self.vocabulary.contains_key(stem)
    }

    /// A stem as a word of the corpus.
    pub(super) fn term(&self, stem: &str) -> Option<TermId> {
        self.vocabulary.get(stem).copied()
    }

    /// The corpus's words that may stand for a stemmed word, the word itself first.
    pub(super) fn matches(&self, stem: &str) -> Vec<Match> {
        let mut found: Vec<Match> = Vec::new();
        let mut add = |term: TermId, quality: f64| {
            if !found.iter().any(|m| m.term == term) {
                found.push(Match { term, quality });
            }
        };
        if let Some(&term) = self.vocabulary.get(stem) {
            add(term, 1.0);
        }
        for (_, term) in self.derived(stem) {
            add(term, kin::DERIVED);
        }
        for synonym in kin::synonyms(stem) {
            if let Some(&term) = self.vocabulary.get(synonym.as_str()) {
                add(term, kin::SYNONYM);
            }
            for (_, term) in self.derived(synonym) {
                add(term, kin::SYNONYM * kin::DERIVED);
            }
        }
        if found.is_empty()
            && let Some(initial) = stem.chars().next()
        {
            // A slip of the pen rarely touches the first letter.
            let from = initial.to_string();
            let range = self.ordered.range::<str, _>((Bound::Included(&*from), Bound::Unbounded));
            let same = range.take_while(|(word, _)| word.starts_with(initial));
            for (word, &term) in same.take(Self::MAX_TYPO_SCAN) {
                if kin::mistyped(stem, word) {
                    found.push(Match { term, quality: kin::MISTYPED });
                }
            }
        }
        found
    }

    /// Words that share their beginning with a stem and seem derived from the same word.
    fn derived<'a>(&'a self, stem: &'a str) -> impl Iterator<Item = (&'a str, TermId)> {
        let start = stem.get(..4).unwrap_or(stem);
        self.ordered
            .range::<str, _>((Bound::Included(start), Bound::Unbounded))
            .take_while(move |(word, _)| word.starts_with(start))
            .filter(move |(word, _)| kin::derived(stem, word))
            .map(|(word, &term)| (word.as_str(), term))
    }
}
