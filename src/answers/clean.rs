//! What is taken off a text before it is read: end tokens, LaTeX and Markdown dress.

use std::{borrow::Cow, sync::LazyLock};

use regex::Regex;

/// Compiles a pattern of this room.
#[expect(clippy::expect_used, reason = "the patterns are constants, and tests run all of them")]
pub(super) fn pattern(source: &str) -> Regex {
    Regex::new(source).expect("a constant pattern compiles")
}

static END_TOKENS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)</?s>|<\|[a-z_]{1,24}\|>|<｜[^｜>]{1,40}｜>|<(?:end_of_turn|start_of_turn|eos|bos|pad)>|\[/?INST\]",
    )
});
static FRACTION: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\\[dtc]?frac\s*\{\s*(-?[\d.,]+)\s*\}\s*\{\s*([\d.,]+)\s*\}|\\[dtc]?frac\s*(\d)\s*(\d)",
    )
});
static WORDS_IN_MATHS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"\\(?:text|mathrm|mathbf|textbf|operatorname|mbox)\s*\{([^{}]{0,200})\}")
});
static MATHS_DRESS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"\\[()\[\]]|\\[,;:! ]|\\(?:left|right|quad|qquad|displaystyle)\b|\\(?:\s|$)")
});

/// Without end tokens, and without the thoughts that a reasoning model puts before its answer.
pub(super) fn without_tokens(text: &str) -> Cow<'_, str> {
    // Each of them has one of these signs.
    if !text.bytes().any(|b| matches!(b, b'<' | b'[')) {
        return Cow::Borrowed(text);
    }
    let spoken = ["</think>", "</thinking>"]
        .iter()
        .filter_map(|close| text.rfind(close).map(|at| at + close.len()))
        .max()
        .map_or(text, |from| &text[from..]);
    END_TOKENS.replace_all(spoken, " ")
}

/// LaTeX in plain signs: `\frac{5}{2}` → `5/2`, `\times` → `×`, `\$` → `$`, `1{,}234` → `1,234`.
pub(crate) fn plain_maths(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') && !text.contains("{,}") {
        return Cow::Borrowed(text);
    }
    let text = FRACTION.replace_all(text, "$1$3/$2$4");
    let text = WORDS_IN_MATHS.replace_all(&text, "$1");
    let text = MATHS_DRESS.replace_all(&text, "");
    let mut plain = text.into_owned();
    for (dressed, bare) in [
        ("{,}", ","),
        ("\\$", "$"),
        ("\\%", "%"),
        ("\\times", "×"),
        ("\\cdot", "×"),
        ("\\div", "÷"),
        ("\\approx", "≈"),
        ("\\#", "#"),
        ("\\_", "_"),
    ] {
        if plain.contains(dressed) {
            plain = plain.replace(dressed, bare);
        }
    }
    Cow::Owned(plain)
}

/// Takes quotes, emphasis and closing punctuation off the ends of a short answer.
pub(super) fn undress(text: &str) -> &str {
    let mut bare = text.trim();
    loop {
        let before = bare;
        bare = bare
            .trim_start_matches(['*', '`', '"', '\u{201C}', '\u{201D}', '_', ' ', '\n', '\t', '\r'])
            .trim_end_matches(['*', '`', '"', '\u{201C}', '\u{201D}', '_', ' ', '\n', '\t', '\r']);
        bare = bare.strip_suffix(['.', '!', ';', ',', ':']).unwrap_or(bare);
        for mark in ['\'', '$'] {
            bare =
                bare.strip_prefix(mark).and_then(|inner| inner.strip_suffix(mark)).unwrap_or(bare);
        }
        if bare == before {
            return bare;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latex_becomes_plain() {
        assert_eq!(plain_maths(r"\(\frac{5}{2} \times 4\)"), "5/2 × 4");
        assert_eq!(plain_maths(r"\$1{,}234\text{ dollars}"), "$1,234 dollars");
        assert_eq!(plain_maths(r"\dfrac12"), "1/2");
    }

    #[test]
    fn end_tokens_and_thoughts_fall_away() {
        let text = "<think>maybe 3?</think>18</s></s><|im_end|>";
        assert_eq!(without_tokens(text).trim(), "18");
    }

    #[test]
    fn dress_falls_off_but_brackets_that_are_the_answer_stay() {
        assert_eq!(undress(" **\"18 eggs\".** "), "18 eggs");
        assert_eq!(undress(") }."), ") }");
        assert_eq!(undress("'yes'"), "yes");
        assert_eq!(undress("$18$"), "18");
        assert_eq!(undress("$18"), "$18");
    }
}
