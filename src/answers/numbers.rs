//! Numbers in running text: where they stand, what they are worth, and which part they play.

use std::sync::LazyLock;

use num_bigint::BigInt;
use num_rational::BigRational;
use regex::Regex;

use crate::{domain::Number, text::number_named};

use super::clean::pattern;

/// Most numbers of one text that are looked at; the last ones count.
const MOST: usize = 4096;

/// One number and its surroundings.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Quantity {
    /// What it is worth: `$1,234.50` is 1234.5, `5/2` is 2.5, `12%` is 12, `3 million` is 3000000.
    pub(super) value: Number,
    /// First byte, the sign and currency included.
    pub(super) start: usize,
    /// The byte after the last.
    pub(super) end: usize,
    /// It is the outcome of a calculation: `=` or `≈` stands before it and no operator after it.
    pub(super) result: bool,
    /// It only qualifies something else: an ordinal (`10th`), the size in `4-foot wire`, the number
    /// of a step or list item.
    pub(super) qualifies: bool,
}

static NUMBER: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"(?P<sign>[-−])?(?:[$€£¥₹]\s?|(?:US|USD|Rs\.?)\s?\$?\s?)?(?P<sign2>[-−])?",
        r"(?P<body>(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|\.\d+)",
        r"(?P<exponent>[eE][+-]?\d{1,3}\b)?",
        r"(?:(?P<mixed>\s\d{1,6})?/(?P<below>\d{1,9}))?",
        r"(?P<scale>\s?(?:thousand|million|billion|trillion)s?\b)?",
    ))
});

/// All numbers of a text, in order.
pub(super) fn quantities(text: &str) -> Vec<Quantity> {
    let mut found: Vec<Quantity> = Vec::new();
    for captures in NUMBER.captures_iter(text).take(16 * MOST) {
        if let Some(quantity) = quantity(text, &captures) {
            found.push(quantity);
        }
    }
    let surplus = found.len().saturating_sub(MOST);
    found.drain(..surplus);
    found
}

fn quantity(text: &str, captures: &regex::Captures<'_>) -> Option<Quantity> {
    let whole = captures.get(0)?;
    let body = captures.name("body")?;
    let (mut start, mut end) = (whole.start(), whole.end());
    let before = text[..start].chars().next_back();
    // A hyphen is a minus sign only where no word, number or bracket ends before it.
    let glued = before.is_some_and(|c| c.is_alphanumeric() || c == ')' || c == '%');
    let mut negative = captures.name("sign2").is_some();
    if captures.name("sign").is_some() {
        if glued {
            start = captures.name("sign").map_or(start, |sign| sign.end());
        } else {
            negative = true;
        }
    } else if before.is_some_and(|c| c.is_alphabetic() || c == '_') && body.start() == start {
        // `x2`, `B12`: part of a name. `x = 5x` is caught by what follows.
        return None;
    }
    let mut value: Number = match captures.name("exponent") {
        Some(exponent) => format!("{}{}", body.as_str(), exponent.as_str()).parse().ok()?,
        None => body.as_str().parse().ok()?,
    };
    if let Some(below) = captures.name("below") {
        match fraction(text, captures, below) {
            Some(read) => value = read,
            None => end = captures.name("exponent").map_or(body.end(), |e| e.end()),
        }
    }
    if let Some(scale) = captures.name("scale").filter(|_| end == whole.end()) {
        let factor: i64 = match scale.as_str().trim_start().as_bytes() {
            [b't', b'h', ..] => 1_000,
            [b'm', ..] => 1_000_000,
            [b'b', ..] => 1_000_000_000,
            _ => 1_000_000_000_000,
        };
        value = Number::from(value.as_rational() * BigRational::from_integer(BigInt::from(factor)));
    }
    let after = &text[end..];
    // The time of day: `2:00` is 2, the minutes of `2:30` are no number of their own.
    if let Some(minutes) = after.strip_prefix(':').and_then(|rest| rest.get(..2)) {
        if minutes.bytes().all(|b| b.is_ascii_digit()) {
            if minutes != "00" {
                return None;
            }
            end += 3;
        }
    } else if before == Some(':')
        && text[..start].trim_end_matches(':').ends_with(|c: char| c.is_ascii_digit())
    {
        return None;
    }
    if negative {
        value = Number::from(-value.as_rational().clone());
    }
    let after = &text[end..];
    let qualifies = ordinal(after) || hyphenated(after) || numbers_an_item(text, start, after);
    let result = stands_after_equals(&text[..start]) && !operator_follows(after);
    Some(Quantity { value, start, end, result, qualifies })
}

/// `5/2`, `2 1/2`; not `12/25/2020`, not `24/7`-like chains.
fn fraction(text: &str, captures: &regex::Captures<'_>, below: regex::Match<'_>) -> Option<Number> {
    if text[below.end()..].starts_with(['/', '.'])
        && text[below.end() + 1..].starts_with(|c: char| c.is_ascii_digit())
    {
        return None;
    }
    let body = captures.name("body")?.as_str();
    match captures.name("mixed") {
        None => format!("{body}/{}", below.as_str()).parse().ok(),
        Some(above) => {
            let whole: Number = body.parse().ok()?;
            let part: Number =
                format!("{}/{}", above.as_str().trim(), below.as_str()).parse().ok()?;
            let proper = whole.is_integer() && part < Number::from(1);
            proper.then(|| Number::from(whole.as_rational() + part.as_rational()))
        }
    }
}

fn ordinal(after: &str) -> bool {
    ["st", "nd", "rd", "th"].iter().any(|suffix| {
        after.strip_prefix(suffix).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
    })
}

fn hyphenated(after: &str) -> bool {
    after.strip_prefix('-').is_some_and(|rest| rest.starts_with(char::is_alphabetic))
}

/// `1. First …`, `Step 2:`, `2) …` at the beginning of a line.
fn numbers_an_item(text: &str, start: usize, after: &str) -> bool {
    // A number of an item stands near the beginning of its line; further back nobody looks.
    let near = &text[text.floor_char_boundary(start.saturating_sub(24))..start];
    let Some(line) =
        near.rsplit_once('\n').map(|(_, line)| line).or((near.len() == start).then_some(near))
    else {
        return false;
    };
    let lead = line.trim_matches([' ', '\t', '*', '#', '(', '-']);
    let closes = after.starts_with([')', ':'])
        || after.strip_prefix('.').is_some_and(|rest| rest.starts_with([' ', '\t', '*']));
    (lead.is_empty() && closes && !after[1..].trim().is_empty())
        || lead.eq_ignore_ascii_case("step")
}

/// Whether `=` or `≈` (or the end of a calculator's note, `>>`) stands before, with nothing between
/// but dress.
fn stands_after_equals(before: &str) -> bool {
    let bare = before.trim_end_matches([' ', '*', '$', '(', '~', '\\', '`', '_', '{']);
    let bare = ["approximately", "about", "roughly"]
        .iter()
        .find_map(|word| bare.strip_suffix(word))
        .unwrap_or(bare)
        .trim_end();
    bare.ends_with(['=', '≈', '≅', '→']) || bare.ends_with(">>")
}

/// Whether a calculation goes on behind the number and at most one word of unit.
fn operator_follows(after: &str) -> bool {
    let rest = after.trim_start_matches([' ', '%', ')', '*', '$']);
    // Emphasis closes with asterisks too; a product has a space before its asterisk.
    let star = after.trim_start().starts_with('*') && !after.starts_with('*');
    let unit = rest.find(|c: char| !c.is_alphabetic()).map_or("", |at| &rest[at..]);
    let goes_on = |rest: &str| {
        let rest = rest.trim_start();
        rest.starts_with(['+', '×', '÷', '/', '='])
            || rest
                .strip_prefix(['-', '−', '*', 'x'])
                .is_some_and(|r| r.starts_with([' ', '$', '(']))
    };
    star || goes_on(rest) || (after.starts_with(' ') && goes_on(unit))
}

/// The last number written in words: `twenty-four`, `three hundred and five`, `two thousand`.
/// `one` alone counts only when the text is nothing else, for it is mostly a pronoun.
pub(super) fn last_in_words(text: &str) -> Option<Number> {
    let words = crate::text::words(text);
    let mut last = None;
    let mut run: Vec<&str> = Vec::new();
    for word in words.iter().map(String::as_str).chain(std::iter::once("")) {
        if part_of_number(word)
            || (word == "and" && run.last().is_some_and(|w| *w == "hundred" || *w == "thousand"))
        {
            run.push(word);
            continue;
        }
        if !run.is_empty() && (run != ["one"] || words.len() <= 2) {
            last = spelled(&run).or(last);
        }
        run.clear();
    }
    last.map(Number::from)
}

fn part_of_number(word: &str) -> bool {
    number_named(word).is_some() || ["hundred", "thousand", "million", "billion"].contains(&word)
}

fn spelled(words: &[&str]) -> Option<i64> {
    let (mut total, mut group) = (0i64, 0i64);
    for word in words {
        match *word {
            "and" => {}
            "hundred" => group = group.max(1).checked_mul(100)?,
            "thousand" | "million" | "billion" => {
                let factor = match *word {
                    "thousand" => 1_000,
                    "million" => 1_000_000,
                    _ => 1_000_000_000,
                };
                total = total.checked_add(group.max(1).checked_mul(factor)?)?;
                group = 0;
            }
            _ => group = group.checked_add(i64::from(number_named(word)?))?,
        }
    }
    total.checked_add(group)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn values(text: &str) -> Vec<String> {
        quantities(text).iter().map(|q| q.value.to_string()).collect()
    }

    #[test]
    fn dress_does_not_change_a_number() {
        for (text, value) in [
            ("$1,234.50", "1234.5"),
            ("18 eggs", "18"),
            ("12.5%", "12.5"),
            ("5/2", "2.5"),
            ("2 1/2 cups", "2.5"),
            ("-$110", "-110"),
            ("$-5", "-5"),
            ("3 million people", "3000000"),
            ("€ 20", "20"),
            (".5", "0.5"),
            ("2:00 pm", "2"),
            ("1e3", "1000"),
        ] {
            assert_eq!(values(text), [value], "{text}");
        }
    }

    #[test]
    fn a_hyphen_after_a_number_is_no_minus() {
        assert_eq!(values("3-4 eggs"), ["3", "4"]);
        assert_eq!(values("(5)-3"), ["5", "3"]);
    }

    #[test]
    fn names_dates_and_times_are_not_torn_apart() {
        assert_eq!(values("x2 and B12"), [""; 0]);
        assert_eq!(values("at 2:30 pm"), [""; 0]);
    }

    #[test]
    fn results_are_told_from_operands() {
        let results = |text: &str| {
            quantities(text)
                .into_iter()
                .filter(|q| q.result)
                .map(|q| q.value.to_string())
                .collect::<Vec<_>>()
        };
        assert_eq!(results("3 * 4 = 12 * 2 = $24 left"), ["24"]);
        assert_eq!(results("= <<5/2=2.5>>2.5 miles"), ["2.5", "2.5"]);
        assert_eq!(results("x = 5 miles * 3"), [""; 0]);
        assert_eq!(results("so = **18** eggs"), ["18"]);
    }

    #[test]
    fn qualifiers_are_marked() {
        let qualifying =
            |text: &str| quantities(text).iter().map(|q| q.qualifies).collect::<Vec<_>>();
        assert_eq!(
            qualifying("her 10th birthday and a 4-foot wire of 8 pieces"),
            [true, true, false]
        );
        assert_eq!(qualifying("Step 2: add\n1. take 5"), [true, true, false]);
        assert_eq!(qualifying("18."), [false]);
    }

    #[test]
    fn words_are_numbers_too() {
        let read = |text: &str| last_in_words(text).map(|n| n.to_string());
        assert_eq!(read("she has twenty-four left").as_deref(), Some("24"));
        assert_eq!(read("three hundred and five").as_deref(), Some("305"));
        assert_eq!(read("two thousand and six").as_deref(), Some("2006"));
        assert_eq!(read("the one who left"), None);
        assert_eq!(read("one").as_deref(), Some("1"));
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "[-0-9./:,$%=* a-c−½×\\n]{0,120}") {
            for q in quantities(&text) {
                prop_assert!(q.start < q.end && text.is_char_boundary(q.start) && text.is_char_boundary(q.end));
            }
            let _ = last_in_words(&text);
        }
    }
}
