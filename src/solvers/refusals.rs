//! Why there is no answer, where that itself is known: what is asked for does not exist, or is
//! open to two readings.

use std::sync::LazyLock;

use jiff::civil::Date;
use num_traits::{Signed, Zero};

use super::calendar::{month, year};
use super::items::{Item, Prefix, Vocabulary, items};
use super::lexer::Token;
use super::pattern::{Grammar, Holes};
use super::question::{Question, raw};
use super::unit_table::Kind;
use super::units::{named, quantity};
use super::weekdays::weekday_named;

/// Longest expression that is looked at, in tokens.
const MAX_TOKENS: usize = 60;

/// The reason why [`solve`](super::solve) is silent on a question that it understood, as a
/// sentence for the asker. `None` where nothing is known, and for whatever has an answer.
#[must_use]
pub fn refusal(input: &str) -> Option<String> {
    let question = Question::read(input)?;
    let body = question.body();
    if body.len() > MAX_TOKENS {
        return None;
    }
    undefined(body)
        .or_else(|| no_such_day(input, body))
        .or_else(|| GRAMMAR.find(body, |reason, holes| reason(input, holes)))
}

/// An expression of which an operation has no value.
fn undefined(body: &[Token<'_>]) -> Option<String> {
    let items = items(body, Vocabulary::Words)?;
    let number = |item: &Item| match item {
        Item::Number { value, .. } => Some(value.clone()),
        _ => None,
    };
    // A zero that an operator of higher rank follows may be no zero: `5 / 0!`.
    let ends = |after: Option<&Item>| {
        matches!(
            after,
            None | Some(Item::Close | Item::Plus | Item::Minus | Item::Times | Item::Divide)
        )
    };
    let first_is_operand = items.first().is_some_and(|i| number(i).is_some());
    let by_zero = items.windows(2).enumerate().any(|(at, pair)| {
        matches!(pair, [Item::Divide, zero] if number(zero).is_some_and(|n| n.is_zero()))
            && ends(items.get(at + 2))
    });
    if by_zero && first_is_operand {
        return Some("Division by zero is undefined.".to_owned());
    }
    let negative = match items.as_slice() {
        [Item::Prefix(Prefix::Root(degree), _), Item::Minus, n]
        | [Item::Prefix(Prefix::Root(degree), _), Item::Open, Item::Minus, n, Item::Close] => {
            degree.is_multiple_of(2) && number(n).is_some_and(|n| n.is_positive())
        }
        _ => false,
    };
    negative.then(|| "An even root of a negative number is no real number.".to_owned())
}

/// "30 February 2024", "2024-02-30", alone or asked about.
fn no_such_day(input: &str, body: &[Token<'_>]) -> Option<String> {
    let short = |t: &Token<'_>| (t.raw.len() <= 2).then(|| t.raw.parse::<i8>().ok())?;
    body.windows(3).chain(body.windows(5)).find_map(|run| {
        let (y, m, d) = match run {
            [d, m, y] if month(m).is_some() => (year(y)?, month(m)?, short(d)?),
            [y, a, m, b, d] if a.is("-") && b.is("-") && !m.spaced && !d.spaced => {
                (year(y)?, short(m)?, short(d)?)
            }
            _ => return None,
        };
        let none = Date::new(y, m, d).is_err();
        none.then(|| format!("There is no such day as {}.", raw(input, run)))
    })
}

/// "10 kg to meters".
fn of_two_kinds(input: &str, holes: Holes<'_, '_>) -> Option<String> {
    let [from, to] = holes else { return None };
    let (of, unit) = (quantity(from)?, named(to)?.unit);
    let first = of.terms.first()?.1.unit;
    // A month or a cup may be turned into other kinds with more knowledge.
    (first.kind != unit.kind).then(|| {
        let why = match (first.kind, unit.kind) {
            (Kind::Calendar, Kind::Time) | (Kind::Time, Kind::Calendar) => {
                "months and years have no fixed length"
            }
            _ => "the two units measure different things",
        };
        format!("{} cannot be converted to {}: {why}.", raw(input, from), raw(input, to))
    })
}

/// "102 from binary".
fn foreign_digits(input: &str, holes: Holes<'_, '_>) -> Option<String> {
    let ([[digits], [base]] | [[digits], [base], _]) = holes else { return None };
    let radix = match base.word()? {
        "binary" => 2,
        "octal" => 8,
        "decimal" => 10,
        _ => return None,
    };
    let plain = !digits.raw.is_empty() && digits.raw.bytes().all(|b| b.is_ascii_digit());
    let foreign = digits.raw.chars().any(|c| c.to_digit(radix).is_none());
    let name = raw(input, std::slice::from_ref(base));
    (plain && foreign)
        .then(|| format!("{} is no {name} number: its digits go up to {}.", digits.raw, radix - 1))
}

fn next_weekday(_: &str, holes: Holes<'_, '_>) -> Option<String> {
    let [[name]] = holes else { return None };
    weekday_named(name)?;
    Some(format!(
        "\"next {0}\" is the coming {0} to some and that of next week to others: ask for \"the \
         coming {0}\".",
        name.raw
    ))
}

fn days_of_a_year(_: &str, _: Holes<'_, '_>) -> Option<String> {
    Some("A year has 365 days, a leap year 366: name the year.".to_owned())
}

fn clock_time(_: &str, holes: Holes<'_, '_>) -> Option<String> {
    let ([] | [[_]] | [[_, _]] | [[_, _, _]]) = holes else { return None };
    Some(
        "The time of day is not known here; ask with a time, such as \"3 pm UTC in Tokyo\"."
            .to_owned(),
    )
}

/// Between two places that a solver knows, only the date can be what is missing.
fn season(_: &str, holes: Holes<'_, '_>) -> Option<String> {
    let [to, from] = holes else { return None };
    (super::times::is_zoned(from) && super::clock::zone(to).is_some()).then(|| {
        "That depends on the time of the year, because clocks there change in summer: add the date, \
         such as \"on 2026-07-01\"."
            .to_owned()
    })
}

fn bare_logarithm(_: &str, holes: Holes<'_, '_>) -> Option<String> {
    let [[number]] = holes else { return None };
    number.number()?;
    Some("The base is open: ask for \"log base 10 of …\".".to_owned())
}

fn deviation(_: &str, holes: Holes<'_, '_>) -> Option<String> {
    holes.first()?.iter().all(|t| t.number().is_some() || t.is(",") || t.is("and")).then(|| {
        "A sample's and a population's standard deviation differ: say \"population standard \
         deviation\" or \"sample standard deviation\"."
            .to_owned()
    })
}

type Reason = fn(&str, Holes<'_, '_>) -> Option<String>;

static GRAMMAR: LazyLock<Grammar<Reason>> = LazyLock::new(|| Grammar::new(PHRASES));

const PHRASES: &[(&str, Reason)] = &[
    ("[convert|change] # to|in|into #", of_two_kinds),
    ("[convert] # from #", foreign_digits),
    ("[convert] # from # to|into #", foreign_digits),
    ("what|which date|day is next #", next_weekday),
    ("how many days [are] [there] in a year", days_of_a_year),
    ("days in a year", days_of_a_year),
    ("what time is it in # when|if it is #", season),
    ("what time is it in # when|if it's #", season),
    ("what time is it [now]", clock_time),
    ("what time is it in #", clock_time),
    ("log #", bare_logarithm),
    ("standard deviation of #", deviation),
];

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::solvers::solve;

    #[test]
    fn what_has_no_answer_is_refused_with_the_reason() {
        for (question, reason) in [
            ("5/0", "Division by zero"),
            ("what is 5 divided by 0?", "Division by zero"),
            ("sqrt(-1)", "no real number"),
            ("what day is 30 February 2024", "no such day"),
            ("2024-02-30", "no such day"),
            ("102 from binary", "is no binary number"),
            ("10 kg to meters", "different things"),
            ("1 year in seconds", "no fixed length"),
            ("what date is next Friday", "the coming Friday"),
            ("how many days in a year", "leap year"),
            ("what time is it in Tokyo", "time of day"),
            ("what time is it in Tokyo when it is 3pm in Berlin?", "add the date"),
            ("log 100", "base"),
            ("standard deviation of 1,2,3,4", "population"),
        ] {
            assert!(refusal(question).is_some_and(|r| r.contains(reason)), "{question}");
            let solved = solve(question, date(2026, 11, 22));
            assert!(solved.is_none(), "{question}: {solved:?}");
        }
    }

    #[test]
    fn what_looks_like_it_is_not_refused() {
        for question in [
            "5/0!",
            "5/0.5",
            "is 5/0 a score",
            "sqrt(1)",
            "29 February 2024",
            "101 from binary",
            "10 kg to pounds",
            "10 kg to people",
            "what date is next easter",
            "how many days in a year abroad",
            "log the event",
            "what time is it in Tokyo when it is 3pm on the moon",
            "standard deviation of wages",
        ] {
            assert_eq!(refusal(question), None, "{question}");
        }
    }
}
