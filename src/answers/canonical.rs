//! The canonical form of a text that is nothing but an answer.

use std::sync::LazyLock;

use regex::Regex;

use crate::{
    domain::{Canonical, Number},
    text::{fold, normal_key},
};

use super::{
    Form,
    clean::{pattern, plain_maths, undress, without_tokens},
    dates::{last_date, whole_date},
    is_non_answer,
    numbers::{Quantity, last_in_words, quantities},
};

/// Longest text, in bytes, that is read as an answer.
pub(super) const MOST: usize = 32 * 1024;
/// Most items of a list.
const MOST_ITEMS: usize = 1024;

/// The canonical form of a gold label or a short answer: `18`, `$1,234.50`, `(B)`, `True`, `valid`.
/// Where the text does not have the expected form, the form that it shows; `None` when it answers
/// nothing.
///
/// Units, currency and percent signs fall off numbers: the question sets them, and `18 eggs` is
/// the answer `18`. Without an expected form only a text that is a number and at most one word of
/// unit is read as a number.
#[must_use]
pub fn canonical(text: &str, expected: Option<Form>) -> Option<Canonical> {
    let text = &text[..text.floor_char_boundary(MOST)];
    let cleaned = without_tokens(text);
    let plain = plain_maths(&cleaned);
    let bare = undress(&plain);
    if is_non_answer(bare) && !(expected == Some(Form::YesNo) && yes_no(bare).is_some()) {
        return None;
    }
    expected.and_then(|form| in_form(bare, form)).or_else(|| in_its_own_form(bare))
}

/// The answer in just this form, when the text shows it.
pub(super) fn in_form(bare: &str, form: Form) -> Option<Canonical> {
    match form {
        Form::Number => number(bare).map(Canonical::Number),
        Form::Choice => choice(bare).map(Canonical::Choice),
        Form::YesNo => yes_no(bare).map(Canonical::YesNo),
        Form::Date => last_date(bare).map(Canonical::Date),
        Form::List => list(bare),
        Form::Text => text(bare),
    }
}

fn in_its_own_form(bare: &str) -> Option<Canonical> {
    whole_yes_no(bare)
        .map(Canonical::YesNo)
        .or_else(|| whole_choice(bare).map(Canonical::Choice))
        .or_else(|| whole_date(bare).map(Canonical::Date))
        .or_else(|| whole_number(bare).map(Canonical::Number))
        .or_else(|| text(bare))
}

/// The number that a short answer gives: the outcome of its calculation, else its first number.
pub(super) fn number(bare: &str) -> Option<Number> {
    let found = quantities(bare);
    let pick = |wanted: fn(&&Quantity) -> bool| found.iter().filter(wanted).map(|q| &q.value);
    pick(|q| q.result)
        .next_back()
        .or_else(|| pick(|q| !q.qualifies).next())
        .or_else(|| pick(|_| true).next())
        .cloned()
        .or_else(|| last_in_words(bare))
}

static WHOLE_NUMBER: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"^[^\w\n]{0,4}(?:about |approximately |exactly )?[-−+$€£¥.\d][^\n]{0,64}$")
});
static UNIT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)^\s*(?:%|°\s?[CFK]?|percent|(?:square|cubic|sq\.?|cu\.?)?\s*[\p{L}µ²³/]+\.?|\p{L}+ (?:per|an|a) \p{L}+)?\s*$",
    )
});

/// The number that a text consists of, a word of unit allowed.
fn whole_number(bare: &str) -> Option<Number> {
    if !WHOLE_NUMBER.is_match(bare) {
        return None;
    }
    let found = quantities(bare);
    let [only] = found.as_slice() else { return None };
    let lead = bare[..only.start].trim();
    let lead_is_dress =
        ["", "about", "approximately", "exactly", "=", "≈", "~", "+"].contains(&lead);
    (lead_is_dress && !only.qualifies && UNIT.is_match(&bare[only.end..]))
        .then(|| only.value.clone())
}

static CHOICE: LazyLock<[Regex; 3]> = LazyLock::new(|| {
    [
        // "(B)", "option (b)", "[B]", "B) kite"
        pattern(
            r"^\W{0,4}(?i:(?:the )?(?:answer|option|choice|letter)s?:?\s+(?:is\s+)?)?\W{0,4}[(\[]\s*([A-Za-z])\s*[)\]]",
        ),
        // "B", "B.", "B: kite", "**B**"
        pattern(
            r"^\W{0,4}(?i:(?:the )?(?:answer|option|choice|letter)s?:?\s+(?:is\s+)?)?\W{0,4}([A-Z])(?:[).:,;*\]]|\s*$|\s+[-–—(])",
        ),
        // "b", "b)"
        pattern(r"^\W{0,4}(?i:(?:option|choice)\s+)?([a-z])(?:[).:]|\s*$)"),
    ]
});
/// A second letter right after the first, as in "(A) and (B)": no choice was made.
static SECOND_CHOICE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^[\s)\].*]*(?:,|/|&|\band\b|\bor\b)\s*(?:and\s+|or\s+|also\s+)?(?:option\s+)?[(\[*]*([A-Z])(?:[)\].*]|\s*$)",
    )
});

/// The letter at the beginning of a short answer; `None` where several are named.
pub(super) fn choice(bare: &str) -> Option<char> {
    let letter = CHOICE.iter().find_map(|p| p.captures(bare)).and_then(|c| c.get(1))?;
    let first = letter.as_str().chars().next()?.to_ascii_uppercase();
    let undecided = SECOND_CHOICE
        .captures(&bare[letter.end()..])
        .and_then(|c| c.get(1))
        .is_some_and(|second| !second.as_str().starts_with(first));
    (!undecided).then_some(first)
}

static WHOLE_CHOICE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^(?:\(([A-Za-z])\)|([A-Z])[.)]?)$"));

fn whole_choice(bare: &str) -> Option<char> {
    let found = WHOLE_CHOICE.captures(bare)?;
    let letter = found.get(1).or(found.get(2))?.as_str().chars().next()?;
    Some(letter.to_ascii_uppercase())
}

static YES_NO: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?i)^\W{0,4}(yes|yeah|yep|true|correct|no|nope|false|incorrect)(?:\W|$)")
});

/// Yes or no at the beginning of a short answer.
pub(super) fn yes_no(bare: &str) -> Option<bool> {
    let word = YES_NO.captures(bare)?.get(1)?.as_str().to_ascii_lowercase();
    Some(matches!(word.as_str(), "yes" | "yeah" | "yep" | "true" | "correct"))
}

fn whole_yes_no(bare: &str) -> Option<bool> {
    let is = |word: &&str| bare.eq_ignore_ascii_case(word);
    if ["yes", "true"].iter().any(is) {
        return Some(true);
    }
    ["no", "false"].iter().any(is).then_some(false)
}

static ITEM_NUMBER: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?m)^\s*(?:\d{1,4}[.)]|[-*•])\s+"));
static INTRODUCTION: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?is)^.{0,200}?\b(?:list|order|words|items|sorted|alphabetically|are|is)\b[^:\n]{0,60}:\s*",
    )
});

/// Items parted by `,`, `;`, `<`, `>` or lines; where none of these parts them, by white space.
fn list(bare: &str) -> Option<Canonical> {
    let bare = INTRODUCTION.replace(bare, "");
    let bare = ITEM_NUMBER.replace_all(&bare, "\n");
    let separators: &[char] =
        if bare.contains([',', ';', '\n', '<']) { &[',', ';', '\n', '<'] } else { &[' ', '\t'] };
    let item = |raw: &str| {
        let raw = raw.trim_matches([' ', '\t', '[', ']', '(', ')', '"', '\'', '`', '*', '.']);
        let raw = raw.strip_prefix("and ").unwrap_or(raw);
        normal_key(undress(raw))
    };
    let items: Vec<String> =
        bare.split(separators).map(item).filter(|i| !i.is_empty()).take(MOST_ITEMS).collect();
    (!items.is_empty()).then_some(Canonical::List(items))
}

/// Any text in normal form: folded, white space collapsed, a leading article dropped.
pub(super) fn text(bare: &str) -> Option<Canonical> {
    let key = normal_key(undress(&fold(bare)));
    let key = ["the ", "an ", "a "]
        .iter()
        .find_map(|article| key.strip_prefix(article))
        .filter(|rest| rest.chars().any(char::is_alphanumeric))
        .unwrap_or(&key);
    (!key.is_empty()).then(|| Canonical::Text(key.to_owned()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(text: &str, expected: Option<Form>) -> Option<String> {
        canonical(text, expected).map(|c| format!("{} {c}", c.kind()))
    }

    #[test]
    fn gold_labels_show_their_own_form() {
        for (label, form) in [
            ("18", "number 18"),
            ("$1,234.50", "number 1234.5"),
            ("18 eggs", "number 18"),
            ("-35", "number -35"),
            ("12%", "number 12"),
            ("(B)", "choice B"),
            ("True", "yes_no yes"),
            ("no", "yes_no no"),
            ("valid", "text valid"),
            ("2026-04-17", "date 2026-04-17"),
            ("> } >", "text > } >"),
            (")", "text )"),
            ("The Eiffel Tower", "text eiffel tower"),
            ("3 body problem of celestial mechanics", "text 3 body problem of celestial mechanics"),
        ] {
            assert_eq!(shown(label, None).as_deref(), Some(form), "{label}");
        }
    }

    #[test]
    fn the_expected_form_is_looked_for_first() {
        assert_eq!(shown("12 * 0.75 = 9 dollars", Some(Form::Number)).as_deref(), Some("number 9"));
        assert_eq!(shown("eighteen", Some(Form::Number)).as_deref(), Some("number 18"));
        assert_eq!(shown("b) kite", Some(Form::Choice)).as_deref(), Some("choice B"));
        assert_eq!(shown("Yes, it is.", Some(Form::YesNo)).as_deref(), Some("yes_no yes"));
        assert_eq!(
            shown("Monsters, Inc", Some(Form::Choice)).as_deref(),
            Some("text monsters, inc")
        );
    }

    #[test]
    fn two_letters_are_no_choice() {
        assert_eq!(choice("(A) and (B)"), None);
        assert_eq!(choice("B, because (A) is wrong"), Some('B'));
        assert_eq!(choice("A kite"), None);
    }

    #[test]
    fn lists_are_equal_however_they_are_parted() {
        let plain = canonical("apple pear plum", Some(Form::List));
        for text in [
            "apple, pear, plum",
            "1. apple\n2. pear\n3. plum",
            "[\"apple\", \"pear\", \"plum\"]",
            "\"apple\" < [\"pear\" < \"plum\"]",
            "The sorted list is: apple, pear, and plum.",
        ] {
            assert_eq!(canonical(text, Some(Form::List)), plain, "{text}");
        }
    }

    #[test]
    fn no_answer_has_no_canonical_form() {
        for text in ["", "N/A", "I don't know", "?"] {
            assert_eq!(canonical(text, Some(Form::Number)), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn integers_are_read_back(n in any::<i64>()) {
            prop_assert_eq!(
                canonical(&n.to_string(), None),
                Some(Canonical::Number(Number::from(n)))
            );
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in "\\PC{0,120}") {
            for form in [None, Some(Form::Number), Some(Form::Choice), Some(Form::YesNo), Some(Form::Date), Some(Form::List), Some(Form::Text)] {
                let _ = canonical(&text, form);
            }
        }
    }
}
