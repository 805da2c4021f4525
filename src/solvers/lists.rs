//! What is computed of a list of numbers: sums, averages, extremes, common divisors.

use num_bigint::BigInt;
use num_integer::Integer;
use num_rational::BigRational;
use num_traits::{One, Signed, Zero};

use super::Solution;
use super::arithmetic::{SOLVER, answered};
use super::exact::{self, Root, divide};
use super::expression::{Value, root_text, value};
use super::items::Vocabulary;
use super::lexer::{Token, whole};
use super::number_words::spelled;
use super::pattern::Holes;
use super::show::{approximate, figure, operand, step};

pub(super) fn sum(holes: Holes<'_, '_>) -> Option<Solution> {
    let numbers = list(holes.first()?)?;
    answered(joined(&numbers, " + ")?, &numbers.iter().sum())
}

pub(super) fn product(holes: Holes<'_, '_>) -> Option<Solution> {
    let numbers = list(holes.first()?)?;
    let product = numbers.iter().try_fold(BigRational::one(), |p, n| exact::bounded(p * n))?;
    answered(joined(&numbers, " × ")?, &product)
}

pub(super) fn average(holes: Holes<'_, '_>) -> Option<Solution> {
    let numbers = list(holes.first()?)?;
    let count = whole(numbers.len());
    let text = format!("({}) ÷ {}", joined(&numbers, " + ")?, numbers.len());
    answered(text, &divide(&numbers.iter().sum(), &count)?)
}

pub(super) fn median(holes: Holes<'_, '_>) -> Option<Solution> {
    let mut numbers = list(holes.first()?)?;
    numbers.sort();
    let (low, high) = (numbers.get((numbers.len() - 1) / 2)?, numbers.get(numbers.len() / 2)?);
    let middle = (low + high) / whole(2);
    let shown = figure(&middle)?;
    Some(shown.solution(SOLVER, vec![step(format!("sorted: {}", joined(&numbers, ", ")?))]))
}

/// Where several are equally frequent there is no one mode, and some name none, some all.
pub(super) fn mode(holes: Holes<'_, '_>) -> Option<Solution> {
    let mut numbers = list(holes.first()?)?;
    numbers.sort();
    let mut counts: Vec<(usize, &BigRational)> =
        numbers.chunk_by(|a, b| a == b).filter_map(|run| Some((run.len(), run.first()?))).collect();
    counts.sort_by_key(|(times, _)| std::cmp::Reverse(*times));
    let (times, most) = *counts.first()?;
    if times < 2 || counts.get(1).is_some_and(|(second, _)| *second == times) {
        return None;
    }
    let shown = figure(most)?;
    let working = step(format!("{} occurs {times} times", shown.text));
    Some(shown.solution(SOLVER, vec![working]))
}

pub(super) fn range(holes: Holes<'_, '_>) -> Option<Solution> {
    let numbers = list(holes.first()?).filter(|n| n.len() > 2)?;
    let (low, high) = (numbers.iter().min()?, numbers.iter().max()?);
    answered(format!("{} - {}", operand(high)?, operand(low)?), &(high - low))
}

/// Of positive numbers; rounded where it is irrational.
pub(super) fn geometric_mean(holes: Holes<'_, '_>) -> Option<Solution> {
    let numbers = list(holes.first()?)?;
    if !numbers.iter().all(Signed::is_positive) {
        return None;
    }
    let product = numbers.iter().try_fold(BigRational::one(), |p, n| exact::bounded(p * n))?;
    let degree = u32::try_from(numbers.len()).ok()?;
    of_root(&product, degree, root_text(degree, &operand(&product)?))
}

fn spread(holes: Holes<'_, '_>) -> Option<BigRational> {
    let numbers = list(holes.first()?)?;
    let count = whole(numbers.len());
    let mean = divide(&numbers.iter().sum(), &count)?;
    let squares = numbers.iter().map(|n| (n - &mean) * (n - &mean)).sum::<BigRational>();
    divide(&squares, &count)
}

pub(super) fn variance(holes: Holes<'_, '_>) -> Option<Solution> {
    let variance = spread(holes)?;
    Some(figure(&variance)?.solution(SOLVER, Vec::new()))
}

/// Of a population: what a sample's is divides by one less.
pub(super) fn deviation(holes: Holes<'_, '_>) -> Option<Solution> {
    let variance = spread(holes)?;
    of_root(&variance, 2, root_text(2, &operand(&variance)?))
}

fn of_root(of: &BigRational, degree: u32, text: String) -> Option<Solution> {
    match exact::root(of, degree)? {
        Root::Exact(result) => answered(text, &result),
        Root::Approximate(result) => {
            let shown = approximate(&result)?;
            let working = step(format!("{text} {}", shown.text));
            Some(shown.solution(SOLVER, vec![working]))
        }
    }
}

pub(super) fn largest(holes: Holes<'_, '_>) -> Option<Solution> {
    let numbers = list(holes.first()?)?;
    Some(figure(numbers.iter().max()?)?.solution(SOLVER, Vec::new()))
}

pub(super) fn smallest(holes: Holes<'_, '_>) -> Option<Solution> {
    let numbers = list(holes.first()?)?;
    Some(figure(numbers.iter().min()?)?.solution(SOLVER, Vec::new()))
}

/// Positive whole numbers, as divisors and multiples need them.
fn naturals(hole: &[Token<'_>]) -> Option<Vec<BigInt>> {
    let positive = |n: &BigRational| exact::natural(n).filter(|n| n.is_positive()).cloned();
    list(hole)?.iter().map(positive).collect()
}

pub(super) fn gcd(holes: Holes<'_, '_>) -> Option<Solution> {
    let numbers = naturals(holes.first()?)?;
    let result = numbers.iter().fold(BigInt::zero(), |a, b| a.gcd(b));
    Some(figure(&whole(result))?.solution(SOLVER, Vec::new()))
}

pub(super) fn lcm(holes: Holes<'_, '_>) -> Option<Solution> {
    let numbers = naturals(holes.first()?)?;
    let result = numbers.iter().try_fold(BigInt::one(), |a, b| {
        let lcm = a.lcm(b);
        (lcm.bits() <= exact::MAX_BITS).then_some(lcm)
    })?;
    Some(figure(&whole(result))?.solution(SOLVER, Vec::new()))
}

/// A hole that holds two numbers or more, parted by commas, "and", or nothing but space.
fn list(hole: &[Token<'_>]) -> Option<Vec<BigRational>> {
    if hole.len() > 1 && hole.iter().all(|t| t.number().is_some() && one_number(t)) {
        return Some(hole.iter().filter_map(|t| t.number().cloned()).collect());
    }
    for (at, token) in hole.iter().enumerate().filter(|(_, t)| t.is("and")) {
        // "one hundred and five", "two and a half": one number or two?
        let before = at.checked_sub(1).and_then(|i| hole.get(i)?.word());
        let scale = ["hundred", "thousand", "million", "billion", "trillion"];
        let after = hole.get(at + 1..)?;
        if before.is_some_and(|w| scale.contains(&w))
            || spelled(after).is_some_and(|s| s.fraction)
            || !token.spaced
        {
            return None;
        }
    }
    let mut found = Vec::new();
    for part in hole.split(|t| t.is(",") || t.is("and") || t.is("&")) {
        if part.is_empty() {
            continue;
        }
        // "sum of 3 and 5 times 2": what does the "times" reach?
        let value = value(part, Vocabulary::Words, None)
            .filter(Value::is_literal)
            .or_else(|| value(part, Vocabulary::Symbols, None))?;
        if value.percent || value.money.is_some() || !part.iter().all(one_number) {
            return None;
        }
        found.push(value.number);
    }
    // A comma may follow another separator only as in ", and".
    let doubled = hole.windows(2).any(
        |w| matches!(w, [a, b] if a.is(",") && b.is(",") || a.is("and") && !b.is("-") && b.is(",")),
    );
    let framed = hole.first()?.is(",") || hole.last()?.is(",") || hole.last()?.is("and");
    (found.len() > 1 && !doubled && !framed).then_some(found)
}

/// Within a list, `100,200` may be two numbers.
fn one_number(token: &Token<'_>) -> bool {
    match token.raw.split_once(',') {
        Some((first, rest)) => token.number().is_none() || (first.len() < 3 && !rest.contains(',')),
        None => true,
    }
}

fn joined(numbers: &[BigRational], mark: &str) -> Option<String> {
    let shown: Option<Vec<String>> = numbers.iter().map(operand).collect();
    Some(shown?.join(mark))
}
