//! Words and the normal forms in which texts are compared. Every request comes through here many
//! times, so that an ASCII text takes the short way, and words are copied only for who keeps them.

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
/// punctuation dropped. Nothing that can carry meaning (signs, digits, inner punctuation) is lost.
#[must_use]
pub fn normal_key(text: &str) -> String {
    let folded = fold(text);
    let collapsed = folded.split_whitespace().collect::<Vec<_>>().join(" ");
    collapsed.trim_end_matches(['?', '.', '!', ' ']).to_owned()
}

/// The words of a text, folded: runs of letters and digits, with inner apostrophes, points and
/// commas between digits kept (`don't`, `3.5`, `1,000`).
#[must_use]
pub fn words(text: &str) -> Vec<String> {
    words_of_folded(&fold(text)).map(str::to_owned).collect()
}

/// The words of a text that is folded already.
pub(super) fn words_of_folded(folded: &str) -> impl Iterator<Item = &str> {
    let mut chars = folded.char_indices().peekable();
    let mut before: Option<char> = None;
    std::iter::from_fn(move || {
        let mut start = None;
        while let Some((at, c)) = chars.next() {
            let after = chars.peek().map(|&(_, after)| after);
            let joins = match (before, c, after) {
                (Some(b), '\'', Some(a)) => b.is_alphabetic() && a.is_alphabetic(),
                (Some(b), '.' | ',', Some(a)) => b.is_ascii_digit() && a.is_ascii_digit(),
                _ => false,
            };
            before = Some(c);
            match start {
                None if c.is_alphanumeric() || joins => start = Some(at),
                Some(from) if !c.is_alphanumeric() && !joins => return folded.get(from..at),
                _ => {}
            }
        }
        start.and_then(|from| folded.get(from..))
    })
}

/// The words that carry the topic, stemmed: stop words dropped, in order, repeats kept.
#[must_use]
pub fn content_words(text: &str) -> Vec<String> {
    words_of_folded(&fold(text)).filter(|w| !is_stop_word(w)).map(stem).collect()
}

/// Whether a folded word says nothing of the topic. Negations and comparatives are not among
/// them: they turn answers around.
#[must_use]
pub fn is_stop_word(word: &str) -> bool {
    word.len() <= LONGEST_STOP_WORD && STOP_WORDS.binary_search(&word).is_ok()
}

/// A light suffix stripper for English: enough that `strategies` meets `strategy` and `routed`
/// meets `routes`. Leaves short words and words with digits alone.
#[must_use]
pub fn stem(word: &str) -> String {
    if word.len() < 4 || !word.is_ascii() || word.bytes().any(|b| b.is_ascii_digit()) {
        return word.to_owned();
    }
    let word = word.strip_suffix("'s").unwrap_or(word);
    let cut = |suffix: &str, keep: usize| word.strip_suffix(suffix).filter(|s| s.len() >= keep);
    if let Some(s) = cut("ies", 2) {
        return format!("{s}y");
    }
    if let Some(s) = cut("sses", 2) {
        return format!("{s}ss");
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
    base.strip_suffix('e').filter(|s| s.len() >= 3).unwrap_or(base).to_owned()
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
        fn stemming_never_panics_nor_grows(word in "\\PC{0,20}") {
            prop_assert!(stem(&word).len() <= word.len());
        }
    }
}
