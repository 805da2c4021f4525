//! "Yesterday was April 30, 2021. What is the date tomorrow in MM/DD/YYYY?"
//!
//! The form that is asked for also tells how the story's own numeric dates are written.

use std::sync::LazyLock;

use jiff::Span;
use jiff::civil::{Date, Weekday};

use crate::domain::Canonical;

use super::super::Solution;
use super::super::calendar::{day, month, span, year};
use super::super::clock::clock;
use super::super::lexer::Token;
use super::super::number_words::{ordinal, spelled};
use super::super::pattern::{Grammar, Holes};
use super::super::question::{Question, raw, starts_with};
use super::super::show::step;
use super::super::weekdays::weekday_named;
use super::{american, choice, is_name, parted};

const SOLVER: &str = "dates";
/// Longest story, in tokens.
const MAX_STORY: usize = 120;

/// Finds out what day the story's today is, and counts from it.
pub(super) fn solve(question: &Question<'_>, tokens: &[Token<'_>]) -> Option<Solution> {
    let (head, options) = parted(tokens);
    if head.len() > MAX_STORY {
        return None;
    }
    let form = head.windows(6).rposition(is_form)?;
    // Behind the form stands nothing but the mark.
    if !head.get(form + 6..)?.iter().all(|t| t.is("?") || t.is(".")) {
        return None;
    }
    let asked_at = (0..form).rev().find(|at| {
        head.get(*at..).is_some_and(|rest| starts_with(rest, "what is the date").is_some())
    })?;
    let (story, asked) = (head.get(..asked_at)?, head.get(asked_at + 4..form)?);
    let mut told = Told::default();
    for sentence in &sentences(story) {
        FRAMES.find(sentence, |frame, holes| frame(&mut told, holes))?;
    }
    let today = told.today?;
    let date = counted(asked, today)?;
    let steps = vec![step(format!("today is {}", american(today))), step(american(date))];
    match options {
        None => Some(Solution {
            solver: SOLVER,
            content: american(date),
            answer: Canonical::Date(date),
            steps,
        }),
        Some(options) => {
            let text = raw(question.input, options);
            let wanted = american(date);
            let mut letters = text.split('(').filter_map(|option| {
                let (letter, rest) = option.split_once(')')?;
                (rest.trim() == wanted && letter.len() == 1).then(|| letter.chars().next())?
            });
            let (letter, None) = (letters.next()?, letters.next()) else { return None };
            Some(choice(SOLVER, letter, steps))
        }
    }
}

/// "in MM/DD/YYYY".
fn is_form(six: &[Token<'_>]) -> bool {
    matches!(six, [to, m, _, d, _, y] if to.is("in") && m.is("mm") && d.is("dd") && y.is("yyyy"))
}

/// Sentences, where the stop of "Sept." ends none.
fn sentences<'t>(story: &[Token<'t>]) -> Vec<Vec<Token<'t>>> {
    let mut found: Vec<Vec<Token<'t>>> = vec![Vec::new()];
    for (at, token) in story.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| story.get(at));
        let shortened =
            before.is_some_and(|b| b.raw.len() <= 4 && month(b).is_some() && !b.is("may"));
        let follows = story.get(at + 1).is_some_and(|next| next.number().is_some());
        match (token.is("."), shortened && follows) {
            (true, true) => {}
            (true, false) => found.push(Vec::new()),
            (false, _) => {
                if let Some(last) = found.last_mut() {
                    last.push(token.clone());
                }
            }
        }
    }
    found.retain(|sentence| !sentence.is_empty());
    found
}

/// What has been told so far.
#[derive(Default)]
struct Told {
    today: Option<Date>,
    /// A day of the past that later sentences count from.
    anchor: Option<Date>,
    /// Who said that today is which day.
    said: Vec<(String, Date)>,
    /// A day and month whose year is still to come.
    yearless: Option<(i8, i8)>,
    day_first: bool,
    /// How many days something lasts at one a day.
    supply: Option<i64>,
    /// Day of the month of a repeated event and the month it began in.
    monthly: Option<Date>,
}

impl Told {
    /// A second today must be the first.
    fn settle(&mut self, date: Date) -> Option<()> {
        if self.today.is_some_and(|today| today != date) {
            return None;
        }
        self.today = Some(date);
        Some(())
    }

    fn date(&self, tokens: &[Token<'_>]) -> Option<Date> {
        date(tokens, self.day_first)
    }
}

fn days(date: Date, by: i64) -> Option<Date> {
    date.checked_add(Span::new().try_days(by).ok()?).ok()
}

/// A named day; month before day where it is in figures, unless the story says otherwise.
fn date(tokens: &[Token<'_>], day_first: bool) -> Option<Date> {
    let tokens = match tokens {
        // "Tue, 7/9/1972"
        [weekday, comma, rest @ ..] if comma.is(",") && weekday.raw.len() == 3 => rest,
        all => all,
    };
    if let [a, slash, b, second, c] = tokens
        && slash.is("/")
        && second.is("/")
    {
        let small = |t: &Token<'_>| t.raw.parse::<i8>().ok();
        let (month, day) = if day_first { (small(b)?, small(a)?) } else { (small(a)?, small(b)?) };
        return Date::new(year(c)?, month, day).ok();
    }
    // `today` is needed for relative days only, which are no dates here.
    if let Some(named) = day(tokens, Date::ZERO).filter(|named| !named.relative) {
        return Some(named.date);
    }
    DATES.find(tokens, |read, holes| read(holes))
}

type Read = fn(Holes<'_, '_>) -> Option<Date>;

static DATES: LazyLock<Grammar<Read>> = LazyLock::new(|| Grammar::new(DATE_PHRASES));

const DATE_PHRASES: &[(&str, Read)] = &[
    ("[the] last day of [the] [year] #", |h| match h {
        [[one]] => Date::new(year(one)?, 12, 31).ok(),
        [hole] => Some(month_of(hole)?.last_of_month()),
        _ => None,
    }),
    ("[the] first day of [the] [year] #", |h| match h {
        [[one]] => Date::new(year(one)?, 1, 1).ok(),
        [hole] => month_of(hole),
        _ => None,
    }),
    ("[the] last day of the # quarter of #", |h| {
        let [[rank], [of]] = h else { return None };
        let quarter = i8::try_from(ordinal(rank.word()?)?).ok().filter(|q| (1..=4).contains(q))?;
        Some(Date::new(year(of)?, quarter * 3, 1).ok()?.last_of_month())
    }),
    ("[the] first day of the # quarter of #", |h| {
        let [[rank], [of]] = h else { return None };
        let quarter = i8::try_from(ordinal(rank.word()?)?).ok().filter(|q| (1..=4).contains(q))?;
        Date::new(year(of)?, quarter * 3 - 2, 1).ok()
    }),
    ("[the] # day of the # month of #", |h| {
        let [[day], [month], [of]] = h else { return None };
        let small = |t: &Token<'_>| i8::try_from(ordinal(t.word()?)?).ok();
        Date::new(year(of)?, small(month)?, small(day)?).ok()
    }),
    ("[the] first # of #", |h| {
        let [[name], [of]] = h else { return None };
        let weekday = Weekday::from_monday_one_offset(weekday_named(name)?).ok()?;
        let eve = days(Date::new(year(of)?, 1, 1).ok()?, -1)?;
        eve.nth_weekday(1, weekday).ok()
    }),
    ("[the] us thanksgiving of|in #", |h| {
        let [[of]] = h else { return None };
        Date::new(year(of)?, 11, 1).ok()?.nth_weekday_of_month(4, Weekday::Thursday).ok()
    }),
];

/// The first day of "Jan 2012", "Feburary in 2001".
fn month_of(hole: &[Token<'_>]) -> Option<Date> {
    let (name, of) = match hole {
        [name, joint, of] if joint.is("in") || joint.is("of") || joint.is(",") => (name, of),
        [name, of] => (name, of),
        _ => return None,
    };
    // A misspelling that is common enough to be meant.
    let number = if name.is("feburary") { Some(2) } else { month(name) };
    Date::new(year(of)?, number?, 1).ok()
}

/// "tomorrow", "a month ago", "24 hours later", "one week from today".
fn counted(asked: &[Token<'_>], today: Date) -> Option<Date> {
    let asked = match asked {
        [rest @ .., from, day] if from.is("from") && day.is("today") => rest,
        all => all,
    };
    match asked {
        [only] if only.is("today") => return Some(today),
        [only] if only.is("tomorrow") => return days(today, 1),
        [only] if only.is("yesterday") => return days(today, -1),
        _ => {}
    }
    let (amount, back) = match asked {
        [rest @ .., last] if last.is("ago") || last.is("earlier") => (rest, true),
        [rest @ .., last] if last.is("later") => (rest, false),
        rest => (rest, false),
    };
    shifted(today, amount, back)
}

fn shifted(from: Date, amount: &[Token<'_>], back: bool) -> Option<Date> {
    let span = match amount {
        [number @ .., unit] if unit.is("hours") => {
            let hours =
                spelled(number).filter(|n| n.used == number.len() && n.value.is_integer())?;
            let hours = i64::try_from(hours.value.to_integer()).ok().filter(|h| h % 24 == 0)?;
            Span::new().try_days(hours / 24).ok()?
        }
        all => span(all)?,
    };
    let date = from.checked_add(if back { span.negate() } else { span }).ok()?;
    // 31 March less a month is clamped; people do not agree to what.
    let months = span.get_years() != 0 || span.get_months() != 0;
    (!months || date.day() == from.day()).then_some(date)
}

fn small(tokens: &[Token<'_>]) -> Option<i64> {
    let number = spelled(tokens).filter(|n| n.used == tokens.len() && n.value.is_integer())?;
    i64::try_from(number.value.to_integer()).ok().filter(|n| (0..100_000).contains(n))
}

fn name(hole: &[Token<'_>]) -> Option<()> {
    matches!(hole, [one] if is_name(one)).then_some(())
}

type Frame = fn(&mut Told, Holes<'_, '_>) -> Option<()>;

static FRAMES: LazyLock<Grammar<Frame>> = LazyLock::new(|| Grammar::new(FRAME_PHRASES));

fn today_is(told: &mut Told, holes: Holes<'_, '_>) -> Option<()> {
    let date = told.date(holes.first()?)?;
    told.settle(date)
}

fn from_today(told: &mut Told, hole: &[Token<'_>], by: i64) -> Option<()> {
    let date = days(told.date(hole)?, by)?;
    told.settle(date)
}

/// A number of years after the anchor.
fn anniversary(told: &mut Told, years: i64) -> Option<()> {
    let anchor = told.anchor?;
    let date = anchor.checked_add(Span::new().try_years(years).ok()?).ok()?;
    if date.day() != anchor.day() {
        return None;
    }
    told.settle(date)
}

fn anchored(told: &mut Told, hole: &[Token<'_>]) -> Option<()> {
    told.anchor = Some(told.date(hole)?);
    Some(())
}

fn yearless(told: &mut Told, hole: &[Token<'_>]) -> Option<()> {
    let [month, slash, day] = hole else { return None };
    slash.is("/").then_some(())?;
    told.yearless = Some((month.raw.parse().ok()?, day.raw.parse().ok()?));
    Some(())
}

fn in_year(told: &mut Told, hole: &[Token<'_>]) -> Option<()> {
    let ([of], (month, day)) = (hole, told.yearless?) else { return None };
    let date = Date::new(year(of)?, month, day).ok()?;
    told.settle(date)
}

const FRAME_PHRASES: &[(&str, Frame)] = &[
    ("[therefore] [,] today is # [to] [them]", today_is),
    ("it is # today", today_is),
    ("this is #", today_is),
    ("today , # , is a day that we will never forget", today_is),
    ("# is celebrating #", |t, h| {
        name(h.first()?)?;
        today_is(t, h.get(1..)?)
    }),
    ("today is #", |t, h| yearless(t, h.first()?)),
    ("# is watching nfl #", |t, h| {
        name(h.first()?)?;
        in_year(t, h.get(1)?)
    }),
    ("today is # , and it is # # time in the year # to see a meteor shower", |t, h| {
        let [date, _, _, of] = h else { return None };
        yearless(t, date)?;
        in_year(t, of)
    }),
    ("the first day of # is a # , and today is #", |t, h| {
        let [[of], [name], date] = h else { return None };
        let first = Date::new(year(of)?, 1, 1).ok()?;
        (first.weekday().to_monday_one_offset() == weekday_named(name)?).then_some(())?;
        today_is(t, &[*date])
    }),
    (
        "today is the palindrome day of # , because the mmddyyyy format of the date is the same backwards as forwards",
        |t, h| {
            let [[of]] = h else { return None };
            let mut date = Date::new(year(of)?, 1, 1).ok()?;
            let mut found = Vec::new();
            for _ in 0..date.days_in_year() {
                let digits: Vec<char> = american(date).chars().filter(|c| *c != '/').collect();
                if digits.iter().eq(digits.iter().rev()) {
                    found.push(date);
                }
                date = days(date, 1)?;
            }
            let [only] = *found.as_slice() else { return None };
            t.settle(only)
        },
    ),
    ("yesterday was|is #", |t, h| from_today(t, h.first()?, 1)),
    ("tomorrow is|will [be] #", |t, h| from_today(t, h.first()?, -1)),
    ("the day before yesterday was #", |t, h| from_today(t, h.first()?, 2)),
    ("the day after tomorrow is #", |t, h| from_today(t, h.first()?, -2)),
    ("it was # # ago", |t, h| {
        let [date, ago] = h else { return None };
        let today = shifted(t.date(date)?, ago, false)?;
        t.settle(today)
    }),
    ("the deadline is # , which is # away from now", |t, h| {
        let [date, away] = h else { return None };
        let today = shifted(t.date(date)?, away, true)?;
        t.settle(today)
    }),
    ("# is coming in # hours", |t, h| {
        let ([of], hours) = (*h.first()?, small(h.get(1)?)?) else {
            return None;
        };
        // 36 hours before midnight is noon: on which day is that "today"?
        (hours % 24 == 0).then_some(())?;
        let today = days(Date::new(year(of)?, 1, 1).ok()?, -(hours / 24))?;
        t.settle(today)
    }),
    ("the current local time is # of #", |t, h| {
        clock(h.first()?)?;
        today_is(t, h.get(1..)?)
    }),
    ("# booked a flight for tomorrow , #", |t, h| {
        name(h.first()?)?;
        from_today(t, h.get(1)?, -1)
    }),
    ("yesterday , # , # ate # pizzas and # wings", |t, h| {
        name(h.get(1)?)?;
        from_today(t, h.first()?, 1)
    }),
    ("today's meeting is rescheduled to # tomorrow , #", |t, h| {
        clock(h.first()?)?;
        from_today(t, h.get(1)?, -1)
    }),
    ("# scheduled # for tomorrow ( # )", |t, h| {
        let [who, what, date] = h else { return None };
        name(who)?;
        what.iter()
            .all(|w| {
                w.number().is_some()
                    || w.word().is_some_and(|w| !["not", "ago", "yesterday"].contains(&w))
            })
            .then_some(())?;
        from_today(t, date, -1)
    }),
    ("# quited|quit|left her|his job on #", |t, h| {
        name(h.first()?)?;
        anchored(t, h.get(1)?)
    }),
    ("# have passed since then", |t, h| {
        let today = shifted(t.anchor?, h.first()?, false)?;
        t.settle(today)
    }),
    ("# and # married on #", |t, h| {
        name(h.first()?)?;
        name(h.get(1)?)?;
        anchored(t, h.get(2)?)
    }),
    ("today is their golden wedding anniversary", |t, _| anniversary(t, 50)),
    ("today is their silver wedding anniversary", |t, _| anniversary(t, 25)),
    ("it is their # - year anniversary today", |t, h| {
        let years = small(h.first()?)?;
        anniversary(t, years)
    }),
    ("# was born on #", |t, h| {
        name(h.first()?)?;
        anchored(t, h.get(1)?)
    }),
    ("today is her|his # - year - old birthday", |t, h| {
        let years = small(h.first()?)?;
        anniversary(t, years)
    }),
    ("in the uk , people usually put the day before the month when formatting the date", |t, _| {
        t.day_first = true;
        Some(())
    }),
    ("in the us , thanksgiving is on the fourth thursday of november", |_, _| Some(())),
    ("# thinks today is # , but # thinks today is #", |t, h| {
        let [[one], first, [other], second] = h else { return None };
        t.said =
            vec![(one.raw.to_owned(), t.date(first)?), (other.raw.to_owned(), t.date(second)?)];
        Some(())
    }),
    ("# is correct|right", |t, h| {
        let [[who]] = h else { return None };
        let date = t.said.iter().find(|(name, _)| name == who.raw)?.1;
        t.settle(date)
    }),
    ("# thought today is # , but today is in fact # , which is # later", |t, h| {
        let [who, thought, fact, later] = h else { return None };
        name(who)?;
        let date = shifted(t.date(thought)?, later, false)?;
        // The day that is in fact today must be that day.
        let [named, number] = *fact else { return None };
        let same = month(named)? == date.month() && number.raw.parse() == Ok(date.day());
        same.then_some(())?;
        t.settle(date)
    }),
    ("the concert was scheduled to be on # , but was delayed by # to today", |t, h| {
        let today = shifted(t.date(h.first()?)?, h.get(1)?, false)?;
        t.settle(today)
    }),
    ("# appointment will be # later", |_, h| {
        let [[who], later] = h else { return None };
        span(later)?;
        (is_name(who) && who.raw.ends_with("'s")).then_some(())
    }),
    ("today could not be # because # has only # days", |t, h| {
        let [_, [name], count] = h else { return None };
        let last = month(name)?;
        let yesterday = days(t.today?, -1)?;
        (yesterday.month() == last && small(count)? == i64::from(yesterday.days_in_month()))
            .then_some(())
    }),
    ("on # , # bought # eggs", bought),
    ("on # # bought # eggs", bought),
    ("she|he ate one per day", |_, _| Some(())),
    ("today she|he ran out of eggs", |t, _| {
        let today = days(t.anchor?, t.supply?)?;
        t.settle(today)
    }),
    ("# is like yesterday to # , but that is actually # ago", |t, h| {
        let [date, who, ago] = h else { return None };
        name(who)?;
        let today = shifted(t.date(date)?, ago, false)?;
        t.settle(today)
    }),
    ("# visits the bookstore on the # of each month starting from the # of #", |t, h| {
        let [who, on, [from], [of]] = h else { return None };
        name(who)?;
        let on = on.first()?.raw.parse().ok()?;
        t.monthly = Some(Date::new(year(of)?, month(from)?, on).ok()?);
        Some(())
    }),
    ("it is her|his # visit to the bookstore today", |t, h| {
        let first = t.monthly?;
        let visit: i64 = h.first()?.first()?.raw.parse().ok()?;
        let date = first.checked_add(Span::new().try_months(visit.checked_sub(1)?).ok()?).ok()?;
        (date.day() == first.day()).then_some(())?;
        t.settle(date)
    }),
];

fn bought(told: &mut Told, holes: Holes<'_, '_>) -> Option<()> {
    let [date, who, count] = holes else { return None };
    name(who)?;
    told.supply = Some(small(count)?);
    anchored(told, date)
}
