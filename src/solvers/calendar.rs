//! Calendar days and spans as people write them.

use jiff::Span;
use jiff::civil::Date;

use crate::text::month_named;

use super::lexer::Token;
use super::number_words::spelled;
use super::question::starts_with;

/// First year of the proleptic Gregorian calendar that is answered for: Britain and its colonies
/// changed over in 1752, and before that a date does not say which calendar it is in.
const FIRST_YEAR: i16 = 1753;

/// A day that was named, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Day {
    pub(super) date: Date,
    /// Named from today ("tomorrow"), not by its date.
    pub(super) relative: bool,
}

/// Reads a whole run of tokens as one day. Numeric dates whose day and month can be swapped are
/// not read, nor are two-digit years.
pub(super) fn day(tokens: &[Token<'_>], today: Date) -> Option<Day> {
    let tokens = match tokens {
        [the, rest @ ..] if the.is("the") => rest,
        all => all,
    };
    if let [word] = tokens {
        let date = match word.word()? {
            "today" | "now" => today,
            "tomorrow" => today.tomorrow().ok()?,
            "yesterday" => today.yesterday().ok()?,
            _ => return None,
        };
        return Some(Day { date, relative: true });
    }
    for (phrase, days) in [("day after tomorrow", 2), ("day before yesterday", -2)] {
        if starts_with(tokens, phrase) == Some(tokens.len()) {
            let date = today.checked_add(Span::new().try_days(days).ok()?).ok()?;
            return Some(Day { date, relative: true });
        }
    }
    let date = numeric(tokens).or_else(|| named(tokens))?;
    Some(Day { date, relative: false })
}

/// A day named without its year, such as "25 December" or "christmas": its next occurrence,
/// today included.
pub(super) fn next_occurrence(tokens: &[Token<'_>], today: Date) -> Option<Date> {
    let tokens = match tokens {
        [the, rest @ ..] if the.is("the") => rest,
        all => all,
    };
    let (month, day) = day_of_year(tokens)?;
    // 29 February has no next year to fall back on.
    let this_year = Date::new(today.year(), month, day).ok()?;
    if this_year >= today {
        return Some(this_year);
    }
    Date::new(today.year().checked_add(1)?, month, day).ok()
}

fn checked(year: i16, month: i8, day: i8) -> Option<Date> {
    Date::new(year, month, day).ok().filter(|date| date.year() >= FIRST_YEAR)
}

/// `2026-11-22`, `2026/11/22`, and `22/11/2026` where only one order makes a date.
fn numeric(tokens: &[Token<'_>]) -> Option<Date> {
    let [a, mark, b, second_mark, c] = tokens else { return None };
    let glued = tokens.iter().skip(1).all(|t| !t.spaced);
    let marks = (mark.is("-") || mark.is("/")) && second_mark.is(mark.raw);
    if !glued || !marks {
        return None;
    }
    if let Some(year) = year(a) {
        return checked(year, two_digits(b)?, two_digits(c)?);
    }
    let (first, second, year) = (two_digits(a)?, two_digits(b)?, year(c)?);
    match (checked(year, second, first), checked(year, first, second)) {
        (Some(date), None) | (None, Some(date)) => Some(date),
        (Some(x), Some(y)) if x == y => Some(x),
        _ => None,
    }
}

/// "March 3, 2026", "3 March 2026", "the 3rd of March 2026", "christmas 2026".
fn named(tokens: &[Token<'_>]) -> Option<Date> {
    let (last, before) = tokens.split_last()?;
    let year = year(last)?;
    let before = match before {
        [rest @ .., joint] if joint.is(",") || joint.is("of") || joint.is("in") => rest,
        all => all,
    };
    let (month, day) = day_of_year(before)?;
    checked(year, month, day)
}

/// "March 3", "3rd of March", "christmas".
fn day_of_year(tokens: &[Token<'_>]) -> Option<(i8, i8)> {
    for (name, month, day) in HOLIDAYS {
        if starts_with(tokens, name) == Some(tokens.len()) {
            return Some((*month, *day));
        }
    }
    let (first, rest) = tokens.split_first()?;
    if let Some(month) = month(first) {
        let rest = match rest {
            [the, rest @ ..] if the.is("the") => rest,
            all => all,
        };
        return Some((month, day_of_month(rest)?));
    }
    let (last, before) = tokens.split_last()?;
    let before = match before {
        [rest @ .., of] if of.is("of") => rest,
        all => all,
    };
    Some((month(last)?, day_of_month(before)?))
}

/// "3", "3rd".
fn day_of_month(tokens: &[Token<'_>]) -> Option<i8> {
    let (first, suffix) = tokens.split_first()?;
    let day = two_digits(first)?;
    let fitting = match day % 10 {
        1 if day != 11 => "st",
        2 if day != 12 => "nd",
        3 if day != 13 => "rd",
        _ => "th",
    };
    match suffix {
        [] => Some(day),
        [suffix] if !suffix.spaced && suffix.is(fitting) => Some(day),
        _ => None,
    }
}

fn two_digits(token: &Token<'_>) -> Option<i8> {
    let digits = (1..=2).contains(&token.raw.len()) && token.number().is_some();
    if digits { token.raw.parse().ok() } else { None }
}

/// A year of four digits, of the calendar that is answered for.
pub(super) fn year(token: &Token<'_>) -> Option<i16> {
    let digits = token.raw.len() == 4 && token.raw.bytes().all(|b| b.is_ascii_digit());
    if digits { token.raw.parse().ok().filter(|year| *year >= FIRST_YEAR) } else { None }
}

/// The number of a month's name.
pub(super) fn month(token: &Token<'_>) -> Option<i8> {
    month_named(token.word()?)
}

/// "45 days", "a week", "2 weeks and 3 days". Months and years only alone.
pub(super) fn span(tokens: &[Token<'_>]) -> Option<Span> {
    if let Some(at) = tokens.iter().position(|t| t.is("and")) {
        let (first, second) = (single_span(&tokens[..at])?, single_span(tokens.get(at + 1..)?)?);
        let days = |(count, unit)| match unit {
            Unit::Week => Some(count * 7),
            Unit::Day => Some(count),
            Unit::Month | Unit::Year => None,
        };
        return Span::new().try_days(days(first)? + days(second)?).ok();
    }
    let (count, unit) = single_span(tokens)?;
    let span = Span::new();
    match unit {
        Unit::Day => span.try_days(count).ok(),
        Unit::Week => span.try_weeks(count).ok(),
        Unit::Month => span.try_months(count).ok(),
        Unit::Year => span.try_years(count).ok(),
    }
}

/// What spans are counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Day,
    Week,
    Month,
    Year,
}

fn single_span(tokens: &[Token<'_>]) -> Option<(i64, Unit)> {
    let first = tokens.first()?;
    let (count, used) = match spelled(tokens) {
        Some(number) if number.value.is_integer() => {
            (i64::try_from(number.value.to_integer()).ok()?, number.used)
        }
        None if first.is("a") || first.is("an") || first.is("one") => (1, 1),
        _ => return None,
    };
    (count <= 4_000_000).then_some((count, unit_of(tokens.get(used..)?)?))
}

/// "days" and its like.
pub(super) fn unit_of(tokens: &[Token<'_>]) -> Option<Unit> {
    let [token] = tokens else { return None };
    Some(match token.word()? {
        "day" | "days" => Unit::Day,
        "week" | "weeks" => Unit::Week,
        "month" | "months" => Unit::Month,
        "year" | "years" => Unit::Year,
        _ => return None,
    })
}

/// Feasts of a fixed day.
const HOLIDAYS: &[(&str, i8, i8)] = &[
    ("christmas", 12, 25),
    ("christmas day", 12, 25),
    ("christmas eve", 12, 24),
    ("boxing day", 12, 26),
    ("new year", 1, 1),
    ("new year's", 1, 1),
    ("new year's day", 1, 1),
    ("new year's eve", 12, 31),
    ("halloween", 10, 31),
    ("valentine's day", 2, 14),
];

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::super::lexer::tokens;
    use super::*;

    fn read(text: &str) -> Option<Date> {
        day(&tokens(text).unwrap(), date(2026, 11, 22)).map(|d| d.date)
    }

    #[test]
    fn one_day_has_many_spellings() {
        for text in [
            "2026-03-13",
            "2026/3/13",
            "13/03/2026",
            "3/13/2026",
            "March 13, 2026",
            "13 March 2026",
            "13th of March 2026",
            "the 13th of March, 2026",
            "Mar 13 2026",
            "march 13th, 2026",
        ] {
            assert_eq!(read(text), Some(date(2026, 3, 13)), "{text}");
        }
        assert_eq!(read("tomorrow"), Some(date(2026, 11, 23)));
        assert_eq!(read("04/04/2026"), Some(date(2026, 4, 4)));
    }

    #[test]
    fn what_could_be_two_days_is_none() {
        for text in [
            "03/04/2026",
            "3/13/26",
            "2026-02-30",
            "31 April 2026",
            "March 2026",
            "1 May 1066",
            "March 3th, 2026",
            "2026 - 03 - 13",
            "13",
            "march",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
