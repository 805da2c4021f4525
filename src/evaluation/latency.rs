//! The latency model of an evaluation: a base and a price per output token.
//!
//! Grammar, white space ignored: `SPEC = SIDE ("," SIDE)*`, `SIDE = ("fast" | "slow") "=" TIME
//! ("+" TIME)?`, `TIME = NUMBER ("us" | "ms" | "s")`. The first time is spent per call, the second
//! per output token of about four characters. A side that is not named keeps its default.

use std::{fmt, str::FromStr, time::Duration};

/// Characters to a token, about, in English.
const CHARACTERS_PER_TOKEN: usize = 4;
/// Longest time that a spec may name.
const LONGEST: Duration = Duration::from_secs(600);

/// How long one model takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModelLatency {
    /// Per call, up to the first token.
    pub base: Duration,
    /// Per output token.
    pub per_token: Duration,
}

/// How long the fast model and the slow ones take. Always a model of latency, never a measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LatencySpec {
    /// The fast model.
    pub fast: ModelLatency,
    /// Each slow model.
    pub slow: ModelLatency,
}

/// Why a text is no latency spec.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("latency `{part}` {problem}; a right one is `{}`", LatencySpec::default())]
pub struct LatencyError {
    part: String,
    problem: &'static str,
}

impl ModelLatency {
    /// The simulated time of an answer.
    #[must_use]
    pub fn of(&self, answer: &str) -> Duration {
        let tokens = u32::try_from(tokens(answer)).unwrap_or(u32::MAX);
        self.base.saturating_add(self.per_token.saturating_mul(tokens))
    }
}

/// How many tokens a text has, about; never 0.
pub(super) fn tokens(text: &str) -> usize {
    text.chars().count().div_ceil(CHARACTERS_PER_TOKEN).max(1)
}

impl Default for LatencySpec {
    /// A small model next door and a large one far away.
    fn default() -> Self {
        let of = |base, per_token| ModelLatency {
            base: Duration::from_millis(base),
            per_token: Duration::from_millis(per_token),
        };
        Self { fast: of(80, 8), slow: of(600, 20) }
    }
}

impl FromStr for LatencySpec {
    type Err = LatencyError;

    fn from_str(given: &str) -> Result<Self, Self::Err> {
        let mut spec = Self::default();
        let mut named = [false; 2];
        for part in given.split(',') {
            let wrong =
                |problem| LatencyError { part: part.trim().chars().take(64).collect(), problem };
            let (side, times) =
                part.split_once('=').ok_or_else(|| wrong("names no side and time"))?;
            let (index, model) = match side.trim() {
                "fast" => (0, &mut spec.fast),
                "slow" => (1, &mut spec.slow),
                _ => return Err(wrong("names another side than fast and slow")),
            };
            if std::mem::replace(&mut named[index], true) {
                return Err(wrong("names its side a second time"));
            }
            let (base, per_token) = match times.split_once('+') {
                Some((base, per_token)) => (base, time(per_token).map_err(wrong)?),
                None => (times, Duration::ZERO),
            };
            *model = ModelLatency { base: time(base).map_err(wrong)?, per_token };
        }
        Ok(spec)
    }
}

fn time(text: &str) -> Result<Duration, &'static str> {
    let text = text.trim();
    let unit_at = text.find(|c: char| c.is_ascii_alphabetic() || c == 'µ').unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    let seconds_per_unit = match unit {
        "us" | "µs" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        _ => return Err("has a time without one of the units us, ms and s"),
    };
    let number: f64 = number.trim().parse().map_err(|_| "has a time without a number")?;
    // `try_from` refuses what is negative, infinite or no number.
    Duration::try_from_secs_f64(number * seconds_per_unit)
        .ok()
        .filter(|time| *time <= LONGEST)
        .ok_or("has a time outside of 0 s to 600 s")
}

impl fmt::Display for LatencySpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "fast={},slow={}", self.fast, self.slow)
    }
}

impl fmt::Display for ModelLatency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |time: Duration| time.as_secs_f64() * 1000.0;
        write!(f, "{}ms+{}ms", ms(self.base), ms(self.per_token))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn problem(spec: &str) -> String {
        spec.parse::<LatencySpec>().unwrap_err().to_string()
    }

    #[test]
    fn a_side_that_is_not_named_keeps_its_default() {
        let spec: LatencySpec = "slow = 1.5s + 500us".parse().unwrap();
        assert_eq!(spec.fast, LatencySpec::default().fast);
        assert_eq!(spec.slow.base, Duration::from_millis(1500));
        assert_eq!(spec.slow.per_token, Duration::from_micros(500));
    }

    #[test]
    fn the_time_per_token_may_be_left_out() {
        let spec: LatencySpec = "fast=5ms".parse().unwrap();
        assert_eq!(spec.fast.of("of whatever length"), Duration::from_millis(5));
    }

    #[test]
    fn an_answer_takes_its_base_and_its_tokens() {
        let latency = LatencySpec::default().fast;
        assert_eq!(latency.of("12345"), Duration::from_millis(80 + 2 * 8));
        assert_eq!(latency.of(""), Duration::from_millis(88), "the end of an answer is a token");
    }

    #[test]
    fn a_wrong_spec_is_told_what_would_be_right() {
        for spec in [
            "",
            "fast",
            "quick=1ms",
            "fast=1",
            "fast=ms",
            "fast=-1ms",
            "fast=1h",
            "fast=1ms,fast=2ms",
            "slow=601s",
            "fast=1ms+",
            "fast=NaNs",
        ] {
            let said = problem(spec);
            assert!(said.contains("fast=80ms+8ms,slow=600ms+20ms"), "{spec}: {said}");
        }
        assert!(
            problem("fast=1ms,quick=2ms").starts_with("latency `quick=2ms` names another side")
        );
    }

    proptest! {
        #[test]
        fn a_spec_reads_what_it_writes(base in 0u64..600_000, per_token in 0u64..600_000, micros in 0u64..1000) {
            let of = |ms: u64| Duration::from_micros((ms * 1000 + micros).min(600_000_000));
            let model = ModelLatency { base: of(base), per_token: of(per_token) };
            let spec = LatencySpec { fast: model, slow: model };
            let read: LatencySpec = spec.to_string().parse().unwrap();
            let close = |a: Duration, b: Duration| a.abs_diff(b) < Duration::from_nanos(500);
            prop_assert!(close(read.fast.base, of(base)) && close(read.slow.per_token, of(per_token)));
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in "\\PC{0,60}") {
            let _ = text.parse::<LatencySpec>();
        }
    }
}
