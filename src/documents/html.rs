//! HTML cut into passages: its text under its headings, without scripts, styles and navigation.
//!
//! Read as a stream of tokens (WHATWG HTML, section 13.2.5), never as a tree: nesting costs neither
//! stack nor memory, and what is not closed is harmless.

use html5gum::{DefaultEmitter, Spanned, Token, Tokenizer};

use super::markdown::{Section, Splitter};

/// Elements whose text nobody reads as prose.
const SILENT: &[&[u8]] = &[
    b"script",
    b"style",
    b"template",
    b"noscript",
    b"svg",
    b"math",
    b"iframe",
    b"object",
    b"select",
    b"nav",
    b"title",
];

/// Elements that begin and end a block of text.
const BLOCKS: &[&[u8]] = &[
    b"address",
    b"article",
    b"aside",
    b"blockquote",
    b"body",
    b"dd",
    b"details",
    b"div",
    b"dl",
    b"dt",
    b"fieldset",
    b"figcaption",
    b"figure",
    b"footer",
    b"form",
    b"header",
    b"hr",
    b"li",
    b"main",
    b"ol",
    b"p",
    b"section",
    b"summary",
    b"table",
    b"tbody",
    b"thead",
    b"tr",
    b"ul",
];

/// Cuts a document.
pub(super) fn split(document: &str) -> Vec<Section> {
    let mut emitter = DefaultEmitter::<usize>::new_with_span();
    emitter.naively_switch_states(true);
    let mut reader = Reader::new(document);
    for token in Tokenizer::new_with_emitter(document, emitter) {
        // Reading a text in memory does not fail.
        let Ok(token) = token;
        match token {
            Token::StartTag(tag) if !tag.self_closing || !is(SILENT, &tag.name) => {
                reader.open(&tag.name, tag.span.start);
            }
            Token::EndTag(tag) => reader.close(&tag.name),
            Token::String(Spanned { value, span }) => reader.text(&value, span.start),
            Token::StartTag(_) | Token::Comment(_) | Token::Doctype(_) | Token::Error(_) => {}
        }
    }
    reader.finish()
}

fn is(names: &[&[u8]], name: &[u8]) -> bool {
    names.contains(&name)
}

/// The level of a heading, 1 to 6.
fn heading(name: &[u8]) -> Option<usize> {
    match name {
        [b'h', digit @ b'1'..=b'6'] => Some(usize::from(digit - b'0')),
        _ => None,
    }
}

struct Reader<'d> {
    document: &'d str,
    splitter: Splitter,
    /// The element being passed over, and how many of its kind are open.
    silent: Option<(Vec<u8>, u32)>,
    /// Text that belongs together, and the line where it began.
    run: String,
    run_line: u32,
    /// The heading being read.
    heading: Option<usize>,
    /// Whether white space means what it shows.
    preformatted: bool,
    /// How far lines were counted, and how many there were.
    counted: (usize, u32),
}

impl<'d> Reader<'d> {
    fn new(document: &'d str) -> Self {
        Self {
            document,
            splitter: Splitter::of_plain_text(),
            silent: None,
            run: String::new(),
            run_line: 1,
            heading: None,
            preformatted: false,
            counted: (0, 1),
        }
    }

    fn open(&mut self, name: &[u8], at: usize) {
        if let Some((silent, depth)) = &mut self.silent {
            *depth += u32::from(silent.as_slice() == name);
            return;
        }
        if is(SILENT, name) {
            self.silent = Some((name.to_vec(), 1));
        } else if let Some(level) = heading(name) {
            self.end_block();
            self.heading = Some(level);
        } else if name == b"li" {
            self.end_block();
            self.splitter.begin_item();
        } else if name == b"pre" {
            self.end_block();
            self.preformatted = true;
        } else if name == b"br" {
            self.break_line(at);
        } else if name == b"td" || name == b"th" {
            if !self.run.trim().is_empty() {
                self.run.push_str("; ");
            }
        } else if is(BLOCKS, name) {
            self.end_block();
        }
    }

    fn close(&mut self, name: &[u8]) {
        if let Some((silent, depth)) = &mut self.silent {
            if silent.as_slice() == name {
                *depth -= 1;
                if *depth == 0 {
                    self.silent = None;
                }
            }
            return;
        }
        if heading(name).is_some() {
            self.end_block();
        } else if name == b"pre" {
            self.end_code();
        } else if matches!(name, b"li" | b"ul" | b"ol") {
            self.end_block();
            self.splitter.end_item();
        } else if is(BLOCKS, name) {
            self.end_block();
        }
    }

    fn text(&mut self, value: &[u8], at: usize) {
        if self.silent.is_some() {
            return;
        }
        if self.run.trim().is_empty() {
            self.run.clear();
            let blank = value.iter().take_while(|b| b.is_ascii_whitespace()).count();
            self.run_line = self.line(at + blank);
        }
        self.run.push_str(&String::from_utf8_lossy(value));
    }

    /// A line break within a block: what follows is another sentence.
    fn break_line(&mut self, at: usize) {
        if self.preformatted {
            self.run.push('\n');
            return;
        }
        let text = std::mem::take(&mut self.run);
        if !text.trim().is_empty() {
            self.splitter.take_text(&text, self.run_line, false);
        }
        self.run_line = self.line(at);
    }

    fn end_block(&mut self) {
        let text = std::mem::take(&mut self.run);
        if let Some(level) = self.heading.take() {
            self.splitter.open_heading(level, &text);
            return;
        }
        if !text.trim().is_empty() {
            self.splitter.take_text(&text, self.run_line, false);
        }
        self.splitter.close_block();
    }

    fn end_code(&mut self) {
        let code = std::mem::take(&mut self.run);
        self.preformatted = false;
        if !code.trim().is_empty() {
            self.splitter.add_code(code.trim_matches('\n'), self.run_line);
        }
    }

    /// The line of a place, counted from 1. Places come in their order.
    fn line(&mut self, at: usize) -> u32 {
        let (from, lines) = self.counted;
        let between = self.document.as_bytes().get(from..at).unwrap_or_default();
        let more = between.iter().filter(|&&byte| byte == b'\n').count();
        let lines = lines.saturating_add(u32::try_from(more).unwrap_or(u32::MAX));
        self.counted = (from.max(at), lines);
        lines
    }

    fn finish(mut self) -> Vec<Section> {
        self.end_block();
        self.splitter.finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn statements(html: &str) -> Vec<String> {
        split(html).into_iter().flat_map(|s| s.statements).map(|s| s.text).collect()
    }

    #[test]
    fn text_stands_under_its_headings_with_its_line() {
        let page = "<!doctype html>\n<title>Rules</title>\n<h1>Leave</h1>\n<p>Staff get days \
                    off.\n<h2>Parental <em>leave</em></h2>\n<p>Each parent gets <b>26 weeks</b> of \
                    leave &amp; pay.</p>";
        let sections = split(page);
        let last = sections.last().unwrap();
        assert_eq!(last.headings, ["Leave", "Parental leave"]);
        assert_eq!(last.statements[0].text, "Each parent gets 26 weeks of leave & pay.");
        assert_eq!(last.statements[0].line, 6);
        assert_eq!(sections[0].statements[0].text, "Staff get days off.");
    }

    #[test]
    fn scripts_styles_and_navigation_say_nothing() {
        let page = "<nav><a href=x>Home page here.</a></nav><script>if (a<b) alert('Secret \
                    words.')</script><style>p{color:red}</style><p>Seen by all.</p><template><p>Not \
                    seen.</p></template><!-- Never. -->";
        assert_eq!(statements(page), ["Seen by all."]);
    }

    #[test]
    fn lists_tables_breaks_and_code_are_kept_apart() {
        let page = "<p>Bring:</p><ul><li>a coat<li>a hat</ul><table><tr><td>Price<td>5 euros</tr>\
                    </table><p>One.<br>Two.</p><p>Run this:</p><pre>cargo\n  run</pre>";
        let found = statements(page);
        assert!(found.contains(&"Bring: a coat; a hat.".to_owned()), "{found:?}");
        assert!(found.contains(&"Price; 5 euros".to_owned()), "{found:?}");
        assert!(found.contains(&"One.".to_owned()) && found.contains(&"Two.".to_owned()));
        let code: String =
            split(page).into_iter().flat_map(|s| s.statements).map(|s| s.code).collect();
        assert!(code.contains("cargo\n  run"), "{code:?}");
    }

    #[test]
    fn nesting_without_end_costs_no_stack() {
        let deep = format!("{}Deep down.", "<div><b>".repeat(200_000));
        assert_eq!(statements(&deep), ["Deep down."]);
        let unclosed = format!("<p>Before.</p><script>{}", "<script>".repeat(100_000));
        assert_eq!(statements(&unclosed), ["Before."]);
    }

    proptest! {
        #[test]
        fn any_text_can_be_read(page in "(<[a-z/!]{0,6}>?|\\PC{0,8}){0,30}") {
            let _ = split(&page);
        }

        #[test]
        fn plain_words_come_through(words in "[a-z]{1,8}( [a-z]{1,8}){0,6}") {
            prop_assert_eq!(statements(&format!("<div><p>{words}.</div>")), [format!("{words}.")]);
        }
    }
}
