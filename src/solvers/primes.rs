//! Factors, primes, and sums of runs of numbers.

use std::sync::LazyLock;

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{Signed, ToPrimitive};

use super::Solution;
use super::arithmetic::{answered, operand_of};
use super::comparison::yes_no;
use super::exact;
use super::lexer::{Token, whole};
use super::number_words::ordinal;
use super::pattern::{Grammar, Holes};
use super::question::Question;
use super::show::{listed, numbered, operand, step};

const SOLVER: &str = "number_properties";
/// Largest number that is factored: some 16,000 trial divisions at most.
const MAX_FACTORED: u64 = 1_000_000_000;
/// Largest number up to which primes are listed or counted.
const MAX_SIEVED: usize = 10_000;
/// Most primes that are listed.
const MAX_LISTED: usize = 200;

/// Answers questions about factors, primes and runs of whole numbers.
pub(super) fn solve(question: &Question<'_>) -> Option<Solution> {
    GRAMMAR.find(question.body(), |answer, holes| answer(holes))
}

fn integer(hole: &[Token<'_>]) -> Option<BigInt> {
    operand_of(hole).filter(BigRational::is_integer).map(|n| n.to_integer())
}

fn natural(hole: &[Token<'_>]) -> Option<u64> {
    integer(hole)?.to_u64()
}

/// All divisors of a number that is small enough, ascending.
fn divisors(holes: Holes<'_, '_>) -> Option<(u64, Vec<u64>)> {
    let n = natural(holes.first()?).filter(|n| (1..=MAX_FACTORED).contains(n))?;
    let mut low = vec![1u64];
    for (prime, times) in powers(n) {
        let smaller = low.clone();
        let mut power = 1;
        for _ in 0..times {
            power *= prime;
            low.extend(smaller.iter().map(|d| d * power));
        }
    }
    low.sort_unstable();
    Some((n, low))
}

/// The prime factors of a number, each with how often it divides.
fn powers(mut n: u64) -> Vec<(u64, u32)> {
    let mut found: Vec<(u64, u32)> = Vec::new();
    while n > 1 {
        let factor = smallest_factor(n).unwrap_or(n);
        match found.last_mut() {
            Some((last, times)) if *last == factor => *times += 1,
            _ => found.push((factor, 1)),
        }
        n /= factor;
    }
    found
}

fn texts(numbers: &[u64]) -> Vec<String> {
    numbers.iter().map(u64::to_string).collect()
}

fn factors(holes: Holes<'_, '_>) -> Option<Solution> {
    let (n, all) = divisors(holes)?;
    let items = texts(&all);
    let pairs = all.iter().zip(all.iter().rev()).take_while(|(low, high)| low <= high).take(12);
    let pairs: Vec<String> = pairs.map(|(low, high)| format!("{low} × {high}")).collect();
    let working = step(format!("{n} = {}", pairs.join(" = ")));
    listed(SOLVER, items.join(", "), items, vec![working])
}

fn factor_count(holes: Holes<'_, '_>) -> Option<Solution> {
    let (_, all) = divisors(holes)?;
    let working = (all.len() <= 40).then(|| step(texts(&all).join(", ")));
    numbered(SOLVER, all.len().to_string(), whole(all.len()), working.into_iter().collect())
}

fn factor_sum(holes: Holes<'_, '_>) -> Option<Solution> {
    let (_, all) = divisors(holes)?;
    answered(texts(&all).join(" + "), &all.iter().map(|d| whole(*d)).sum())
}

fn factored(holes: Holes<'_, '_>) -> Option<(u64, Vec<u64>)> {
    let n = natural(holes.first()?).filter(|n| (2..=MAX_FACTORED).contains(n))?;
    let all = powers(n).into_iter().flat_map(|(p, times)| std::iter::repeat_n(p, times as usize));
    Some((n, all.collect()))
}

fn prime_factors(holes: Holes<'_, '_>) -> Option<Solution> {
    let (n, all) = factored(holes)?;
    let (items, content) = (texts(&all), texts(&all).join(" × "));
    let working = step(format!("{n} = {content}"));
    listed(SOLVER, content, items, vec![working])
}

fn largest_prime_factor(holes: Holes<'_, '_>) -> Option<Solution> {
    let (n, all) = factored(holes)?;
    let working = step(format!("{n} = {}", texts(&all).join(" × ")));
    numbered(SOLVER, all.last()?.to_string(), whole(*all.last()?), vec![working])
}

fn smallest_prime_factor(holes: Holes<'_, '_>) -> Option<Solution> {
    let (n, all) = factored(holes)?;
    let working = step(format!("{n} = {}", texts(&all).join(" × ")));
    numbered(SOLVER, all.first()?.to_string(), whole(*all.first()?), vec![working])
}

fn coprime(holes: Holes<'_, '_>) -> Option<Solution> {
    use num_integer::Integer;
    let [a, b] = holes else { return None };
    let (a, b) = (integer(a).filter(BigInt::is_positive)?, integer(b).filter(BigInt::is_positive)?);
    let common = a.gcd(&b);
    let working = step(format!("gcd({a}, {b}) = {common}"));
    Some(yes_no(SOLVER, common == BigInt::from(1), vec![working]))
}

/// The primes up to a number.
fn sieve(to: usize) -> Vec<u64> {
    let mut composite = vec![false; to + 1];
    let mut primes = Vec::new();
    for n in 2..=to {
        if composite.get(n) == Some(&false) {
            primes.push(n as u64);
            composite.iter_mut().skip(n * n).step_by(n).for_each(|c| *c = true);
        }
    }
    primes
}

fn bound(hole: &[Token<'_>]) -> Option<usize> {
    natural(hole)?.to_usize().filter(|n| *n <= MAX_SIEVED)
}

/// "between 11 and 29": whether the ends count is open, unless neither is prime.
fn between(holes: Holes<'_, '_>) -> Option<Vec<u64>> {
    let [from, to] = holes else { return None };
    let (from, to) = (bound(from)?, bound(to)?);
    let (low, high) = (from as u64, to as u64);
    let open = is_prime(low) || is_prime(high) || low >= high;
    (!open).then(|| sieve(to).into_iter().filter(|p| *p > low).collect())
}

fn below(holes: Holes<'_, '_>) -> Option<Vec<u64>> {
    let to = bound(holes.first()?)?;
    Some(sieve(to.checked_sub(1)?))
}

fn up_to(holes: Holes<'_, '_>) -> Option<Vec<u64>> {
    Some(sieve(bound(holes.first()?)?))
}

fn first_primes(holes: Holes<'_, '_>) -> Option<Vec<u64>> {
    let count = bound(holes.first()?).filter(|n| (1..=MAX_LISTED).contains(n))?;
    // The two hundredth prime is 1223.
    Some(sieve(1_223).into_iter().take(count).collect())
}

/// "10th prime", "tenth prime number".
fn nth_prime(holes: Holes<'_, '_>) -> Option<Solution> {
    let nth = match holes.first()? {
        [word] => ordinal(word.word()?)?,
        [n, suffix] if !suffix.spaced && ["st", "nd", "rd", "th"].iter().any(|s| suffix.is(s)) => {
            n.number().filter(|n| n.is_integer())?.to_integer().to_u64()?
        }
        _ => return None,
    };
    let nth = usize::try_from(nth).ok().filter(|n| (1..=MAX_LISTED).contains(n))?;
    let prime = *sieve(1_223).get(nth - 1)?;
    numbered(SOLVER, prime.to_string(), whole(prime), Vec::new())
}

fn list(primes: &[u64]) -> Option<Solution> {
    if primes.is_empty() || primes.len() > MAX_LISTED {
        return None;
    }
    let items = texts(primes);
    listed(SOLVER, items.join(", "), items, Vec::new())
}

fn count(primes: &[u64]) -> Option<Solution> {
    let working = (primes.len() <= 40).then(|| step(texts(primes).join(", ")));
    numbered(SOLVER, primes.len().to_string(), whole(primes.len()), working.into_iter().collect())
}

fn next_prime(holes: Holes<'_, '_>) -> Option<Solution> {
    let n = natural(holes.first()?).filter(|n| *n <= MAX_FACTORED)?;
    let prime = (n + 1..n + 400).find(|n| is_prime(*n))?;
    numbered(SOLVER, prime.to_string(), whole(prime), Vec::new())
}

fn previous_prime(holes: Holes<'_, '_>) -> Option<Solution> {
    let n = natural(holes.first()?).filter(|n| (3..=MAX_FACTORED).contains(n))?;
    let prime = (n.saturating_sub(400)..n).rev().find(|n| is_prime(*n))?;
    numbered(SOLVER, prime.to_string(), whole(prime), Vec::new())
}

/// The sum of `count` numbers from `first` on, each `apart` from the one before.
fn run(first: &BigRational, count: &BigRational, apart: u32) -> Option<Solution> {
    let last = first + (count - whole(1)) * whole(apart);
    let sum = exact::bounded(count * (first + &last) / whole(2))?;
    let (a, z, n) = (operand(first)?, operand(&last)?, operand(count)?);
    answered(format!("{n} × ({a} + {z}) ÷ 2"), &sum)
}

fn first_of(holes: Holes<'_, '_>, first: u32, apart: u32) -> Option<Solution> {
    let count = operand_of(holes.first()?).filter(|n| n.is_integer() && n.is_positive())?;
    run(&whole(first), &count, apart)
}

/// "the sum of the whole numbers from 1 to 100": both ends count.
fn from_to(holes: Holes<'_, '_>) -> Option<Solution> {
    let [from, to] = holes else { return None };
    let (from, to) = (whole(integer(from)?), whole(integer(to)?));
    let count = &to - &from + whole(1);
    if count > whole(1) { run(&from, &count, 1) } else { None }
}

/// "the sum of the even numbers from 1 to 10".
fn every_other(holes: Holes<'_, '_>, odd: bool) -> Option<Solution> {
    let [from, to] = holes else { return None };
    let (from, to) = (integer(from)?, integer(to)?);
    let fits = |n: &BigInt| n.bit(0) == odd;
    let from = if fits(&from) { from } else { from + 1 };
    let to = if fits(&to) { to } else { to - 1 };
    let count = whole((&to - &from) / 2 + 1);
    if count > whole(1) { run(&whole(from), &count, 2) } else { None }
}

/// A factor other than one and itself, sought only where that is quick.
pub(super) fn smallest_factor(n: u64) -> Option<u64> {
    if n > 2 && n.is_multiple_of(2) {
        return Some(2);
    }
    (3..=n.min(MAX_FACTORED).isqrt()).step_by(2).find(|d| n.is_multiple_of(*d))
}

/// Miller–Rabin with the first twelve primes, which is exact below 2⁶⁴ (Sorenson & Webster 2015).
pub(super) fn is_prime(n: u64) -> bool {
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
    ("[all] [the] factors|divisors of [the] [number] #", factors),
    ("list [all] [the] factors|divisors of [the] [number] #", factors),
    ("what numbers divide # evenly", factors),
    ("how many factors|divisors does [the] [number] # have", factor_count),
    ("how many factors|divisors are there of #", factor_count),
    ("number of factors|divisors of #", factor_count),
    ("how many numbers divide # evenly", factor_count),
    ("sum of [all] [the] factors|divisors of #", factor_sum),
    ("[list] [the] prime factors|factorization|factorisation|decomposition of #", prime_factors),
    ("factor|factorize|factorise # into primes", prime_factors),
    ("factor|factorize|factorise [the] [number] #", prime_factors),
    ("break|write|express # [down] into|as [a] [product] [of] primes", prime_factors),
    ("write|express # as a product of [its] prime factors", prime_factors),
    ("largest|biggest|greatest prime factor|divisor of #", largest_prime_factor),
    ("smallest|least|lowest prime factor|divisor of #", smallest_prime_factor),
    ("are # and # coprime", coprime),
    ("are # and # relatively prime", coprime),
    ("is # coprime to|with #", coprime),
    ("[list] [all] [the] primes between # and #", |h| list(&between(h)?)),
    ("[list] [all] [the] prime numbers between # and #", |h| list(&between(h)?)),
    ("[list] [all] [the] primes below|under #", |h| list(&below(h)?)),
    ("[list] [all] [the] prime numbers below|under #", |h| list(&below(h)?)),
    ("[list] [all] [the] primes less|smaller than #", |h| list(&below(h)?)),
    ("[list] [all] [the] prime numbers less|smaller than #", |h| list(&below(h)?)),
    ("[list] [all] [the] primes up to #", |h| list(&up_to(h)?)),
    ("[list] [all] [the] prime numbers up to #", |h| list(&up_to(h)?)),
    ("[list] [the] first # primes", |h| list(&first_primes(h)?)),
    ("[list] [the] first # prime numbers", |h| list(&first_primes(h)?)),
    ("how many primes [are] [there] between # and #", |h| count(&between(h)?)),
    ("how many prime numbers [are] [there] between # and #", |h| count(&between(h)?)),
    ("how many primes [are] [there] below|under #", |h| count(&below(h)?)),
    ("how many prime numbers [are] [there] below|under #", |h| count(&below(h)?)),
    ("how many primes are [there] less|smaller than #", |h| count(&below(h)?)),
    ("how many prime numbers are [there] less|smaller than #", |h| count(&below(h)?)),
    ("number of primes below|under #", |h| count(&below(h)?)),
    ("# prime [number]", nth_prime),
    ("next prime [number] after|above #", next_prime),
    ("first|smallest prime [number] after|above #", next_prime),
    ("first|smallest|next prime [number] greater|larger|bigger than #", next_prime),
    ("largest|biggest|greatest prime [number] below|under|before #", previous_prime),
    ("largest|biggest|greatest prime [number] less|smaller than #", previous_prime),
    ("sum of [the] first # [positive] integers", |h| first_of(h, 1, 1)),
    ("sum of [the] first # natural|counting|positive [whole] numbers", |h| first_of(h, 1, 1)),
    ("sum of [the] first # odd [natural|positive] numbers|integers", |h| first_of(h, 1, 2)),
    ("sum of [the] first # positive even numbers|integers", |h| first_of(h, 2, 2)),
    ("sum of [the] first # primes", |h| sum(&first_primes(h)?)),
    ("sum of [the] first # prime numbers", |h| sum(&first_primes(h)?)),
    (
        "sum of [all|the] [the] [whole|natural] numbers|integers from # to|through # [inclusive]",
        from_to,
    ),
    (
        "add [up] [all] [the] [whole|natural] numbers|integers from # to|through # [inclusive]",
        from_to,
    ),
    ("sum of [all|the] [the] [whole|natural] numbers|integers between # and # inclusive", from_to),
    ("sum of [all|the] [the] even numbers|integers from # to|through # [inclusive]", |h| {
        every_other(h, false)
    }),
    ("sum of [all|the] [the] odd numbers|integers from # to|through # [inclusive]", |h| {
        every_other(h, true)
    }),
];

fn sum(primes: &[u64]) -> Option<Solution> {
    if primes.len() < 2 {
        return None;
    }
    answered(texts(primes).join(" + "), &primes.iter().map(|p| whole(*p)).sum())
}

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
