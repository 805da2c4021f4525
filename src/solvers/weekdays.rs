//! Questions about the calendar itself: weeks, weekdays, quarters, ages, leap years.

use std::sync::LazyLock;

use jiff::Span;
use jiff::civil::{Date, Weekday};

use crate::text::month_name;

use super::Solution;
use super::calendar::{Unit, day, month, span, unit_of, year};
use super::comparison::yes_no;
use super::dates::{in_full, weekday_name};
use super::lexer::{Token, whole};
use super::number_words::{ordinal, spelled};
use super::pattern::{Grammar, Holes};
use super::question::Question;
use super::show::{numbered, said, step};

const SOLVER: &str = "dates";

/// Answers questions about weeks, weekdays and years.
pub(super) fn solve(question: &Question<'_>, today: Date) -> Option<Solution> {
    GRAMMAR.find(question.body(), |answer, holes| answer(holes, today))
}

fn dated(date: Date) -> Solution {
    super::dates::dated(date, Vec::new())
}

const WEEKDAY_NAMES: [&str; 7] =
    ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// 1 for Monday to 7 for Sunday, of a name in full or shortened.
pub(super) fn weekday_named(token: &Token<'_>) -> Option<i8> {
    let word = token.word()?;
    let word = word.strip_suffix("'s").unwrap_or(word);
    (1..).zip(WEEKDAY_NAMES).find(|(_, name)| *name == word).map(|(at, _)| at)
}

fn iso_week(holes: Holes<'_, '_>, today: Date) -> Option<Solution> {
    let date = day(holes.first()?, today)?.date;
    let week = date.iso_week_date();
    let working = step(format!("{date} is in week {} of {} (ISO 8601)", week.week(), week.year()));
    numbered(SOLVER, format!("week {} (ISO 8601)", week.week()), whole(week.week()), vec![working])
}

fn day_of_year(holes: Holes<'_, '_>, today: Date) -> Option<Solution> {
    let date = day(holes.first()?, today)?.date;
    let number = date.day_of_year();
    numbered(
        SOLVER,
        number.to_string(),
        whole(number),
        vec![step(format!("{date}: day {number} of {}", date.year()))],
    )
}

fn days_left(holes: Holes<'_, '_>, today: Date) -> Option<Solution> {
    let date = day(holes.first()?, today)?.date;
    let left = date.days_in_year() - date.day_of_year();
    numbered(SOLVER, format!("{left} days"), whole(left), Vec::new())
}

fn quarter(holes: Holes<'_, '_>, today: Date) -> Option<Solution> {
    let hole = *holes.first()?;
    let month = match hole {
        [name] => month(name).or_else(|| Some(day(hole, today)?.date.month()))?,
        _ => day(hole, today)?.date.month(),
    };
    let quarter = (month - 1) / 3 + 1;
    numbered(SOLVER, format!("Q{quarter}"), whole(quarter), Vec::new())
}

fn century(holes: Holes<'_, '_>, _: Date) -> Option<Solution> {
    let [token] = holes.first()? else { return None };
    let year = year(token)?;
    let century = (year - 1) / 100 + 1;
    let suffix = match century % 10 {
        1 if century != 11 => "st",
        2 if century != 12 => "nd",
        3 if century != 13 => "rd",
        _ => "th",
    };
    numbered(SOLVER, format!("{century}{suffix} century"), whole(century), Vec::new())
}

/// Whole years from a birthday to a day. Who was born on 29 February has no agreed birthday in
/// other years: near it there is no answer.
fn age(born: Date, on: Date) -> Option<Solution> {
    if on < born {
        return None;
    }
    let leapling = born.month() == 2 && born.day() == 29;
    let near = (on.month(), on.day()) == (2, 28) || (on.month(), on.day()) == (3, 1);
    if leapling && near && !on.in_leap_year() {
        return None;
    }
    let passed = (on.month(), on.day()) >= (born.month(), born.day());
    let years = on.year() - born.year() - i16::from(!passed);
    let unit = if years == 1 { "year" } else { "years" };
    numbered(
        SOLVER,
        format!("{years} {unit}"),
        whole(years),
        vec![step(format!("born {born}, on {on}"))],
    )
}

fn age_on(holes: Holes<'_, '_>, today: Date) -> Option<Solution> {
    let [born, on] = holes else { return None };
    age(day(born, today)?.date, day(on, today)?.date)
}

fn age_on_reversed(holes: Holes<'_, '_>, today: Date) -> Option<Solution> {
    let [on, born] = holes else { return None };
    age_on(&[born, on], today)
}

fn age_now(holes: Holes<'_, '_>, today: Date) -> Option<Solution> {
    age(day(holes.first()?, today)?.date, today)
}

/// The next day that is such a weekday, today excluded.
fn coming(from: Date, weekday: i8) -> Option<Date> {
    from.nth_weekday(1, Weekday::from_monday_one_offset(weekday).ok()?).ok()
}

fn one(hole: &[Token<'_>]) -> Option<i8> {
    let [name] = hole else { return None };
    weekday_named(name)
}

/// "the coming Friday", "the first Friday after 2026-11-22".
fn coming_weekday(holes: Holes<'_, '_>, today: Date) -> Option<Solution> {
    Some(dated(coming(today, one(holes.first()?)?)?))
}

fn weekday_after(holes: Holes<'_, '_>, today: Date) -> Option<Solution> {
    let [name, from] = holes else { return None };
    Some(dated(coming(day(from, today)?.date, one(name)?)?))
}

fn weekday_before(holes: Holes<'_, '_>, today: Date) -> Option<Solution> {
    let [name, from] = holes else { return None };
    let weekday = Weekday::from_monday_one_offset(one(name)?).ok()?;
    Some(dated(day(from, today)?.date.nth_weekday(-1, weekday).ok()?))
}

/// To some "next Friday" is the coming one, to others that of next week, whether weeks begin on
/// Sunday or on Monday: it is answered only on days on which all of these are one.
fn next_weekday(holes: Holes<'_, '_>, today: Date) -> Option<Solution> {
    let weekday = one(holes.first()?)?;
    let coming = coming(today, weekday)?;
    let offset = i64::from(today.weekday().to_monday_one_offset());
    let in_days = |days: i64| today.checked_add(Span::new().try_days(days).ok()?).ok();
    let monday_week = in_days(7 - offset + i64::from(weekday))?;
    // Weeks from Sunday: Sunday is their day 0.
    let sunday_week = in_days(7 - offset % 7 + i64::from(weekday % 7))?;
    (coming == monday_week && coming == sunday_week).then(|| dated(coming))
}

/// "first Monday of March 2026", "last Friday in May 2026".
fn nth_weekday(holes: Holes<'_, '_>, _: Date) -> Option<Solution> {
    let [[rank], [name], within] = holes else { return None };
    let nth = match rank.word()? {
        "last" => -1,
        word => i8::try_from(ordinal(word)?).ok().filter(|n| *n <= 5)?,
    };
    let weekday = Weekday::from_monday_one_offset(weekday_named(name)?).ok()?;
    let first = first_of(within)?;
    Some(dated(first.nth_weekday_of_month(nth, weekday).ok()?))
}

/// The first day of "March 2026".
fn first_of(hole: &[Token<'_>]) -> Option<Date> {
    let (name, year_token) = match hole {
        [name, joint, year] if joint.is(",") || joint.is("of") => (name, year),
        [name, year] => (name, year),
        _ => return None,
    };
    Date::new(year(year_token)?, month(name)?, 1).ok()
}

fn last_day(holes: Holes<'_, '_>, _: Date) -> Option<Solution> {
    let hole = holes.first()?;
    if let [only] = hole {
        return Some(dated(Date::new(year(only)?, 12, 31).ok()?));
    }
    Some(dated(first_of(hole)?.last_of_month()))
}

fn first_day(holes: Holes<'_, '_>, _: Date) -> Option<Solution> {
    let hole = holes.first()?;
    if let [only] = hole {
        return Some(dated(Date::new(year(only)?, 1, 1).ok()?));
    }
    Some(dated(first_of(hole)?))
}

fn leap_after(holes: Holes<'_, '_>, _: Date) -> Option<Solution> {
    let [token] = holes.first()? else { return None };
    let from = year(token)?;
    let next =
        (from + 1..from + 9).find(|y| Date::new(*y, 1, 1).is_ok_and(|d| d.in_leap_year()))?;
    numbered(SOLVER, next.to_string(), whole(next), Vec::new())
}

fn next_leap(_: Holes<'_, '_>, today: Date) -> Option<Solution> {
    let from = today.year();
    let next =
        (from + 1..from + 9).find(|y| Date::new(*y, 1, 1).is_ok_and(|d| d.in_leap_year()))?;
    numbered(SOLVER, next.to_string(), whole(next), Vec::new())
}

fn named_weekday(number: i64) -> Option<Solution> {
    let number = i8::try_from(number.rem_euclid(7)).ok()?;
    let monday = Date::new(2026, 11, 23).ok()?;
    let name = weekday_name(monday.checked_add(Span::new().days(number)).ok()?);
    said(SOLVER, name, Vec::new())
}

/// Days of "10 days", "two weeks".
fn whole_days(hole: &[Token<'_>]) -> Option<i64> {
    let span = span(hole)?;
    let months = span.get_months() != 0 || span.get_years() != 0;
    (!months).then(|| i64::from(span.get_days()) + 7 * i64::from(span.get_weeks()))
}

/// "10 days after Monday".
fn after_weekday(holes: Holes<'_, '_>, _: Date) -> Option<Solution> {
    let [days, name] = holes else { return None };
    named_weekday(i64::from(one(name)?) - 1 + whole_days(days)?)
}

fn before_weekday(holes: Holes<'_, '_>, _: Date) -> Option<Solution> {
    let [days, name] = holes else { return None };
    named_weekday(i64::from(one(name)?) - 1 - whole_days(days)?)
}

fn from_weekday(holes: Holes<'_, '_>, today: Date) -> Option<Solution> {
    let [name, days] = holes else { return None };
    after_weekday(&[days, name], today)
}

fn ago_weekday(holes: Holes<'_, '_>, today: Date) -> Option<Solution> {
    let [name, days] = holes else { return None };
    before_weekday(&[days, name], today)
}

/// "what comes after Monday", "after April".
fn successor(holes: Holes<'_, '_>, by: i8) -> Option<Solution> {
    let [name] = holes.first()? else { return None };
    if let Some(weekday) = weekday_named(name) {
        return named_weekday(i64::from(weekday) - 1 + i64::from(by));
    }
    let next = (month(name)? - 1 + by).rem_euclid(12) + 1;
    said(SOLVER, month_name(next), Vec::new())
}

/// "3 months after March".
fn month_later(holes: Holes<'_, '_>, sign: i64) -> Option<Solution> {
    let [count, [name]] = holes else { return None };
    let (unit, number) = count.split_last()?;
    if unit_of(std::slice::from_ref(unit))? != Unit::Month {
        return None;
    }
    let months = spelled(number).filter(|n| n.used == number.len() && n.value.is_integer())?;
    let months = i64::try_from(months.value.to_integer()).ok().filter(|n| n.abs() < 10_000)?;
    let next = (i64::from(month(name)?) - 1 + sign * months).rem_euclid(12) + 1;
    said(SOLVER, month_name(i8::try_from(next).ok()?), Vec::new())
}

fn is_before(holes: Holes<'_, '_>, today: Date) -> Option<Solution> {
    let [a, b] = holes else { return None };
    let (a, b) = (day(a, today)?.date, day(b, today)?.date);
    Some(yes_no(SOLVER, a < b, vec![step(format!("{} and {}", in_full(a), in_full(b)))]))
}

fn is_after(holes: Holes<'_, '_>, today: Date) -> Option<Solution> {
    let [a, b] = holes else { return None };
    is_before(&[b, a], today)
}

/// Which of two dates is the earlier.
fn earlier(holes: Holes<'_, '_>, today: Date) -> Option<Solution> {
    let [a, b] = holes else { return None };
    let (a, b) = (day(a, today)?.date, day(b, today)?.date);
    (a != b).then(|| dated(a.min(b)))
}

fn later(holes: Holes<'_, '_>, today: Date) -> Option<Solution> {
    let [a, b] = holes else { return None };
    let (a, b) = (day(a, today)?.date, day(b, today)?.date);
    (a != b).then(|| dated(a.max(b)))
}

/// "how many sundays are in 2024".
/// "how many fridays are in december 2026".
fn count_in_month(name: &Token<'_>, first: Date) -> Option<Solution> {
    let weekday = several_of(name)?;
    let to_come = (weekday - first.weekday().to_monday_one_offset()).rem_euclid(7);
    let count = (first.days_in_month() - 1 - to_come) / 7 + 1;
    numbered(SOLVER, count.to_string(), whole(count), Vec::new())
}

/// "sundays" → 7.
fn several_of(name: &Token<'_>) -> Option<i8> {
    let singular = name.word()?.strip_suffix('s')?;
    Some((1..).zip(WEEKDAY_NAMES).find(|(_, known)| *known == singular)?.0)
}

fn count_in_year(holes: Holes<'_, '_>, _: Date) -> Option<Solution> {
    if let [[name], [month_token, year_token]] = holes {
        let first = Date::new(year(year_token)?, month(month_token)?, 1).ok()?;
        return count_in_month(name, first);
    }
    let [[name], [year_token]] = holes else { return None };
    let weekday = several_of(name)?;
    let first = Date::new(year(year_token)?, 1, 1).ok()?;
    let to_come = (weekday - first.weekday().to_monday_one_offset()).rem_euclid(7);
    let count = (first.days_in_year() - 1 - i16::from(to_come)) / 7 + 1;
    numbered(SOLVER, count.to_string(), whole(count), Vec::new())
}

type Phrase = fn(Holes<'_, '_>, Date) -> Option<Solution>;

static GRAMMAR: LazyLock<Grammar<Phrase>> = LazyLock::new(|| Grammar::new(PHRASES));

const PHRASES: &[(&str, Phrase)] = &[
    ("[iso] week number of|for|on #", iso_week),
    ("iso week [number] of|for|on #", iso_week),
    ("[in|what|which] [what|which] [iso] week [number] [of] [the] [year] is|was #", iso_week),
    ("[in] what|which [iso] week [of] [the] [year] is|was|does # [in|fall]", iso_week),
    ("day of [the] year of|for|on #", day_of_year),
    ("day of [the] year is|was #", day_of_year),
    ("what|which day of [the] year is|was #", day_of_year),
    ("what|which day number of [the] year is|was #", day_of_year),
    ("how many days are left in the year after|on #", days_left),
    ("how many days remain|remaining in the year after #", days_left),
    ("[in] what|which quarter [of] [the] [year] is|was|does # [in|fall]", quarter),
    ("[in] what|which century is|was [the] [year] # [in]", century),
    ("century of [the] [year] #", century),
    ("how old is|was|will someone|somebody [be] born on # [be] on #", age_on),
    ("how old is|was|will a person [be] born on # [be] on #", age_on),
    ("age of someone|somebody born on # on #", age_on),
    ("age of a person born on # on #", age_on),
    ("if i was born on # [,] how old will|was i [be] on #", age_on),
    ("i was born on # [.|,] how old will|was i [be] on #", age_on),
    ("how old will|was i [be] on # if i was born on #", age_on_reversed),
    ("how old is someone|somebody born on #", age_now),
    ("how old is a person born on #", age_now),
    ("age of someone|somebody born on #", age_now),
    ("if i was born on # [,] how old am i", age_now),
    ("i was born on # [.|,] how old am i", age_now),
    ("how old am i if i was born on #", age_now),
    ("how many # are|were [there] in #", count_in_year),
    ("how many # in #", count_in_year),
    ("number of # in #", count_in_year),
    ("[what|which] [date|day] [is|of] [the] coming|upcoming #", coming_weekday),
    ("[what|which] [date|day] [is|of] this coming #", coming_weekday),
    ("[what|which] [date] [day] [is|was] [the] first|next # after #", weekday_after),
    ("[date] [of] [the] # after #", weekday_after),
    ("[what|which] [date] [is|was] [the] last # before #", weekday_before),
    ("what|which date|day is next #", next_weekday),
    ("date [of] next #", next_weekday),
    ("what is next #", |_, _| None),
    ("next # 's date", next_weekday),
    ("[what|which] [date|day] [is|was] [the] [date] [of] [the] # # of|in #", nth_weekday),
    ("when is|was the # # of|in #", nth_weekday),
    ("[what|which] [date|day] [is|was] [the] last day of|in #", last_day),
    ("[what|which] [date|day] [is|was] [the] first day of #", first_day),
    ("[what|which] [year] [is] [the] next|first leap year after #", leap_after),
    ("[when|what] [is] [the] next leap year", next_leap),
    ("[what|which] [day|weekday] [of] [the] [week] [is|comes|falls] # after|from #", after_weekday),
    (
        "[what|which] [day|weekday] [of] [the] [week] [is|was|comes|falls] # before #",
        before_weekday,
    ),
    (
        "if today is # [,] what|which day [of] [the] [week] is|will [it] [be] [in] # [from] [now|today]",
        from_weekday,
    ),
    (
        "if today is # [,] what|which day [of] [the] [week] is|will it be # from now|today",
        from_weekday,
    ),
    (
        "if it is # [today] [,] what|which day [of] [the] [week] is|will it be|in [in] #",
        from_weekday,
    ),
    ("today is # [.|,] what|which day [of] [the] [week] will it be in #", from_weekday),
    ("if today is # [,] what|which day [of] [the] [week] was it # ago", ago_weekday),
    ("if today is # [,] what|which day [of] [the] [week] is|will [be] tomorrow [be]", |h, _| {
        successor(h, 1)
    }),
    ("if today is # [,] what|which day [of] [the] [week] was|is [it] yesterday", |h, _| {
        successor(h, -1)
    }),
    ("if yesterday was # [,] what|which day [of] [the] [week] is [it] today", |h, _| {
        successor(h, 1)
    }),
    ("if tomorrow is # [,] what|which day [of] [the] [week] is [it] today", |h, _| {
        successor(h, -1)
    }),
    (
        "if yesterday was # [,] what|which day [of] [the] [week] is|will [it] [be] tomorrow [be]",
        |h, _| successor(h, 2),
    ),
    ("if tomorrow is # [,] what|which day [of] [the] [week] was [it] yesterday", |h, _| {
        successor(h, -2)
    }),
    ("[what|which] day [of] [the] [week] comes|is [right|immediately|directly] after #", |h, _| {
        successor(h, 1)
    }),
    (
        "[what|which] day [of] [the] [week] comes|is [right|immediately|directly] before #",
        |h, _| successor(h, -1),
    ),
    ("[what|which] month comes|is [right|immediately|directly] after #", |h, _| successor(h, 1)),
    ("[what|which] month comes|is [right|immediately|directly] before #", |h, _| successor(h, -1)),
    ("[what|which] [month] [is|comes] # after|from #", |h, _| month_later(h, 1)),
    ("[what|which] [month] [is|was|comes] # before #", |h, _| month_later(h, -1)),
    ("is|was|does # [come] before|earlier [than] #", is_before),
    ("is|was|does # [come] after|later [than] #", is_after),
    ("which|what [date] is|comes|was earlier|first [,|:] # or #", earlier),
    ("which|what [date] is|comes|was later [,|:] # or #", later),
];

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn next_friday_is_answered_where_all_mean_the_same_day() {
        let on = |today| Some(solve(&Question::read("what date is next Friday?")?, today)?.content);
        // On a Friday or Saturday this week's has come, wherever weeks begin.
        for day in [20, 21] {
            assert_eq!(on(date(2026, 11, day)).as_deref(), Some("Friday, 27 November 2026"));
        }
        for other in [16, 17, 18, 19, 22] {
            assert_eq!(on(date(2026, 11, other)), None, "{other}");
        }
    }
}
