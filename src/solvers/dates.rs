//! Questions about days: how many between two, which comes after, what weekday one is.

use std::sync::LazyLock;

use jiff::Span;
use jiff::civil::Date;

use crate::{
    domain::{Canonical, Number, Step},
    text::month_name,
};

use super::Solution;
use super::calendar::{Unit, day, month, next_occurrence, span, unit_of, year};
use super::comparison::yes_no;
use super::lexer::Token;
use super::pattern::{Grammar, Holes};
use super::question::Question;
use super::show::{numbered, step};

const SOLVER: &str = "dates";

/// Answers questions about calendar days.
pub(super) fn solve(question: &Question<'_>, today: Date) -> Option<Solution> {
    GRAMMAR.find(question.body(), |answer, holes| answer(holes, today))
}

/// A day computed from another.
struct Computed {
    date: Date,
    relative: bool,
    steps: Vec<Step>,
}

/// A day, or one that many days before or after it.
fn computed(tokens: &[Token<'_>], today: Date) -> Option<Computed> {
    if let Some(day) = day(tokens, today) {
        return Some(Computed { date: day.date, relative: day.relative, steps: Vec::new() });
    }
    let shifted = |span: Span, from: Date, forward: bool| {
        let span = if forward { span } else { span.negate() };
        let date = from.checked_add(span).ok()?;
        // 31 January plus a month is clamped; people do not agree to what.
        let months = span.get_years() != 0 || span.get_months() != 0;
        if months && date.day() != from.day() {
            return None;
        }
        let sign = if forward { '+' } else { '-' };
        let working = step(format!("{from} {sign} {} = {date}", in_words(span.abs())));
        Some(Computed { date, relative: true, steps: vec![working] })
    };
    OFFSET_GRAMMAR.find(tokens, |(order, forward), holes| match (order, holes) {
        (Order::FromToday, [duration]) => shifted(span(duration)?, today, forward),
        (Order::SpanFirst, [duration, from]) | (Order::DayFirst, [from, duration]) => {
            shifted(span(duration)?, day(from, today)?.date, forward)
        }
        _ => None,
    })
}

#[derive(Debug, Clone, Copy)]
enum Order {
    SpanFirst,
    DayFirst,
    FromToday,
}

use Order::{DayFirst, FromToday, SpanFirst};

static OFFSET_GRAMMAR: LazyLock<Grammar<(Order, bool)>> = LazyLock::new(|| Grammar::new(OFFSETS));

/// The order of a phrase, and whether it leads forward in time.
const OFFSETS: &[(&str, (Order, bool))] = &[
    ("# after|from|past #", (SpanFirst, true)),
    ("# before #", (SpanFirst, false)),
    ("# prior to #", (SpanFirst, false)),
    ("add # to #", (SpanFirst, true)),
    ("subtract # from #", (SpanFirst, false)),
    ("# plus|+ #", (DayFirst, true)),
    ("# minus|- #", (DayFirst, false)),
    ("in #", (FromToday, true)),
    ("# hence", (FromToday, true)),
    ("# ago", (FromToday, false)),
];

fn in_words(span: Span) -> String {
    [
        (i64::from(span.get_years()), "year"),
        (i64::from(span.get_months()), "month"),
        (i64::from(span.get_weeks()), "week"),
        (i64::from(span.get_days()), "day"),
    ]
    .into_iter()
    .filter(|(count, _)| *count != 0)
    .map(|(count, unit)| plural(count, unit))
    .collect::<Vec<_>>()
    .join(" ")
}

fn plural(count: i64, unit: &str) -> String {
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

const WEEKDAYS: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

pub(super) fn weekday_name(date: Date) -> &'static str {
    let at = usize::try_from(date.weekday().to_monday_zero_offset()).ok();
    at.and_then(|at| WEEKDAYS.get(at)).copied().unwrap_or_default()
}

/// "Friday, 17 April 2026".
pub(super) fn in_full(date: Date) -> String {
    let (weekday, month) = (weekday_name(date), month_name(date.month()));
    format!("{weekday}, {} {month} {}", date.day(), date.year())
}

/// A day as the answer.
pub(super) fn dated(date: Date, steps: Vec<Step>) -> Solution {
    Solution { solver: SOLVER, content: in_full(date), answer: Canonical::Date(date), steps }
}

fn date_answer(computed: Computed) -> Solution {
    let Computed { date, steps, .. } = computed;
    Solution { solver: SOLVER, content: in_full(date), answer: Canonical::Date(date), steps }
}

/// "which date": no answer where the date is given in the question.
fn which_date(holes: Holes<'_, '_>, today: Date) -> Option<Solution> {
    // "Yesterday" alone is a song, and "now" is no question.
    let [hole] = holes else { return None };
    if hole.len() == 1 && !hole.iter().any(|t| t.is("today")) {
        return None;
    }
    computed(hole, today).filter(|c| c.relative).map(date_answer)
}

/// "which day": the date where that is open, the weekday where the date is given.
fn which_day(holes: Holes<'_, '_>, today: Date) -> Option<Solution> {
    let computed = computed(holes.first()?, today)?;
    if computed.relative { Some(date_answer(computed)) } else { weekday(holes, today) }
}

fn weekday(holes: Holes<'_, '_>, today: Date) -> Option<Solution> {
    let Computed { date, mut steps, .. } = computed(holes.first()?, today)?;
    let name = weekday_name(date);
    steps.push(step(format!("{date} is a {name}")));
    let answer = Canonical::Text(name.to_lowercase());
    Some(Solution { solver: SOLVER, content: name.to_owned(), answer, steps })
}

/// Days from one day to another, counted in days or weeks. Months and years have several counts.
fn count(unit: Unit, from: Date, to: Date) -> Option<Solution> {
    let days = i64::from(from.until(to).ok()?.get_days());
    let (content, number) = match unit {
        Unit::Day => (plural(days, "day"), Number::from(days)),
        Unit::Week => {
            let (weeks, rest) = (days / 7, days % 7);
            let content = if rest == 0 {
                plural(weeks, "week")
            } else {
                format!("{} and {}", plural(weeks, "week"), plural(rest, "day"))
            };
            (content, Number::from(num_rational::BigRational::new(days.into(), 7.into())))
        }
        Unit::Month | Unit::Year => return None,
    };
    let steps = vec![step(format!("{from} to {to}: {}", plural(days, "day")))];
    Some(Solution { solver: SOLVER, content, answer: Canonical::Number(number), steps })
}

/// "between" has no direction.
fn between(holes: Holes<'_, '_>, today: Date) -> Option<Solution> {
    let [unit, a, b] = holes else { return None };
    let (a, b) = (day(a, today)?.date, day(b, today)?.date);
    count(unit_of(unit)?, a.min(b), a.max(b))
}

fn from_to(holes: Holes<'_, '_>, today: Date) -> Option<Solution> {
    let [unit, a, b] = holes else { return None };
    let (a, b) = (day(a, today)?.date, day(b, today)?.date);
    if a <= b { count(unit_of(unit)?, a, b) } else { None }
}

/// "2026-11-22 - 2026-01-01".
fn minus(holes: Holes<'_, '_>, today: Date) -> Option<Solution> {
    let [to, from] = holes else { return None };
    let (to, from) = (day(to, today)?.date, day(from, today)?.date);
    if from <= to { count(Unit::Day, from, to) } else { None }
}

fn until(holes: Holes<'_, '_>, today: Date) -> Option<Solution> {
    let [unit, to] = holes else { return None };
    let to = match day(to, today) {
        Some(day) => day.date,
        None => next_occurrence(to, today)?,
    };
    if today <= to { count(unit_of(unit)?, today, to) } else { None }
}

fn since(holes: Holes<'_, '_>, today: Date) -> Option<Solution> {
    let [unit, from] = holes else { return None };
    let from = day(from, today)?.date;
    if from <= today { count(unit_of(unit)?, from, today) } else { None }
}

fn leap_year(holes: Holes<'_, '_>, _: Date) -> Option<Solution> {
    let [year_token] = holes.first()? else { return None };
    let year = year(year_token)?;
    let leap = Date::new(year, 1, 1).ok()?.in_leap_year();
    let working = step(format!("{year} has {} days", if leap { 366 } else { 365 }));
    Some(yes_no(SOLVER, leap, vec![working]))
}

/// "is 2026-11-22 a sunday".
fn is_weekday(holes: Holes<'_, '_>, today: Date) -> Option<Solution> {
    let [date, [name]] = holes else { return None };
    let (date, name) = (day(date, today)?.date, name.word()?);
    let known = WEEKDAYS.iter().any(|weekday| weekday.eq_ignore_ascii_case(name));
    let actual = weekday_name(date);
    let working = step(format!("{date} is a {actual}"));
    known.then(|| yes_no(SOLVER, actual.eq_ignore_ascii_case(name), vec![working]))
}

/// "February 2024", "April", "2024", "a leap year".
fn days_in(holes: Holes<'_, '_>, _: Date) -> Option<Solution> {
    let days = |days: i64| Solution {
        solver: SOLVER,
        content: plural(days, "day"),
        answer: Canonical::Number(Number::from(days)),
        steps: Vec::new(),
    };
    let tokens = match holes {
        [tokens] => match tokens {
            [first, rest @ ..] if first.is("the") => rest,
            all => all,
        },
        _ => return None,
    };
    let tokens = match tokens {
        [rest @ .., year] if year.is("year") && rest.len() == 1 => rest,
        [first, second, rest @ ..] if first.is("month") && second.is("of") => rest,
        [first, rest @ ..] if first.is("year") => rest,
        all => all,
    };
    match tokens {
        [one] => match year(one) {
            Some(year) => Some(days(i64::from(Date::new(year, 1, 1).ok()?.days_in_year()))),
            // The year's name was cut off: "a year" is 365 days or 366.
            None => {
                let month = month(one).filter(|m| *m != 2)?;
                Some(days(i64::from(Date::new(2026, month, 1).ok()?.days_in_month())))
            }
        },
        [a, b, c] if a.is("a") && b.is("leap") && c.is("year") => Some(days(366)),
        [month_token, rest @ ..] => {
            let of = match rest {
                [joint, year] if joint.is(",") || joint.is("of") || joint.is("in") => year,
                [year] => year,
                _ => return None,
            };
            let date = Date::new(year(of)?, month(month_token)?, 1).ok()?;
            Some(days(i64::from(date.days_in_month())))
        }
        [] => None,
    }
}

fn which_day_after(today: Date, days: i64) -> Option<Solution> {
    let date = today.checked_add(Span::new().try_days(days).ok()?).ok()?;
    Some(date_answer(Computed { date, relative: true, steps: Vec::new() }))
}

fn today_is(_: Holes<'_, '_>, today: Date) -> Option<Solution> {
    Some(date_answer(Computed { date: today, relative: true, steps: Vec::new() }))
}

fn this_year(_: Holes<'_, '_>, today: Date) -> Option<Solution> {
    numbered(SOLVER, today.year().to_string(), Number::from(i64::from(today.year())), Vec::new())
}

/// "is 2024-02-30 valid": of a date whose parts are told by their order.
fn is_valid(holes: Holes<'_, '_>, _: Date) -> Option<Solution> {
    let [year_token, mark, month, second_mark, day] = holes.first()? else { return None };
    let glued = !mark.spaced && !month.spaced && !second_mark.spaced && !day.spaced;
    let short = |t: &Token<'_>| (t.raw.len() <= 2).then(|| t.raw.parse::<i8>().ok())?;
    let (year, month, day) = (year(year_token)?, short(month)?, short(day)?);
    let dated = glued && mark.is("-") && second_mark.is("-");
    dated.then(|| yes_no(SOLVER, Date::new(year, month, day).is_ok(), Vec::new()))
}

type Phrase = fn(Holes<'_, '_>, Date) -> Option<Solution>;

static GRAMMAR: LazyLock<Grammar<Phrase>> = LazyLock::new(|| Grammar::new(PHRASES));

const PHRASES: &[(&str, Phrase)] = &[
    ("how many # is|are [there] between # and #", between),
    ("how many # [have] [passed|elapsed] between # and #", between),
    ("[number|count] [of] # between # and #", between),
    ("how many # is|are [there] from # to|until|till #", from_to),
    ("how many # from # to|until|till #", from_to),
    ("[number] [of] # from # to|until|till #", from_to),
    ("how many # is|are [there] [left|remaining] until|till|before #", until),
    ("how many # is it until|till|to #", until),
    ("how many # [left|remaining] until|till|to #", until),
    ("how many # before #", until),
    ("[number] [of] # until|till #", until),
    ("how many # [has|have] [it] [been] [passed|elapsed] since #", since),
    ("[number] [of] # since #", since),
    ("how many # ago was|is #", since),
    ("what|which day of [the] week is|was|will [it] [be] [on] #", weekday),
    ("what|which day of [the] week does|did|will # fall [on]", weekday),
    ("on what|which day of [the] week is|was|does|did # [fall]", weekday),
    ("what|which weekday is|was [it] [on] #", weekday),
    ("day of [the] week of|for|on #", weekday),
    ("day of [the] week [is|was] #", weekday),
    ("weekday of|for|on #", weekday),
    ("what|which day is|was [it] [on] #", which_day),
    ("what|which day will it be [on] #", which_day),
    ("what|which day will # be", which_day),
    ("what day of [the] week is it", |holes, today| {
        let _ = holes;
        let name = weekday_name(today);
        let answer = Canonical::Text(name.to_lowercase());
        Some(Solution { solver: SOLVER, content: name.to_owned(), answer, steps: Vec::new() })
    }),
    ("what day is it", today_is),
    ("what date is it", today_is),
    ("what is today's date", today_is),
    ("today's date", today_is),
    ("tomorrow's date", |_, today| which_day_after(today, 1)),
    ("yesterday's date", |_, today| which_day_after(today, -1)),
    ("current date", today_is),
    ("current year", this_year),
    ("what|which year is it [now]", this_year),
    ("is # [a] valid [calendar] [date]", is_valid),
    ("what|which date is|was [it] #", which_date),
    ("what|which date will it be #", which_date),
    ("what|which date comes #", which_date),
    ("what will [be] the date [be] #", which_date),
    ("what was the date #", which_date),
    ("[calendar] date [of] #", which_date),
    ("day #", which_date),
    ("# minus|- #", minus),
    ("#", which_date),
    ("is|was # [on] a #", is_weekday),
    ("is|was|will [the] [year] # [be] a leap year", leap_year),
    ("how many days is|are|was|were [there] in #", days_in),
    ("days in #", days_in),
    ("how many days in #", days_in),
    ("how many days does # have", days_in),
    ("number of days in #", days_in),
];
