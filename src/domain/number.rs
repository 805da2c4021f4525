//! Exact numbers, so that 0.1 + 0.2 is 0.3 and two answers are equal when they are equal.

use std::{fmt, str::FromStr};

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Pow, Signed, ToPrimitive, Zero};
use serde::{Deserialize, Serialize};

/// Longest text and largest decimal exponent that is read: keeps `1e999999999` from costing memory.
const MAX_CHARS: usize = 512;
const MAX_EXPONENT: i32 = 400;
/// Digits that always fit an `i64`.
const MOST_DIGITS: usize = 18;

/// Why a text is no number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// Not written as a number.
    #[error("not a number")]
    Malformed,
    /// Written as a number, but too long or too large to be worth its memory.
    #[error("a number of more than {MAX_CHARS} characters or an exponent beyond ±{MAX_EXPONENT}")]
    TooLarge,
    /// A fraction whose denominator is zero.
    #[error("division by zero")]
    ZeroDenominator,
}

/// An exact rational number, always in lowest terms.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Number(BigRational);

impl Number {
    /// The rational inside.
    #[must_use]
    pub fn as_rational(&self) -> &BigRational {
        &self.0
    }

    /// Whether the number is whole.
    #[must_use]
    pub fn is_integer(&self) -> bool {
        self.0.is_integer()
    }

    /// The nearest floating-point number, for display and for scoring only.
    #[must_use]
    pub fn to_f64(&self) -> f64 {
        self.0.to_f64().unwrap_or(f64::NAN)
    }

    /// The number rounded half away from zero to `places` decimals.
    #[must_use]
    pub fn rounded(&self, places: u32) -> Self {
        if self.is_integer() {
            return self.clone();
        }
        Self(BigRational::new(self.scaled(places), BigInt::from(10u8).pow(places)))
    }

    /// Ten to the `places` times the number, rounded half away from zero. In integers alone: a
    /// fraction would be brought to lowest terms at every step.
    fn scaled(&self, places: u32) -> BigInt {
        let (above, below) = (self.0.numer() * BigInt::from(10u8).pow(places), self.0.denom());
        let size = (above.abs() * 2u8 + below) / (below * 2u8);
        if above.is_negative() { -size } else { size }
    }

    /// Decimal text when it ends within `places` decimals, else `None`.
    #[must_use]
    pub fn exact_decimal(&self, places: u32) -> Option<String> {
        // It ends there if the denominator, in lowest terms, divides so many tens.
        let ends = self.is_integer() || (BigInt::from(10u8).pow(places) % self.0.denom()).is_zero();
        ends.then(|| self.decimal(places))
    }

    /// Decimal text rounded to at most `places` decimals, without trailing zeros.
    #[must_use]
    pub fn decimal(&self, places: u32) -> String {
        if self.is_integer() {
            return self.0.numer().to_string();
        }
        let scaled = self.scaled(places);
        let digits = scaled.abs().to_string();
        let places = places as usize;
        let padded = format!("{digits:0>width$}", width = places + 1);
        let (whole, fraction) = padded.split_at(padded.len() - places);
        let fraction = fraction.trim_end_matches('0');
        let sign = if scaled.is_negative() { "-" } else { "" };
        if fraction.is_empty() {
            format!("{sign}{whole}")
        } else {
            format!("{sign}{whole}.{fraction}")
        }
    }
}

impl From<BigRational> for Number {
    fn from(value: BigRational) -> Self {
        Self(value)
    }
}

impl From<i64> for Number {
    fn from(value: i64) -> Self {
        Self(BigRational::from_integer(BigInt::from(value)))
    }
}

impl FromStr for Number {
    type Err = NumberError;

    /// Reads `-12`, `1,234.50`, `3/4`, `2.5e-3`. Commas must stand where thousands do.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        if text.len() > MAX_CHARS {
            return Err(NumberError::TooLarge);
        }
        // Most numbers are whole and short, and need no fractions to be read.
        if text.len() <= MOST_DIGITS && text.bytes().all(|byte| byte.is_ascii_digit()) {
            return text.parse::<i64>().map(Self::from).map_err(|_| NumberError::Malformed);
        }
        if let Some((above, below)) = text.split_once('/') {
            let (above, below) = (decimal(above.trim())?, decimal(below.trim())?);
            return if below.is_zero() {
                Err(NumberError::ZeroDenominator)
            } else {
                Ok(Self(above / below))
            };
        }
        decimal(text).map(Self)
    }
}

fn decimal(text: &str) -> Result<BigRational, NumberError> {
    let (negative, unsigned) = match text.strip_prefix(['-', '\u{2212}']) {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((m, e)) => (m, e.parse::<i32>().map_err(|_| NumberError::Malformed)?),
        None => (unsigned, 0),
    };
    if exponent.abs() > MAX_EXPONENT {
        return Err(NumberError::TooLarge);
    }
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let whole = without_thousands(whole)?;
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(NumberError::Malformed);
    }
    let integer: BigInt = digits.parse().map_err(|_| NumberError::Malformed)?;
    let places = i32::try_from(fraction.len()).map_err(|_| NumberError::TooLarge)?;
    let scale = BigRational::from_integer(BigInt::from(10u8)).pow(exponent - places);
    let value = BigRational::from_integer(integer) * scale;
    Ok(if negative { -value } else { value })
}

fn without_thousands(whole: &str) -> Result<String, NumberError> {
    let mut groups = whole.split(',');
    let first = groups.next().unwrap_or_default();
    let rest: Vec<&str> = groups.collect();
    if rest.is_empty() {
        return Ok(first.to_owned());
    }
    let well_placed = (1..=3).contains(&first.len()) && rest.iter().all(|g| g.len() == 3);
    if well_placed { Ok(format!("{first}{}", rest.concat())) } else { Err(NumberError::Malformed) }
}

impl fmt::Display for Number {
    /// Exact: a decimal when it ends within 30 places, else `numerator/denominator`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.exact_decimal(30) {
            Some(decimal) => f.write_str(&decimal),
            None if self.0.denom().is_one() => write!(f, "{}", self.0.numer()),
            None => write!(f, "{}/{}", self.0.numer(), self.0.denom()),
        }
    }
}

impl TryFrom<String> for Number {
    type Error = NumberError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Number> for String {
    fn from(value: Number) -> Self {
        value.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number(text: &str) -> Number {
        text.parse().unwrap_or_else(|e| panic!("{text}: {e}"))
    }

    #[test]
    fn numbers_written_differently_are_equal() {
        assert_eq!(number("1,234.50"), number("1234.5"));
        assert_eq!(number("3/4"), number("0.75"));
        assert_eq!(number("2.5e-3"), number("0.0025"));
        assert_eq!(number("-0"), number("0"));
    }

    #[test]
    fn a_comma_out_of_place_is_no_number() {
        for text in ["1,23", "12,34,567", ",5", "1,2345", "", ".", "1.2.3", "--1", "1e", "٣"] {
            assert!(text.parse::<Number>().is_err(), "{text} was read");
        }
    }

    #[test]
    fn a_hostile_exponent_is_refused_before_it_costs_memory() {
        assert_eq!("1e999999999".parse::<Number>(), Err(NumberError::TooLarge));
    }

    #[test]
    fn decimals_are_rounded_half_away_from_zero_and_trimmed() {
        assert_eq!(number("2.345").decimal(2), "2.35");
        assert_eq!(number("-2.345").decimal(2), "-2.35");
        assert_eq!(number("-0.001").decimal(2), "0");
        assert_eq!(number("1/3").to_string(), "1/3");
        assert_eq!(number("0.10").to_string(), "0.1");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(n in any::<i64>(), d in 1i64..1_000_000) {
            let value = Number(BigRational::new(n.into(), d.into()));
            prop_assert_eq!(number(&value.to_string()), value);
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in "\\PC*") {
            let _ = text.parse::<Number>();
        }
    }
}
