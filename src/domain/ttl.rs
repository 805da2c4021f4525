//! How long something is kept, as people write it.

use std::time::Duration;

/// Longest time to live: a hundred years, in seconds.
pub const LONGEST_TTL: u64 = 100 * 365 * 86_400;

/// A text that is no time to live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write seconds, or a whole number with s, m, h or d, such as 30d; at most 36500d")]
pub struct NoTtl;

/// Reads a whole number of seconds, or one with a unit: `90s`, `45m`, `12h`, `30d`.
///
/// # Errors
/// [`NoTtl`], also for nothing and for more than [`LONGEST_TTL`].
pub fn read_ttl(text: &str) -> Result<Duration, NoTtl> {
    let text = text.trim();
    let units = [("s", 1), ("m", 60), ("h", 3600), ("d", 86_400)];
    let with_unit = units.iter().find_map(|(unit, s)| Some((text.strip_suffix(unit)?, *s)));
    let (number, factor) = with_unit.unwrap_or((text, 1));
    let seconds = number.trim().parse::<u64>().ok().and_then(|n| n.checked_mul(factor));
    seconds.ok_or(NoTtl).and_then(ttl_of_seconds)
}

/// A time to live of so many seconds.
///
/// # Errors
/// [`NoTtl`] for 0, and for more than [`LONGEST_TTL`].
pub fn ttl_of_seconds(seconds: u64) -> Result<Duration, NoTtl> {
    let is_sound = (1..=LONGEST_TTL).contains(&seconds);
    is_sound.then_some(Duration::from_secs(seconds)).ok_or(NoTtl)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_to_live_is_read_with_and_without_a_unit() {
        for (text, seconds) in
            [("90", 90), ("90s", 90), (" 45m ", 2700), ("12 h", 43_200), ("30d", 2_592_000)]
        {
            assert_eq!(read_ttl(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "d", "0", "-1", "1.5h", "soon", "30dd", "36501d", "99999999999999999999d"]
        {
            assert_eq!(read_ttl(text), Err(NoTtl), "{text}");
        }
    }
}
