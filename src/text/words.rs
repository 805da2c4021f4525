//! Words and the normal forms in which texts are compared. Every request comes through here many
//! times, so that an ASCII text takes the short way, and words are copied only for who keeps them.

use std::borrow::Cow;

use super::signs::{MOST_MARKS, follows_operand};

/// Lower case, with typographic quotes, dashes and spaces in their plain form. Keeps the number of
/// lines, so that positions stay meaningful to people.
#[must_use]
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let mut folded = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if c.is_ascii() => folded.push(c.to_ascii_lowercase()),
            '\u{2018}' | '\u{2019}' | '\u{201B}' | '\u{2032}' => folded.push('\''),
            '\u{201C}' | '\u{201D}' | '\u{2033}' => folded.push('"'),
            '\u{2010}'..='\u{2015}' | '\u{2212}' => folded.push('-'),
            '\u{00A0}' | '\u{2000}'..='\u{200A}' | '\u{202F}' | '\u{3000}' => folded.push(' '),
            '\u{200B}'..='\u{200D}' | '\u{FEFF}' => {}
            // Full-width forms, as typed on CJK keyboards.
            '\u{FF01}'..='\u{FF5E}' => {
                let plain = char::from_u32(c as u32 - 0xFEE0).unwrap_or(c);
                folded.extend(plain.to_lowercase());
            }
            _ => folded.extend(c.to_lowercase()),
        }
    }
    folded
}

/// The key under which a question is remembered exactly: folded, white space collapsed, closing
/// punctuation dropped. Nothing that can carry meaning (signs, digits, inner punctuation, the mark of
/// a factorial) is lost.
#[must_use]
pub fn normal_key(text: &str) -> String {
    let mut key = fold(text);
    if !is_collapsed(&key) {
        let parts: Vec<&str> = key.split_whitespace().collect();
        key = parts.join(" ");
    }
    while let Some(last) = key.chars().next_back() {
        let closes = match last {
            '?' | '.' | ' ' => true,
            '!' => !is_factorial(&key),
            _ => false,
        };
        if !closes {
            break;
        }
        key.truncate(key.len() - last.len_utf8());
    }
    key
}

/// Whether the mark at the end of a text makes a factorial of what is before it.
fn is_factorial(text: &str) -> bool {
    let before = text.strip_suffix('!').unwrap_or(text);
    // What stands before a mark is told by a few characters.
    let from = before.char_indices().rev().nth(MOST_MARKS).map_or(0, |(at, _)| at);
    let end: Vec<char> = before.get(from..).unwrap_or(before).chars().collect();
    follows_operand(&end)
}

/// Whether a text is plain ASCII whose white space is single blanks, none of them at its beginning.
fn is_collapsed(text: &str) -> bool {
    let mut before = b' ';
    text.bytes().all(|byte| {
        let kept = byte.is_ascii() && (!is_ascii_space(&byte) || (byte == b' ' && before != b' '));
        before = byte;
        kept
    })
}

/// White space among the bytes of ASCII, as `char::is_whitespace` tells it.
const fn is_ascii_space(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// The words of a text, folded: runs of letters and digits, with inner apostrophes, points and
/// commas between digits kept (`don't`, `3.5`, `1,000`).
#[must_use]
pub fn words(text: &str) -> Vec<String> {
    words_of_folded(&fold(text)).map(str::to_owned).collect()
}

/// The words of a text as they are written, not folded: for who looks at capitals.
pub fn words_of(text: &str) -> impl Iterator<Item = &str> {
    words_of_folded(text)
}

/// The words of a text that is folded already, as [`words`] gives them, without copying any.
pub fn words_of_folded(folded: &str) -> impl Iterator<Item = &str> {
    let ascii = folded.is_ascii();
    let mut at = 0;
    std::iter::from_fn(move || {
        let (from, to) = if ascii { ascii_word(folded, at) } else { any_word(folded, at) }?;
        at = to;
        folded.get(from..to)
    })
}

/// Where the next word from `at` on begins and ends, in a text that is plain ASCII.
fn ascii_word(folded: &str, at: usize) -> Option<(usize, usize)> {
    let bytes = folded.as_bytes();
    let from = at + bytes.get(at..)?.iter().position(u8::is_ascii_alphanumeric)?;
    let mut to = from + 1;
    while let Some(&c) = bytes.get(to) {
        if !c.is_ascii_alphanumeric() {
            let (Some(before), Some(after)) = (bytes.get(to - 1), bytes.get(to + 1)) else { break };
            let joins = match c {
                b'\'' => before.is_ascii_alphabetic() && after.is_ascii_alphabetic(),
                b'.' | b',' => before.is_ascii_digit() && after.is_ascii_digit(),
                _ => false,
            };
            if !joins {
                break;
            }
        }
        to += 1;
    }
    Some((from, to))
}

/// The same in any text. A word begins only with a letter or digit, so that what stands before
/// `at`, which ends a word or begins the text, never matters.
fn any_word(folded: &str, at: usize) -> Option<(usize, usize)> {
    let rest = folded.get(at..)?;
    let from = at + rest.find(char::is_alphanumeric)?;
    let mut chars = folded.get(from..)?.char_indices().peekable();
    let mut before: Option<char> = None;
    while let Some((offset, c)) = chars.next() {
        let after = chars.peek().map(|&(_, after)| after);
        let joins = match (before, c, after) {
            (Some(b), '\'', Some(a)) => b.is_alphabetic() && a.is_alphabetic(),
            (Some(b), '.' | ',', Some(a)) => b.is_ascii_digit() && a.is_ascii_digit(),
            _ => false,
        };
        if !c.is_alphanumeric() && !joins {
            return Some((from, from + offset));
        }
        before = Some(c);
    }
    Some((from, folded.len()))
}

/// Whether a text has this many words between white space, read no further than needed.
#[must_use]
pub fn has_words(text: &str, least: usize) -> bool {
    if !text.is_ascii() {
        return least == 0 || text.split_whitespace().nth(least - 1).is_some();
    }
    let (mut found, mut in_word) = (0, false);
    for byte in text.bytes() {
        if found >= least {
            return true;
        }
        let space = is_ascii_space(&byte);
        found += usize::from(!space && !in_word);
        in_word = !space;
    }
    found >= least
}

/// The words that carry the topic, stemmed: stop words dropped, in order, repeats kept.
#[must_use]
pub fn content_words(text: &str) -> Vec<String> {
    content_words_of_folded(&fold(text)).map(Cow::into_owned).collect()
}

/// The same of a text that is folded already; copies only what the stem does not share.
pub fn content_words_of_folded(folded: &str) -> impl Iterator<Item = Cow<'_, str>> {
    words_of_folded(folded).filter(|word| !is_stop_word(word)).map(stem_of)
}

/// Whether a folded word says nothing of the topic. Negations and comparatives are not among
/// them: they turn answers around.
#[must_use]
pub fn is_stop_word(word: &str) -> bool {
    word.len() <= LONGEST_STOP_WORD && STOP_KEYS.binary_search(&short_key(word)).is_ok()
}

/// A light suffix stripper for English: enough that `strategies` meets `strategy` and `routed`
/// meets `routes`. Leaves short words and words with digits alone.
#[must_use]
pub fn stem(word: &str) -> String {
    stem_of(word).into_owned()
}

/// [`stem`], which is mostly a part of the word itself.
#[must_use]
pub fn stem_of(word: &str) -> Cow<'_, str> {
    if word.len() < 4 || word.bytes().any(|b| b.is_ascii_digit() || !b.is_ascii()) {
        return Cow::Borrowed(word);
    }
    let word = word.strip_suffix("'s").unwrap_or(word);
    let cut = |suffix: &str, keep: usize| word.strip_suffix(suffix).filter(|s| s.len() >= keep);
    if let Some(s) = cut("ies", 2) {
        return Cow::Owned(format!("{s}y"));
    }
    if cut("sses", 2).is_some() {
        return Cow::Borrowed(&word[..word.len() - 2]);
    }
    let base = if word.ends_with("ss") || word.ends_with("us") || word.ends_with("is") {
        word
    } else {
        cut("s", 3).unwrap_or(word)
    };
    let base = ["ing", "ed"]
        .iter()
        .find_map(|suffix| base.strip_suffix(suffix).filter(|s| s.len() >= 3 && has_vowel(s)))
        .map_or(base, undouble);
    Cow::Borrowed(base.strip_suffix('e').filter(|s| s.len() >= 3).unwrap_or(base))
}

fn has_vowel(text: &str) -> bool {
    text.bytes().any(|b| b"aeiouy".contains(&b))
}

/// `stopp` → `stop`; `fall`, `pass`, `buzz` stay.
fn undouble(base: &str) -> &str {
    let bytes = base.as_bytes();
    match bytes {
        [.., a, b] if a == b && !b"lsz".contains(b) && a.is_ascii_alphabetic() => {
            &base[..base.len() - 1]
        }
        _ => base,
    }
}

const LONGEST_STOP_WORD: usize = 6;

/// A word of at most eight bytes as a number; numbers are ordered as their words are.
const fn short_key(word: &str) -> u64 {
    let bytes = word.as_bytes();
    let (mut key, mut at) = (0, 0);
    while at < 8 {
        key = key << 8 | if at < bytes.len() { bytes[at] as u64 } else { 0 };
        at += 1;
    }
    key
}

/// The stop words as numbers: a search among these compares no texts.
const STOP_KEYS: [u64; STOP_WORDS.len()] = {
    let mut keys = [0; STOP_WORDS.len()];
    let mut at = 0;
    while at < keys.len() {
        keys[at] = short_key(STOP_WORDS[at]);
        at += 1;
    }
    keys
};
/// Sorted, for binary search.
const STOP_WORDS: &[&str] = &[
    "a", "about", "am", "an", "and", "any", "are", "as", "at", "be", "been", "being", "but", "by",
    "can", "could", "did", "do", "does", "doing", "for", "from", "had", "has", "have", "having",
    "he", "her", "here", "him", "his", "how", "i", "i'm", "if", "in", "into", "is", "it", "it's",
    "its", "just", "let", "may", "me", "might", "my", "of", "on", "or", "our", "please", "shall",
    "she", "should", "so", "some", "such", "tell", "than", "that", "the", "their", "them", "then",
    "there", "these", "they", "this", "those", "to", "us", "was", "we", "were", "what", "what's",
    "when", "where", "which", "who", "whom", "whose", "why", "will", "with", "would", "you",
    "your",
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn stop_words_are_sorted_so_that_the_search_finds_them() {
        assert!(STOP_WORDS.is_sorted());
        assert_eq!(STOP_WORDS.iter().map(|word| word.len()).max(), Some(LONGEST_STOP_WORD));
        assert!(STOP_WORDS.iter().all(|word| is_stop_word(word)));
        for word in ["", "abouts", "yours", "strategies", "wha", "whats", "äb"] {
            assert!(!is_stop_word(word), "{word}");
        }
    }

    #[test]
    fn negations_are_never_stop_words() {
        for word in ["not", "no", "never", "without", "isn't", "more", "less", "before", "after"] {
            assert!(!is_stop_word(word), "{word}");
        }
    }

    #[test]
    fn words_keep_what_belongs_together() {
        assert_eq!(words("Don’t pay 1,000.50, ok?"), ["don't", "pay", "1,000.50", "ok"]);
    }

    #[test]
    fn keys_differ_where_meaning_could() {
        assert_eq!(normal_key("  What IS\tthis? "), normal_key("what is this"));
        assert_ne!(normal_key("is 5 > 3"), normal_key("is 5 < 3"));
        assert_ne!(normal_key("what is -5"), normal_key("what is 5"));
        for operand in ["5", "n", "(n + 1)", "5 "] {
            let key = |marks: &str| normal_key(&format!("what is {operand}{marks}"));
            assert_ne!(key("!"), key(""), "{operand}");
            assert_ne!(key("!!"), key("!"), "{operand}");
            assert_eq!(key("!?"), key("!"), "{operand}");
            assert_eq!(key("?!"), key(""), "{operand}");
        }
        assert_eq!(normal_key("What a lake!!"), normal_key("what a lake"));
        for mark in ["%", "'", "*"] {
            assert_ne!(normal_key(&format!("what is f{mark}")), normal_key("what is f"));
        }
    }

    #[test]
    fn inflections_meet() {
        for (a, b) in [
            ("strategies", "strategy"),
            ("routed", "routes"),
            ("stopping", "stop"),
            ("answers", "answered"),
            ("cached", "cache"),
        ] {
            assert_eq!(stem(a), stem(b), "{a} and {b}");
        }
        assert_eq!(stem("status"), "status");
    }

    proptest! {
        #[test]
        fn normalising_twice_changes_nothing(text in "\\PC{0,80}") {
            let once = normal_key(&text);
            prop_assert_eq!(normal_key(&once), once);
        }

        #[test]
        fn folding_twice_changes_nothing(text in "\\PC{0,80}") {
            let once = fold(&text);
            prop_assert_eq!(fold(&once), once);
        }

        #[test]
        fn the_short_way_of_ascii_is_no_other_way(text in "[ -~\n\t]{0,80}") {
            // One letter outside of ASCII, which is a word by itself, sends it the long way.
            let long = format!("{text} é");
            let mut found = words(&text);
            prop_assert_eq!(fold(&long), format!("{} é", fold(&text)));
            found.push("é".to_owned());
            prop_assert_eq!(words(&long), found);
        }

        #[test]
        fn words_are_counted_as_the_standard_library_parts_them(
            text in "[ a-c\t\n\u{b}\u{1c}é]{0,20}", least in 0usize..6,
        ) {
            prop_assert_eq!(has_words(&text, least), text.split_whitespace().count() >= least);
        }

        #[test]
        fn keys_are_the_words_between_white_space(text in "[ a-c?.\t\n\u{b}\u{1c}é]{0,20}") {
            let joined = fold(&text).split_whitespace().collect::<Vec<_>>().join(" ");
            prop_assert_eq!(normal_key(&text), joined.trim_end_matches(['?', '.', '!', ' ']));
        }

        #[test]
        fn stemming_never_panics_nor_grows(word in "\\PC{0,20}") {
            prop_assert!(stem(&word).len() <= word.len());
        }
    }
}
