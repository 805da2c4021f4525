//! The form of answer that a question asks for.

use std::{borrow::Cow, sync::LazyLock};

use regex::Regex;

use crate::{domain::Canonical, text::fold};

use super::clean::pattern;

/// The form an answer is expected to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    /// A quantity.
    Number,
    /// The letter of an offered option.
    Choice,
    /// Yes or no, true or false.
    YesNo,
    /// A calendar day.
    Date,
    /// Items in an order.
    List,
    /// Words, to be taken as they are.
    Text,
}

impl Form {
    /// The name in traces; the same as [`Canonical::kind`] of a fitting answer.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Choice => "choice",
            Self::YesNo => "yes_no",
            Self::Date => "date",
            Self::List => "list",
            Self::Text => "text",
        }
    }

    /// Whether an answer has this form.
    #[must_use]
    pub fn fits(self, answer: &Canonical) -> bool {
        self.name() == answer.kind()
    }
}

/// Most characters of a question that are read from either end.
const WINDOW: usize = 8 * 1024;

static LETTERED_OPTIONS: LazyLock<[Regex; 2]> = LazyLock::new(|| {
    [
        pattern(r"(?s)(?:^|\s)\(a\)\s*\S.*?\s\(b\)\s*\S"),
        pattern(r"(?m)^\s*a[.)]\s+\S.*\n(?:.*\n){0,3}?\s*b[.)]\s+\S"),
    ]
});
static LISTED_OPTIONS: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?m)^\s*options:\s*\n((?:\s*[-*•]\s*\S.*(?:\n|$)){2,})"));
static SORT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"\b(?:sort|alphabeti[sz]e)\b.{0,40}\b(?:words?|items?|numbers?|names?|list|following|alphabetical(?:ly)?)\b",
        r"|\b(?:rank|arrange|order)\s+(?:the\s+|these\s+|this\s+)?(?:following\s+)?(?:words|items|numbers|names|list)\b",
        r"|\bin (?:alphabetical|ascending|descending) order\b",
    ))
});
/// Asks for a quantity, whatever else stands there.
static QUANTITY: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\bhow many\b|\bwhat percent(?:age)?\b|\d\s*%\s*of\s+\$?\d|\bpercent of \$?\d|\d.*=\s*\??\s*$",
    )
});
/// Asks for a quantity where numbers are given; without any, "what is the difference between …"
/// asks for words.
static QUANTITY_OF_NUMBERS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"\bhow (?:much|old|far|tall|high|hot|cold|long|fast|heavy|wide|deep|big|large)\b",
        r"|\bwhat (?:fraction|number|amount|score|temperature|sum|distance|speed|length|area|volume|weight|height|age)\b",
        r"|\bwhat(?:'s| is| are| was| were| will be| would be| will| does| do| did|) (?:[\w'’]+ ){0,5}?(?:total|sum|difference|product|quotient|average|mean|median|number|amount|cost|price|percentage|probability|likelihood|chance|profit|ratio|remainder|area|volume|perimeter|speed|distance|value|salary|age|temperature|population|capacity|weight|length|height|depth|width|measure|score|rate|charge|root)\b",
        r"|\b(?:calculate|compute|evaluate|determine|find|work out)\b.{0,60}\b(?:total|sum|difference|product|average|mean|number|amount|cost|price|percentage|probability|profit|area|volume|perimeter|speed|distance|value|age|time|length|population|share)\b",
    ))
});
static NUMBER: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\d|\b(?:two|three|four|five|six|seven|eight|nine|ten|twelve|twenty|dozen|half|twice|double|triple|third|quarter)\b",
    )
});
static DATE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b(?:what|which) (?:is the )?date\b|\bon (?:what|which) (?:day|date)\b|\bwhat day (?:is|was|will be) (?:it )?(?:in )?(?:\d+|an?|one|two|three) (?:days?|weeks?|months?|years?)\b",
    )
});
static WEEKDAY: LazyLock<Regex> = LazyLock::new(|| pattern(r"\bday of the week\b|\bweekday\b"));
static POLAR: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"(?:^|[,:]\s+|\bthen\s+)(?:is|are|am|was|were|do|does|did|has|have|had|can|could|will|would|should|must|may|might|isn't|aren't|wasn't|weren't|don't|doesn't|didn't|hasn't|haven't|can't|couldn't|won't|wouldn't|shouldn't)",
        r"\s+(\w+)",
    ))
});
static ALTERNATIVE: LazyLock<Regex> = LazyLock::new(|| pattern(r"\bor\b(?:\s+(not)\b)?"));
static INTERROGATIVE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\b(?:what|which|who|whom|whose|when|where|why|how)\b"));
static YES_OPTION: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\s*(?:yes|no|true|false)\s*$"));

/// The form of answer that a question asks for, as far as its wording tells; `None` is unknown.
///
/// Lettered options come first (`(A) …`, `A. …`), then options listed with dashes, sorting,
/// dates, quantities, and last the questions that open with an auxiliary verb and offer no
/// alternative.
#[must_use]
pub fn expected_form(question: &str) -> Option<Form> {
    let folded = fold(&windowed(question));
    // A look for what a pattern cannot do without is cheaper than the pattern.
    let (lined, day) = (folded.contains('\n'), folded.contains("da"));
    let [in_brackets, on_lines] = &*LETTERED_OPTIONS;
    if (folded.contains("(a)") && in_brackets.is_match(&folded))
        || (lined && on_lines.is_match(&folded))
    {
        return Some(Form::Choice);
    }
    let listed = if lined { LISTED_OPTIONS.captures(&folded) } else { None };
    if let Some(options) = listed.and_then(|c| c.get(1)) {
        let polar = options
            .as_str()
            .lines()
            .map(|line| line.trim_start_matches([' ', '\t', '-', '*', '•']))
            .filter(|line| !line.trim().is_empty())
            .all(|line| YES_OPTION.is_match(line));
        return Some(if polar { Form::YesNo } else { Form::Text });
    }
    let asked = asked_sentence(&folded);
    if !folded.trim_end().ends_with('?') && SORT.is_match(&folded) {
        return Some(Form::List);
    }
    if day && WEEKDAY.is_match(asked) {
        return Some(Form::Text);
    }
    if day && DATE.is_match(asked) {
        return Some(Form::Date);
    }
    let of_numbers = || QUANTITY_OF_NUMBERS.is_match(asked) && NUMBER.is_match(&folded);
    if QUANTITY.is_match(asked) || of_numbers() {
        return Some(Form::Number);
    }
    is_polar(asked).then_some(Form::YesNo)
}

/// The two ends of a question: instructions stand at its beginning or at its end.
fn windowed(question: &str) -> Cow<'_, str> {
    if question.len() <= 2 * WINDOW {
        return Cow::Borrowed(question);
    }
    let head = question.floor_char_boundary(WINDOW);
    let tail = question.ceil_char_boundary(question.len() - WINDOW);
    Cow::Owned(format!("{}\n{}", &question[..head], &question[tail..]))
}

/// The last sentence that ends in a question mark, else the last sentence. A quotation that
/// follows belongs to the question, not to its form.
fn asked_sentence(folded: &str) -> &str {
    let sentences = crate::text::sentences(folded);
    let asked = sentences.iter().rev().find(|s| s.text.trim_end_matches(['"', ')']).ends_with('?'));
    asked.or(sentences.last()).map_or(folded, |s| s.text).trim()
}

fn is_polar(asked: &str) -> bool {
    let Some(found) = POLAR.captures(asked) else { return false };
    let (start, subject) =
        (found.get(0).map_or(0, |m| m.start()), found.get(1).map_or("", |m| m.as_str()));
    // "Can you write …" asks for a deed; "…, who is" and "A or B" want more than a yes.
    let asks_for_deed = start == 0
        && subject == "you"
        && ["can", "could", "will", "would"].iter().any(|verb| asked.starts_with(verb));
    let offers_alternative = ALTERNATIVE.captures_iter(asked).any(|c| c.get(1).is_none());
    let interrogative_first =
        INTERROGATIVE.find(asked).is_some_and(|word| word.start() < start + 1 && start > 0);
    (asked.ends_with('?') || asked.ends_with("?\"") || start == 0)
        && !asks_for_deed
        && !offers_alternative
        && !interrogative_first
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lettered_options_make_a_choice_even_when_quantities_are_asked() {
        for question in [
            "How many penguins are there?\nOptions:\n(A) 1\n(B) 2",
            "Which is a fruit?\nA. stone\nB. apple\nC. car",
            "Which is a fruit?\nA) stone\nB) apple",
            "Pick one: (a) red (b) blue",
        ] {
            assert_eq!(expected_form(question), Some(Form::Choice), "{question}");
        }
    }

    #[test]
    fn quantities_want_numbers() {
        for question in [
            "A robe takes 2 bolts of blue. How many bolts in total does it take?",
            "What percent of 80 is 12?",
            "what is 15% of 80?",
            "((4 + 7) * 2) =",
            "If there are 3 cars and 2 leave, how much is left over for Sam?",
            "Calculate the total cost of the 6 cups.",
            "What is the price of the car in 2010?",
            "The tank holds 20 gallons. What is the tank’s capacity in liters?",
        ] {
            assert_eq!(expected_form(question), Some(Form::Number), "{question}");
        }
    }

    #[test]
    fn polar_questions_want_yes_or_no() {
        for question in [
            "Is the service up?",
            "Question: Ann tells the truth. Does Ann tell the truth?",
            "If you follow these instructions, do you return to the starting point?\nOptions:\n- Yes\n- No",
            "Is the following sentence plausible? \"He walked on ball four.\"",
            "Is it safe or not?",
        ] {
            assert_eq!(expected_form(question), Some(Form::YesNo), "{question}");
        }
    }

    #[test]
    fn what_cannot_be_told_stays_unknown() {
        for question in [
            "Who wrote Faust?",
            "Is it red or blue?",
            "Can you write a poem about autumn?",
            "What does the hybrid strategy do?",
            "What is the difference between hybrid and adaptive?",
            "How much does caching help?",
            "How can I get more out of it?",
            "not True or False is",
            "",
        ] {
            assert_eq!(expected_form(question), None, "{question}");
        }
    }

    #[test]
    fn sorting_wants_a_list_and_dates_want_a_date() {
        assert_eq!(
            expected_form("Sort the following words alphabetically: List: pear apple"),
            Some(Form::List)
        );
        assert_eq!(
            expected_form("What is the date 45 days after March 3, 2026?"),
            Some(Form::Date)
        );
        assert_eq!(expected_form("What day of the week is 2026-11-22?"), Some(Form::Text));
        assert_eq!(
            expected_form("Is it a proof?\nOptions:\n- valid \n- invalid"),
            Some(Form::Text)
        );
    }

    proptest! {
        #[test]
        fn no_question_makes_the_reader_panic(question in "\\PC{0,200}") {
            let _ = expected_form(&question);
        }
    }
}
