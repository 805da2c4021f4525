//! Numbers, units and names of times among the words of a text.

use crate::text::{month_named, number_named};

pub(super) const LENGTHS: &[&str] = &[
    "metre", "meter", "m", "cm", "mm", "km", "foot", "feet", "ft", "inch", "inches", "yard",
    "mile", "storey", "floor",
];
pub(super) const MASSES: &[&str] =
    &["kg", "kilo", "kilogram", "g", "gram", "lb", "pound", "ounce", "oz", "ton", "tonne"];
pub(super) const WARMTH: &[&str] =
    &["degree", "celsius", "fahrenheit", "c", "f", "°c", "°f", "kelvin"];
pub(super) const SOUND: &[&str] = &["db", "decibel", "quiet", "silent", "loud", "noise"];
pub(super) const MONEY: &[&str] = &[
    "dollar", "usd", "euro", "eur", "cent", "pound", "gbp", "franc", "chf", "yen", "rupee", "free",
    "gratis", "charge",
];
pub(super) const TIME_UNITS: &[&str] = &[
    "second", "minute", "hour", "day", "night", "week", "month", "quarter", "year", "decade",
    "century", "ms", "s", "min", "h",
];

/// The numbers among words, as plain digits, each with the word behind it.
pub(super) fn numbers(words: &[String]) -> Vec<(String, &str)> {
    let next = |at: usize| words.get(at + 1).map_or("", String::as_str);
    words.iter().enumerate().filter_map(|(at, word)| Some((value_of(word)?, next(at)))).collect()
}

/// A number in digits or in words, as plain digits. "one" is a pronoun as often.
pub(super) fn value_of(word: &str) -> Option<String> {
    if word.starts_with(|c: char| c.is_ascii_digit()) {
        return Some(word.replace(',', ""));
    }
    if ["hundred", "thousand", "million", "billion", "dozen"].contains(&word) {
        return Some(word.to_owned());
    }
    number_named(word).filter(|&n| n > 1).map(|n| n.to_string())
}

/// Whether a word is a unit of something measured.
pub(super) fn is_measure(word: &str) -> bool {
    [LENGTHS, MASSES, WARMTH, TIME_UNITS].iter().any(|list| is_of(list, word))
}

/// Whether a word is a unit, so that a number before it counts nothing else.
pub(super) fn is_unit(word: &str) -> bool {
    is_measure(word) || is_of(MONEY, word) || word == "percent"
}

/// Whether a word is of a list of singulars.
pub(super) fn is_of(list: &[&str], word: &str) -> bool {
    list.contains(&word)
        || word.strip_suffix('s').is_some_and(|one| one.len() > 1 && list.contains(&one))
}

/// A unit of time, in the singular.
pub(super) fn time_unit(word: &str) -> Option<&str> {
    let one = word.strip_suffix('s').filter(|one| one.len() > 2).unwrap_or(word);
    (one.len() > 2 && TIME_UNITS.contains(&one)).then_some(one)
}

/// A day of the week, a month, or another name of a time.
pub(super) fn timely(word: &str) -> bool {
    is_weekday(word)
        || (word.len() > 3 && month_named(word).is_some())
        || is_of(TIME_UNITS, word)
        || [
            "morning",
            "afternoon",
            "evening",
            "noon",
            "midnight",
            "weekday",
            "weekdays",
            "weekend",
            "weekends",
            "spring",
            "summer",
            "autumn",
            "winter",
        ]
        .contains(&word)
}

pub(super) fn is_weekday(word: &str) -> bool {
    weekday(word).is_some()
}

/// The number of a day of the week, from Monday's 0, in the singular or the plural.
pub(super) fn weekday(word: &str) -> Option<usize> {
    const DAYS: &[&str] =
        &["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    DAYS.iter().position(|day| is_of(&[day], word))
}
