//! Tables of questions: labelled pairs (`text_a`, `text_b`, `label`) and paraphrases (`origin`,
//! `similar`), as JSON lines, plain or gzipped.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::Path,
};

use flate2::bufread::MultiGzDecoder;
use serde::Deserialize;

use super::table::TableError;
use crate::paraphrase::LabelledPair;

const MOST_LINE_BYTES: usize = 1 << 20;
const MOST_BYTES: u64 = 512 << 20;
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// A table of questions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QuestionTable {
    /// Pairs of questions and whether they ask the same.
    Labelled(Vec<LabelledPair>),
    /// What is remembered (`a`) and what is asked in its stead (`b`).
    Paraphrases(Vec<LabelledPair>),
}

/// Reads a table of questions.
///
/// # Errors
/// [`TableError`], with the line where that makes sense.
pub fn load_questions(path: &Path) -> Result<QuestionTable, TableError> {
    let open = |source| TableError::Open { path: path.display().to_string(), source };
    let file = File::open(path).map_err(open)?;
    if file.metadata().map_err(open)?.is_dir() {
        return Err(open(io::ErrorKind::IsADirectory.into()));
    }
    let mut packed = BufReader::new(file);
    if packed.fill_buf().map_err(open)?.starts_with(&GZIP_MAGIC) {
        read(MultiGzDecoder::new(packed))
    } else {
        read(packed)
    }
}

#[derive(Deserialize)]
struct Line {
    text_a: Option<String>,
    text_b: Option<String>,
    label: Option<u8>,
    origin: Option<String>,
    similar: Option<String>,
}

fn read(source: impl Read) -> Result<QuestionTable, TableError> {
    let mut text = BufReader::new(source.take(MOST_BYTES + 1));
    let (mut labelled, mut paraphrases) = (Vec::new(), Vec::new());
    let mut bytes = Vec::new();
    for line in 1.. {
        bytes.clear();
        let read = (&mut text)
            .take(MOST_LINE_BYTES as u64 + 1)
            .read_until(b'\n', &mut bytes)
            .map_err(|source| TableError::Read { line, source })?;
        let wrong = |problem: &str| TableError::Line { line, problem: problem.to_owned() };
        if read == 0 {
            break;
        }
        if read > MOST_LINE_BYTES {
            return Err(wrong("is longer than 1 MiB"));
        }
        if bytes.trim_ascii().is_empty() {
            continue;
        }
        // The parser's own message may quote the line, so it is not told.
        let row: Line = serde_json::from_slice(&bytes).map_err(|_| {
            wrong("is no JSON object with `text_a`, `text_b`, `label` or `origin`, `similar`")
        })?;
        match row {
            Line { text_a: Some(a), text_b: Some(b), label: Some(label @ 0..=1), .. } => {
                labelled.push(LabelledPair { a, b, same: label == 1 });
            }
            Line { origin: Some(a), similar: Some(b), .. } => {
                paraphrases.push(LabelledPair { a, b, same: true });
            }
            _ => {
                return Err(wrong(
                    "has neither `text_a`, `text_b` and a `label` of 0 or 1, nor `origin` and \
                     `similar`",
                ));
            }
        }
    }
    if text.into_inner().limit() == 0 {
        return Err(TableError::TooLarge);
    }
    match (labelled.is_empty(), paraphrases.is_empty()) {
        (true, true) => Err(TableError::Empty),
        (false, true) => Ok(QuestionTable::Labelled(labelled)),
        (true, false) => Ok(QuestionTable::Paraphrases(paraphrases)),
        (false, false) => Err(TableError::Line {
            line: 1,
            problem: "begins a table that mixes labelled pairs and paraphrases".to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_of_table_are_told_apart() {
        let labelled = "{\"text_a\":\"x\",\"text_b\":\"y\",\"label\":1}\n\n";
        let pair = |same| LabelledPair { a: "x".to_owned(), b: "y".to_owned(), same };
        assert_eq!(read(labelled.as_bytes()).unwrap(), QuestionTable::Labelled(vec![pair(true)]));
        let told = "{\"origin\":\"x\",\"similar\":\"y\"}";
        assert_eq!(read(told.as_bytes()).unwrap(), QuestionTable::Paraphrases(vec![pair(true)]));
        assert!(read(format!("{labelled}{told}").as_bytes()).is_err());
    }

    #[test]
    fn a_bad_line_is_named_and_not_quoted() {
        for bad in [
            "{\"text_a\":\"secret\"}",
            "{\"text_a\":\"secret\",\"text_b\":\"\",\"label\":2}",
            "secret",
        ] {
            let table = format!("{{\"origin\":\"x\",\"similar\":\"y\"}}\n{bad}\n");
            let problem = read(table.as_bytes()).unwrap_err().to_string();
            assert!(problem.starts_with("line 2:") && !problem.contains("secret"), "{problem}");
        }
        assert!(matches!(read("".as_bytes()), Err(TableError::Empty)));
    }
}
