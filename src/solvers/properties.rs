//! Properties of whole numbers: prime, even, divisible, a square; their factors.

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
use super::question::Question;
use super::show::step;

const SOLVER: &str = "number_properties";
/// Largest number that is factored: a million trial divisions at most.
const MAX_FACTORED: u64 = 1_000_000_000;

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

fn factors(holes: Holes<'_, '_>) -> Option<Solution> {
    let n = counting(holes).filter(|n| (1..=MAX_FACTORED).contains(n))?;
    let low: Vec<u64> = (1..=n.isqrt()).filter(|d| n % d == 0).collect();
    let high = low.iter().rev().map(|d| n / d).filter(|d| d * d > n);
    let all: Vec<String> = low.iter().copied().chain(high).map(|d| d.to_string()).collect();
    Some(listed(all.join(", "), all))
}

fn prime_factors(holes: Holes<'_, '_>) -> Option<Solution> {
    let mut n = counting(holes).filter(|n| (2..=MAX_FACTORED).contains(n))?;
    let mut all = Vec::new();
    while let Some(d) = smallest_factor(n) {
        all.push(d.to_string());
        n /= d;
    }
    all.push(n.to_string());
    Some(listed(all.join(" × "), all))
}

fn named(name: &str) -> Solution {
    let answer = Canonical::Text(name.to_owned());
    Solution { solver: SOLVER, content: name.to_owned(), answer, steps: Vec::new() }
}

fn listed(content: String, items: Vec<String>) -> Solution {
    Solution { solver: SOLVER, content, answer: Canonical::List(items), steps: Vec::new() }
}

/// A factor other than one and itself, sought only where that is quick.
fn smallest_factor(n: u64) -> Option<u64> {
    (2..=n.min(MAX_FACTORED).isqrt()).find(|d| n.is_multiple_of(*d))
}

/// Miller–Rabin with the first twelve primes, which is exact below 2⁶⁴ (Sorenson & Webster 2015).
fn is_prime(n: u64) -> bool {
    const WITNESSES: [u64; 12] = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37];
    if n < 2 {
        return false;
    }
    if let Some(p) = WITNESSES.iter().find(|p| n.is_multiple_of(**p)) {
        return n == *p;
    }
    let twos = (n - 1).trailing_zeros();
    let odd = (n - 1) >> twos;
    WITNESSES.iter().all(|&witness| {
        let mut x = power_mod(witness, odd, n);
        if x == 1 || x == n - 1 {
            return true;
        }
        (1..twos).any(|_| {
            x = times_mod(x, x, n);
            x == n - 1
        })
    })
}

fn power_mod(base: u64, mut exponent: u64, modulus: u64) -> u64 {
    let (mut result, mut base) = (1, base % modulus);
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = times_mod(result, base, modulus);
        }
        base = times_mod(base, base, modulus);
        exponent >>= 1;
    }
    result
}

fn times_mod(a: u64, b: u64, modulus: u64) -> u64 {
    let product = u128::from(a) * u128::from(b) % u128::from(modulus);
    u64::try_from(product).unwrap_or(0)
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
    ("factors|divisors of #", factors),
    ("list [all] [the] factors|divisors of #", factors),
    ("prime factors|factorization|factorisation of #", prime_factors),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn primality_agrees_with_trial_division() {
        for n in 0..5_000u64 {
            let trial = n > 1 && (2..=n.isqrt()).all(|d| n % d != 0);
            assert_eq!(is_prime(n), trial, "{n}");
        }
    }

    #[test]
    fn strong_pseudoprimes_are_not_prime() {
        for n in [3_215_031_751, 3_825_123_056_546_413_051] {
            assert!(!is_prime(n), "{n}");
        }
        assert!(is_prime(18_446_744_073_709_551_557));
    }
}
