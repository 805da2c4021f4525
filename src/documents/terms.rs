//! Identifiers in running text: `runtime_first`, `RuntimeFirst` and "runtime first" are one thing.

use crate::text::content_words;

/// The content words of a document's text. An identifier of several parts gives its joined form
/// and, after it, its parts, so that each way of asking for it meets it.
pub(super) fn of_document(text: &str) -> Vec<String> {
    content_words(&rewrite(text, |joined, parts| format!("{joined} {parts}")))
}

/// The content words of a document's text, with identifiers in their joined form only.
pub(super) fn joined(text: &str) -> Vec<String> {
    content_words(&rewrite(text, |joined, _| joined.to_owned()))
}

/// The text with each identifier of several parts spelt out as words.
pub(super) fn spell_out(text: &str) -> String {
    rewrite(text, |_, parts| parts.to_owned())
}

/// The content words of a question. An identifier is asked for in its joined form where that is
/// known, else by its parts.
pub(super) fn of_question(text: &str, known: impl Fn(&str) -> bool) -> Vec<String> {
    content_words(&rewrite(text, |joined, parts| {
        let stem = content_words(joined);
        let found = stem.first().is_some_and(|s| known(s));
        if found { joined.to_owned() } else { parts.to_owned() }
    }))
}

/// Replaces each identifier of several parts by what `write` makes of its joined form and of its
/// parts with spaces between them.
fn rewrite(text: &str, write: impl Fn(&str, &str) -> String) -> String {
    let belongs = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut out = String::with_capacity(text.len() + text.len() / 4);
    let mut rest = text;
    while let Some(start) = rest.find(belongs) {
        let (before, from) = rest.split_at(start);
        let end = from.find(|c| !belongs(c)).unwrap_or(from.len());
        let (name, after) = from.split_at(end);
        out.push_str(before);
        let parts = parts(name);
        if parts.contains(' ') {
            out.push_str(&write(&parts.replace(' ', ""), &parts));
        } else {
            out.push_str(name);
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// `keep_signal` → `keep signal`; `AIFirst` → `AI First`; `OpenAI` → `Open AI`.
fn parts(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    let bytes = name.as_bytes();
    for (i, &b) in bytes.iter().enumerate() {
        let before = i.checked_sub(1).and_then(|j| bytes.get(j)).copied().unwrap_or(b'_');
        let after = bytes.get(i + 1).copied().unwrap_or(b'_');
        let hump = b.is_ascii_uppercase()
            && (before.is_ascii_lowercase()
                || (before.is_ascii_uppercase() && after.is_ascii_lowercase() && i > 1));
        if (hump || b == b'_') && !out.is_empty() && !out.ends_with(' ') {
            out.push(' ');
        }
        if b != b'_' {
            out.push(char::from(b));
        }
    }
    out.truncate(out.trim_end().len());
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn identifiers_meet_however_they_are_written() {
        let document = of_document("RuntimeFirst lets Flux answer.");
        let known = |s: &str| document.iter().any(|w| w == s);
        for asked in ["runtime_first", "RuntimeFirst", "runtimefirst", "runtime first"] {
            assert!(of_question(asked, known).iter().all(|w| known(w)), "{asked}");
        }
        assert_eq!(parts("AIFirst"), "AI First");
        assert_eq!(parts("__init__"), "init");
        assert_eq!(parts("META_ORCHESTRATOR__KEY"), "META ORCHESTRATOR KEY");
        assert_eq!(parts("x"), "x");
    }

    #[test]
    fn plain_words_stay_as_they_are() {
        assert_eq!(of_document("ELP stands for ethos"), ["elp", "stand", "etho"]);
    }

    proptest! {
        #[test]
        fn no_text_is_too_odd(text in "\\PC{0,60}") {
            let _ = of_document(&text);
            let _ = of_question(&text, |_| false);
        }
    }
}
