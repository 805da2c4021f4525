//! Passages of documents and the retrieval experts over them.
//!
//! Two experts answer independently, each with one sentence as it stands in a document: BM25 over
//! stemmed words, and likeness of hashed n-gram vectors. Both read a sentence together with its
//! headings and neighbours, and both are silent when these do not cover the question's words.

mod bm25;
mod bundled;
mod corpus;
mod experts;
mod folders;
mod grammar;
mod inline;
mod kin;
mod markdown;
mod question;
#[cfg(test)]
mod questions;
mod terms;

use std::{io, path::PathBuf};

use experts::{Expert, Library, Ranked};
use markdown::Format;
use question::Question;

use crate::{
    domain::{Canonical, Citation, Draft, Passage, Signal, Source, SourceKind, Tier},
    text::{content_words, normal_key},
};

/// Passages that are handed on as evidence.
const MAX_EVIDENCE: usize = 4;
/// Least coverage with which a passage is evidence; below the floor for an answer, because a
/// language model can join what two passages say.
const EVIDENCE_FLOOR: f64 = 0.45;

/// What is read and how much of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentsOptions {
    /// Whether the project's own documentation is among the documents.
    pub bundled: bool,
    /// Levels of subfolders below each folder.
    pub max_depth: usize,
    /// Files read from all folders together.
    pub max_files: usize,
    /// Bytes of one file; a larger one is skipped.
    pub max_file_bytes: u64,
    /// Bytes of all files together.
    pub max_total_bytes: u64,
    /// Sentences of all documents together; each costs about 3 kB of memory.
    pub max_sentences: usize,
    /// Sentences of one request's own context.
    pub max_context_sentences: usize,
}

impl Default for DocumentsOptions {
    fn default() -> Self {
        Self {
            bundled: true,
            max_depth: 8,
            max_files: 2_000,
            max_file_bytes: 2 << 20,
            max_total_bytes: 32 << 20,
            max_sentences: 50_000,
            max_context_sentences: 1_000,
        }
    }
}

/// Why documents could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum DocumentsError {
    /// A configured folder is missing or cannot be listed.
    #[error("the documents folder {} cannot be read", path.display())]
    Folder {
        /// The folder as configured.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The index in memory could not be built.
    #[error("the index of the documents cannot be built")]
    Index(#[from] tantivy::TantivyError),
}

/// Why a file or subfolder was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SkipReason {
    /// The system refused it.
    #[error("cannot be read: {0}")]
    Unreadable(io::ErrorKind),
    /// It is not text in UTF-8.
    #[error("is not UTF-8")]
    NotUtf8,
    /// It is larger than `max_file_bytes`.
    #[error("is larger than the limit for one file")]
    TooLarge,
    /// `max_files` have been read.
    #[error("comes after the limit on files")]
    TooManyFiles,
    /// `max_total_bytes` have been read.
    #[error("would exceed the limit on the size of all files")]
    TooMuchText,
    /// `max_sentences` have been read; the document was taken only in part.
    #[error("was cut at the limit on sentences")]
    TooManySentences,
    /// It lies deeper than `max_depth`.
    #[error("lies deeper than the limit on subfolders")]
    TooDeep,
    /// It is a link that leads out of the folder.
    #[error("links to a place outside of the folder")]
    LinksOutside,
    /// It is a pipe, a socket or a device.
    #[error("is not a regular file")]
    NotAFile,
}

/// Something that was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Its path relative to the configured folder.
    pub document: String,
    /// Why.
    pub reason: SkipReason,
}

/// What was read and what was not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LoadReport {
    /// The extent of what was read.
    pub stats: DocumentsStats,
    /// What was left out; the first hundred.
    pub skipped: Vec<Skipped>,
    /// How many more were left out.
    pub skipped_further: usize,
}

impl LoadReport {
    const MAX_SKIPPED: usize = 100;

    fn skip(&mut self, document: String, reason: SkipReason) {
        if self.skipped.len() < Self::MAX_SKIPPED {
            self.skipped.push(Skipped { document, reason });
        } else {
            self.skipped_further += 1;
        }
    }
}

/// How much there is to search.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DocumentsStats {
    /// Documents.
    pub documents: usize,
    /// Passages in them.
    pub passages: usize,
    /// Sentences in these.
    pub sentences: usize,
}

/// What the experts found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Retrieval {
    /// At most one draft for each expert; none when the documents do not cover the question.
    pub drafts: Vec<Draft>,
    /// The passages nearest to the question, best first, as evidence for a language model. Empty
    /// when nothing is near.
    pub passages: Vec<Passage>,
}

/// All documents, indexed. Immutable; shared by all requests.
pub struct Documents {
    library: Library,
    fingerprint: u64,
    only_bundled: bool,
    max_context_sentences: usize,
}

impl std::fmt::Debug for Documents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Documents").field("stats", &self.stats()).finish_non_exhaustive()
    }
}

impl Documents {
    /// Reads and indexes the folders' documents (`.md`, `.markdown`, `.txt`), after the bundled
    /// ones if these are wanted. Blocks while it reads.
    ///
    /// # Errors
    /// [`DocumentsError::Folder`] for a folder that is missing or cannot be listed,
    /// [`DocumentsError::Index`] when the index cannot be built. Single files that cannot be read
    /// are no errors: the report names them.
    pub fn open(
        folders: &[PathBuf],
        options: &DocumentsOptions,
    ) -> Result<(Self, LoadReport), DocumentsError> {
        let mut report = LoadReport::default();
        let read = folders::read(folders, options, &mut report)?;
        let bundled = if options.bundled { bundled::BUNDLED } else { &[] };
        let all = bundled
            .iter()
            .map(|&(name, text)| (name, text, Format::Markdown))
            .chain(read.iter().map(|d| (d.name.as_str(), d.text.as_str(), d.format)));
        let mut corpus = corpus::Corpus::default();
        let mut fingerprint = Fingerprint::default();
        for (name, text, format) in all {
            fingerprint.add(name);
            fingerprint.add(text);
            if !corpus.add(name, markdown::split(text, format), options.max_sentences) {
                report.skip(name.to_owned(), SkipReason::TooManySentences);
            }
        }
        let documents = Self {
            library: Library::build(corpus)?,
            fingerprint: fingerprint.0,
            only_bundled: read.is_empty(),
            max_context_sentences: options.max_context_sentences,
        };
        report.stats = documents.stats();
        Ok((documents, report))
    }

    /// The project's own documentation alone.
    ///
    /// # Errors
    /// [`DocumentsError::Index`] when the index cannot be built.
    pub fn bundled() -> Result<Self, DocumentsError> {
        Self::open(&[], &DocumentsOptions::default()).map(|(documents, _)| documents)
    }

    /// Each expert's best sentence for a question, and the passages nearest to it.
    ///
    /// A question that comes with passages of its own (`extra`) is about them: these are searched
    /// and the documents are not. Blocks: well under a
    /// millisecond for the bundled documents, milliseconds for passages, which are indexed first;
    /// long ones belong on a blocking thread.
    #[must_use]
    pub fn answer(&self, question: &str, extra: &[Passage]) -> Retrieval {
        if extra.is_empty() && self.library.corpus.sentences.is_empty() {
            return Retrieval::default();
        }
        // Figures alone name no topic: "what is 2 + 2" is not about row 2 of some table.
        let names_a_topic = |word: &String| word.chars().any(char::is_alphabetic);
        if !content_words(question).iter().any(names_a_topic) {
            return Retrieval::default();
        }
        if extra.is_empty() {
            if question::is_about_itself(question) {
                return Retrieval::default();
            }
            return retrieve(&self.library, question);
        }
        let mut corpus = corpus::Corpus::default();
        for passage in extra {
            let sections = markdown::split(&passage.text, Format::Markdown);
            if !corpus.add(&passage.source, sections, self.max_context_sentences) {
                break;
            }
        }
        // An index in memory does not fail; were it to, nobody knows.
        Library::build(corpus).map(|library| retrieve(&library, question)).unwrap_or_default()
    }

    /// Stands for the content of all documents: changes when any of them does, and is the same
    /// after a restart. Answers remembered from documents carry it as their epoch.
    #[must_use]
    pub const fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    /// Whether there is nothing to search but the project's own documentation, if that.
    #[must_use]
    pub const fn only_bundled(&self) -> bool {
        self.only_bundled
    }

    /// How much there is to search.
    #[must_use]
    pub fn stats(&self) -> DocumentsStats {
        let corpus = &self.library.corpus;
        DocumentsStats {
            documents: corpus.documents,
            passages: corpus.passages.len(),
            sentences: corpus.sentences.len(),
        }
    }
}

fn retrieve(library: &Library, question: &str) -> Retrieval {
    // What covers less is neither evidence nor, all the more, an answer.
    let Some(question) = Question::read(question, &library.corpus, EVIDENCE_FLOOR) else {
        return Retrieval::default();
    };
    let rankings = Expert::ALL.map(|expert| (expert, library.rank(expert, &question)));
    Retrieval {
        drafts: rankings.iter().filter_map(|(e, ranked)| draft(library, *e, ranked)).collect(),
        passages: evidence(library, rankings.iter().flat_map(|(_, ranked)| ranked)),
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

/// The passages of the sentences that both experts rank highest, taken together.
fn evidence<'a>(library: &Library, ranked: impl Iterator<Item = &'a Ranked>) -> Vec<Passage> {
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
        .filter_map(|&(number, _)| library.corpus.passages.get(number))
        .map(|p| {
            let section = p.section.as_deref().map(|s| format!(", {s}")).unwrap_or_default();
            Passage {
                source: format!("{}{section}, line {}", p.document, p.line),
                text: p.text.clone(),
            }
        })
        .collect()
}

/// FNV-1a, 64 bit: stable across versions and machines, unlike the standard library's hasher.
struct Fingerprint(u64);

impl Default for Fingerprint {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fingerprint {
    fn add(&mut self, text: &str) {
        let length = (text.len() as u64).to_le_bytes();
        for &byte in length.iter().chain(text.as_bytes()) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn passage(text: &str) -> Passage {
        Passage { source: "context 1".to_owned(), text: text.to_owned() }
    }

    fn opened(files: &[(&str, &str)]) -> Documents {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let options = DocumentsOptions { bundled: false, ..DocumentsOptions::default() };
        Documents::open(&[folder.path().to_owned()], &options).unwrap().0
    }

    #[test]
    fn an_answer_is_a_sentence_with_its_citation() {
        let documents = opened(&[(
            "rules.md",
            "# Leave\n\nStaff get days off.\n\n## Parental leave\n\nEach parent gets **26 weeks** \
             of leave.\nIt starts at birth.\n",
        )]);
        let found = documents.answer("How many weeks of parental leave does a parent get?", &[]);
        let names: Vec<&str> = found.drafts.iter().map(|d| &*d.source.name).collect();
        assert_eq!(names, ["documents-bm25", "documents-ngrams"]);
        for draft in &found.drafts {
            assert_eq!(draft.content, "Each parent gets 26 weeks of leave.");
            assert_eq!(draft.source.tier, Tier::Asi);
            let key = "each parent gets 26 weeks of leave".to_owned();
            assert_eq!(draft.answer, Some(Canonical::Text(key)));
            let cited = &draft.citations[0];
            assert_eq!((cited.document.as_str(), cited.line), ("rules.md", 7));
            assert_eq!(cited.section.as_deref(), Some("Leave › Parental leave"));
            assert_eq!(cited.quote, draft.content);
        }
        assert!(found.passages[0].text.contains("It starts at birth."));
        assert_eq!(found.passages[0].source, "rules.md, Leave › Parental leave, line 7");
    }

    #[test]
    fn neighbours_and_headings_help_a_sentence_that_names_nothing() {
        let context = [passage("The Eiffel Tower stands in Paris. It was finished in 1889.")];
        let documents = Documents::bundled().unwrap();
        let found = documents.answer("When was the Eiffel Tower finished?", &context);
        assert!(!found.drafts.is_empty());
        for draft in found.drafts {
            assert_eq!(draft.content, "It was finished in 1889.");
            assert_eq!(draft.citations[0].document, "context 1");
        }
    }

    #[test]
    fn a_question_with_context_is_not_answered_from_the_documents() {
        let documents = Documents::bundled().unwrap();
        let context = [passage("Our cat likes fish.")];
        assert_eq!(documents.answer("what does the hybrid strategy do?", &context).drafts, []);
    }

    #[test]
    fn words_of_code_lead_to_the_sentence_before_it() {
        let documents = opened(&[(
            "a.md",
            "To measure throughput, run the benchmark below.\n\n```\nwrkbench --threads 4\n```\n",
        )]);
        let found = documents.answer("how do I run wrkbench for throughput?", &[]);
        assert!(found.drafts[0].content.starts_with("To measure throughput"));
        assert!(found.passages[0].text.contains("--threads 4"));
    }

    #[test]
    fn questions_without_words_find_nothing() {
        let documents = Documents::bundled().unwrap();
        for question in ["", " ", "???", "what is it", "\u{200B}\u{200B}", "🙂🙂", "\u{0}\u{1}"]
        {
            assert_eq!(documents.answer(question, &[]), Retrieval::default(), "{question:?}");
        }
    }

    #[test]
    fn hostile_questions_are_capped_and_harmless() {
        let documents = Documents::bundled().unwrap();
        for question in [
            "hybrid ".repeat(100_000),
            "a".repeat(1_000_000),
            "body:* AND (heading:[a TO z] OR \"lake\"~9) -flux^1e9".to_owned(),
            "ｗｈａｔ ｉｓ ｔｈｅ ｌａｋｅ".to_owned(),
            "日本語の質問 جواب שאלה".to_owned(),
            (0..5_000).map(|i| format!("w{i} ")).collect(),
        ] {
            let found = documents.answer(&question, &[]);
            assert!(found.drafts.len() <= 2 && found.passages.len() <= MAX_EVIDENCE);
        }
    }

    #[test]
    fn a_large_context_is_searched_up_to_its_bound() {
        let documents = Documents::bundled().unwrap();
        let filler = passage(&"Filler says nothing at all here. ".repeat(4_000));
        let wanted = passage("The zebra crossing opens in May.");
        let found = documents.answer("when does the zebra crossing open?", &[wanted, filler]);
        assert!(found.drafts.iter().all(|d| d.content == "The zebra crossing opens in May."));
        assert!(!found.drafts.is_empty());
    }

    #[test]
    fn text_in_other_scripts_is_found() {
        let documents = opened(&[("a.txt", "Über Öl: die Prüfung ist jährlich.\n\nΟ ουρανός.")]);
        let found = documents.answer("prüfung öl jährlich", &[]);
        assert!(!found.drafts.is_empty());
    }

    #[test]
    fn the_fingerprint_stands_for_names_and_content() {
        let files = [("a.md", "One."), ("b.md", "Two.")];
        let same = opened(&files).fingerprint();
        assert_eq!(same, opened(&files).fingerprint());
        assert_ne!(same, opened(&[("a.md", "One."), ("b.md", "Three.")]).fingerprint());
        assert_ne!(same, opened(&[("a.md", "One."), ("c.md", "Two.")]).fingerprint());
        assert_ne!(same, opened(&[("a.md", "One.")]).fingerprint());
    }

    #[test]
    fn documents_beyond_the_bound_are_reported() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.md"), "One here.\n\n# H\n\nTwo here. Three here.").unwrap();
        let options =
            DocumentsOptions { bundled: false, max_sentences: 2, ..DocumentsOptions::default() };
        let (documents, report) = Documents::open(&[folder.path().to_owned()], &options).unwrap();
        assert_eq!(documents.stats().sentences, 1);
        assert_eq!(report.stats, documents.stats());
        assert_eq!(report.skipped[0].reason, SkipReason::TooManySentences);
    }

    #[test]
    fn no_documents_at_all_know_nothing() {
        assert_eq!(opened(&[]).answer("what is the lake?", &[]), Retrieval::default());
    }

    /// Questions of the world, none about this service, from the shared test data. Absent data
    /// skips the test.
    #[test]
    fn the_worlds_questions_find_silence() {
        let Some(folder) = std::env::var_os("META_ORCHESTRATOR_DATA") else {
            println!("skipped: META_ORCHESTRATOR_DATA is not set");
            return;
        };
        let documents = Documents::bundled().unwrap();
        let (mut asked, mut answered) = (0_u32, 0_u32);
        for (file, field) in [
            ("cache-qqp", "text_a"),
            ("halueval-general", "user_query"),
            ("gsm8k-answers", "prompt"),
            ("nine-models", "question"),
        ] {
            let path = PathBuf::from(&folder).join(format!("{file}.jsonl.gz"));
            let lines =
                io::BufReader::new(flate2::read::GzDecoder::new(fs::File::open(path).unwrap()));
            for line in io::BufRead::lines(lines).step_by(7).take(150) {
                let row: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
                asked += 1;
                let found = documents.answer(row[field].as_str().unwrap(), &[]);
                answered += u32::from(!found.drafts.is_empty());
            }
        }
        println!("answered {answered} of {asked}");
        assert!(f64::from(answered) <= 0.02 * f64::from(asked));
    }

    #[test]
    fn what_only_a_solver_could_answer_finds_silence() {
        let documents = Documents::bundled().unwrap();
        for question in [
            "is 3 between 1 and 5?",
            "reverse the list 1 2 3",
            "convert 10 to binary",
            "10 less 5",
            "7 mod 3",
            "true and maybe false",
            "what day is 2.5 days after 2026-01-10",
            "count the words in this question",
        ] {
            assert_eq!(documents.answer(question, &[]).drafts, [], "{question}");
        }
    }
}
