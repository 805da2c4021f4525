//! Tables of questions and answers: JSON lines or CSV, plain or gzipped, read row by row.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use flate2::read::MultiGzDecoder;
use serde::{Deserialize, Serialize};

use crate::{
    app::Vouched,
    domain::{NoTtl, ResponseId, Signal, TenantId, read_ttl, ttl_of_seconds},
};

/// Longest row, in bytes.
const LONGEST_ROW: usize = 1 << 20;

/// A row as it is written. `export` writes the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    pub(super) question: String,
    pub(super) answer: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) tenant: Option<String>,
    /// Seconds, or a number with a unit such as `30d`. The API's name of it is read, too.
    #[serde(default, alias = "ttl_seconds", skip_serializing_if = "Option::is_none")]
    pub(super) ttl: Option<Ttl>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) source: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) signal: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) response_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) curated: Option<bool>,
}

/// How long an answer is remembered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Ttl {
    Seconds(u64),
    Text(String),
}

/// A row that can go in.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    pub(super) line: u64,
    pub(super) tenant: TenantId,
    pub(super) vouched: Vouched,
}

/// A row that cannot, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BadRow {
    pub(super) line: u64,
    pub(super) why: String,
}

/// Reads a table; the second part counts the bytes of the file that were read so far.
pub(super) fn open(path: &Path) -> std::io::Result<(Reader, u64, Arc<AtomicU64>)> {
    let file = File::open(path)?;
    let (size, read) = (file.metadata()?.len(), Arc::new(AtomicU64::new(0)));
    let counted = Counted { file, read: Arc::clone(&read) };
    let name = path.file_name().map(|n| n.to_string_lossy().to_lowercase()).unwrap_or_default();
    let (name, bytes): (&str, Box<dyn Read + Send>) = match name.strip_suffix(".gz") {
        Some(inner) => (inner, Box::new(MultiGzDecoder::new(counted))),
        None => (&name, Box::new(counted)),
    };
    Ok((Reader::new(bytes, name.ends_with(".csv")), size, read))
}

/// A table that is read row by row.
pub(super) enum Reader {
    Lines { bytes: BufReader<Box<dyn Read + Send>>, line: u64 },
    Csv(Box<csv::DeserializeRecordsIntoIter<Box<dyn Read + Send>, Raw>>),
}

impl Reader {
    pub(super) fn new(bytes: Box<dyn Read + Send>, is_csv: bool) -> Self {
        if is_csv {
            let reader = csv::ReaderBuilder::new().trim(csv::Trim::Headers).from_reader(bytes);
            return Self::Csv(Box::new(reader.into_deserialize()));
        }
        Self::Lines { bytes: BufReader::with_capacity(256 * 1024, bytes), line: 0 }
    }
}

impl Iterator for Reader {
    type Item = Result<Row, BadRow>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Csv(rows) => {
                let row = rows.next()?;
                let line = rows.reader().position().line();
                Some(match row {
                    Ok(raw) => checked(line.saturating_sub(1).max(2), raw),
                    Err(error) => {
                        let line = error.position().map_or(line, csv::Position::line);
                        Err(BadRow { line, why: plain(&error) })
                    }
                })
            }
            Self::Lines { bytes, line } => loop {
                *line += 1;
                let text = match next_line(bytes) {
                    Ok(None) => return None,
                    Ok(Some(Line::Whole(text))) => text,
                    Ok(Some(Line::TooLong)) => {
                        let why = format!("the row has more than {LONGEST_ROW} bytes");
                        return Some(Err(BadRow { line: *line, why }));
                    }
                    // Nothing after it can be read, either; the next call finds the end.
                    Err(error) => {
                        *bytes = BufReader::new(Box::new(std::io::empty()));
                        let why = format!("the file cannot be read on: {error}");
                        return Some(Err(BadRow { line: *line, why }));
                    }
                };
                if text.trim_ascii().is_empty() {
                    continue;
                }
                let raw = serde_json::from_slice::<Raw>(&text);
                return Some(match raw {
                    Ok(raw) => checked(*line, raw),
                    Err(error) => Err(BadRow { line: *line, why: why_unread(&text, &error) }),
                });
            },
        }
    }
}

enum Line {
    Whole(Vec<u8>),
    TooLong,
}

/// The next line, of at most so many bytes; what is longer is passed over without being kept.
fn next_line(bytes: &mut impl BufRead) -> std::io::Result<Option<Line>> {
    let mut text = Vec::new();
    let read = bytes.take(LONGEST_ROW as u64 + 1).read_until(b'\n', &mut text)?;
    if read == 0 {
        return Ok(None);
    }
    if text.len() <= LONGEST_ROW || text.ends_with(b"\n") {
        return Ok(Some(Line::Whole(text)));
    }
    while !text.ends_with(b"\n") {
        text.clear();
        if bytes.take(LONGEST_ROW as u64).read_until(b'\n', &mut text)? == 0 {
            break;
        }
    }
    Ok(Some(Line::TooLong))
}

fn checked(line: u64, raw: Raw) -> Result<Row, BadRow> {
    row(line, raw).map_err(|why| BadRow { line, why })
}

fn row(line: u64, raw: Raw) -> Result<Row, String> {
    let tenant = match raw.tenant.as_deref() {
        Some(name) => TenantId::new(name).map_err(|error| format!("tenant: {error}"))?,
        None => TenantId::default(),
    };
    let signal = raw.signal.map_or(Ok(Signal::ONE), Signal::new);
    let id = raw.response_id.as_deref().map(ResponseId::parse).transpose();
    let vouched = Vouched {
        question: raw.question,
        answer: raw.answer,
        ttl: raw.ttl.map(|ttl| ttl.duration()).transpose()?,
        source: raw.source.filter(|source| !source.trim().is_empty()),
        signal: signal.map_err(|error| format!("signal: {error}"))?,
        id: id.map_err(|error| format!("response_id: {error}"))?,
        curated: raw.curated.unwrap_or(true),
    };
    Ok(Row { line, tenant, vouched })
}

impl Ttl {
    fn duration(&self) -> Result<Duration, String> {
        let read = match self {
            Self::Seconds(seconds) => ttl_of_seconds(*seconds),
            Self::Text(text) => read_ttl(text),
        };
        read.map_err(|error| format!("ttl: {error}"))
    }
}

/// What is wrong with a line that is no row, and what would be right.
fn why_unread(text: &[u8], error: &serde_json::Error) -> String {
    const RIGHT: &str = r#"write one object a line, as {"question": "why?", "answer": "because"}"#;
    let what = unplaced(&error.to_string());
    if !error.is_data() {
        return format!("no JSON: {what}; {RIGHT}");
    }
    // The field is looked for only now: to note it of every row would cost.
    let mut reader = serde_json::Deserializer::from_slice(text);
    let place = serde_path_to_error::deserialize::<_, Raw>(&mut reader).err();
    match place.map(|error| error.path().to_string()) {
        Some(field) if field == "ttl" || field == "ttl_seconds" => format!("ttl: {NoTtl}"),
        Some(field) if !matches!(field.as_str(), "." | "?") && what.starts_with("invalid") => {
            format!("{field}: {what}")
        }
        _ => told_right(&what, RIGHT),
    }
}

/// What a row lacks, with what would be right where the message does not say it itself.
fn told_right(what: &str, right: &str) -> String {
    let lacks = what.starts_with("missing field") || what.starts_with("invalid type");
    if lacks { format!("{what}: {right}") } else { what.to_owned() }
}

const CSV_RIGHT: &str = "the first line names the columns, question and answer among them";

fn csv_fault(error: &csv::DeserializeError) -> String {
    unplaced(&error.kind().to_string())
}

/// What is wrong with a CSV row, without its place, which is shown in one form for all.
fn plain(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::Deserialize { err, .. } => told_right(&csv_fault(err), CSV_RIGHT),
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => format!(
            "the row has {len} fields, the header {expected_len}: put texts with commas, quotes or line \
             breaks in double quotes"
        ),
        csv::ErrorKind::Utf8 { .. } => "the row is not UTF-8: save the table as UTF-8".to_owned(),
        _ => unplaced(&error.to_string()),
    }
}

fn unplaced(message: &str) -> String {
    message.split(" at line ").next().unwrap_or(message).to_owned()
}

/// A file that says how far it was read.
struct Counted {
    file: File,
    read: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.read.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &'static str, is_csv: bool) -> Vec<Result<Row, BadRow>> {
        Reader::new(Box::new(text.as_bytes()), is_csv).collect()
    }

    fn said(row: &Result<Row, BadRow>) -> (u64, String) {
        match row {
            Ok(row) => (row.line, row.vouched.question.clone()),
            Err(bad) => (bad.line, format!("! {}", bad.why)),
        }
    }

    #[test]
    fn json_lines_are_read_and_bad_ones_named_by_their_line() {
        let found: Vec<_> = rows(
            "{\"question\": \"a\", \"answer\": \"b\", \"ttl\": \"2h\", \"tenant\": \"t\"}\n\n\
             {\"question\": \"a\"}\n{\"question\": \"c\", \"answer\": \"d\", \"ttl\": 60}\n\
             {\"question\": \"a\", \"answer\": \"b\", \"anwser\": 1}\nnot json\n\
             {\"question\": \"e\", \"answer\": \"f\", \"ttl\": \"soon\"}",
            false,
        );
        let lines: Vec<_> = found.iter().map(said).collect();
        assert_eq!(lines[0], (1, "a".to_owned()));
        assert!(lines[1].1.starts_with("! missing field `answer`: write one object"), "{lines:?}");
        assert_eq!(lines[1].0, 3);
        assert_eq!(lines[2], (4, "c".to_owned()));
        assert_eq!((lines[3].0, lines[3].1.contains("unknown field `anwser`")), (5, true));
        assert_eq!((lines[4].0, lines[4].1.contains(r#"{"question": "#)), (6, true), "{lines:?}");
        assert_eq!((lines[5].0, lines[5].1.contains("ttl")), (7, true));
        let first = found[0].as_ref().unwrap();
        assert_eq!(first.vouched.ttl, Some(Duration::from_secs(7200)));
        assert_eq!(first.tenant.as_str(), "t");
    }

    #[test]
    fn a_bad_row_names_its_field_and_what_would_be_right() {
        for (line, told) in [
            (r#"{"question": 1, "answer": "b"}"#, "question: invalid type"),
            (r#"{"question": "a", "answer": "b", "signal": "high"}"#, "signal: invalid type"),
            (r#"{"question": "a", "answer": "b", "ttl": -5}"#, "such as 30d"),
            (r#"{"question": "a", "answer": "b", "ttl_seconds": 0}"#, "such as 30d"),
            (r#"{"question": "a", "answer": "b", "ttl": 1, "ttl_seconds": 1}"#, "duplicate field"),
            (r#""why?""#, "write one object a line"),
            (r#"{"question": "a", "answer": "#, "write one object a line"),
        ] {
            let found = Reader::new(Box::new(line.as_bytes()), false).next().unwrap();
            let (at, why) = said(&found);
            assert!(at == 1 && why.starts_with("! ") && why.contains(told), "{line}: {why}");
        }
        let header = rows("question,source\na,b\n", true);
        assert!(said(&header[0]).1.contains("the first line names the columns"), "{header:?}");
        let named = rows(r#"{"question": "a", "answer": "b", "ttl_seconds": 60}"#, false);
        assert_eq!(named[0].as_ref().unwrap().vouched.ttl, Some(Duration::from_secs(60)));
    }

    #[test]
    fn csv_is_read_by_its_header_and_goes_on_after_a_bad_row() {
        let found = rows(
            "question,answer,ttl,source\na,b,30d,faq\n\"two\nlines\",d,,\ne,f\ng,h,x,\ni,j,,\n",
            true,
        );
        let lines: Vec<_> = found.iter().map(said).collect();
        assert_eq!(lines.len(), 5, "{lines:?}");
        let good: Vec<_> = found.iter().flatten().map(|r| r.vouched.question.as_str()).collect();
        assert_eq!(good, ["a", "two\nlines", "i"]);
        assert_eq!((lines[2].0, lines[2].1.contains("2 fields")), (5, true), "{lines:?}");
        let first = found[0].as_ref().unwrap();
        assert_eq!(first.vouched.ttl, Some(Duration::from_secs(30 * 86_400)));
        assert_eq!(first.vouched.source.as_deref(), Some("faq"));
        assert_eq!(found[1].as_ref().unwrap().vouched.source, None);
    }

    #[test]
    fn a_row_that_is_too_long_is_passed_over() {
        let long = format!("{{\"question\": \"{}\"}}\n", "x".repeat(3 * LONGEST_ROW));
        let text = format!("{long}{{\"question\": \"a\", \"answer\": \"b\"}}");
        let found: Vec<_> =
            Reader::new(Box::new(std::io::Cursor::new(text.into_bytes())), false).collect();
        let lines: Vec<_> = found.iter().map(said).collect();
        assert_eq!(lines[0], (1, format!("! the row has more than {LONGEST_ROW} bytes")));
        assert_eq!(lines[1], (2, "a".to_owned()));
    }
}
