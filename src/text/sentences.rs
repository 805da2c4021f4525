//! Sentences of running text.

/// One sentence and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sentence<'a> {
    /// The sentence, trimmed.
    pub text: &'a str,
    /// Byte offset of its first character.
    pub start: usize,
}

/// Abbreviations after which a full stop ends no sentence.
const ABBREVIATIONS: &[&str] =
    &["e.g", "i.e", "etc", "vs", "mr", "mrs", "ms", "dr", "st", "no", "fig", "approx", "cf", "al"];

/// Splits running text at `.`, `!`, `?` followed by white space, and at blank lines. Decimal
/// points, file names and common abbreviations do not split.
#[must_use]
pub fn sentences(text: &str) -> Vec<Sentence<'_>> {
    let mut found = Vec::new();
    let mut start = 0;
    for (at, byte) in text.bytes().enumerate() {
        let length = match byte {
            b'.' | b'!' | b'?' | b'\n' | b'"' | b')' => 1,
            0xE2 if text[at..].starts_with(CLOSING_QUOTE) => CLOSING_QUOTE.len_utf8(),
            _ => continue,
        };
        let end = at + length;
        let at_end = || text[end..].chars().next().is_none_or(char::is_whitespace);
        let before = at.checked_sub(1).and_then(|at| text.as_bytes().get(at));
        let closes = match byte {
            b'.' => at_end() && !ends_in_abbreviation(&text[start..at]),
            b'!' | b'?' => at_end(),
            b'\n' => before == Some(&b'\n'),
            // A closing quote or bracket belongs to the sentence that it closes.
            _ => matches!(before, Some(b'.' | b'!' | b'?')) && at_end(),
        };
        if closes {
            push(&mut found, text, start, end);
            start = end;
        }
    }
    push(&mut found, text, start, text.len());
    found
}

const CLOSING_QUOTE: char = '\u{201D}';

fn push<'a>(found: &mut Vec<Sentence<'a>>, text: &'a str, start: usize, end: usize) {
    let raw = &text[start..end];
    let trimmed = raw.trim();
    if trimmed.chars().any(char::is_alphanumeric) {
        let lead = raw.len() - raw.trim_start().len();
        found.push(Sentence { text: trimmed, start: start + lead });
    }
}

fn ends_in_abbreviation(before: &str) -> bool {
    let last = before.rsplit(char::is_whitespace).next().unwrap_or_default();
    let last = last.trim_start_matches(['(', '"', '\'', '*', '_']);
    ABBREVIATIONS.iter().any(|known| known.eq_ignore_ascii_case(last))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts(text: &str) -> Vec<&str> {
        sentences(text).into_iter().map(|s| s.text).collect()
    }

    #[test]
    fn numbers_and_abbreviations_do_not_split() {
        assert_eq!(
            texts("It costs 3.50, e.g. today. Really? Yes!"),
            ["It costs 3.50, e.g. today.", "Really?", "Yes!"]
        );
    }

    #[test]
    fn a_blank_line_ends_a_sentence() {
        assert_eq!(
            texts("A heading\n\nA line\nthat goes on."),
            ["A heading", "A line\nthat goes on."]
        );
    }

    proptest! {
        #[test]
        fn sentences_stand_where_they_say(text in "\\PC{0,120}") {
            for s in sentences(&text) {
                prop_assert!(text[s.start..].starts_with(s.text));
            }
        }
    }
}
