//! Exact evaluators: each is right or silent.
//!
//! A solver answers only when its grammar accounts for *every* token of the question and leaves
//! one reading; else it abstains, and so do questions about the world ("how many days in a dog
//! year"). Each is bounded by construction: in input, tokens, nesting, and bits.

mod arithmetic;
mod bases;
mod boolean;
mod calendar;
mod clock;
mod combinatorics;
mod comparison;
mod composed;
mod dates;
mod equations;
mod exact;
mod expression;
mod items;
mod lexer;
mod lists;
mod measures;
mod number_words;
mod palindromes;
mod pattern;
mod percent;
mod precision;
mod primes;
mod properties;
mod question;
mod refusals;
mod sets;
mod show;
mod sorting;
mod stories;
mod tails;
mod text_ops;
mod times;
mod unit_table;
mod units;
mod unspelled;
mod weekdays;

#[cfg(test)]
mod corpus;
#[cfg(test)]
mod recorded;

use jiff::civil::Date;

use crate::domain::{Canonical, Number, Step};

pub use refusals::refusal;

use items::Vocabulary;
use question::Question;

/// An answer that its solver has proved.
#[derive(Debug, Clone, PartialEq)]
pub struct Solution {
    /// The solver's name, from a fixed set.
    pub solver: &'static str,
    /// The answer for a person: `12`, `1.778 m`, `Friday, 17 April 2026`. Starts with `≈` where
    /// it is rounded; but an amount of money is told in cents, and the working has it exactly.
    pub content: String,
    /// The answer for comparison; rounded exactly as `content` is.
    pub answer: Canonical,
    /// The working.
    pub steps: Vec<Step>,
}

type Solver = fn(&Question<'_>, Date) -> Option<Solution>;

const SOLVERS: &[Solver] = &[
    |question, _| boolean::solve(question),
    |question, _| composed::solve(question),
    |question, _| units::solve(question),
    |question, _| measures::solve(question),
    dates::solve,
    weekdays::solve,
    times::solve,
    |question, _| sets::solve(question),
    |question, _| equations::solve(question),
    |question, _| comparison::solve(question),
    |question, _| properties::solve(question),
    |question, _| primes::solve(question),
    |question, _| combinatorics::solve(question),
    |question, _| percent::solve(question),
    |question, _| precision::solve(question),
    |question, _| bases::solve(question),
    |question, _| arithmetic::solve(question),
    |question, _| sorting::solve(question),
    |question, _| palindromes::solve(question),
    |question, _| text_ops::solve(question),
    |question, _| stories::solve(question),
];

/// Answers what can be computed; `None` is an abstention. `today` is the day that "tomorrow",
/// "until" and "ago" are counted from. Costs microseconds, whatever the input.
#[must_use]
pub fn solve(input: &str, today: Date) -> Option<Solution> {
    let question = Question::read(input)?;
    expression::refuel();
    SOLVERS.iter().find_map(|solver| solver(&question, today))
}

/// Like [`solve`], but silent where the answer hangs on what day it is.
#[must_use]
pub fn solve_undated(input: &str) -> Option<Solution> {
    // Two days that differ in year, month, day of the month and weekday.
    const DAYS: [Date; 2] = [jiff::civil::date(2021, 3, 3), jiff::civil::date(2022, 8, 12)];
    let [one, other] = DAYS.map(|today| solve(input, today));
    one.filter(|solution| other.is_some_and(|other| other.content == solution.content))
}

/// The exact value of a symbolic expression such as `2 * (3 + 4)`, `15% of 80` or
/// `$1,200.50 * 2`; currency marks are skipped. `None` when it is no plain expression, has no
/// rational value, is open to two readings, or exceeds the bounds.
#[must_use]
pub fn evaluate(expression: &str) -> Option<Number> {
    if expression.len() > question::MAX_CHARS {
        return None;
    }
    let tokens = lexer::tokens(expression)?;
    expression::refuel();
    let value = expression::value(&tokens, Vocabulary::Symbols, None)?;
    Some(Number::from(value.number))
}
