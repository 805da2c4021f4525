//! Questions that only their asker, or what was said before, gives a meaning to.

use crate::text::is_stop_word;

/// What one says of oneself with: whoever asks next is another.
const BEING: &[&str] = &["am", "was", "weigh", "earn", "live", "feel"];
/// After these the speaker stands for anybody: "what to do if I am bitten by a dog".
const SUPPOSING: &[&str] = &[
    "if", "when", "whenever", "while", "once", "after", "before", "until", "where", "that",
    "unless",
];

/// Before these the speaker asks for anybody.
const ASKING: &[&str] = &[
    "can", "could", "did", "do", "does", "may", "might", "must", "shall", "should", "will", "would",
];

/// Commands and remarks that say nothing of a topic.
const DISCOURSE: &[&str] = &[
    "again",
    "ahead",
    "another",
    "continue",
    "correct",
    "detail",
    "details",
    "different",
    "elaborate",
    "else",
    "example",
    "examples",
    "exactly",
    "explain",
    "expand",
    "further",
    "go",
    "good",
    "great",
    "longer",
    "mean",
    "meant",
    "more",
    "next",
    "no",
    "not",
    "ok",
    "okay",
    "other",
    "proceed",
    "really",
    "redo",
    "repeat",
    "rephrase",
    "resume",
    "retry",
    "rewrite",
    "right",
    "same",
    "say",
    "shorten",
    "shorter",
    "simpler",
    "simplify",
    "sure",
    "summarise",
    "summarize",
    "thank",
    "thanks",
    "translate",
    "true",
    "try",
    "work",
    "wrong",
    "yes",
];
/// Words that point at something said before.
const POINTING: &[&str] = &["it", "that", "these", "this", "those", "them"];
/// Persons that somebody must have been named for.
const PERSONS: &[&str] = &["he", "her", "hers", "him", "his", "she"];

/// Whether the words say something of their asker that the answer rests on.
pub(super) fn speaks_of_its_asker(words: &[&str]) -> bool {
    words.windows(2).enumerate().any(|(at, pair)| match pair {
        ["am", "i"] => true,
        ["i", verb] if BEING.contains(verb) => {
            let before = at.checked_sub(1).and_then(|at| words.get(at));
            // "How can I live on little" asks for anybody.
            before.is_none_or(|word| !SUPPOSING.contains(word) && !ASKING.contains(word))
        }
        _ => false,
    })
}

/// Whether the words mean nothing without what was said before them. `stands_alone`: the text
/// brings along what it speaks of, in quotes, after a colon or on a line of its own.
pub(super) fn points_elsewhere(words: &[&str], stands_alone: bool) -> bool {
    if stands_alone {
        return false;
    }
    let is_empty = |word: &&str| is_stop_word(word) || DISCOURSE.contains(word);
    // "Why", "go on", "what does that mean", and not "what is the mean".
    let named = words.iter().any(|word| matches!(*word, "a" | "an" | "the"));
    let points = words.iter().any(|word| POINTING.contains(word));
    if words.iter().all(is_empty) && (points || !named) {
        return true;
    }
    // "Which of these is best".
    if words.windows(2).any(|pair| matches!(pair, ["of", "these" | "those" | "them"])) {
        return words.iter().take_while(|word| **word != "of").all(is_empty);
    }
    // "Translate it", "fix this in French".
    let commanded = match words {
        [verb, object, rest @ ..] => {
            !is_stop_word(verb)
                && POINTING.contains(object)
                && rest.first().is_none_or(|word| {
                    matches!(
                        *word,
                        "to" | "in" | "into" | "for" | "with" | "as" | "please" | "again"
                    )
                })
        }
        _ => false,
    };
    // "When did he die": nobody was named before.
    let unnamed = words
        .iter()
        .position(|word| PERSONS.contains(word))
        .is_some_and(|at| words.iter().take(at).all(is_empty));
    commanded || unnamed
}
