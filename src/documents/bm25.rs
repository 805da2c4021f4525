//! The full-text index: BM25 (Robertson and Zaragoza 2009) over stemmed words, through tantivy.

use tantivy::{
    Index, IndexSettings, ReloadPolicy, Searcher, TantivyDocument, TantivyError, Term,
    collector::TopDocs,
    directory::RamDirectory,
    query::{BooleanQuery, BoostQuery, DisjunctionMaxQuery, Occur, Query, TermQuery},
    schema::{Field, IndexRecordOption, Schema, TextFieldIndexing, TextOptions},
};

use super::{
    corpus::{Corpus, Sentence, TermId},
    question::{Group, Question},
};

/// How much a word counts by where it stands.
const BODY: f32 = 1.0;
const HEADING: f32 = 0.6;
const ASIDE: f32 = 0.25;
/// Share of a word's weaker matches that counts beside its best one.
const TIE_BREAKER: f32 = 0.25;
/// What the writer may hold. It sizes its hash table by this; the arena grows as it must.
const WRITER_BYTES: usize = 1 << 20;

/// The index over one corpus. A document of the index is a sentence and has the sentence's number,
/// because there is one segment, written in order.
pub(super) struct FullText {
    searcher: Searcher,
    fields: [(Field, f32); 3],
}

impl FullText {
    /// Indexes a corpus in memory.
    ///
    /// # Errors
    /// [`TantivyError`] when tantivy refuses, which an index in memory gives no reason for.
    pub(super) fn build(corpus: &Corpus) -> Result<Self, TantivyError> {
        let mut schema = Schema::builder();
        // Words are handed over as numbers between spaces: splitting and stemming are ours.
        let indexing = TextFieldIndexing::default()
            .set_tokenizer("whitespace")
            .set_index_option(IndexRecordOption::WithFreqs);
        let options = TextOptions::default().set_indexing_options(indexing);
        let [body, heading, aside] =
            ["body", "heading", "aside"].map(|name| schema.add_text_field(name, options.clone()));
        let settings =
            IndexSettings { docstore_compress_dedicated_thread: false, ..IndexSettings::default() };
        // The writer without threads: an index of a request's own context is built per request.
        let mut writer = Index::builder()
            .schema(schema.build())
            .settings(settings)
            .single_segment_index_writer(RamDirectory::create(), WRITER_BYTES)?;
        for sentence in &corpus.sentences {
            let Sentence { body: own, heading: above, aside: beside, .. } = sentence;
            let mut document = TantivyDocument::default();
            document.add_text(body, numbers(own));
            document.add_text(heading, numbers(above));
            document.add_text(aside, numbers(beside));
            writer.add_document(document)?;
        }
        let index = writer.finalize()?;
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
        let fields = [(body, BODY), (heading, HEADING), (aside, ASIDE)];
        Ok(Self { searcher: reader.searcher(), fields })
    }

    /// The best sentences by number, with their scores, best first.
    ///
    /// The query is put together from the corpus's own words; the user's text never reaches a
    /// query parser.
    pub(super) fn search(&self, question: &Question, limit: usize) -> Vec<(usize, f64)> {
        let groups = question.groups.iter().filter(|g| !g.matches.is_empty());
        let query = BooleanQuery::new(groups.map(|g| (Occur::Should, self.group(g))).collect());
        let best = self.searcher.search(&query, &TopDocs::with_limit(limit).order_by_score());
        // An index in memory does not fail; were it to, the other index serves alone.
        best.unwrap_or_default()
            .into_iter()
            .map(|(score, address)| (address.doc_id as usize, f64::from(score)))
            .collect()
    }

    /// A question's word: whichever of its stand-ins does best.
    fn group(&self, group: &Group) -> Box<dyn Query> {
        let mut ways: Vec<Box<dyn Query>> = Vec::new();
        for found in &group.matches {
            for (field, weight) in self.fields {
                let term = Term::from_field_text(field, &found.term.to_string());
                let query = Box::new(TermQuery::new(term, IndexRecordOption::WithFreqs));
                #[expect(clippy::cast_possible_truncation, reason = "a weight, not a measure")]
                let boost = weight * (found.quality * group.emphasis()) as f32;
                ways.push(Box::new(BoostQuery::new(query, boost)));
            }
        }
        Box::new(DisjunctionMaxQuery::with_tie_breaker(ways, TIE_BREAKER))
    }
}

fn numbers(terms: &[TermId]) -> String {
    terms.iter().map(TermId::to_string).collect::<Vec<_>>().join(" ")
}
