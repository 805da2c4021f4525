//! Numbers as people read them.

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{Pow, Signed, Zero};

use crate::domain::{Canonical, Number, Step};
use crate::text::fold;

use super::Solution;
use super::lexer::whole;

/// Decimals of an approximate figure, and its significant digits where it is below one.
const DECIMALS: u32 = 10;
/// Decimals up to which an exact figure is written out.
const EXACT_DECIMALS: u32 = 30;
/// Longest denominator of a fraction that is shown as one, in bits.
const FRACTION_BITS: u64 = 24;

/// Largest number within a step, in bits; 40 digits have fewer.
const OPERAND_BITS: u64 = 136;

/// A figure for people and the number it stands for.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Shown {
    pub(super) text: String,
    pub(super) number: Number,
}

impl Shown {
    /// Answers with this figure.
    pub(super) fn solution(self, solver: &'static str, steps: Vec<Step>) -> Solution {
        Solution { solver, content: self.text, answer: Canonical::Number(self.number), steps }
    }
}

/// A decimal where that is exact, else a short fraction with its decimal, else an approximation.
pub(super) fn figure(value: &BigRational) -> Option<Shown> {
    let number = Number::from(value.clone());
    if let Some(text) = number.exact_decimal(EXACT_DECIMALS) {
        return Some(Shown { text, number });
    }
    let rounded = approximate(value)?;
    if value.denom().bits() > FRACTION_BITS || value.numer().bits() > 2 * FRACTION_BITS {
        return Some(rounded);
    }
    let text = format!("{}/{} ({})", value.numer(), value.denom(), rounded.text);
    Some(Shown { text, number })
}

/// For measures, where nobody wants 3125/3937: a decimal, exact or marked as approximate.
pub(super) fn measure(value: &BigRational) -> Option<Shown> {
    let number = Number::from(value.clone());
    match number.exact_decimal(15) {
        Some(text) => Some(Shown { text, number }),
        None => approximate(value),
    }
}

/// Rounded to ten decimals, or to ten digits where the number is below one; marked `≈`.
pub(super) fn approximate(value: &BigRational) -> Option<Shown> {
    let mut places = DECIMALS;
    let (mut bound, ten) = (whole(1), whole(10));
    while !value.is_zero() && value.abs() < bound {
        bound /= &ten;
        places += 1;
        if places > DECIMALS + 50 {
            return None;
        }
    }
    let places = if places > DECIMALS { places - 1 } else { places };
    let rounded = Number::from(value.clone()).rounded(places);
    Some(Shown { text: format!("≈ {}", rounded.decimal(places)), number: rounded })
}

/// A number within a step: as a step must be readable by the evaluator, too, inexact decimals
/// are written as fractions. `None` where it is too long to help anyone.
pub(super) fn operand(value: &BigRational) -> Option<String> {
    if value.numer().bits() + value.denom().bits() > OPERAND_BITS {
        return None;
    }
    let text = Number::from(value.clone()).exact_decimal(12).unwrap_or_else(|| {
        let sign = if value.is_negative() { "-" } else { "" };
        format!("{sign}({}/{})", value.numer().abs(), value.denom())
    });
    (text.len() <= 40).then_some(text)
}

/// A number as it was written, but for the sign of a zero, which has none.
pub(super) fn as_written<'a>(raw: &'a str, value: &BigRational) -> &'a str {
    let minus = |c: char| c == '-' || c == '\u{2212}' || c.is_whitespace();
    if value.is_zero() { raw.trim_start_matches(minus) } else { raw }
}

/// A text as the answer, compared in lower case.
pub(super) fn said(
    solver: &'static str,
    content: impl Into<String>,
    steps: Vec<Step>,
) -> Option<Solution> {
    let content = content.into();
    let answer = Canonical::Text(fold(&content));
    Some(Solution { solver, content, answer, steps })
}

/// A list as the answer: shown as `content`, compared item by item.
pub(super) fn listed(
    solver: &'static str,
    content: impl Into<String>,
    items: Vec<String>,
    steps: Vec<Step>,
) -> Option<Solution> {
    let answer = Canonical::List(items);
    Some(Solution { solver, content: content.into(), answer, steps })
}

/// A number as the answer, shown as `content`: "33 days", "ISO week 47".
pub(super) fn numbered(
    solver: &'static str,
    content: impl Into<String>,
    number: impl Into<Number>,
    steps: Vec<Step>,
) -> Option<Solution> {
    let answer = Canonical::Number(number.into());
    Some(Solution { solver, content: content.into(), answer, steps })
}

/// One step of working.
pub(super) fn step(text: impl Into<String>) -> Step {
    Step { text: text.into() }
}

/// An amount of money, to the cent. What is less than one unit keeps its decimals where they end:
/// the price of a single screw is a fraction of a cent.
pub(super) fn money(mark: char, value: &BigRational) -> Option<Shown> {
    let number = Number::from(value.clone());
    let magnitude = Number::from(value.abs());
    let sign = if value.is_negative() { "-" } else { "" };
    if value.is_integer() {
        return Some(Shown { text: format!("{sign}{mark}{magnitude}"), number });
    }
    let cents = value * whole(Pow::pow(BigInt::from(10), 2u32));
    let text = if cents.is_integer() {
        let decimal = magnitude.decimal(2);
        let (units, fraction) = decimal.split_once('.').unwrap_or((&decimal, ""));
        format!("{sign}{mark}{units}.{fraction:0<2}")
    } else if let Some(decimal) = magnitude.exact_decimal(EXACT_DECIMALS) {
        if value.abs() < whole(1) {
            format!("{sign}{mark}{decimal}")
        } else {
            let rounded = number.rounded(2);
            return Some(Shown { text: money(mark, rounded.as_rational())?.text, number: rounded });
        }
    } else {
        let rounded = number.rounded(2);
        let sign = if rounded.as_rational().is_zero() { "" } else { sign };
        let text = format!("≈ {sign}{mark}{}", magnitude.decimal(2));
        return Some(Shown { text, number: rounded });
    };
    Some(Shown { text, number })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ratio(n: i64, d: i64) -> BigRational {
        BigRational::new(n.into(), d.into())
    }

    #[test]
    fn exact_decimals_are_exact_and_others_say_that_they_are_not() {
        assert_eq!(figure(&ratio(7, 8)).unwrap().text, "0.875");
        assert_eq!(figure(&ratio(2, 3)).unwrap().text, "2/3 (≈ 0.6666666667)");
        assert_eq!(figure(&ratio(2, 3)).unwrap().number, Number::from(ratio(2, 3)));
        assert_eq!(measure(&ratio(2, 3)).unwrap().text, "≈ 0.6666666667");
        assert_eq!(measure(&ratio(1, 1_609_344)).unwrap().text, "≈ 0.0000006213711922");
    }

    #[test]
    fn money_has_two_decimals_or_none() {
        assert_eq!(money('$', &whole(40)).unwrap().text, "$40");
        assert_eq!(money('$', &ratio(5, 2)).unwrap().text, "$2.50");
        assert_eq!(money('$', &ratio(-5, 2)).unwrap().text, "-$2.50");
        assert_eq!(money('$', &ratio(10, 3)).unwrap().text, "≈ $3.33");
        assert_eq!(money('$', &ratio(51, 8)).unwrap().text, "$6.38");
        assert_eq!(money('$', &ratio(51, 8)).unwrap().number, Number::from(ratio(638, 100)));
        assert_eq!(money('$', &ratio(3, 1000)).unwrap().text, "$0.003");
        assert_eq!(money('$', &ratio(-1, 300)).unwrap().text, "≈ $0");
    }
}
