//! An answer in the midst of a sentence.

use crate::text::{sentences, words};

/// Longest label that is looked for in a sentence, in words. A longer one is a text of its own.
const LONGEST: usize = 8;

/// Words that may turn what a sentence says of a label into its opposite, or leave it open.
const DOUBTFUL: [&str; 14] = [
    "not", "no", "never", "neither", "nor", "cannot", "or", "either", "unlike", "except", "maybe",
    "perhaps", "rather", "instead",
];

/// Whether the last sentence of a text plainly gives this label: "The capital of France is Paris."
/// gives "Paris". The label must stand there word for word, and nothing may negate it or offer
/// another beside it.
#[must_use]
pub fn mentions(text: &str, label: &str) -> bool {
    let label = words(label);
    if label.is_empty() || label.len() > LONGEST {
        return false;
    }
    let sentences = sentences(text.trim());
    let Some(last) = sentences.last() else { return false };
    let said = words(last.text);
    let doubtful = |word: &String| {
        (DOUBTFUL.contains(&word.as_str()) && !label.contains(word)) || word.ends_with("n't")
    };
    said.windows(label.len()).any(|window| window == label) && !said.iter().any(doubtful)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_within_the_last_sentence_is_its_answer() {
        for (text, label) in [
            ("The capital of France is Paris.", "Paris"),
            ("Hm. It was painted by Rembrandt van Rijn, in 1642.", "Rembrandt van Rijn"),
            ("the sky is BLUE", "blue"),
            ("The answer is neither nor.", "neither nor"),
        ] {
            assert!(mentions(text, label), "{text} / {label}");
        }
    }

    #[test]
    fn what_is_denied_offered_beside_another_or_said_earlier_is_not() {
        for (text, label) in [
            ("The sky is not blue.", "blue"),
            ("It isn't Paris.", "Paris"),
            ("It is Paris or Lyon.", "Paris"),
            ("Paris is large. The capital is Lyon.", "Paris"),
            ("The argument is invalid.", "valid"),
            ("", "x"),
            ("x", ""),
        ] {
            assert!(!mentions(text, label), "{text} / {label}");
        }
    }
}
