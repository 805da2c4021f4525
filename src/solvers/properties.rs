//! Properties of whole numbers: prime, even, divisible, a square.

use std::sync::LazyLock;

use num_bigint::BigInt;
use num_integer::Integer;
use num_rational::BigRational;
use num_traits::{ToPrimitive, Zero};

use crate::domain::{Canonical, Step};

use super::Solution;
use super::arithmetic::operand_of;
use super::comparison::yes_no;
use super::exact::{Root, root};
use super::pattern::{Grammar, Holes};
use super::primes::{is_prime, smallest_factor};
use super::question::Question;
use super::show::step;

const SOLVER: &str = "number_properties";

/// Answers questions about one whole number, or a pair.
pub(super) fn solve(question: &Question<'_>) -> Option<Solution> {
    GRAMMAR.find(question.body(), |answer, holes| answer(holes))
}

fn integers<const N: usize>(holes: Holes<'_, '_>) -> Option<[BigInt; N]> {
    let read =
        |hole: &&[_]| operand_of(hole).filter(BigRational::is_integer).map(|n| n.to_integer());
    holes.iter().map(read).collect::<Option<Vec<_>>>()?.try_into().ok()
}

fn counting(holes: Holes<'_, '_>) -> Option<u64> {
    let [n] = integers::<1>(holes)?;
    n.to_u64()
}

fn prime(holes: Holes<'_, '_>) -> Option<Solution> {
    let n = counting(holes)?;
    let steps: Vec<Step> =
        smallest_factor(n).map(|d| step(format!("{n} = {d} × {}", n / d))).into_iter().collect();
    Some(yes_no(SOLVER, is_prime(n), steps))
}

fn composite(holes: Holes<'_, '_>) -> Option<Solution> {
    let n = counting(holes)?;
    Some(yes_no(SOLVER, n > 1 && !is_prime(n), Vec::new()))
}

fn prime_or_composite(holes: Holes<'_, '_>) -> Option<Solution> {
    let n = counting(holes).filter(|&n| n > 1)?;
    Some(named(if is_prime(n) { "prime" } else { "composite" }))
}

fn is_even(holes: Holes<'_, '_>) -> Option<bool> {
    let [n] = integers::<1>(holes)?;
    Some(n.is_even())
}

fn even(holes: Holes<'_, '_>) -> Option<Solution> {
    Some(yes_no(SOLVER, is_even(holes)?, Vec::new()))
}

fn odd(holes: Holes<'_, '_>) -> Option<Solution> {
    Some(yes_no(SOLVER, !is_even(holes)?, Vec::new()))
}

fn even_or_odd(holes: Holes<'_, '_>) -> Option<Solution> {
    Some(named(if is_even(holes)? { "even" } else { "odd" }))
}

fn divisible(holes: Holes<'_, '_>) -> Option<Solution> {
    let [n, by] = integers::<2>(holes)?;
    if by.is_zero() {
        return None;
    }
    let rest = &n % &by;
    let working = step(format!("{n} = {} × {by} + {rest}", &n / &by));
    Some(yes_no(SOLVER, rest.is_zero(), vec![working]))
}

fn divides(holes: Holes<'_, '_>) -> Option<Solution> {
    let [divisor, n] = holes else { return None };
    divisible(&[n, divisor])
}

fn square(holes: Holes<'_, '_>) -> Option<Solution> {
    power_of_degree(holes, 2)
}

fn cube(holes: Holes<'_, '_>) -> Option<Solution> {
    power_of_degree(holes, 3)
}

fn power_of_degree(holes: Holes<'_, '_>, degree: u32) -> Option<Solution> {
    let n = counting(holes)?;
    let root = root(&BigRational::from_integer(n.into()), degree)?;
    Some(yes_no(SOLVER, matches!(root, Root::Exact(_)), Vec::new()))
}

fn named(name: &str) -> Solution {
    let answer = Canonical::Text(name.to_owned());
    Solution { solver: SOLVER, content: name.to_owned(), answer, steps: Vec::new() }
}

type Phrase = fn(Holes<'_, '_>) -> Option<Solution>;

static GRAMMAR: LazyLock<Grammar<Phrase>> = LazyLock::new(|| Grammar::new(PHRASES));

const PHRASES: &[(&str, Phrase)] = &[
    ("is [the] [number] # [a] prime [number]", prime),
    ("is [the] [number] # [a] composite [number]", composite),
    ("is [the] [number] # prime or composite", prime_or_composite),
    ("is [the] [number] # [an] even [number]", even),
    ("is [the] [number] # [an] odd [number]", odd),
    ("is [the] [number] # [an] even or [an] odd [number]", even_or_odd),
    ("is [the] [number] # [an] odd or [an] even [number]", even_or_odd),
    ("is # [evenly] divisible by #", divisible),
    ("can # be divided evenly by #", divisible),
    ("is # a multiple of #", divisible),
    ("is # a factor|divisor of #", divides),
    ("does # divide #", divides),
    ("is # a perfect square", square),
    ("is # a square number", square),
    ("is # a perfect cube", cube),
];
