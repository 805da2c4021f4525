//! Whether a word, a number or a phrase reads the same backwards.
//!
//! By convention a phrase is read by its letters and digits alone; the working says what was left
//! out of account. Who speaks of a *string* may mean every character: where the two readings differ
//! the solver is silent.

use std::sync::LazyLock;

use crate::domain::Step;
use crate::text::fold;

use super::Solution;
use super::comparison::yes_no;
use super::lexer::{Kind, Token};
use super::pattern::{Grammar, Holes};
use super::question::Question;
use super::show::step;
use super::text_ops::{POINTS_ELSEWHERE, behind_colon};

const SOLVER: &str = "text";

/// Answers questions after palindromes.
pub(super) fn solve(question: &Question<'_>) -> Option<Solution> {
    if let Some((head, text)) = behind_colon(question) {
        return COLON_GRAMMAR.find(head, |read, _| judged(&text, read));
    }
    GRAMMAR.find(question.body(), |read, holes| judged(&given(holes)?, read))
}

/// How strictly a text is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Read {
    /// By letters and digits.
    Letters,
    /// In either way: an answer only where both come to the same.
    Either,
}

/// A quotation, one word, or one number in plain digits.
fn given(holes: Holes<'_, '_>) -> Option<String> {
    let [token] = holes.first()? else { return None };
    let Token { kind, raw, .. } = token;
    match kind {
        Kind::Quoted(text) => Some(text.clone()),
        Kind::Word(word) if POINTS_ELSEWHERE.contains(&word.as_str()) => None,
        // "1,221" and "12.21" leave open what their marks are.
        Kind::Word(_) | Kind::Number(_) if !raw.contains([',', '.']) => Some((*raw).to_owned()),
        _ => None,
    }
}

fn judged(text: &str, read: Read) -> Option<Solution> {
    // Beyond ASCII it is open what one letter is.
    let letters: Vec<char> = text.chars().filter(|c| c.is_ascii_alphanumeric()).collect();
    if letters.len() < 2 || text.chars().any(|c| c.is_alphanumeric() && !c.is_ascii()) {
        return None;
    }
    let is_same = |text: &str| text.chars().eq(text.chars().rev());
    let kept = fold(&letters.iter().collect::<String>());
    let yes = is_same(&kept);
    if read == Read::Either && yes != is_same(text) {
        return None;
    }
    let steps = left_out(text).into_iter().chain([turned(&kept)]).collect();
    Some(yes_no(SOLVER, yes, steps))
}

/// What was left out of account, as a step; `None` where that was nothing.
fn left_out(text: &str) -> Option<Step> {
    let is_mark = |c: char| !c.is_alphanumeric() && !c.is_whitespace();
    let parts: Vec<&str> = [
        ("capitals", text.contains(char::is_uppercase)),
        ("spaces", text.contains(char::is_whitespace)),
        ("punctuation", text.contains(is_mark)),
    ]
    .into_iter()
    .filter_map(|(part, there)| there.then_some(part))
    .collect();
    (!parts.is_empty()).then(|| step(format!("Ignored, as is usual: {}.", parts.join(", "))))
}

fn turned(kept: &str) -> Step {
    let backwards: String = kept.chars().rev().collect();
    step(format!("{kept} backwards is {backwards}."))
}

static GRAMMAR: LazyLock<Grammar<Read>> = LazyLock::new(|| Grammar::new(PHRASES));
static COLON_GRAMMAR: LazyLock<Grammar<Read>> = LazyLock::new(|| Grammar::new(COLON));

const PHRASES: &[(&str, Read)] = &[
    ("is [the] string # a palindrome", Read::Either),
    ("is [the] [word|number|phrase|sentence|text] # a palindrome", Read::Letters),
];

const COLON: &[(&str, Read)] = &[
    ("is [this|the] [following] string a palindrome", Read::Either),
    ("is this a palindrome", Read::Letters),
    ("is this|the [following] word|number|phrase|sentence|text a palindrome", Read::Letters),
];

#[cfg(test)]
mod tests {
    use super::super::solve_undated;

    fn asked(text: &str) -> Option<(String, String)> {
        let solution = solve_undated(text)?;
        let steps: Vec<&str> = solution.steps.iter().map(|step| step.text.as_str()).collect();
        Some((solution.content, steps.join(" ")))
    }

    #[test]
    fn a_phrase_is_read_by_its_letters_and_says_what_was_ignored() {
        for (text, yes, ignored) in [
            (
                "is 'A man, a plan, a canal: Panama' a palindrome",
                "Yes",
                "capitals, spaces, punctuation",
            ),
            (
                "is \"Was it a car or a cat I saw?\" a palindrome?",
                "Yes",
                "capitals, spaces, punctuation",
            ),
            ("is the phrase 'nurses run' a palindrome", "Yes", "spaces"),
            ("is 'Madam' a palindrome", "Yes", "capitals"),
            ("is 'race cars' a palindrome", "No", "spaces"),
            ("is this a palindrome: never odd or even", "Yes", "spaces"),
        ] {
            let (content, steps) = asked(text).unwrap_or_default();
            assert_eq!(content, yes, "{text}");
            assert!(
                steps.contains(&format!("Ignored, as is usual: {ignored}.")),
                "{text}: {steps}"
            );
        }
        assert_eq!(asked("is racecar a palindrome").map(|a| a.0).as_deref(), Some("Yes"));
        assert!(!asked("is racecar a palindrome").is_some_and(|a| a.1.contains("Ignored")));
    }

    #[test]
    fn a_string_whose_readings_differ_finds_silence() {
        assert_eq!(asked("is the string 'nurses run' a palindrome"), None);
        assert_eq!(asked("is the string 'Abba' a palindrome"), None);
        assert_eq!(asked("is the string 'abba' a palindrome").map(|a| a.0).as_deref(), Some("Yes"));
        assert_eq!(asked("is '\u{E9}t\u{E9}' a palindrome"), None);
    }
}
