//! Where a text behind a colon may end, and what was asked go on: "reverse: olleh and then uppercase
//! it" is no text of five words. Nobody can tell where no mark does, so that solvers are silent.

use crate::text::fold;

/// Words that ask for something to be done, and could stand in no text just as well.
const DOING: &[&str] = &[
    "add",
    "append",
    "capitalise",
    "capitalize",
    "change",
    "concatenate",
    "convert",
    "count",
    "delete",
    "divide",
    "double",
    "explain",
    "filter",
    "format",
    "give",
    "join",
    "keep",
    "list",
    "lowercase",
    "make",
    "multiply",
    "omit",
    "output",
    "print",
    "prefix",
    "put",
    "randomize",
    "remove",
    "repeat",
    "replace",
    "return",
    "reverse",
    "say",
    "show",
    "shuffle",
    "skip",
    "sort",
    "spell",
    "split",
    "strip",
    "subtract",
    "tell",
    "translate",
    "trim",
    "turn",
    "uppercase",
    "write",
];

/// Words behind which something is done more than once, or in another order.
const LAST: &[&str] = &[
    "again",
    "alphabetically",
    "ascending",
    "backward",
    "backwards",
    "descending",
    "only",
    "please",
    "pls",
    "reversed",
    "squared",
    "thank",
    "thanks",
    "thrice",
    "times",
    "twice",
    "you",
];

/// Words that leave something out, or bring something in.
const LIMITING: &[&str] = &["except", "excluding", "ignoring", "including", "unless", "using"];

/// Words that join a second request to a first, and stand in many a text, too: they count where the
/// words behind them speak of doing something or of texts.
const JOINTS: &[&str] = &[
    "after",
    "afterwards",
    "as",
    "before",
    "but",
    "first",
    "if",
    "into",
    "then",
    "with",
    "without",
];

/// What is done something with.
const TEXTUAL: &[&str] = &[
    "capital",
    "capitals",
    "case",
    "character",
    "characters",
    "digit",
    "digits",
    "duplicate",
    "duplicates",
    "first",
    "integers",
    "last",
    "letter",
    "letters",
    "number",
    "numbers",
    "order",
    "punctuation",
    "space",
    "spaces",
    "string",
    "strings",
    "text",
    "vowel",
    "vowels",
    "word",
    "words",
    "it",
    "them",
];

/// Words behind a joint among which that is looked for.
const REACH: usize = 4;

/// What a text may be put into.
const INTO: &[&str] = &[
    "alphabetical",
    "ascending",
    "binary",
    "capital",
    "capitals",
    "caps",
    "descending",
    "english",
    "french",
    "german",
    "italian",
    "japanese",
    "latin",
    "lower",
    "lowercase",
    "morse",
    "order",
    "pig",
    "portuguese",
    "reverse",
    "reversed",
    "spanish",
    "title",
    "upper",
    "uppercase",
];

/// Whether an unquoted text may have something behind it that belongs to the question.
pub(super) fn may_go_on(text: &str) -> bool {
    let folded = fold(text);
    let words: Vec<&str> = folded
        .split(|c: char| !(c.is_alphanumeric() || c == '\''))
        .filter(|w| !w.is_empty())
        .collect();
    let is = |list: &[&str], word: &&str| list.contains(word);
    // The first word is the text's own: "reverse: then".
    let behind = words.get(1..).unwrap_or_default();
    behind.last().is_some_and(|word| is(LAST, word))
        || behind.iter().any(|word| is(LIMITING, word))
        || behind.iter().enumerate().any(|(at, word)| {
            let next = || behind.iter().skip(at + 1).take(REACH);
            is(JOINTS, word) && next().any(|word| is(DOING, word) || is(TEXTUAL, word))
        })
        || behind.ends_with(&["for", "me"])
        || words.windows(2).any(|pair| match pair {
            ["and" | "also" | "or" | "now", next] => is(DOING, next),
            ["in" | "to", next] => is(INTO, next),
            _ => false,
        })
        || parts(&folded).skip(1).any(|part| {
            let mut words = part.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty());
            words.next().is_some_and(|word| is(DOING, &word)) && words.next().is_some()
        })
}

/// What stands between marks that may part a text from a second request.
fn parts(folded: &str) -> impl Iterator<Item = &str> {
    folded.split(['.', ';', ',', '\n', '!', '?', '(']).filter(|part| !part.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_request_behind_a_text_is_seen() {
        for text in [
            "olleh and then uppercase it",
            "olleh, then uppercase it",
            "olleh then count the letters",
            "olleh and uppercase it",
            "hello twice",
            "hello three times",
            "hello without the vowels",
            "hello in French",
            "hello in upper case",
            "hello backwards",
            "hello, but keep the first letter",
            "hello. Count the letters",
            "hello; translate it",
            "hello (ignoring the vowels)",
            "hello please",
            "hello for me",
            "good morning to uppercase",
        ] {
            assert!(may_go_on(text), "{text}");
        }
    }

    #[test]
    fn a_text_alone_is_a_text() {
        for text in [
            "hello",
            "then",
            "the quick brown fox",
            "pear, apple, fig",
            "print",
            "a list of words",
            "Hello, World!",
            "to be or not to be",
            "cats and dogs",
            "I like the red one but not the blue one",
            "after the rain comes the sun",
            "he left before dinner, as always",
        ] {
            assert!(!may_go_on(text), "{text}");
        }
    }
}
