//! Measures told in several units: 5 ft 11 in, 3 h 35 min.

use std::sync::LazyLock;

use num_rational::BigRational;
use num_traits::{Signed, Zero};

use crate::domain::Number;

use super::Solution;
use super::exact::{bounded, divide};
use super::lexer::{Token, whole};
use super::pattern::{Grammar, Holes};
use super::question::Question;
use super::show::{said, step};
use super::unit_table::{self, Kind, Unit};
use super::units::{named, quantity, singular, size};

/// Decimals of the last unit where the measure does not come out even.
const DECIMALS: u32 = 2;

/// Answers conversions into two or three units: "180 cm in feet and inches".
pub(super) fn solve(question: &Question<'_>) -> Option<Solution> {
    GRAMMAR.find(question.body(), converted)
}

/// An amount of the base unit in units that go into each other, the largest first; `None` where
/// they do not, or where the measure is less than nothing. Hours and minutes that do not come out
/// even are told to the second.
pub(super) fn composed(base: &BigRational, units: &[&'static Unit]) -> Option<String> {
    let mut units = units.to_vec();
    let nested = units.windows(2).all(|pair| {
        matches!(pair, [a, b] if a.kind == b.kind
            && divide(&size(a), &size(b)).is_some_and(|n| n.is_integer() && n > whole(1)))
    });
    if !nested || units.len() < 2 || base.is_negative() {
        return None;
    }
    let last = units.last()?;
    if last.kind == Kind::Time && !divide(base, &size(last))?.is_integer() {
        for symbol in ["min", "s"] {
            units.extend(
                unit_table::find(symbol, symbol)
                    .filter(|unit| units.last().is_some_and(|last| size(unit) < size(last))),
            );
        }
    }
    // The whole of it in the last unit, rounded there: so no part is told as 12 in or 60 min.
    let smallest = size(units.last()?);
    let exact = Number::from(divide(base, &smallest)?);
    let rounded = exact.rounded(DECIMALS);
    let about = if rounded == exact { "" } else { "≈ " };
    let mut rest = bounded(rounded.as_rational() * smallest)?;
    let (mut parts, count) = (Vec::new(), units.len());
    for (at, unit) in units.into_iter().enumerate() {
        let amount = divide(&rest, &size(unit))?;
        let amount = if at + 1 < count { amount.trunc() } else { amount };
        rest -= &amount * size(unit);
        if !amount.is_zero() {
            let symbol = if amount == whole(1) { singular(unit.symbol) } else { unit.symbol };
            parts.push(format!("{} {symbol}", Number::from(amount).exact_decimal(DECIMALS)?));
        }
    }
    (!parts.is_empty()).then(|| format!("{about}{}", parts.join(" ")))
}

fn converted((): (), holes: Holes<'_, '_>) -> Option<Solution> {
    let (from, to) = holes.split_first()?;
    let units = to.iter().map(|hole| Some(named(hole)?.unit)).collect::<Option<Vec<_>>>()?;
    let from: &[Token<'_>] = from;
    let mut base = whole(0);
    for (value, named) in &quantity(from)?.terms {
        if units.first()?.kind != named.unit.kind || named.unit.kind == Kind::Temperature {
            return None;
        }
        base += bounded(value * size(named.unit))?;
    }
    let content = composed(&base, &units)?;
    let ratios: Vec<String> = units
        .windows(2)
        .filter_map(|pair| match pair {
            [a, b] => Some(format!(
                "1 {} = {} {}",
                singular(a.symbol),
                divide(&size(a), &size(b))?,
                b.symbol
            )),
            _ => None,
        })
        .collect();
    said("units", content, vec![step(ratios.join(", "))])
}

static GRAMMAR: LazyLock<Grammar<()>> = LazyLock::new(|| Grammar::new(PHRASES));

const PHRASES: &[(&str, ())] = &[
    ("[convert|change|express] # to|in|into|as # , # , # and #", ()),
    ("[convert|change|express] # to|in|into|as # , # , # , and #", ()),
    ("[convert|change|express] # to|in|into|as # , # and #", ()),
    ("[convert|change|express] # to|in|into|as # # and #", ()),
    ("[convert|change|express] # to|in|into|as # and #", ()),
    ("how much|long|tall|high is|are # in # and #", ()),
];
