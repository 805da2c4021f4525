//! Putting words and numbers in order.

use std::cmp::Ordering;
use std::sync::LazyLock;

use crate::domain::{Canonical, Number};
use crate::text::{fold, is_stop_word};

use super::Solution;
use super::lexer::tokens;
use super::pattern::Grammar;
use super::question::{Question, raw};
use super::show::as_written;
use super::text_ops::behind_colon;

const SOLVER: &str = "sorting";

/// Sorts the words or numbers of a list behind a colon, or of a list within the question.
pub(super) fn solve(question: &Question<'_>) -> Option<Solution> {
    if let Some((head, text)) = behind_colon(question) {
        let list = text.strip_prefix("List:").or(text.strip_prefix("list:"));
        let labelled = list.is_some();
        let text = list.unwrap_or(&text).trim().trim_end_matches(['?', '.']);
        // Unless it is labelled a list, more instructions may follow the words.
        let clear =
            text.contains(',') || !text.split_whitespace().any(|word| INSTRUCTIONS.contains(&word));
        if !labelled && !clear {
            return None;
        }
        return COLON_GRAMMAR.find(head, |(wanted, descending), _| sort(text, wanted, descending));
    }
    INLINE_GRAMMAR.find(question.body(), |(wanted, descending), holes| {
        let [hole] = holes else { return None };
        // A word of grammar in the list means that the list is not all there is.
        if hole.iter().any(|t| t.word().is_some_and(|w| w != "and" && is_stop_word(w))) {
            return None;
        }
        sort(raw(question.input, hole), wanted, descending)
    })
}

/// Words that speak about a list rather than stand in one.
const INSTRUCTIONS: &[&str] = &[
    "in",
    "by",
    "from",
    "into",
    "then",
    "order",
    "ascending",
    "descending",
    "reverse",
    "alphabetically",
    "please",
    "thanks",
];

/// What is to be sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Words,
    Numbers,
    Either,
    /// Words too, where commas part three or more: "sort laundry" names no list.
    Listed,
}

fn sort(text: &str, wanted: Wanted, descending: bool) -> Option<Solution> {
    let (items, separator) = items(text)?;
    let numbers: Option<Vec<Number>> = items.iter().map(|item| number(item)).collect();
    match (numbers, wanted) {
        (Some(numbers), Wanted::Numbers | Wanted::Either | Wanted::Listed) => {
            let mut pairs: Vec<(Number, &str)> = numbers.into_iter().zip(items).collect();
            pairs.sort_by(|a, b| directed(a.0.cmp(&b.0), descending));
            let canonical = pairs.iter().map(|(n, _)| n.to_string()).collect();
            let shown: Vec<&str> =
                pairs.iter().map(|(n, item)| as_written(item, n.as_rational())).collect();
            Some(answer(&shown, separator, canonical))
        }
        (None, Wanted::Words | Wanted::Either) => {
            let words = sorted_words(items, descending)?;
            let canonical = words.iter().map(|w| fold(w)).collect();
            Some(answer(&words, separator, canonical))
        }
        (None, Wanted::Listed) if text.matches(',').count() > 1 => {
            sort(text, Wanted::Words, descending)
        }
        _ => None,
    }
}

fn answer(items: &[&str], separator: &str, canonical: Vec<String>) -> Solution {
    Solution {
        solver: SOLVER,
        content: items.join(separator),
        answer: Canonical::List(canonical),
        steps: Vec::new(),
    }
}

/// Two items or more, and what they are joined with again.
fn items(text: &str) -> Option<(Vec<&str>, &'static str)> {
    let (separator, mut items): (_, Vec<&str>) = if text.contains(',') {
        (", ", text.split(',').map(str::trim).collect())
    } else if text.contains('\n') {
        ("\n", text.lines().map(str::trim).collect())
    } else {
        (" ", text.split_whitespace().collect())
    };
    if separator == ", " {
        // "a, b and c", "a, b, and c"
        let last = items.pop()?;
        let last = last.strip_prefix("and ").unwrap_or(last).trim();
        match last.split_once(" and ") {
            Some((a, b)) => items.extend([a.trim(), b.trim()]),
            None => items.push(last),
        }
    } else if let [.., joint, _] = items.as_slice()
        && *joint == "and"
    {
        // "pear fig and apple": an item, or the joint of a list?
        match items.as_slice() {
            [a, _, b] => items = vec![a, b],
            _ => return None,
        }
    }
    let single = |item: &&str| {
        let courtesy = ["please", "thanks", "etc"].contains(item);
        !item.is_empty() && !courtesy && !item.contains(char::is_whitespace)
    };
    let complete = items.len() > 1 && items.iter().all(single);
    complete.then_some((items, separator))
}

/// Without regard to capitals. Where marks within words would change the order, depending on
/// whether they count, there is none; nor is there for letters beyond ASCII.
fn sorted_words(items: Vec<&str>, descending: bool) -> Option<Vec<&str>> {
    let plain = |w: &&str| {
        w.starts_with(|c: char| c.is_ascii_alphabetic())
            && w.chars().all(|c| c.is_ascii_alphanumeric() || "'-&_".contains(c))
    };
    if !items.iter().all(plain) {
        return None;
    }
    let by = |key: fn(&str) -> String| {
        let mut sorted = items.clone();
        sorted.sort_by(|a, b| directed(key(a).cmp(&key(b)), descending));
        sorted
    };
    let all = by(fold);
    let letters = by(|w| fold(w).chars().filter(char::is_ascii_alphanumeric).collect());
    (all == letters).then_some(all)
}

fn directed(ordering: Ordering, descending: bool) -> Ordering {
    if descending { ordering.reverse() } else { ordering }
}

/// One item as a signed number.
fn number(item: &str) -> Option<Number> {
    let unsigned = item.strip_prefix('-').unwrap_or(item);
    let one = tokens(unsigned).is_some_and(|t| t.len() == 1) && !unsigned.contains('/');
    if one { item.parse().ok() } else { None }
}

use Wanted::{Either, Listed, Numbers, Words};

static COLON_GRAMMAR: LazyLock<Grammar<(Wanted, bool)>> = LazyLock::new(|| Grammar::new(COLON));
static INLINE_GRAMMAR: LazyLock<Grammar<(Wanted, bool)>> = LazyLock::new(|| Grammar::new(INLINE));

/// What is sorted, and whether downwards.
const COLON: &[(&str, (Wanted, bool))] = &[
    ("sort [this|these|the] [following] [list]", (Either, false)),
    ("sort [this|these|the] [following] [list] [of] words", (Words, false)),
    ("sort [this|these|the] [following] [list] [of] [words] alphabetically", (Words, false)),
    (
        "sort [this|these|the] [following] [list] [of] words [in|into] alphabetical order",
        (Words, false),
    ),
    (
        "sort [this|these|the] [following] [list] [of] [words] [in|into] [ascending] alphabetical order",
        (Words, false),
    ),
    (
        "sort [this|these|the] [following] [list] [of] [words] [in] reverse alphabetical order",
        (Words, true),
    ),
    (
        "put|arrange|order|list [this|these|the] [following] [list] [of] [words] in|into alphabetical order",
        (Words, false),
    ),
    (
        "put|arrange|order [this|these|the] [following] [list] [of] [words] alphabetically",
        (Words, false),
    ),
    ("alphabetize|alphabetise [this|these|the] [following] [list] [of] [words]", (Words, false)),
    ("sort [this|these|the] [following] [list] [of] numbers", (Numbers, false)),
    (
        "sort|order|arrange|put [this|these|the] [following] [list] [of] numbers in|from ascending|increasing order",
        (Numbers, false),
    ),
    (
        "sort|order|arrange|put [this|these|the] [following] [list] [of] numbers in|from descending|decreasing order",
        (Numbers, true),
    ),
    (
        "sort|order|arrange [this|these|the] [following] [list] [of] numbers from smallest|least|lowest to largest|greatest|highest|biggest",
        (Numbers, false),
    ),
    (
        "sort|order|arrange [this|these|the] [following] [list] [of] numbers from largest|greatest|highest|biggest to smallest|least|lowest",
        (Numbers, true),
    ),
    ("put|arrange [these|the] [following] numbers in [numerical] order", (Numbers, false)),
    ("sort ascending", (Either, false)),
    ("sort descending", (Either, true)),
    ("sort in ascending order", (Numbers, false)),
    ("sort in descending order", (Numbers, true)),
];

const INLINE: &[(&str, (Wanted, bool))] = &[
    ("sort|order|arrange [the] [words] # alphabetically", (Words, false)),
    ("sort|put|arrange|order|list [the] [words] # in alphabetical order", (Words, false)),
    ("sort [the] [words] # in reverse alphabetical order", (Words, true)),
    ("alphabetize|alphabetise #", (Words, false)),
    ("sort [the] [numbers] # in ascending|increasing order", (Numbers, false)),
    ("sort [the] [numbers] # in descending|decreasing order", (Numbers, true)),
    ("sort [the] numbers #", (Numbers, false)),
    ("sort [the|these] words #", (Words, false)),
    ("sort #", (Listed, false)),
    ("sort [the] [numbers] # from smallest|lowest to largest|highest", (Numbers, false)),
    ("sort [the] [numbers] # from largest|highest to smallest|lowest", (Numbers, true)),
];
