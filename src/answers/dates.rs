//! Calendar days in text.

use std::{borrow::Cow, sync::LazyLock};

use jiff::civil::Date;
use regex::Regex;

use super::clean::pattern;

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

static DATE: LazyLock<Regex> = LazyLock::new(|| {
    const MONTH: &str = r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?";
    pattern(&format!(
        r"(?i)\b(?:(?P<y1>\d{{4}})-(?P<m1>\d{{1,2}})-(?P<d1>\d{{1,2}})|(?P<m2>\d{{1,2}})/(?P<d2>\d{{1,2}})/(?P<y2>\d{{4}})|(?P<m3>{MONTH})\s+(?P<d3>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<y3>\d{{4}})|(?P<d4>\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?(?P<m4>{MONTH}),?\s+(?P<y4>\d{{4}}))\b"
    ))
});
static WEEKDAY: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)^(?:on\s+)?(?:(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?[,.]?\s*)?(?:the\s+)?$",
    )
});

/// The last calendar day named in a text. `03/04/2026` is read as March 4 unless only the other
/// order is a date.
pub(super) fn last_date(text: &str) -> Option<Date> {
    DATE.captures_iter(text).filter_map(|c| date_of(&c)).last()
}

/// The date that a text consists of, a weekday before it allowed.
pub(super) fn whole_date(text: &str) -> Option<Date> {
    // Every way of writing a day has digits, of whatever script.
    if !text.bytes().any(|b| b.is_ascii_digit() || !b.is_ascii()) {
        return None;
    }
    let found = DATE.captures(text)?;
    let whole = found.get(0)?;
    let alone = WEEKDAY.is_match(&text[..whole.start()]) && text[whole.end()..].trim().is_empty();
    if alone { date_of(&found) } else { None }
}

/// The same text with every calendar day written as `2026-04-17`.
pub(super) fn in_iso(text: &str) -> Cow<'_, str> {
    DATE.replace_all(text, |found: &regex::Captures<'_>| {
        let written = found.get(0).map_or("", |whole| whole.as_str());
        date_of(found).map_or_else(|| written.to_owned(), |date| date.to_string())
    })
}

fn date_of(found: &regex::Captures<'_>) -> Option<Date> {
    let part = |names: [&str; 4]| names.iter().find_map(|n| found.name(n)).map(|m| m.as_str());
    let year: i16 = part(["y1", "y2", "y3", "y4"])?.parse().ok()?;
    let month = month_of(part(["m1", "m2", "m3", "m4"])?)?;
    let day: i8 = part(["d1", "d2", "d3", "d4"])?.parse().ok()?;
    let read = Date::new(year, month, day).ok();
    // Day before month, as most of the world writes it, where month before day is no date.
    read.or_else(|| found.name("y2").and_then(|_| Date::new(year, day, month).ok()))
}

fn month_of(text: &str) -> Option<i8> {
    if let Ok(month) = text.parse() {
        return Some(month);
    }
    let lower = text.to_ascii_lowercase();
    MONTHS.iter().zip(1i8..).find(|(name, _)| lower.starts_with(**name)).map(|(_, month)| month)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_common_ways_of_writing_a_day_are_one() {
        for text in [
            "2026-04-17",
            "April 17, 2026",
            "Friday, Apr. 17th 2026",
            "17 April 2026",
            "the 17th of April, 2026",
            "04/17/2026",
            "17/04/2026",
        ] {
            assert_eq!(
                whole_date(text).map(|d| d.to_string()).as_deref(),
                Some("2026-04-17"),
                "{text}"
            );
        }
    }

    #[test]
    fn days_that_do_not_exist_are_no_dates() {
        assert_eq!(last_date("2026-02-30"), None);
        assert_eq!(last_date("13/13/2026"), None);
        assert_eq!(whole_date("2026-04-17 and later"), None);
    }
}
