//! Documents that come and go, indexed incrementally.
//!
//! A collection is two libraries: most documents are in the *base*, those that came or changed since
//! it was built in the *recent* one, and what the base holds of them is hidden. So a change costs
//! the indexing of what is recent; when that outgrows a share of the base, both become one again.
//! Readers take a snapshot and never wait. One writer at a time: its callers see to that.

use std::{collections::BTreeMap, sync::Arc};

use arc_swap::ArcSwap;
use rustc_hash::{FxHashMap, FxHashSet};
use tantivy::TantivyError;

use super::{
    DocumentsStats,
    corpus::{Corpus, CorpusPassage, Sentence},
    library::Library,
    markdown::{self, Format, Section},
    retrieval::{Finds, Searched},
};

/// Bytes of recent and hidden documents with which a base is not built anew, however small it is.
const SMALL: usize = 32 * 1024;
/// Recent and hidden documents make up at most one part in so many of the base.
const SHARE: usize = 4;

/// A document as a collection holds it.
#[derive(Debug)]
pub(super) struct Held {
    title: Option<String>,
    format: Format,
    text: Arc<str>,
    /// Stands for all of the above and the name.
    print: u64,
    /// Sentences in it.
    pub sentences: usize,
}

impl Held {
    pub(super) fn new(name: &str, title: Option<String>, format: Format, text: Arc<str>) -> Self {
        let mut print = Fingerprint::default();
        print.add(name);
        print.add(title.as_deref().unwrap_or_default());
        print.add(&text);
        let mut held = Self { title, format, text, print: print.0, sentences: 0 };
        held.sentences = held.sections().iter().map(|section| section.statements.len()).sum();
        held
    }

    /// Bytes of its text.
    pub(super) fn bytes(&self) -> usize {
        self.text.len()
    }

    fn sections(&self) -> Vec<Section> {
        let mut sections = markdown::split(&self.text, self.format);
        if let Some(title) = &self.title {
            sections.iter_mut().for_each(|section| section.headings.insert(0, title.clone()));
        }
        sections
    }
}

/// A change: a document by its name, or that there is none any more.
pub(super) type Change = (Arc<str>, Option<Arc<Held>>);

/// Documents under their names.
type Documents = BTreeMap<Arc<str>, Arc<Held>>;

/// Documents that come and go.
pub(super) struct Collection {
    layers: ArcSwap<Layers>,
    max_sentences: usize,
}

/// One state of a collection.
struct Layers {
    held: Documents,
    base: Arc<Base>,
    recent: Option<Library>,
    /// Names of documents in the base that have changed since or are gone.
    hidden: FxHashSet<Arc<str>>,
    print: u64,
}

struct Base {
    library: Library,
    prints: FxHashMap<Arc<str>, u64>,
    bytes: usize,
}

impl Collection {
    /// A collection without documents, which takes at most so many sentences.
    pub(super) fn new(max_sentences: usize) -> Result<Self, TantivyError> {
        let layers = Layers::of(Documents::new(), max_sentences)?.0;
        Ok(Self { layers: ArcSwap::from_pointee(layers), max_sentences })
    }

    /// Carries out changes, all at once; returns the names of documents that were cut at the limit
    /// on sentences. Blocks while it indexes. Two callers at once would undo each other.
    pub(super) fn change(&self, changes: Vec<Change>) -> Result<Vec<Arc<str>>, TantivyError> {
        let (layers, cut) = self.layers.load().changed(changes, self.max_sentences)?;
        self.layers.store(Arc::new(layers));
        Ok(cut)
    }

    /// The changes that make a collection of these documents out of this one.
    pub(super) fn differences(&self, wanted: Documents) -> Vec<Change> {
        let layers = self.layers.load();
        let gone = layers.held.keys().filter(|name| !wanted.contains_key(*name));
        let mut changes: Vec<Change> = gone.map(|name| (Arc::clone(name), None)).collect();
        let is_new = |name: &Arc<str>, new: &Held| {
            layers.held.get(name).is_none_or(|held| held.print != new.print)
        };
        changes.extend(wanted.into_iter().filter(|(n, d)| is_new(n, d)).map(|(n, d)| (n, Some(d))));
        changes
    }

    pub(super) fn search(&self, question: &str, finds: &mut Finds) {
        let layers = self.layers.load();
        for (library, hidden) in
            [(Some(&layers.base.library), Some(&layers.hidden)), (layers.recent.as_ref(), None)]
        {
            if let Some(library) = library.filter(|library| library.has_sentences()) {
                finds.search(&Searched { library, hidden }, question);
            }
        }
    }

    /// Stands for what all documents say: equal for equal documents, whatever their history.
    pub(super) fn print(&self) -> u64 {
        self.layers.load().print
    }

    pub(super) fn is_empty(&self) -> bool {
        self.layers.load().held.is_empty()
    }

    pub(super) fn stats(&self) -> DocumentsStats {
        self.layers.load().stats()
    }
}

impl Layers {
    /// How much can be found: what was cut or is hidden does not count.
    fn stats(&self) -> DocumentsStats {
        let mut stats = self.recent.as_ref().map(Library::stats).unwrap_or_default();
        let corpus = &self.base.library.corpus;
        let shown = |passage: &&CorpusPassage| !self.hidden.contains(&passage.document);
        stats.documents = self.held.len();
        stats.passages += corpus.passages.iter().filter(shown).count();
        let of = |sentence: &&Sentence| corpus.passages.get(sentence.passage);
        let sentences = corpus.sentences.iter().filter(|s| of(s).is_some_and(|p| shown(&p)));
        stats.sentences += sentences.count();
        stats
    }

    /// Everything in the base.
    fn of(held: Documents, limit: usize) -> Result<(Self, Vec<Arc<str>>), TantivyError> {
        let (library, cut) = library(held.iter(), limit)?;
        let prints = held.iter().map(|(name, held)| (Arc::clone(name), held.print)).collect();
        let bytes = held.values().map(|held| held.bytes()).sum();
        let layers = Self {
            print: print(&held),
            held,
            base: Arc::new(Base { library, prints, bytes }),
            recent: None,
            hidden: FxHashSet::default(),
        };
        Ok((layers, cut))
    }

    fn changed(
        &self,
        changes: Vec<Change>,
        limit: usize,
    ) -> Result<(Self, Vec<Arc<str>>), TantivyError> {
        let mut held = self.held.clone();
        for (name, document) in changes {
            match document {
                Some(document) => held.insert(name, document),
                None => held.remove(&name),
            };
        }
        let in_base = |name: &Arc<str>, held: &Held| {
            self.base.prints.get(name).is_some_and(|print| *print == held.print)
        };
        let recent: Vec<_> = held.iter().filter(|(name, held)| !in_base(name, held)).collect();
        let is_hidden = |name: &&Arc<str>| held.get(*name).is_none_or(|held| !in_base(name, held));
        let hidden: FxHashSet<Arc<str>> =
            self.base.prints.keys().filter(is_hidden).cloned().collect();
        let recent_bytes: usize = recent.iter().map(|(_, held)| held.bytes()).sum();
        let kept_bytes: usize =
            held.iter().filter(|(n, h)| in_base(n, h)).map(|(_, held)| held.bytes()).sum();
        let moved = recent_bytes + self.base.bytes.saturating_sub(kept_bytes);
        if moved > (self.base.bytes / SHARE).max(SMALL) {
            return Self::of(held, limit);
        }
        let (recent, cut) = if recent.is_empty() {
            (None, Vec::new())
        } else {
            let kept = self.base.library.corpus.sentences.len();
            let (library, cut) = library(recent.into_iter(), limit.saturating_sub(kept))?;
            (Some(library), cut)
        };
        let layers =
            Self { print: print(&held), held, base: Arc::clone(&self.base), recent, hidden };
        Ok((layers, cut))
    }
}

/// An index over documents, and the names of those that were cut at the limit on sentences.
fn library<'d>(
    documents: impl Iterator<Item = (&'d Arc<str>, &'d Arc<Held>)>,
    limit: usize,
) -> Result<(Library, Vec<Arc<str>>), TantivyError> {
    let (mut corpus, mut cut) = (Corpus::default(), Vec::new());
    for (name, held) in documents {
        if !corpus.add(name, held.sections(), limit) {
            cut.push(Arc::clone(name));
        }
    }
    Ok((Library::build(corpus)?, cut))
}

/// The order does not matter: a document's own print has its name in it.
fn print(held: &Documents) -> u64 {
    held.values().fold(0, |sum, held| sum.wrapping_add(held.print))
}

/// FNV-1a, 64 bit: stable across versions and machines, unlike the standard library's hasher.
pub(super) struct Fingerprint(pub(super) u64);

impl Default for Fingerprint {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fingerprint {
    pub(super) fn add(&mut self, text: &str) {
        let length = (text.len() as u64).to_le_bytes();
        for &byte in length.iter().chain(text.as_bytes()) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::documents::retrieval::Retrieval;

    fn named(name: &str) -> Arc<str> {
        Arc::from(name)
    }

    fn held(name: &str, text: &str) -> Option<Arc<Held>> {
        Some(Arc::new(Held::new(name, None, Format::Markdown, Arc::from(text))))
    }

    fn found(collection: &Collection, question: &str) -> Retrieval {
        let mut finds = Finds::default();
        collection.search(question, &mut finds);
        finds.retrieval()
    }

    fn answers(collection: &Collection, question: &str) -> Vec<String> {
        found(collection, question).drafts.into_iter().map(|draft| draft.content).collect()
    }

    /// Enough text that a small change does not make a new base.
    fn filler() -> String {
        let sentence = |i: usize| format!("Shelf number {i} holds the boxes of customer {i}.\n\n");
        (0..4_000).map(sentence).collect()
    }

    #[test]
    fn what_changes_is_found_and_what_is_gone_is_not() {
        let collection = Collection::new(50_000).unwrap();
        let zebra = "The zebra crossing opens in May.";
        let start =
            vec![(named("filler"), held("filler", &filler())), (named("z"), held("z", zebra))];
        collection.change(start).unwrap();
        let question = "when does the zebra crossing open?";
        assert_eq!(answers(&collection, question), [zebra]);
        let later = "The zebra crossing opens in June.";
        collection.change(vec![(named("z"), held("z", later))]).unwrap();
        assert!(collection.layers.load().recent.is_some(), "the base was not built anew");
        assert_eq!(answers(&collection, question), [later]);
        collection.change(vec![(named("z"), None)]).unwrap();
        assert_eq!(answers(&collection, question), [""; 0]);
        assert_eq!(collection.stats().documents, 1);
    }

    #[test]
    fn many_changes_make_a_new_base() {
        let collection = Collection::new(50_000).unwrap();
        collection.change(vec![(named("a"), held("a", "The gate opens at nine."))]).unwrap();
        assert!(collection.layers.load().recent.is_some());
        collection.change(vec![(named("b"), held("b", &filler()))]).unwrap();
        let layers = collection.layers.load();
        assert!(layers.recent.is_none() && layers.hidden.is_empty());
        assert_eq!(layers.base.prints.len(), 2);
    }

    #[test]
    fn sentences_beyond_the_limit_are_cut_and_told() {
        let collection = Collection::new(2).unwrap();
        let cut = collection.change(vec![
            (named("a"), held("a", "One here. Two here.")),
            (named("b"), held("b", "Three here.")),
        ]);
        assert_eq!(cut.unwrap(), [named("b")]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn the_print_hangs_on_the_documents_and_not_on_their_history(
            steps in proptest::collection::vec((0usize..4, prop::option::of(0usize..3)), 0..12),
        ) {
            const TEXTS: [&str; 3] = ["The gate opens at nine.", "The bridge is closed.", "No fee."];
            let walked = Collection::new(1_000).unwrap();
            let mut wanted = Documents::new();
            for (name, text) in steps {
                let name = format!("document {name}");
                let document = text.and_then(|t| held(&name, TEXTS[t]));
                match &document {
                    Some(document) => wanted.insert(named(&name), Arc::clone(document)),
                    None => wanted.remove(name.as_str()),
                };
                walked.change(vec![(named(&name), document)]).unwrap();
            }
            prop_assert!(walked.differences(wanted.clone()).is_empty());
            let direct = Collection::new(1_000).unwrap();
            direct.change(direct.differences(wanted)).unwrap();
            prop_assert_eq!(walked.print(), direct.print());
            prop_assert_eq!(walked.stats(), direct.stats());
            for question in ["when does the gate open?", "is the bridge closed?"] {
                prop_assert_eq!(
                    answers(&walked, question).is_empty(), answers(&direct, question).is_empty()
                );
            }
        }
    }
}
