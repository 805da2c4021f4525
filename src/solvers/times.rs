//! Questions about times of day: later, earlier, between, in another notation or zone.
//!
//! What time it is now is not known here, nor asked for: only times that the question gives.

use std::sync::LazyLock;

use jiff::civil::{Date, Time};

use super::Solution;
use super::calendar::day;
use super::clock::{Clock, Hours, ahead, clock, moved, shown, zone};
use super::lexer::{Token, whole};
use super::number_words::spelled;
use super::pattern::{Grammar, Holes};
use super::question::Question;
use super::show::{numbered, said, step};

const SOLVER: &str = "times";

const DAY: i64 = 24 * 60;

/// Answers questions about times of day.
pub(super) fn solve(question: &Question<'_>, today: Date) -> Option<Solution> {
    let body = question.body();
    // Cheap to tell: no time of day without a mark of one.
    let marked = body.iter().any(|t| t.is(":") || MARKS.iter().any(|mark| t.is(mark)));
    if marked { GRAMMAR.find(body, |answer, holes| answer(holes, today)) } else { None }
}

const MARKS: &[&str] =
    &["am", "pm", "m", "noon", "midday", "midnight", "o'clock", "time", "utc", "gmt", "ahead"];

/// Minutes of "2 hours", "90 minutes", "2 hours and 30 minutes", "1h 30m", "an hour and a half".
pub(super) fn minutes(tokens: &[Token<'_>]) -> Option<i64> {
    let (mut total, mut rest, mut last) = (0i64, tokens, i64::MAX);
    while !rest.is_empty() {
        if last < i64::MAX && rest.first()?.is("and") {
            rest = rest.get(1..)?;
            // "an hour and a half": half of what was just named.
            if let [a, half] = rest
                && a.is("a")
                && half.is("half")
            {
                return Some(total + last / 2);
            }
        }
        let first = rest.first()?;
        let (count, used) = match spelled(rest) {
            Some(number) => (number.value, number.used),
            None if first.is("a") || first.is("an") => (whole(1), 1),
            None => return None,
        };
        let used = match rest.get(used) {
            Some(article) if article.is("an") || article.is("a") => used + 1,
            _ => used,
        };
        let unit = match rest.get(used)?.word()? {
            "hour" | "hours" | "hr" | "hrs" | "h" => 60,
            "minute" | "minutes" | "min" | "mins" => 1,
            "m" if last == 60 => 1,
            "day" | "days" => DAY,
            _ => return None,
        };
        let part = count * whole(unit);
        if unit >= last || !part.is_integer() {
            return None;
        }
        total = total.checked_add(
            i64::try_from(part.to_integer()).ok().filter(|m| (0..=1_000_000).contains(m))?,
        )?;
        last = unit;
        rest = rest.get(used + 1..)?;
    }
    (last < i64::MAX).then_some(total)
}

fn minute_of_day(at: Time) -> i64 {
    i64::from(at.hour()) * 60 + i64::from(at.minute())
}

fn shifted(from: Clock, by: i64) -> Option<Solution> {
    let total = minute_of_day(from.time) + by;
    let (days, minute) = (total.div_euclid(DAY), total.rem_euclid(DAY));
    let at =
        Time::new(i8::try_from(minute / 60).ok()?, i8::try_from(minute % 60).ok()?, 0, 0).ok()?;
    // `3:45` plus 10 hours: without a half of the day it comes to 1:45 all the same.
    let days = if from.hours == Hours::Open { 0 } else { days };
    let content = format!("{}{}", shown(at, from.hours), later(i32::try_from(days).ok()?));
    let sign = if by < 0 { '-' } else { '+' };
    let working = format!("{} {sign} {}", shown(from.time, from.hours), in_words(by.abs()));
    said(SOLVER, content.clone(), vec![step(format!("{working} = {content}"))])
}

fn later(days: i32) -> String {
    match days {
        0 => String::new(),
        1 => " (the next day)".to_owned(),
        -1 => " (the day before)".to_owned(),
        2.. => format!(" ({days} days later)"),
        _ => format!(" ({} days earlier)", -days),
    }
}

/// "2 hours and 30 minutes".
fn in_words(minutes: i64) -> String {
    let part = |count: i64, unit: &str| match count {
        0 => None,
        1 => Some(format!("1 {unit}")),
        _ => Some(format!("{count} {unit}s")),
    };
    let parts: Vec<String> =
        [part(minutes / 60, "hour"), part(minutes % 60, "minute")].into_iter().flatten().collect();
    if parts.is_empty() { "0 minutes".to_owned() } else { parts.join(" and ") }
}

fn after(holes: Holes<'_, '_>, _: Date) -> Option<Solution> {
    let [by, from] = holes else { return None };
    shifted(clock(from)?, minutes(by)?)
}

fn before(holes: Holes<'_, '_>, _: Date) -> Option<Solution> {
    let [by, from] = holes else { return None };
    shifted(clock(from)?, -minutes(by)?)
}

fn plus(holes: Holes<'_, '_>, today: Date) -> Option<Solution> {
    let [from, by] = holes else { return None };
    after(&[by, from], today)
}

fn minus(holes: Holes<'_, '_>, today: Date) -> Option<Solution> {
    let [from, by] = holes else { return None };
    before(&[by, from], today)
}

/// Minutes from one time to the next that reads like the other.
fn span(from: &[Token<'_>], to: &[Token<'_>]) -> Option<i64> {
    let (mut a, b) = (clock(from), clock(to)?);
    // "from 3 to 5 pm": the half is said once, for both.
    if a.is_none()
        && let [hour @ .., _] = to
        && b.hours == Hours::Twelve
        && !hour.is_empty()
        && let Some(half) = to.last()
    {
        let mut said = from.to_vec();
        said.push(half.clone());
        a = clock(&said).filter(|a| a.time < b.time);
    }
    let a = a?;
    let (start, end) = (minute_of_day(a.time), minute_of_day(b.time));
    match (a.hours, b.hours) {
        (Hours::Open, Hours::Open) if start >= end => None,
        (Hours::Twelve, Hours::Open) | (Hours::Open, Hours::Twelve) => None,
        _ if start == end => None,
        // Between 5 pm and 3 pm lie 2 hours to some, and 22 to who begins at 5.
        _ if start > end && start / (DAY / 2) == end / (DAY / 2) => None,
        _ => Some((end - start).rem_euclid(DAY)),
    }
}

fn how_long(holes: Holes<'_, '_>, _: Date) -> Option<Solution> {
    let [from, to] = holes else { return None };
    let minutes = span(from, to)?;
    said(SOLVER, in_words(minutes), Vec::new())
}

fn how_many(holes: Holes<'_, '_>, _: Date) -> Option<Solution> {
    let [[unit], from, to] = holes else { return None };
    let minutes = span(from, to)?;
    match unit.word()? {
        "minutes" => numbered(SOLVER, format!("{minutes} minutes"), whole(minutes), Vec::new()),
        "hours" => {
            let hours = whole(minutes) / whole(60);
            let content = if minutes % 60 == 0 && minutes != 60 {
                format!("{} hours", minutes / 60)
            } else {
                in_words(minutes)
            };
            numbered(SOLVER, content, hours, vec![step(format!("{minutes} minutes"))])
        }
        _ => None,
    }
}

/// "in 24-hour time", "in 12 hour format".
fn in_hours(holes: Holes<'_, '_>, today: Date) -> Option<Solution> {
    let [time, hours] = holes else { return None };
    let hours = super::arithmetic::number(hours)?;
    if hours == whole(24) {
        return in_24(&[time], today);
    }
    // Asked of a time without a half, it is taken as one of 24 hours.
    let from = clock(time).filter(|c| c.hours != Hours::Twelve && hours == whole(12))?;
    said(SOLVER, shown(from.time, Hours::Twelve), Vec::new())
}

fn in_24(holes: Holes<'_, '_>, _: Date) -> Option<Solution> {
    let from = clock(holes.first()?).filter(|c| c.hours == Hours::Twelve)?;
    said(SOLVER, shown(from.time, Hours::TwentyFour), Vec::new())
}

/// A time and its zone: the zone begins behind the time.
fn zoned<'h, 't>(hole: &'h [Token<'t>]) -> Option<(Clock, &'h [Token<'t>])> {
    let at = (1..hole.len()).rev().find(|at| hole.get(..*at).and_then(clock).is_some())?;
    let (time, zone) = hole.split_at_checked(at)?;
    let zone = match zone {
        [joint, rest @ ..] if joint.is("in") || joint.is(",") => rest,
        all => all,
    };
    let mut clock = clock(time)?;
    // UTC is told in 24 hours, so that "12:00 UTC" is noon.
    if clock.hours == Hours::Open && zone.first().is_some_and(|z| z.is("utc") || z.is("gmt")) {
        clock.hours = Hours::TwentyFour;
    }
    (clock.hours != Hours::Open).then_some((clock, zone))
}

/// Whether this is a time of day in a zone that is known.
pub(super) fn is_zoned(hole: &[Token<'_>]) -> bool {
    zoned(hole).is_some_and(|(_, place)| zone(place).is_some())
}

fn into_zone(
    hole: &[Token<'_>],
    to: &[Token<'_>],
    date: Option<Date>,
    today: Date,
) -> Option<Solution> {
    let (from_time, from) = zoned(hole)?;
    let (from, to) = (zone(from)?, zone(to)?);
    let (time, days) = moved(from_time.time, &from, &to, date, today)?;
    let content = format!("{}{}", shown(time, from_time.hours), later(days));
    let working =
        format!("{} {} = {content} {}", shown(from_time.time, from_time.hours), from.name, to.name);
    said(SOLVER, content, vec![step(working)])
}

fn elsewhere(holes: Holes<'_, '_>, today: Date) -> Option<Solution> {
    let [from, to] = holes else { return None };
    into_zone(from, to, None, today)
}

fn elsewhere_reversed(holes: Holes<'_, '_>, today: Date) -> Option<Solution> {
    let [to, from] = holes else { return None };
    into_zone(from, to, None, today)
}

fn elsewhere_reversed_on(holes: Holes<'_, '_>, today: Date) -> Option<Solution> {
    let [to, from, date] = holes else { return None };
    into_zone(from, to, Some(day(date, today)?.date), today)
}

fn elsewhere_on(holes: Holes<'_, '_>, today: Date) -> Option<Solution> {
    let [from, to, date] = holes else { return None };
    into_zone(from, to, Some(day(date, today)?.date), today)
}

fn elsewhere_date_first(holes: Holes<'_, '_>, today: Date) -> Option<Solution> {
    let [from, date, to] = holes else { return None };
    into_zone(from, to, Some(day(date, today)?.date), today)
}

fn apart(a: &[Token<'_>], b: &[Token<'_>], date: Option<Date>, today: Date) -> Option<Solution> {
    let minutes = i64::from(ahead(&zone(a)?, &zone(b)?, date, today)?);
    let hours = whole(minutes.abs()) / whole(60);
    numbered(SOLVER, in_words(minutes.abs()), hours, Vec::new())
}

fn difference(holes: Holes<'_, '_>, today: Date) -> Option<Solution> {
    let [a, b] = holes else { return None };
    apart(a, b, None, today)
}

fn difference_on(holes: Holes<'_, '_>, today: Date) -> Option<Solution> {
    let [a, b, date] = holes else { return None };
    apart(a, b, Some(day(date, today)?.date), today)
}

fn is_ahead(holes: Holes<'_, '_>, today: Date) -> Option<Solution> {
    let [to, from] = holes else { return None };
    let minutes = i64::from(ahead(&zone(from)?, &zone(to)?, None, today)?);
    if minutes <= 0 {
        return None;
    }
    numbered(SOLVER, in_words(minutes), whole(minutes) / whole(60), Vec::new())
}

fn is_behind(holes: Holes<'_, '_>, today: Date) -> Option<Solution> {
    let [from, to] = holes else { return None };
    is_ahead(&[to, from], today)
}

type Phrase = fn(Holes<'_, '_>, Date) -> Option<Solution>;

static GRAMMAR: LazyLock<Grammar<Phrase>> = LazyLock::new(|| Grammar::new(PHRASES));

const PHRASES: &[(&str, Phrase)] = &[
    ("what time is|was|will [it] [be] # after|from|past #", after),
    ("what time is|was|will [it] [be] # before #", before),
    ("what time comes # after #", after),
    ("what time comes # before #", before),
    ("[time] # after|from|past #", after),
    ("[time] # before #", before),
    ("[time] # later than #", after),
    ("[time] # earlier than #", before),
    ("add # to #", after),
    ("subtract # from #", before),
    ("# plus|+ #", plus),
    ("# minus|- #", minus),
    ("if it is # [now] [,] what time will it be in #", plus),
    ("if it is # [now] [,] what time was it # ago", minus),
    ("it is # [now] [.|,] what time will it be in #", plus),
    ("how long is it from|between # to|until|till|and #", how_long),
    ("how long from # to|until|till #", how_long),
    ("how much time is [there] between|from # and|to|until #", how_long),
    ("time between # and #", how_long),
    ("duration from|between # to|until|and #", how_long),
    ("how many # are [there] between|from # and|to|until|till #", how_many),
    ("how many # is it from # to|until|till #", how_many),
    ("how many # between|from # and|to|until|till #", how_many),
    ("# in|on [a|the] # [-] hour [time|format|clock|notation]", in_hours),
    (
        "convert|express|write # to|into|in|as [a|the] # [-] hour [time|format|clock|notation]",
        in_hours,
    ),
    ("# in military time", in_24),
    ("convert|express|write # to|into|in|as military time", in_24),
    ("[convert] # on # to|in|into #", elsewhere_date_first),
    ("what time is # on # in #", elsewhere_date_first),
    ("[convert] # to|in|into # on #", elsewhere_on),
    ("what time is # in # on #", elsewhere_on),
    ("[convert] # to|in|into #", elsewhere),
    ("what time is # in #", elsewhere),
    ("what time is|will it [be] in # when|if it is|was # on #", elsewhere_reversed_on),
    ("what time is|will it [be] in # when|if it's # on #", elsewhere_reversed_on),
    ("what time is|will it [be] in # when|if it is|was #", elsewhere_reversed),
    ("what time is|will it [be] in # when|if it's #", elsewhere_reversed),
    ("when|if it is # on # [,] what time is|will it [be] in #", elsewhere_date_first),
    ("when|if it's # on # [,] what time is|will it [be] in #", elsewhere_date_first),
    ("when|if it is # [,] what time is|will it [be] in #", elsewhere),
    ("when|if it's # [,] what time is|will it [be] in #", elsewhere),
    ("# on # in # is what time in #", |holes, today| match holes {
        [time, date, from, to] => {
            let from: Vec<Token<'_>> = [*time, *from].concat();
            elsewhere_date_first(&[&from, date, to], today)
        }
        _ => None,
    }),
    ("[convert] # # to|in|into #", |holes, today| match holes {
        [date, from, to] => elsewhere_date_first(&[from, date, to], today),
        _ => None,
    }),
    ("time difference between # and # on #", difference_on),
    ("time difference between # and #", difference),
    ("how many hours ahead of # is #", |h, d| match h {
        [from, to] => is_ahead(&[to, from], d),
        _ => None,
    }),
    ("how many hours is # ahead of #", is_ahead),
    ("how many hours is # behind #", is_behind),
    ("how many hours behind # is #", |h, d| match h {
        [to, from] => is_behind(&[from, to], d),
        _ => None,
    }),
];
