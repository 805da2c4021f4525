//! Tables of recorded answers: JSON lines, plain or gzipped, and `RouteLLM`'s CSV.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::Path,
    sync::Arc,
};

use flate2::bufread::MultiGzDecoder;
use serde::Deserialize;

use super::routellm;

/// Longest line of JSON, in bytes.
const MOST_LINE_BYTES: usize = 4 << 20;
/// Largest table when unpacked, in bytes: a small archive can hold far more than memory does.
const MOST_BYTES: u64 = 512 << 20;
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Recorded answers to questions with known answers.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Table {
    /// One question each, in the order of the file.
    pub rows: Vec<Row>,
}

/// One question with what several models answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Its id in the table, else its number.
    pub id: String,
    /// The kind of task, where the table names one.
    pub task: Option<String>,
    /// The question as it is asked.
    pub prompt: Arc<str>,
    /// What is right.
    pub gold: Gold,
    /// Each model's whole answer, by the model's name in the table.
    pub answers: BTreeMap<String, Arc<str>>,
    /// Whether each model was right, where the table only says so.
    pub outcomes: BTreeMap<String, bool>,
}

/// How the right answer of a row is known.
#[derive(Debug, Clone, PartialEq)]
pub enum Gold {
    /// The table says it.
    Label(String),
    /// The table only says whose answers are right (`RouteLLM`'s does); these are their texts.
    /// Without any, nothing can be graded right.
    RightAnswers(Vec<Arc<str>>),
}

/// Why a table cannot be evaluated. Lines are counted from 1. No text of a table is quoted.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// It cannot be opened.
    #[error("cannot open `{path}`: {source}")]
    Open {
        /// As it was given.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// It cannot be read on.
    #[error("line {line}: cannot read on: {source}")]
    Read {
        /// The line that was being read.
        line: u64,
        /// Why.
        source: io::Error,
    },
    /// A line is not what a table has.
    #[error("line {line}: {problem}")]
    Line {
        /// The line.
        line: u64,
        /// What is wrong and what would be right.
        problem: String,
    },
    /// It says who was right, but not what anybody answered.
    #[error(
        "the table holds outcomes only (whether each model was right), no answers: there is \
         nothing to replay. Use one with `answers` (JSON lines) or `…_response` columns (CSV)"
    )]
    OutcomesOnly,
    /// It has no row.
    #[error("the table is empty")]
    Empty,
    /// It is larger than the cap.
    #[error("the table is larger than {} MiB when unpacked", MOST_BYTES >> 20)]
    TooLarge,
    /// It has no answers of a model that was named.
    #[error("the table has no answers of `{model}`; it has those of {known}")]
    UnknownModel {
        /// The name as it was given.
        model: String,
        /// The names that would have been right.
        known: String,
    },
    /// No row has an answer of every model that was named.
    #[error("no row has answers of all the models named together")]
    NoCommonRow,
}

/// Reads a table. Gzip is told by its first bytes, CSV by not beginning with a brace.
///
/// # Errors
/// [`TableError`], with the line where that makes sense.
pub fn load(path: &Path) -> Result<Table, TableError> {
    let open = |source| TableError::Open { path: path.display().to_string(), source };
    let file = File::open(path).map_err(open)?;
    if file.metadata().map_err(open)?.is_dir() {
        return Err(open(io::ErrorKind::IsADirectory.into()));
    }
    read(file)
}

/// Reads a table from wherever it lies.
pub(super) fn read(source: impl Read) -> Result<Table, TableError> {
    let first = |source| TableError::Read { line: 1, source };
    let mut packed = BufReader::new(source);
    if packed.fill_buf().map_err(first)?.starts_with(&GZIP_MAGIC) {
        read_plain(MultiGzDecoder::new(packed))
    } else {
        read_plain(packed)
    }
}

impl Table {
    /// The models that answered at least one row.
    #[must_use]
    pub fn models(&self) -> BTreeSet<&str> {
        self.rows.iter().flat_map(|row| row.answers.keys().map(String::as_str)).collect()
    }

    /// Whether it only says who was right, and not what anybody answered.
    #[must_use]
    pub fn has_outcomes_only(&self) -> bool {
        self.rows.iter().all(|row| row.answers.is_empty() && !row.outcomes.is_empty())
    }

    /// The rows that all of these models answered, one for each prompt, with the count of rows
    /// that lack an answer and of rows that repeat a prompt.
    ///
    /// # Errors
    /// [`TableError::UnknownModel`] and [`TableError::NoCommonRow`].
    pub(super) fn select(self, models: &[&str], limit: usize) -> Result<Selection, TableError> {
        let known = self.models();
        if let Some(model) = models.iter().find(|model| !known.contains(*model)) {
            return Err(TableError::UnknownModel {
                model: model.chars().take(128).collect(),
                known: known.into_iter().take(64).collect::<Vec<_>>().join(", "),
            });
        }
        let mut selection = Selection::default();
        let mut seen: BTreeSet<Box<str>> = BTreeSet::new();
        for row in self.rows {
            if selection.rows.len() == limit {
                break;
            }
            if !models.iter().all(|model| row.answers.contains_key(*model)) {
                selection.without_answer += 1;
            } else if !seen.insert(row.prompt.trim().into()) {
                selection.repeated += 1;
            } else {
                selection.rows.push(row);
            }
        }
        if selection.rows.is_empty() { Err(TableError::NoCommonRow) } else { Ok(selection) }
    }
}

/// The rows of an evaluation.
#[derive(Debug, Default)]
pub(super) struct Selection {
    pub(super) rows: Vec<Row>,
    /// Rows skipped because a model has no answer there.
    pub(super) without_answer: usize,
    /// Rows skipped because an earlier one has the same prompt: a recording is found by its prompt.
    pub(super) repeated: usize,
}

fn read_plain(source: impl Read) -> Result<Table, TableError> {
    let mut text = BufReader::new(source.take(MOST_BYTES + 1));
    let first = |source| TableError::Read { line: 1, source };
    if text.fill_buf().map_err(first)?.starts_with(BYTE_ORDER_MARK) {
        text.consume(BYTE_ORDER_MARK.len());
    }
    let begins_with =
        text.fill_buf().map_err(first)?.iter().copied().find(|b| !b.is_ascii_whitespace());
    let table = match begins_with {
        None => return Err(TableError::Empty),
        Some(b'[') => {
            let problem = "is a JSON array; wanted is one JSON object a line".to_owned();
            return Err(TableError::Line { line: 1, problem });
        }
        Some(b'{') => read_lines(&mut text)?,
        Some(_) => routellm::read_csv(&mut text)?,
    };
    if text.into_inner().limit() == 0 {
        return Err(TableError::TooLarge);
    }
    if table.rows.is_empty() { Err(TableError::Empty) } else { Ok(table) }
}

fn read_lines(text: &mut impl BufRead) -> Result<Table, TableError> {
    let mut table = Table::default();
    let mut bytes = Vec::new();
    for line in 1.. {
        bytes.clear();
        let read = text
            .take(MOST_LINE_BYTES as u64 + 1)
            .read_until(b'\n', &mut bytes)
            .map_err(|source| TableError::Read { line, source })?;
        if read == 0 {
            break;
        }
        if read > MOST_LINE_BYTES {
            let problem = format!("is longer than {} MiB", MOST_LINE_BYTES >> 20);
            return Err(TableError::Line { line, problem });
        }
        if !bytes.trim_ascii().is_empty() {
            table.rows.push(parse(&bytes, line)?);
        }
    }
    Ok(table)
}

/// A line as it may come. What is needed is asked for in [`parse`], so that each lack has its words.
#[derive(Deserialize)]
struct Line {
    id: Option<String>,
    #[serde(alias = "subject")]
    task: Option<String>,
    #[serde(alias = "question")]
    prompt: Option<String>,
    gold: Option<Label>,
    answers: Option<BTreeMap<String, Option<Arc<str>>>>,
    correct: Option<BTreeMap<String, Option<bool>>>,
    /// From 0 to 1; right from a half on.
    scores: Option<BTreeMap<String, Option<f64>>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Label {
    Text(String),
    Bool(bool),
    Number(serde_json::Number),
}

fn parse(bytes: &[u8], line: u64) -> Result<Row, TableError> {
    let wrong = |problem: String| TableError::Line { line, problem };
    let lacks = |field: &str| wrong(format!("has no `{field}`"));
    // The parser's own message may quote the line, so only its place is told.
    let parsed: Line = serde_json::from_slice(bytes).map_err(|error| {
        wrong(if error.is_data() {
            format!(
                "column {}: a field of the wrong kind; `prompt` and `gold` are texts, `answers` \
                 is an object of texts",
                error.column()
            )
        } else {
            format!("column {}: is not a whole JSON object", error.column())
        })
    })?;
    let prompt = parsed.prompt.ok_or_else(|| lacks("prompt"))?;
    if prompt.trim().is_empty() {
        return Err(wrong("has an empty `prompt`".to_owned()));
    }
    let mut outcomes: BTreeMap<String, bool> = BTreeMap::new();
    let scores = parsed.scores.unwrap_or_default();
    outcomes.extend(scores.into_iter().filter_map(|(model, score)| Some((model, score? >= 0.5))));
    let correct = parsed.correct.unwrap_or_default();
    outcomes.extend(correct.into_iter().filter_map(|(model, right)| Some((model, right?))));
    let (id, task) = (parsed.id.unwrap_or_else(|| line.to_string()), parsed.task);
    let Some(answers) = parsed.answers else {
        if outcomes.is_empty() {
            return Err(lacks("answers"));
        }
        let (gold, answers) = (Gold::RightAnswers(Vec::new()), BTreeMap::new());
        return Ok(Row { id, task, prompt: prompt.into(), gold, answers, outcomes });
    };
    let gold = match parsed.gold.ok_or_else(|| lacks("gold"))? {
        Label::Text(text) => text,
        Label::Bool(truth) => truth.to_string(),
        Label::Number(number) => number.to_string(),
    };
    Ok(Row {
        id,
        task,
        outcomes,
        prompt: prompt.into(),
        gold: Gold::Label(gold),
        answers: answers.into_iter().filter_map(|(model, text)| Some((model, text?))).collect(),
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};
    use proptest::prelude::*;

    use super::*;

    const TWO_ROWS: &str = concat!(
        r#"{"id":"a","prompt":"1+1?","gold":"2","answers":{"m":"2","n":"3"},"other":[1]}"#,
        "\n\n",
        r#"{"prompt":"not True is","task":"boolean","gold":false,"answers":{"m":"False","n":null}}"#,
    );

    fn problem(text: &str) -> String {
        read(text.as_bytes()).unwrap_err().to_string()
    }

    fn gzip(text: &str) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn plain_and_gzipped_lines_make_the_same_table() {
        let plain = read(TWO_ROWS.as_bytes()).unwrap();
        assert_eq!(plain, read(gzip(TWO_ROWS).as_slice()).unwrap());
        assert_eq!(plain.rows.len(), 2);
        assert_eq!(plain.rows[1].id, "3", "the line is the id of a row without one");
        assert_eq!(plain.rows[1].gold, Gold::Label("false".into()));
        assert_eq!(plain.models().into_iter().collect::<Vec<_>>(), ["m", "n"]);
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_table() {
        assert_eq!(read(format!("\u{feff}{TWO_ROWS}").as_bytes()).unwrap().rows.len(), 2);
    }

    #[test]
    fn an_error_names_its_line_and_quotes_nothing() {
        let said = problem(&format!("{TWO_ROWS}\n{{\"prompt\": \"secret\", \"gold\": "));
        assert!(said.starts_with("line 4: column") && !said.contains("secret"), "{said}");
        let said = problem(r#"{"prompt":"p","gold":"2","answers":{"m":["secret"]}}"#);
        assert!(said.starts_with("line 1: column") && !said.contains("secret"), "{said}");
        assert_eq!(problem(r#"{"gold":"2","answers":{}}"#), "line 1: has no `prompt`");
        assert_eq!(problem(r#"{"prompt":"p","answers":{"m":"x"}}"#), "line 1: has no `gold`");
        assert_eq!(
            problem(r#"{"prompt":" ","gold":"2","answers":{}}"#),
            "line 1: has an empty `prompt`"
        );
        assert!(problem("[{}]").contains("one JSON object a line"));
        assert_eq!(problem(" \n"), "the table is empty");
    }

    #[test]
    fn a_table_of_outcomes_has_no_answers_and_says_who_was_right() {
        for text in [
            r#"{"id":"x","prompt":"p","correct":{"m":true}}"#,
            r#"{"question":"p","scores":{"m":1}}"#,
        ] {
            let table = read(text.as_bytes()).unwrap();
            assert!(table.has_outcomes_only());
            assert_eq!(table.rows[0].outcomes, BTreeMap::from([("m".to_owned(), true)]));
        }
        assert_eq!(problem(r#"{"prompt":"p"}"#), "line 1: has no `answers`");
    }

    #[test]
    fn a_cut_archive_is_an_error_and_not_a_shorter_table() {
        let many: String = (0..2000)
            .map(|i| {
                format!(
                    "{{\"prompt\":\"{i}?\",\"gold\":{i},\"answers\":{{\"m\":\"{}\"}}}}\n",
                    i * 7919
                )
            })
            .collect();
        let whole = gzip(&many);
        assert_eq!(read(whole.as_slice()).unwrap().rows.len(), 2000);
        let cut = read(&whole[..whole.len() / 2]);
        assert!(matches!(cut, Err(TableError::Read { line: 2.., .. })), "{cut:?}");
    }

    #[test]
    fn a_line_without_end_is_refused() {
        let endless = io::repeat(b'x').take(MOST_LINE_BYTES as u64 * 2);
        let said = read(b"{\"prompt\":\"".chain(endless)).unwrap_err().to_string();
        assert_eq!(said, "line 1: is longer than 4 MiB");
    }

    #[test]
    fn rows_that_cannot_be_replayed_are_counted_and_not_hidden() {
        let text = format!("{TWO_ROWS}\n{}", TWO_ROWS.lines().next().unwrap());
        let both = read(text.as_bytes()).unwrap().select(&["m", "n"], usize::MAX).unwrap();
        assert_eq!((both.rows.len(), both.without_answer, both.repeated), (1, 1, 1));
        let one = read(text.as_bytes()).unwrap().select(&["m"], usize::MAX).unwrap();
        assert_eq!((one.rows.len(), one.without_answer, one.repeated), (2, 0, 1));
        let limited = read(text.as_bytes()).unwrap().select(&["m"], 1).unwrap();
        assert_eq!(limited.rows.len(), 1);
    }

    #[test]
    fn an_unknown_model_is_told_which_are_known() {
        let said =
            read(TWO_ROWS.as_bytes()).unwrap().select(&["m", "o"], 9).unwrap_err().to_string();
        assert_eq!(said, "the table has no answers of `o`; it has those of m, n");
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(bytes.as_slice());
            let _ = read([b"{".as_slice(), &bytes].concat().as_slice());
            let _ = read([GZIP_MAGIC.as_slice(), &bytes].concat().as_slice());
        }
    }
}
