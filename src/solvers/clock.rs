//! Times of day as people write them, and the zones they are told in.

use std::sync::LazyLock;

use jiff::civil::{Date, Time, time};
use jiff::tz::{Offset, TimeZone, TimeZoneDatabase};

use super::lexer::Token;
use super::question::starts_with;

/// A time of day, and whether it says which half of the day it is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Clock {
    pub(super) time: Time,
    pub(super) hours: Hours,
}

/// How a time is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hours {
    /// With am or pm.
    Twelve,
    /// `15:30`, `00:10`.
    TwentyFour,
    /// `3:45`: of the morning or the afternoon.
    Open,
}

/// "3:45 pm", "15:30", "3pm", "noon", "midnight".
pub(super) fn clock(tokens: &[Token<'_>]) -> Option<Clock> {
    let tokens = match tokens {
        [exactly, rest @ ..] if exactly.is("exactly") || exactly.is("at") => rest,
        all => all,
    };
    if let [word] = tokens {
        let time = match word.word() {
            Some("noon" | "midday") => time(12, 0, 0, 0),
            Some("midnight") => time(0, 0, 0, 0),
            _ => return None,
        };
        return Some(Clock { time, hours: Hours::Twelve });
    }
    let hour = short(tokens.first()?)?;
    let (minute, rest) = match tokens {
        [_, colon, minute, rest @ ..] if colon.is(":") && !minute.spaced => {
            (short(minute).filter(|m| minute.raw.len() == 2 && *m < 60)?, rest)
        }
        [_, rest @ ..] => (0, rest),
        [] => return None,
    };
    let with_minutes = tokens.len() - rest.len() == 3;
    let half = match rest {
        [] => None,
        [half] => Some(half.word()?),
        // "p.m." comes as four tokens; the last mark may have closed the sentence.
        [p, dot, m] | [p, dot, m, _] if dot.is(".") && m.is("m") => {
            if rest.get(3).is_some_and(|d| !d.is(".")) {
                return None;
            }
            Some(if p.is("a") {
                "am"
            } else if p.is("p") {
                "pm"
            } else {
                return None;
            })
        }
        _ => return None,
    };
    let (hour, hours) = match half {
        Some("am") if (1..=12).contains(&hour) => (hour % 12, Hours::Twelve),
        Some("pm") if (1..=12).contains(&hour) => (hour % 12 + 12, Hours::Twelve),
        Some("o'clock") if hour <= 12 && !with_minutes => (hour, Hours::Open),
        None if with_minutes && hour <= 23 => {
            let open = (1..=12).contains(&hour) && tokens.first()?.raw.len() < 2
                || (10..=12).contains(&hour);
            (hour, if open { Hours::Open } else { Hours::TwentyFour })
        }
        _ => return None,
    };
    Some(Clock { time: Time::new(hour, minute, 0, 0).ok()?, hours })
}

fn short(token: &Token<'_>) -> Option<i8> {
    let digits =
        (1..=2).contains(&token.raw.len()) && token.raw.bytes().all(|b| b.is_ascii_digit());
    if digits { token.raw.parse().ok() } else { None }
}

/// `3:45 PM` or `15:45`.
pub(super) fn shown(time: Time, hours: Hours) -> String {
    match hours {
        Hours::Twelve => {
            let half = if time.hour() < 12 { "AM" } else { "PM" };
            let hour = (time.hour() + 11) % 12 + 1;
            format!("{hour}:{:02} {half}", time.minute())
        }
        Hours::TwentyFour => format!("{:02}:{:02}", time.hour(), time.minute()),
        Hours::Open => format!("{}:{:02}", (time.hour() + 11) % 12 + 1, time.minute()),
    }
}

/// Where a time is told.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Zone {
    pub(super) name: String,
    zone: TimeZone,
}

static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// `UTC+5:30`, `EST`, `Europe/Paris`, "Tokyo time". Abbreviations that name several zones, such
/// as IST, CST and BST, are not read.
pub(super) fn zone(tokens: &[Token<'_>]) -> Option<Zone> {
    let tokens = match tokens {
        [rest @ .., time] if time.is("time") && !rest.is_empty() => rest,
        all => all,
    };
    let name: String = tokens
        .iter()
        .enumerate()
        .map(|(at, t)| if at > 0 && t.spaced { format!(" {}", t.raw) } else { t.raw.to_owned() })
        .collect();
    if let Some(offset) = offset(tokens) {
        return Some(Zone { name, zone: TimeZone::fixed(offset) });
    }
    for (place, iana) in PLACES {
        if starts_with(tokens, place) == Some(tokens.len()) {
            return Some(Zone { name, zone: ZONES.get(iana).ok()? });
        }
    }
    // A name of the tz database, such as America/New_York.
    let written = name.contains('/') && name.len() < 40 && !name.contains(' ');
    if !written {
        return None;
    }
    let zone = ZONES.get(&name).ok()?;
    Some(Zone { name, zone })
}

fn offset(tokens: &[Token<'_>]) -> Option<Offset> {
    let (first, rest) = tokens.split_first()?;
    let minutes = ABBREVIATIONS
        .iter()
        .find(|(short, _)| first.raw.eq_ignore_ascii_case(short))
        .map(|(_, minutes)| *minutes)?;
    let universal = ["utc", "gmt"].iter().any(|u| first.is(u));
    let more = match rest {
        [] => 0,
        [sign, hours] if universal => signed(sign, short(hours)?, 0)?,
        [sign, hours, colon, minute] if universal && colon.is(":") => {
            signed(sign, short(hours)?, short(minute).filter(|m| *m < 60)?)?
        }
        _ => return None,
    };
    Offset::from_seconds((minutes + more) * 60).ok()
}

fn signed(sign: &Token<'_>, hours: i8, minutes: i8) -> Option<i32> {
    let total = i32::from(hours) * 60 + i32::from(minutes);
    if total > 14 * 60 {
        return None;
    }
    match sign.raw {
        "+" => Some(total),
        _ if sign.is("-") => Some(-total),
        _ => None,
    }
}

impl Zone {
    /// The offset from UTC at a local time of a day; `None` where the clock is put forward or back.
    fn offset_at(&self, date: Date, at: Time) -> Option<Offset> {
        let ambiguous = self.zone.to_ambiguous_timestamp(date.to_datetime(at));
        if ambiguous.is_ambiguous() {
            return None;
        }
        Some(self.zone.to_offset(ambiguous.unambiguous().ok()?))
    }

    /// Whether its clocks are never changed in the years around a day.
    fn is_steady(&self, around: Date) -> bool {
        let Some(before) =
            Date::new(around.year() - 1, 1, 1).ok().map(|d| d.to_datetime(Time::midnight()))
        else {
            return false;
        };
        let Ok(from) = self.zone.to_timestamp(before) else { return false };
        let until = from + jiff::SignedDuration::from_hours(24 * 365 * 3);
        !self.zone.following(from).take(1).any(|change| change.timestamp() < until)
    }
}

/// A local time told in another zone: the time there, and how many days later the date is. Without
/// a day there is an answer only where neither zone changes its clocks.
pub(super) fn moved(
    at: Time,
    from: &Zone,
    to: &Zone,
    date: Option<Date>,
    today: Date,
) -> Option<(Time, i32)> {
    if date.is_none() && !(from.is_steady(today) && to.is_steady(today)) {
        return None;
    }
    let day = date.unwrap_or(today);
    let offset = from.offset_at(day, at)?;
    let there = offset.to_timestamp(day.to_datetime(at)).ok()?;
    let there = to.zone.to_datetime(there);
    let days = day.until(there.date()).ok()?.get_days();
    Some((there.time(), days))
}

/// How many minutes the second zone is ahead of the first.
pub(super) fn ahead(from: &Zone, to: &Zone, date: Option<Date>, today: Date) -> Option<i32> {
    if date.is_none() && !(from.is_steady(today) && to.is_steady(today)) {
        return None;
    }
    let (day, noon) = (date.unwrap_or(today), time(12, 0, 0, 0));
    let seconds = to.offset_at(day, noon)?.seconds() - from.offset_at(day, noon)?.seconds();
    Some(seconds / 60)
}

/// Abbreviations that mean one zone to nearly everybody, in minutes east of Greenwich.
const ABBREVIATIONS: &[(&str, i32)] = &[
    ("utc", 0),
    ("gmt", 0),
    ("est", -300),
    ("edt", -240),
    ("cdt", -300),
    ("mst", -420),
    ("mdt", -360),
    ("pst", -480),
    ("pdt", -420),
    ("cet", 60),
    ("cest", 120),
    ("eet", 120),
    ("eest", 180),
    ("jst", 540),
    ("kst", 540),
    ("aest", 600),
    ("aedt", 660),
    ("hkt", 480),
    ("sgt", 480),
    ("nzst", 720),
    ("nzdt", 780),
];

/// Places that everybody means the same by.
const PLACES: &[(&str, &str)] = &[
    ("new york", "America/New_York"),
    ("new york city", "America/New_York"),
    ("los angeles", "America/Los_Angeles"),
    ("san francisco", "America/Los_Angeles"),
    ("seattle", "America/Los_Angeles"),
    ("chicago", "America/Chicago"),
    ("denver", "America/Denver"),
    ("boston", "America/New_York"),
    ("toronto", "America/Toronto"),
    ("mexico city", "America/Mexico_City"),
    ("sao paulo", "America/Sao_Paulo"),
    ("buenos aires", "America/Argentina/Buenos_Aires"),
    ("london", "Europe/London"),
    ("dublin", "Europe/Dublin"),
    ("paris", "Europe/Paris"),
    ("berlin", "Europe/Berlin"),
    ("madrid", "Europe/Madrid"),
    ("rome", "Europe/Rome"),
    ("amsterdam", "Europe/Amsterdam"),
    ("vienna", "Europe/Vienna"),
    ("zurich", "Europe/Zurich"),
    ("stockholm", "Europe/Stockholm"),
    ("athens", "Europe/Athens"),
    ("istanbul", "Europe/Istanbul"),
    ("moscow", "Europe/Moscow"),
    ("cairo", "Africa/Cairo"),
    ("lagos", "Africa/Lagos"),
    ("nairobi", "Africa/Nairobi"),
    ("johannesburg", "Africa/Johannesburg"),
    ("dubai", "Asia/Dubai"),
    ("karachi", "Asia/Karachi"),
    ("mumbai", "Asia/Kolkata"),
    ("delhi", "Asia/Kolkata"),
    ("new delhi", "Asia/Kolkata"),
    ("india", "Asia/Kolkata"),
    ("bangkok", "Asia/Bangkok"),
    ("jakarta", "Asia/Jakarta"),
    ("singapore", "Asia/Singapore"),
    ("hong kong", "Asia/Hong_Kong"),
    ("beijing", "Asia/Shanghai"),
    ("shanghai", "Asia/Shanghai"),
    ("china", "Asia/Shanghai"),
    ("seoul", "Asia/Seoul"),
    ("tokyo", "Asia/Tokyo"),
    ("japan", "Asia/Tokyo"),
    ("sydney", "Australia/Sydney"),
    ("melbourne", "Australia/Melbourne"),
    ("brisbane", "Australia/Brisbane"),
    ("auckland", "Pacific/Auckland"),
    ("honolulu", "Pacific/Honolulu"),
    ("eastern", "America/New_York"),
    ("central european", "Europe/Berlin"),
    ("pacific", "America/Los_Angeles"),
];
