//! Passages of documents and the retrieval expert over them.
//!
//! The expert answers with one sentence as it stands in a document. It searches by two indexes,
//! BM25 over stemmed words and likeness of hashed n-gram vectors, looks closely at what either
//! finds (`look`), passes over what answers another question in the same words (`fit`), and says
//! how likely the first is to be the answer (`evidence`). Two indexes over one sentence are one
//! witness. A sentence is read together with its headings and neighbours; when these do not cover
//! the question's words the expert is silent.
//!
//! There are three kinds of documents: the bundled guide, the files of configured folders, which
//! everybody is answered from and which are watched for changes ([`Documents::rescan`]), and what a
//! tenant adds ([`Shelf`]), which nobody else is answered from.

mod asks;
mod bm25;
mod bundled;
mod collection;
mod corpus;
mod doubts;
mod evidence;
mod fit;

mod folders;
mod furniture;
mod grammar;
mod html;
mod inline;
mod kin;
mod kinds;
mod library;
mod look;
mod markdown;
mod quantities;
mod question;
#[cfg(test)]
mod questions;
mod report;
mod retrieval;
mod rows;
mod said;
mod shelf;
mod terms;
mod things;

use std::{
    collections::BTreeMap,
    io,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use rustc_hash::FxHashMap;

use collection::{Collection, Fingerprint, Held};
use library::Library;
use markdown::Format;
use retrieval::{Finds, Searched};

use crate::{
    domain::{Passage, TenantId},
    text::content_words,
};

pub use report::{DocumentsStats, LoadReport, SkipReason, Skipped};
pub use retrieval::Retrieval;
pub use rows::reseal;
pub use shelf::{Shelf, ShelfOptions, ShelfTask};

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
    /// Sentences of the folders' documents together, and of each tenant's; each costs about 3 kB of
    /// memory.
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

/// Who asks what, and of which documents.
#[derive(Debug, Clone, Copy)]
pub struct Query<'a> {
    /// Whose documents are searched, beside those of the folders.
    pub tenant: &'a TenantId,
    /// The question.
    pub text: &'a str,
    /// Passages that came with it. It is about them, then: these alone are searched.
    pub context: &'a [Passage],
    /// Whether the bundled guide is searched, too.
    pub guide: bool,
}

/// All documents, indexed; shared by all requests, which never wait for a change.
pub struct Documents {
    guide: Option<Library>,
    guide_print: u64,
    folders: Collection,
    configured: Vec<PathBuf>,
    options: DocumentsOptions,
    /// What was read of the folders the last time. Taken by one rescan at a time.
    known: Mutex<folders::Known>,
    /// What each tenant has added.
    added: RwLock<FxHashMap<TenantId, Arc<Collection>>>,
}

impl std::fmt::Debug for Documents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Documents").field("stats", &self.stats()).finish_non_exhaustive()
    }
}

impl Documents {
    /// Reads and indexes the folders' documents (`.md`, `.markdown`, `.txt`, `.html`, `.htm`), and
    /// the bundled ones if these are wanted. Blocks while it reads.
    ///
    /// # Errors
    /// [`DocumentsError::Folder`] for a folder that is missing or cannot be listed,
    /// [`DocumentsError::Index`] when the index cannot be built. Single files that cannot be read
    /// are no errors: the report names them.
    pub fn open(
        folders: &[PathBuf],
        options: &DocumentsOptions,
    ) -> Result<(Self, LoadReport), DocumentsError> {
        let (guide, guide_print) = if options.bundled { guide()? } else { (None, 0) };
        let documents = Self {
            guide,
            guide_print,
            folders: Collection::new(options.max_sentences)?,
            configured: folders.to_vec(),
            options: options.clone(),
            known: Mutex::default(),
            added: RwLock::default(),
        };
        let (report, _) = documents.read_folders()?;
        Ok((documents, report))
    }

    /// Reads anew what has changed in the folders; `None` when nothing has. Blocks while it reads.
    /// While one rescan is under way, another does nothing.
    ///
    /// # Errors
    /// As for [`Documents::open`]; then what was read before stays.
    pub fn rescan(&self) -> Result<Option<LoadReport>, DocumentsError> {
        let (report, changed) = self.read_folders()?;
        Ok(changed.then_some(report))
    }

    /// Reads the folders; what was found, and whether anything has changed.
    fn read_folders(&self) -> Result<(LoadReport, bool), DocumentsError> {
        let mut report = LoadReport::default();
        let Ok(mut known) = self.known.try_lock() else { return Ok((report, false)) };
        let read = folders::read(&self.configured, &self.options, &mut known, &mut report)?;
        let held = |document: folders::Document| {
            let name: Arc<str> = Arc::from(document.name.as_str());
            let held = Held::new(&name, None, document.format, document.text);
            (name, Arc::new(held))
        };
        let wanted: BTreeMap<Arc<str>, Arc<Held>> = read.into_iter().map(held).collect();
        let changes = self.folders.differences(wanted);
        let changed = !changes.is_empty();
        if changed {
            for name in self.folders.change(changes)? {
                report.skip(name.to_string(), SkipReason::TooManySentences);
            }
        }
        report.stats = self.stats();
        Ok((report, changed))
    }

    /// The project's own documentation alone.
    ///
    /// # Errors
    /// [`DocumentsError::Index`] when the index cannot be built.
    pub fn bundled() -> Result<Self, DocumentsError> {
        Self::open(&[], &DocumentsOptions::default()).map(|(documents, _)| documents)
    }

    /// The best sentence for a question, and the passages nearest to it. Blocks: about
    /// a millisecond for the bundled documents, milliseconds for passages, which are indexed
    /// first; long ones belong on a blocking thread.
    #[must_use]
    pub fn answer(&self, query: &Query<'_>) -> Retrieval {
        // Figures alone name no topic: "what is 2 + 2" is not about row 2 of some table.
        let names_a_topic = |word: &String| word.chars().any(char::is_alphabetic);
        if !content_words(query.text).iter().any(names_a_topic) {
            return Retrieval::default();
        }
        let unknowable = asks::is_calculation(query.text) || asks::is_about_now(query.text);
        let mut finds = Finds::default();
        if !query.context.is_empty() {
            // An index in memory does not fail; were it to, nobody knows.
            if let Ok(library) = self.library_of(query.context) {
                finds.search(&Searched { library: &library, hidden: None }, query.text);
            }
            let found = finds.retrieval();
            // Who can calculate, or knows the time, may need what came with the question.
            let drafts = if unknowable { Vec::new() } else { found.drafts };
            return Retrieval { drafts, ..found };
        }
        if unknowable || asks::is_about_itself(query.text) {
            return Retrieval::default();
        }
        if let Some(library) = self.guide.as_ref().filter(|_| query.guide) {
            finds.search(&Searched { library, hidden: None }, query.text);
        }
        self.folders.search(query.text, &mut finds);
        if let Some(added) = self.added_by(query.tenant) {
            added.search(query.text, &mut finds);
        }
        finds.retrieval()
    }

    /// Stands for all that a tenant is answered from: changes when any of it does, and is the same
    /// after a restart. Answers remembered from documents carry it as their epoch.
    #[must_use]
    pub fn epoch(&self, tenant: &TenantId) -> u64 {
        let added = self.added_by(tenant).map_or(0, |added| added.print());
        self.guide_print.wrapping_add(self.folders.print()).wrapping_add(added)
    }

    /// Whether a tenant has nothing to be answered from but the bundled guide, if that.
    #[must_use]
    pub fn only_guide(&self, tenant: &TenantId) -> bool {
        self.folders.is_empty() && self.added_by(tenant).is_none_or(|added| added.is_empty())
    }

    /// How much there is to search: the guide, the folders, and what all tenants have added.
    #[must_use]
    pub fn stats(&self) -> DocumentsStats {
        let mut stats = self.guide.as_ref().map_or_else(DocumentsStats::default, Library::stats);
        stats.add(self.folders.stats());
        let added = self.added.read().unwrap_or_else(PoisonError::into_inner);
        added.values().for_each(|collection| stats.add(collection.stats()));
        stats
    }

    fn added_by(&self, tenant: &TenantId) -> Option<Arc<Collection>> {
        self.added.read().unwrap_or_else(PoisonError::into_inner).get(tenant).cloned()
    }

    /// The tenant's collection, which is made where there is none.
    fn collection_of(&self, tenant: &TenantId) -> Result<Arc<Collection>, tantivy::TantivyError> {
        if let Some(found) = self.added_by(tenant) {
            return Ok(found);
        }
        let new = Arc::new(Collection::new(self.options.max_sentences)?);
        let mut added = self.added.write().unwrap_or_else(PoisonError::into_inner);
        Ok(Arc::clone(added.entry(tenant.clone()).or_insert(new)))
    }

    /// Keeps nothing of a tenant that has no documents any more.
    fn forget_if_empty(&self, tenant: &TenantId) {
        let mut added = self.added.write().unwrap_or_else(PoisonError::into_inner);
        if added.get(tenant).is_some_and(|collection| collection.is_empty()) {
            added.remove(tenant);
        }
    }

    fn library_of(&self, passages: &[Passage]) -> Result<Library, tantivy::TantivyError> {
        let mut corpus = corpus::Corpus::default();
        for passage in passages {
            let sections = markdown::split(&passage.text, Format::Markdown);
            if !corpus.add(&passage.source, sections, self.options.max_context_sentences) {
                break;
            }
        }
        Library::build(corpus)
    }
}

/// The bundled documents, indexed, and what stands for them.
fn guide() -> Result<(Option<Library>, u64), tantivy::TantivyError> {
    let mut corpus = corpus::Corpus::default();
    let mut print = Fingerprint::default();
    for &(name, text) in bundled::BUNDLED {
        print.add(name);
        print.add(text);
        corpus.add(name, markdown::split(text, Format::Markdown), usize::MAX);
    }
    Ok((Some(Library::build(corpus)?), print.0))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::domain::{Canonical, Tier};

    fn passage(text: &str) -> Passage {
        Passage { source: "context 1".to_owned(), text: text.to_owned() }
    }

    /// What a tenant without documents of its own is answered.
    pub(super) fn ask(documents: &Documents, text: &str, context: &[Passage]) -> Retrieval {
        documents.answer(&Query { tenant: &TenantId::default(), text, context, guide: true })
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
        let found = ask(&documents, "How many weeks of parental leave does a parent get?", &[]);
        let names: Vec<&str> = found.drafts.iter().map(|d| &*d.source.name).collect();
        assert_eq!(names, ["documents"]);
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
        let found = ask(&documents, "When was the Eiffel Tower finished?", &context);
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
        assert_eq!(ask(&documents, "what does the hybrid strategy do?", &context).drafts, []);
    }

    #[test]
    fn words_of_code_lead_to_the_sentence_before_it() {
        let documents = opened(&[(
            "a.md",
            "To measure throughput, run the benchmark below.\n\n```\nwrkbench --threads 4\n```\n",
        )]);
        let found = ask(&documents, "how do I run wrkbench for throughput?", &[]);
        assert!(found.drafts[0].content.starts_with("To measure throughput"));
        assert!(found.passages[0].text.contains("--threads 4"));
    }

    #[test]
    fn questions_without_words_find_nothing() {
        let documents = Documents::bundled().unwrap();
        for question in ["", " ", "???", "what is it", "\u{200B}\u{200B}", "🙂🙂", "\u{0}\u{1}"]
        {
            assert_eq!(ask(&documents, question, &[]), Retrieval::default(), "{question:?}");
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
            let found = ask(&documents, &question, &[]);
            assert!(found.drafts.len() <= 2 && found.passages.len() <= retrieval::MAX_EVIDENCE);
        }
    }

    #[test]
    fn a_large_context_is_searched_up_to_its_bound() {
        let documents = Documents::bundled().unwrap();
        let filler = passage(&"Filler says nothing at all here. ".repeat(4_000));
        let wanted = passage("The zebra crossing opens in May.");
        let found = ask(&documents, "when does the zebra crossing open?", &[wanted, filler]);
        assert!(found.drafts.iter().all(|d| d.content == "The zebra crossing opens in May."));
        assert!(!found.drafts.is_empty());
    }

    #[test]
    fn text_in_other_scripts_is_found() {
        let documents = opened(&[("a.txt", "Über Öl: die Prüfung ist jährlich.\n\nΟ ουρανός.")]);
        let found = ask(&documents, "prüfung öl jährlich", &[]);
        assert!(!found.drafts.is_empty());
    }

    #[test]
    fn the_fingerprint_stands_for_names_and_content() {
        let files = [("a.md", "One."), ("b.md", "Two.")];
        let same = opened(&files).epoch(&TenantId::default());
        assert_eq!(same, opened(&files).epoch(&TenantId::default()));
        assert_ne!(
            same,
            opened(&[("a.md", "One."), ("b.md", "Three.")]).epoch(&TenantId::default())
        );
        assert_ne!(same, opened(&[("a.md", "One."), ("c.md", "Two.")]).epoch(&TenantId::default()));
        assert_ne!(same, opened(&[("a.md", "One.")]).epoch(&TenantId::default()));
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
        assert_eq!(ask(&opened(&[]), "what is the lake?", &[]), Retrieval::default());
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
                let found = ask(&documents, row[field].as_str().unwrap(), &[]);
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
            assert_eq!(ask(&documents, question, &[]).drafts, [], "{question}");
        }
    }
}
