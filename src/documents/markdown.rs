//! Documents cut into passages, and passages into statements: sentences that can stand alone.

use std::borrow::Cow;

use super::{html, inline};
use crate::text::sentences;

/// A passage is closed when it has grown to this many bytes.
const PASSAGE_BYTES: usize = 1_200;
/// A longer sentence is cut at white space.
const MAX_STATEMENT_CHARS: usize = 600;
/// A list that is at most this long, read with its lead-in, is one statement, too.
const MAX_LIST_CHARS: usize = 400;
const MAX_COLUMNS: usize = 32;

/// How a document is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Markdown,
    Plain,
    Html,
}

/// Neighbouring blocks under one heading.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Section {
    /// The headings above, outermost first.
    pub headings: Vec<String>,
    /// First line, counted from 1.
    pub line: u32,
    /// The blocks in clean prose, code included.
    pub text: String,
    /// What it states.
    pub statements: Vec<Statement>,
}

/// One sentence in clean prose.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Statement {
    /// The sentence.
    pub text: String,
    /// Its line, counted from 1.
    pub line: u32,
    /// Code that follows it; searched, never shown as an answer.
    pub code: String,
}

/// Cuts a document.
pub(super) fn split(document: &str, format: Format) -> Vec<Section> {
    if format == Format::Html {
        return html::split(document);
    }
    let lines: Vec<&str> = document.lines().collect();
    let mut splitter = Splitter { plain: format == Format::Plain, ..Splitter::default() };
    let mut at = if splitter.plain { 0 } else { front_matter(&lines) };
    while at < lines.len() {
        at = splitter.take(&lines, at);
    }
    splitter.finish()
}

/// Lines of a YAML header, 0 without one.
fn front_matter(lines: &[&str]) -> usize {
    if lines.first().is_none_or(|l| l.trim_end() != "---") {
        return 0;
    }
    let close = lines.iter().skip(1).take(200).position(|l| matches!(l.trim_end(), "---" | "..."));
    close.map_or(0, |i| i + 2)
}

/// Takes a document's blocks one after the other.
#[derive(Default)]
pub(super) struct Splitter {
    /// Whether the text is as it reads, without marks that would have to be taken out.
    plain: bool,
    done: Vec<Section>,
    /// The passage being filled.
    section: Section,
    /// Level and text of the headings in force.
    headings: Vec<(usize, String)>,
    /// Set once a comment was found open: looking again for each would cost square time.
    no_comment_ends: bool,
    /// Lines of the block being read, the first one's number, whether it is a list item.
    block: Vec<String>,
    block_line: u32,
    item: bool,
    /// The sentence with a colon before a list, and the items read since.
    lead_in: Option<(String, u32)>,
    items: Vec<String>,
}

impl Splitter {
    /// A splitter of text without Markdown's marks.
    pub(super) fn of_plain_text() -> Self {
        Self { plain: true, ..Self::default() }
    }

    /// Begins an item of a list.
    pub(super) fn begin_item(&mut self) {
        self.close_block();
        self.item = true;
    }

    /// Ends an item of a list, should one be open.
    pub(super) fn end_item(&mut self) {
        self.close_block();
        self.item = false;
    }

    /// What was taken, when the document is at its end.
    pub(super) fn finish(mut self) -> Vec<Section> {
        self.close_section();
        self.done
    }

    /// Reads the block, or the line of a block, that begins at `at`; returns where the next begins.
    fn take(&mut self, lines: &[&str], at: usize) -> usize {
        let Some(&raw) = lines.get(at) else { return at + 1 };
        let number = u32::try_from(at + 1).unwrap_or(u32::MAX);
        if self.plain {
            self.take_text(raw, number, raw.trim().is_empty());
            return at + 1;
        }
        let line = unquote(raw);
        let trimmed = line.trim();
        if let Some(fence) = fence(trimmed) {
            return self.take_code(lines, at, fence);
        }
        if trimmed.starts_with("<!--") && !self.no_comment_ends {
            let close = lines.iter().skip(at).position(|l| l.contains("-->"));
            self.no_comment_ends = close.is_none();
            return close.map_or(at + 1, |i| at + i + 1);
        }
        if let Some((level, title)) = heading(trimmed) {
            self.open_heading(level, title);
        } else if is_rule(trimmed) {
            match (trimmed.starts_with('='), trimmed.starts_with('-'), self.block.len(), self.item)
            {
                (true, _, 1, false) => self.underline(1),
                (_, true, 1, false) => self.underline(2),
                _ => self.close_list(),
            }
        } else if trimmed.contains('|') && lines.get(at + 1).is_some_and(|l| is_delimiter_row(l)) {
            return self.take_table(lines, at);
        } else if let Some(rest) = list_item(trimmed) {
            self.close_block();
            self.block_line = number;
            self.block.push(rest.to_owned());
            self.item = true;
        } else if is_indented(line) && self.block.is_empty() && self.items.is_empty() {
            self.add_code(trimmed, number);
        } else {
            self.take_text(trimmed, number, trimmed.is_empty());
        }
        at + 1
    }

    pub(super) fn take_text(&mut self, line: &str, number: u32, blank: bool) {
        if blank {
            self.close_block();
            return;
        }
        if self.block.is_empty() {
            self.block_line = number;
        }
        self.block.push(line.to_owned());
    }

    fn take_code(&mut self, lines: &[&str], at: usize, fence: (char, usize)) -> usize {
        self.close_block();
        let mut next = at + 1;
        while let Some(&raw) = lines.get(next) {
            let line = unquote(raw);
            next += 1;
            let shuts = |(c, n): (char, usize)| {
                let run = line.trim();
                run.chars().count() >= n && run.chars().all(|x| x == c)
            };
            if shuts(fence) {
                break;
            }
            self.add_code(line.trim_end(), u32::try_from(next).unwrap_or(u32::MAX));
        }
        next
    }

    fn take_table(&mut self, lines: &[&str], at: usize) -> usize {
        self.close_list();
        let header = lines.get(at).map(|l| cells(l)).unwrap_or_default();
        let mut next = at + 2;
        while let Some(&raw) = lines.get(next) {
            if !raw.contains('|') || raw.trim().is_empty() {
                break;
            }
            let row: Vec<String> = cells(raw)
                .iter()
                .enumerate()
                .filter(|(_, cell)| !cell.is_empty())
                .map(|(i, cell)| match header.get(i).filter(|h| !h.is_empty()) {
                    Some(name) => format!("{name}: {cell}"),
                    None => cell.clone(),
                })
                .collect();
            let number = u32::try_from(next + 1).unwrap_or(u32::MAX);
            self.add_text(&row.join("; "), number);
            self.state(&row.join("; "), number);
            next += 1;
        }
        self.maybe_close_passage();
        next
    }

    /// Turns the paragraph being read into a heading.
    fn underline(&mut self, level: usize) {
        let title = self.block.pop().unwrap_or_default();
        self.open_heading(level, &title);
    }

    pub(super) fn open_heading(&mut self, level: usize, title: &str) {
        self.close_section();
        self.headings.retain(|(l, _)| *l < level);
        let title = if self.plain { collapse(title) } else { collapse(&inline::strip(title)) };
        if !title.is_empty() {
            self.headings.push((level, title));
        }
    }

    /// Ends the paragraph or list item being read.
    pub(super) fn close_block(&mut self) {
        if self.block.is_empty() {
            return;
        }
        let raw = std::mem::take(&mut self.block).join("\n");
        let item = std::mem::take(&mut self.item);
        let text =
            if self.plain { Cow::Borrowed(raw.as_str()) } else { inline::strip(&raw).into() };
        if !item {
            self.finish_list();
        }
        let found = sentences(&text);
        for (i, sentence) in found.iter().enumerate() {
            let before = text.get(..sentence.start).unwrap_or_default();
            let breaks = u32::try_from(before.matches('\n').count()).unwrap_or(u32::MAX);
            let line = self.block_line.saturating_add(breaks);
            let prose = collapse(sentence.text);
            self.add_prose(&prose, line, i == 0);
            if item && i == 0 {
                self.items.push(prose.trim_end_matches(['.', ';', ',']).to_owned());
            }
            match self.lead_in.as_ref().filter(|_| item && i == 0 && !stands_alone(&prose)) {
                Some((lead_in, _)) => {
                    let joined = format!("{lead_in} {prose}");
                    self.state(&joined, line);
                }
                None if prose.ends_with(':') && i + 1 == found.len() && !item => {
                    self.lead_in = Some((prose.clone(), line));
                    self.state(&prose, line);
                }
                None => self.state(&prose, line),
            }
        }
        if !item {
            self.maybe_close_passage();
        }
    }

    /// Ends a list: read in one breath with its lead-in it answers "what are the …".
    fn finish_list(&mut self) {
        let items = std::mem::take(&mut self.items);
        if let Some((lead_in, line)) = self.lead_in.take()
            && items.len() > 1
        {
            let whole = format!("{lead_in} {}.", items.join("; "));
            if whole.chars().count() <= MAX_LIST_CHARS {
                self.state(&whole, line);
            }
        }
    }

    fn close_list(&mut self) {
        self.close_block();
        self.finish_list();
    }

    fn add_text(&mut self, text: &str, line: u32) {
        if self.section.text.is_empty() {
            self.section.line = line;
        } else {
            self.section.text.push('\n');
        }
        self.section.text.push_str(text);
    }

    /// Adds a sentence of a block. A block that is longer than a passage goes on in the next.
    fn add_prose(&mut self, prose: &str, line: u32, opens_block: bool) {
        for (i, part) in parts(prose).into_iter().enumerate() {
            if self.section.text.len() >= PASSAGE_BYTES && !(opens_block && i == 0) {
                self.push_section();
            }
            if self.section.text.is_empty() || (opens_block && i == 0) {
                self.add_text(part, line);
            } else {
                self.section.text.push(' ');
                self.section.text.push_str(part);
            }
        }
    }

    pub(super) fn add_code(&mut self, code: &str, line: u32) {
        self.add_text(code, line);
        if let Some(last) = self.section.statements.last_mut()
            && last.code.len() < PASSAGE_BYTES
        {
            last.code.push_str(code);
            last.code.push('\n');
        }
    }

    fn state(&mut self, text: &str, line: u32) {
        for part in parts(text) {
            if part.chars().any(char::is_alphanumeric) {
                self.section.statements.push(Statement {
                    text: part.to_owned(),
                    line,
                    code: String::new(),
                });
            }
        }
    }

    fn maybe_close_passage(&mut self) {
        if self.section.text.len() >= PASSAGE_BYTES && self.lead_in.is_none() {
            self.push_section();
        }
    }

    fn close_section(&mut self) {
        self.close_list();
        self.push_section();
    }

    fn push_section(&mut self) {
        let mut section = std::mem::take(&mut self.section);
        if !section.text.is_empty() {
            section.headings = self.headings.iter().map(|(_, title)| title.clone()).collect();
            self.done.push(section);
        }
    }
}

/// Whether a list item reads as a sentence of its own.
fn stands_alone(item: &str) -> bool {
    let closed = item.ends_with(['.', '!', '?', '"', ')']);
    let opens = item.chars().next().is_some_and(|c| !c.is_lowercase());
    closed && opens && item.split_whitespace().count() >= 4
}

fn collapse(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Cuts a text at white space so that no part is longer than the bound.
fn parts(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((bound, _)) = rest.char_indices().nth(MAX_STATEMENT_CHARS) {
        let (head, _) = rest.split_at(bound);
        let cut = head.rfind(char::is_whitespace).filter(|&i| i > 0).unwrap_or(bound);
        let (part, tail) = rest.split_at(cut);
        parts.push(part.trim());
        rest = tail.trim_start();
    }
    parts.push(rest.trim());
    parts
}

fn unquote(line: &str) -> &str {
    let mut rest = line;
    while let Some(inner) = rest.trim_start().strip_prefix('>') {
        rest = inner.strip_prefix(' ').unwrap_or(inner);
    }
    rest
}

fn fence(line: &str) -> Option<(char, usize)> {
    let c = line.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let run = line.chars().take_while(|&x| x == c).count();
    // Three ticks that are closed on the same line are a code span.
    let rest = line.get(run..).unwrap_or_default();
    (run >= 3 && !(c == '`' && rest.contains('`'))).then_some((c, run))
}

fn heading(line: &str) -> Option<(usize, &str)> {
    let level = line.chars().take_while(|&c| c == '#').count();
    let rest = line.get(level..)?;
    let fits = (1..=6).contains(&level) && (rest.is_empty() || rest.starts_with([' ', '\t']));
    fits.then(|| (level, rest.trim().trim_end_matches('#').trim_end()))
}

/// A line of `---`, `***`, `___` or `===`.
fn is_rule(line: &str) -> bool {
    let mut marks = line.chars().filter(|c| !c.is_whitespace());
    let Some(first) = marks.next().filter(|c| "-*_=".contains(*c)) else { return false };
    marks.clone().all(|c| c == first) && (marks.count() >= 2 || first == '=')
}

fn list_item(line: &str) -> Option<&str> {
    let bullet = line.strip_prefix(['-', '*', '+']);
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let numbered = || {
        let rest = line.get(digits..).filter(|_| (1..=9).contains(&digits))?;
        rest.strip_prefix(['.', ')'])
    };
    let rest = bullet.or_else(numbered)?;
    let text = rest.strip_prefix([' ', '\t'])?.trim();
    let text = ["[ ] ", "[x] ", "[X] "].iter().find_map(|b| text.strip_prefix(b)).unwrap_or(text);
    (!text.is_empty()).then_some(text)
}

fn is_indented(line: &str) -> bool {
    (line.starts_with("    ") || line.starts_with('\t')) && !line.trim().is_empty()
}

fn is_delimiter_row(line: &str) -> bool {
    let line = unquote(line).trim();
    line.contains('-') && line.contains('|') && line.chars().all(|c| "|-: ".contains(c))
}

/// The cells of a table's row in clean prose.
fn cells(line: &str) -> Vec<String> {
    let line = unquote(line).trim();
    let line = line.strip_prefix('|').unwrap_or(line);
    let line = line.strip_suffix('|').unwrap_or(line);
    let mut found = vec![String::new()];
    let (mut escaped, mut code) = (false, false);
    for c in line.chars() {
        code ^= c == '`' && !escaped;
        if c == '|' && !escaped && !code && found.len() < MAX_COLUMNS {
            found.push(String::new());
        } else if let Some(cell) = found.last_mut() {
            cell.push(c);
        }
        escaped = c == '\\' && !escaped;
    }
    found.iter().map(|cell| collapse(&inline::strip(cell))).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn statements(text: &str) -> Vec<(String, u32)> {
        split(text, Format::Markdown)
            .into_iter()
            .flat_map(|s| s.statements)
            .map(|s| (s.text, s.line))
            .collect()
    }

    fn texts(text: &str) -> Vec<String> {
        statements(text).into_iter().map(|(text, _)| text).collect()
    }

    #[test]
    fn sentences_know_their_section_and_line() {
        let found = split("# Top\n\nOne.\nTwo goes\non. Three.\n\n## Sub\nFour.", Format::Markdown);
        let lines: Vec<_> =
            found.iter().flat_map(|s| &s.statements).map(|s| (s.text.as_str(), s.line)).collect();
        assert_eq!(lines, [("One.", 3), ("Two goes on.", 4), ("Three.", 5), ("Four.", 8)]);
        let headings: Vec<_> = found.iter().map(|s| s.headings.join(" > ")).collect();
        assert_eq!(headings, ["Top", "Top > Sub"]);
    }

    #[test]
    fn underlined_headings_count() {
        let found = split("Title\n=====\n\nSub\n---\nText here.", Format::Markdown);
        assert_eq!(found.last().unwrap().headings, ["Title", "Sub"]);
        assert_eq!(found.len(), 1);
    }

    #[test]
    fn list_items_take_their_lead_in_when_they_need_it() {
        let found =
            texts("It reads three layers:\n\n- the defaults\n- the file;\n- Set it by hand now.\n");
        assert_eq!(
            found,
            [
                "It reads three layers:",
                "It reads three layers: the defaults",
                "It reads three layers: the file;",
                "Set it by hand now.",
                "It reads three layers: the defaults; the file; Set it by hand now.",
            ]
        );
    }

    #[test]
    fn table_rows_become_header_and_cell() {
        let found = texts("| Name | Port |\n|---|---:|\n| **api** | `80` |\n| a\\|b | |\nAfter.");
        assert_eq!(found, ["Name: api; Port: 80", "Name: a|b", "After."]);
    }

    #[test]
    fn code_is_searched_with_the_sentence_before_it_and_never_stated() {
        let found = split("Run this:\n\n```sh\ncargo run. Now.\n```\nDone here.", Format::Markdown);
        let statements = &found[0].statements;
        assert_eq!(statements.len(), 2);
        assert_eq!(statements[0].code.trim(), "cargo run. Now.");
        assert!(found[0].text.contains("cargo run"));
    }

    #[test]
    fn headers_comments_and_quotes_are_understood() {
        let text =
            "---\ntitle: x\n---\n<!-- a\nb -->\n> Quoted *words* here.\n> # Not lost\n> Yes.";
        assert_eq!(texts(text), ["Quoted words here.", "Yes."]);
    }

    #[test]
    fn plain_text_is_taken_as_it_is() {
        let found = split("# not a heading\n* not a list", Format::Plain);
        assert_eq!(found[0].statements[0].text, "# not a heading * not a list");
    }

    #[test]
    fn an_unclosed_fence_or_comment_ends_with_the_document() {
        assert_eq!(texts("Before.\n```\ncode").len(), 1);
        assert_eq!(texts("<!-- open\nText."), ["Text."]);
    }

    const MARKDOWN: &str = "([a-z*_`#|>. \\-\\[\\]():<!\"~=0-9]|\n|é|日){0,200}";

    proptest! {
        #[test]
        fn lines_lie_within_the_document(text in MARKDOWN) {
            let count = u32::try_from(text.lines().count()).unwrap();
            for section in split(&text, Format::Markdown) {
                prop_assert!(section.line >= 1 && section.line <= count);
                for s in &section.statements {
                    prop_assert!(s.line >= 1 && s.line <= count, "{s:?}");
                }
            }
        }

        #[test]
        fn statements_are_bounded_and_say_something(text in MARKDOWN) {
            for s in split(&text, Format::Markdown).iter().flat_map(|s| &s.statements) {
                prop_assert!(s.text.chars().count() <= MAX_STATEMENT_CHARS);
                prop_assert!(s.text.chars().any(char::is_alphanumeric));
                prop_assert!(!s.text.contains('\n'));
            }
        }

        #[test]
        fn no_word_of_plain_prose_is_lost(
            words in proptest::collection::vec("[a-z]{1,9}[.]?", 1..80)
        ) {
            let text = words.join(" ");
            for format in [Format::Markdown, Format::Plain] {
                let found: Vec<_> = split(&text, format)
                    .into_iter()
                    .flat_map(|s| s.statements)
                    .map(|s| s.text)
                    .collect();
                prop_assert_eq!(found.join(" "), text.clone());
            }
        }

        #[test]
        fn passages_are_bounded_whatever_the_text(n in 0_usize..1_000, unit in "[a-z ]{1,9}[.]? ") {
            for section in split(&unit.repeat(n), Format::Plain) {
                prop_assert!(section.text.len() <= PASSAGE_BYTES + 4 * MAX_STATEMENT_CHARS);
            }
        }

        #[test]
        fn endless_words_are_cut(n in 600_usize..3_000) {
            let text = "x".repeat(n);
            let whole: String = split(&text, Format::Plain)
                .into_iter()
                .flat_map(|s| s.statements)
                .map(|s| s.text)
                .collect();
            prop_assert_eq!(whole, text);
        }
    }
}
