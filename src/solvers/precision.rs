//! Numbers to a stated precision: decimal places, significant figures, the nearest unit.

use std::sync::LazyLock;

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Pow, Signed, ToPrimitive, Zero};

use crate::domain::Number;

use super::Solution;
use super::arithmetic::{number, operand_of};
use super::exact::{self, Root, divide, root};
use super::lexer::{Token, whole};
use super::pattern::{Grammar, Holes};
use super::question::Question;
use super::show::{figure, numbered, operand, step};

const SOLVER: &str = "arithmetic";
/// Most decimals or digits that are given; a root is known to forty.
const MOST_PLACES: u32 = 30;

/// Answers what is to be rounded.
pub(super) fn solve(question: &Question<'_>) -> Option<Solution> {
    GRAMMAR.find(question.body(), |answer, holes| answer(holes))
}

/// A number and how far it may lie above: zero where it is exact.
struct Measured {
    low: BigRational,
    error: BigRational,
}

impl Measured {
    /// The two ends, which must round alike.
    fn ends(&self) -> [BigRational; 2] {
        [self.low.clone(), &self.low + &self.error]
    }
}

/// An expression, or a root of a number, irrational or not.
fn measured(hole: &[Token<'_>]) -> Option<Measured> {
    if let Some(low) = number(hole) {
        return Some(Measured { low, error: whole(0) });
    }
    ROOTS.find(hole, |degree, holes| {
        let x = operand_of(holes.first()?)?;
        match root(&x, degree)? {
            Root::Exact(low) => Some(Measured { low, error: whole(0) }),
            Root::Approximate(low) => {
                let error = whole(1) / whole(Pow::pow(BigInt::from(10), exact::ROOT_DECIMALS));
                Some(Measured { low, error })
            }
        }
    })
}

/// Where the number lies halfway, conventions differ: away from zero for most, to even for some;
/// of a negative number more so, and there is no answer.
fn round(x: &BigRational, unit: &BigRational) -> Option<BigRational> {
    let units = divide(x, unit)?;
    let halfway = (&units * whole(2)).is_integer() && !units.is_integer();
    if halfway && x.is_negative() { None } else { Some(units.round() * unit) }
}

fn rounded(x: &Measured, unit: &BigRational) -> Option<Solution> {
    let [low, high] = x.ends();
    let result = round(&low, unit)?;
    if round(&high, unit)? != result {
        return None;
    }
    let shown = figure(&result)?;
    let from = if x.error.is_zero() { operand(&low) } else { None };
    let steps = from.map(|from| step(format!("{from} ≈ {}", shown.text))).into_iter().collect();
    numbered(SOLVER, shown.text, result, steps)
}

fn unit_of(places: u32) -> BigRational {
    whole(1) / whole(Pow::pow(BigInt::from(10), places))
}

fn small(hole: &[Token<'_>]) -> Option<u32> {
    exact::natural(&number(hole)?)?.to_u32().filter(|n| *n <= MOST_PLACES)
}

fn to_places(holes: Holes<'_, '_>) -> Option<Solution> {
    let [x, places] = holes else { return None };
    rounded(&measured(x)?, &unit_of(small(places)?))
}

fn to_a_place(holes: Holes<'_, '_>) -> Option<Solution> {
    rounded(&measured(holes.first()?)?, &unit_of(1))
}

fn to_figures(holes: Holes<'_, '_>) -> Option<Solution> {
    let [x, figures] = holes else { return None };
    let (x, figures) = (measured(x)?, small(figures).filter(|n| *n > 0)?);
    if x.low.is_zero() {
        return None;
    }
    // The unit is the power of ten that leaves so many digits.
    let (mut unit, magnitude, ten) = (whole(1), x.low.abs(), whole(10));
    let top = whole(Pow::pow(BigInt::from(10), figures));
    for _ in 0..600 {
        if divide(&magnitude, &unit)? >= top {
            unit *= &ten;
        } else if divide(&magnitude, &unit)? * &ten < top {
            unit /= &ten;
        } else {
            return rounded(&x, &unit);
        }
    }
    None
}

fn to_nearest(holes: Holes<'_, '_>) -> Option<Solution> {
    let [x, unit] = holes else { return None };
    rounded(&measured(x)?, &named_unit(unit)?)
}

fn named_unit(tokens: &[Token<'_>]) -> Option<BigRational> {
    let [unit, rest @ ..] = tokens else { return None };
    if let Some(multiple) = operand_of(tokens).filter(|n| n.is_positive() && n.is_integer()) {
        return Some(multiple);
    }
    let number_follows = rest.is_empty() || matches!(rest, [n] if n.is("number"));
    let unit = match unit.word()? {
        "whole" | "integer" if number_follows => whole(1),
        "one" | "unit" | "ones" => whole(1),
        "ten" | "tens" => whole(10),
        "hundred" | "hundreds" => whole(100),
        "thousand" | "thousands" => whole(1_000),
        "million" => whole(1_000_000),
        "tenth" => whole(1) / whole(10),
        "hundredth" => whole(1) / whole(100),
        "thousandth" => whole(1) / whole(1_000),
        _ => return None,
    };
    (rest.is_empty() || unit.is_one()).then_some(unit)
}

/// "floor of 3.7", "3.7 rounded up".
fn down(holes: Holes<'_, '_>) -> Option<Solution> {
    let x = measured(holes.first()?)?.low.floor();
    numbered(SOLVER, Number::from(x.clone()).to_string(), x, Vec::new())
}

fn up(holes: Holes<'_, '_>) -> Option<Solution> {
    let x = measured(holes.first()?)?;
    // A root that is not exact is never whole, so the low end tells.
    let x = if x.error.is_zero() { x.low.ceil() } else { x.low.floor() + whole(1) };
    numbered(SOLVER, Number::from(x.clone()).to_string(), x, Vec::new())
}

type Phrase = fn(Holes<'_, '_>) -> Option<Solution>;

static GRAMMAR: LazyLock<Grammar<Phrase>> = LazyLock::new(|| Grammar::new(PHRASES));
static ROOTS: LazyLock<Grammar<u32>> = LazyLock::new(|| {
    Grammar::new(&[
        ("[the] square root of #", 2),
        ("[the] square root #", 2),
        ("sqrt|√ [of] #", 2),
        ("[the] cube root of #", 3),
        ("cbrt|∛ [of] #", 3),
        ("[the] fourth root of #", 4),
        ("[the] fifth root of #", 5),
    ])
});

const PHRASES: &[(&str, Phrase)] = &[
    ("round [off] # to # decimal places|place|points", to_places),
    ("# [rounded] [off] to # decimal places|place|points", to_places),
    ("# correct to # decimal places|place", to_places),
    ("# [accurate] to # decimals|dp", to_places),
    ("# rounded to # decimals|dp", to_places),
    ("# with # decimal places|place|digits", to_places),
    ("# with # decimals", to_places),
    ("round # to # decimals|decimal|dp", to_places),
    ("round # to # places", to_places),
    ("round # to a decimal place", to_a_place),
    ("round [off] # to # significant figures|digits|figure|digit", to_figures),
    ("# [rounded] [off] to # significant figures|digits|figure|digit", to_figures),
    ("# correct to # significant figures|digits", to_figures),
    ("round [off] # to # sig figs", to_figures),
    ("# [rounded] to # sig figs", to_figures),
    ("round [off] # to the nearest #", to_nearest),
    ("# [rounded] [off] to the nearest #", to_nearest),
    ("round # to nearest #", to_nearest),
    ("# rounded to nearest #", to_nearest),
    ("round # down", down),
    ("round down #", down),
    ("# rounded down", down),
    ("floor of #", down),
    ("floor ( # )", down),
    ("round # up", up),
    ("round up #", up),
    ("# rounded up", up),
    ("ceiling|ceil of #", up),
    ("ceiling|ceil ( # )", up),
];
