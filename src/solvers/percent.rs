//! Percentages in phrases: shares, discounts, changes.

use std::sync::LazyLock;

use num_rational::BigRational;
use num_traits::{Signed, Zero};

use crate::domain::{Canonical, Step};

use super::Solution;
use super::arithmetic::{number, shown};
use super::exact::{bounded, divide};
use super::expression::{Value, value};
use super::items::Vocabulary;
use super::lexer::{Token, whole};
use super::pattern::{Grammar, Holes};
use super::question::Question;
use super::show::{approximate, measure, operand, step};

const SOLVER: &str = "percent";

/// Answers phrases about percentages.
pub(super) fn solve(question: &Question<'_>) -> Option<Solution> {
    let body = question.body();
    GRAMMAR.find(body, |answer, holes| answer(holes)).or_else(|| {
        // "20% + 30%"
        let sum = value(body, Vocabulary::Words, None).filter(|v| v.percent && v.computed)?;
        as_percent(&sum.number, Vec::new())
    })
}

/// `20%` or "twenty percent", as 0.2.
fn percentage(hole: &[Token<'_>]) -> Option<BigRational> {
    let value = value(hole, Vocabulary::Words, None)?;
    (value.percent && !value.number.is_negative()).then_some(value.number)
}

/// A number that may carry a currency mark.
fn amount(hole: &[Token<'_>]) -> Option<Value> {
    value(hole, Vocabulary::Words, None).filter(|v| !v.percent && v.is_literal())
}

/// A share, such as 0.15, as `15%`; its number is 15.
fn as_percent(share: &BigRational, steps: Vec<Step>) -> Option<Solution> {
    let shown = measure(&bounded(share * whole(100))?)?;
    let content = format!("{}%", shown.text);
    Some(Solution { solver: SOLVER, content, answer: Canonical::Number(shown.number), steps })
}

/// The first hole is the part, the second the whole.
fn share(holes: Holes<'_, '_>) -> Option<Solution> {
    let [part, of] = holes else { return None };
    let (part, of) = (amount(part)?, amount(of)?);
    if part.money != of.money {
        return None;
    }
    let share = divide(&part.number, &of.number)?;
    let working = format!("{} ÷ {}", operand(&part.number)?, operand(&of.number)?);
    let result = operand(&share).or_else(|| approximate(&share).map(|s| s.text))?;
    as_percent(&share, vec![step(format!("{working} = {result}"))])
}

fn share_reversed(holes: Holes<'_, '_>) -> Option<Solution> {
    let [of, part] = holes else { return None };
    share(&[part, of])
}

fn fraction(holes: Holes<'_, '_>) -> Option<Solution> {
    let [of, part] = holes else { return None };
    let share = divide(&number(part)?, &number(of)?).filter(|s| !s.is_integer())?;
    let content = format!("{}/{}", share.numer(), share.denom());
    Some(Solution {
        solver: SOLVER,
        content,
        answer: Canonical::Number(share.into()),
        steps: Vec::new(),
    })
}

fn single_as_percent(holes: Holes<'_, '_>) -> Option<Solution> {
    as_percent(&number(holes.first()?)?, Vec::new())
}

/// `factor` times the amount, where `factor` is made of the percentage.
fn scaled(
    percent: &[Token<'_>],
    of: &[Token<'_>],
    factor: fn(BigRational) -> BigRational,
) -> Option<Solution> {
    let (percent, amount) = (percentage(percent)?, amount(of)?);
    let factor = factor(percent);
    let number = bounded(&amount.number * &factor)?;
    let working = step(format!(
        "{} × {} = {}",
        operand(&amount.number)?,
        operand(&factor)?,
        operand(&number)?
    ));
    shown(&amount.of(number), SOLVER, vec![working])
}

fn off(holes: Holes<'_, '_>) -> Option<Solution> {
    let [percent, of] = holes else { return None };
    scaled(percent, of, |p| whole(1) - p)
}

/// Whether one percentage is taken of an amount that has none: `100 - 10% - 10%` has two readings,
/// and neither is that of a single step.
fn is_single_step(of: &[Token<'_>], percent: &[Token<'_>]) -> bool {
    let percentage = |token: &Token<'_>| token.is("%") || token.is("percent");
    percent.iter().filter(|token| token.number().is_some()).count() < 2
        && !of.iter().any(percentage)
}

fn decreased(holes: Holes<'_, '_>) -> Option<Solution> {
    let [of, percent] = holes else { return None };
    if !is_single_step(of, percent) {
        return None;
    }
    off(&[percent, of])
}

fn increased(holes: Holes<'_, '_>) -> Option<Solution> {
    let [of, percent] = holes else { return None };
    if !is_single_step(of, percent) {
        return None;
    }
    scaled(percent, of, |p| whole(1) + p)
}

fn added(holes: Holes<'_, '_>) -> Option<Solution> {
    let [percent, of] = holes else { return None };
    increased(&[of, percent])
}

fn part(holes: Holes<'_, '_>) -> Option<Solution> {
    let [percent, of] = holes else { return None };
    scaled(percent, of, |p| p)
}

/// Of an amount of money a mark says it, too; `100 - 20%` is 80 to some and 99.8 to others.
fn lessened(holes: Holes<'_, '_>) -> Option<Solution> {
    amount(holes.first()?).filter(|amount| amount.money.is_some())?;
    decreased(holes)
}

/// "12 is 15% of what".
fn base(holes: Holes<'_, '_>) -> Option<Solution> {
    let [part, percent] = holes else { return None };
    let (part, percent) = (amount(part)?, percentage(percent)?);
    let number = divide(&part.number, &percent)?;
    let working = step(format!("{} ÷ {}", operand(&part.number)?, operand(&percent)?));
    shown(&part.of(number), SOLVER, vec![working])
}

/// The change from one positive number to another, as a share of the first.
fn change(holes: Holes<'_, '_>) -> Option<BigRational> {
    let [from, to] = holes else { return None };
    let (from, to) = (amount(from)?, amount(to)?);
    let valid = from.money == to.money && from.number.is_positive() && !to.number.is_negative();
    if !valid { None } else { divide(&(to.number - &from.number), &from.number) }
}

fn changed(holes: Holes<'_, '_>) -> Option<Solution> {
    as_percent(&change(holes)?, Vec::new())
}

fn risen(holes: Holes<'_, '_>) -> Option<Solution> {
    change(holes).filter(|c| !c.is_negative()).and_then(|c| as_percent(&c, Vec::new()))
}

fn fallen(holes: Holes<'_, '_>) -> Option<Solution> {
    let change = change(holes)?;
    if change.is_negative() || change.is_zero() { as_percent(&-change, Vec::new()) } else { None }
}

type Phrase = fn(Holes<'_, '_>) -> Option<Solution>;

static GRAMMAR: LazyLock<Grammar<Phrase>> = LazyLock::new(|| Grammar::new(PHRASES));

const PHRASES: &[(&str, Phrase)] = &[
    ("what percent|percentage|% of # is #", share_reversed),
    ("what percent|percentage|% is # of #", share),
    ("percent|percentage of # is #", share_reversed),
    ("# is what percent|percentage|% of #", share),
    ("# is how many percent|% of #", share),
    ("how many percent of # is #", share_reversed),
    ("# as [a] percent|percentage|% of #", share),
    ("# out of # as|in|to a percent|percentage|%", share),
    ("# out of # in|as percent|percentage|%", share),
    ("# as|to|into|in a percent|percentage", single_as_percent),
    ("# as|to|into|in percent|percentage|%", single_as_percent),
    ("convert|express|write # as|to|into|in [a] percent|percentage|%", single_as_percent),
    ("# off [of] #", off),
    ("# discount on|off #", off),
    ("increase # by #", increased),
    ("# increased by #", increased),
    ("raise # by #", increased),
    ("decrease|reduce|discount|lower # by #", decreased),
    ("# decreased|reduced|discounted by #", decreased),
    ("add # to #", added),
    ("# more than #", added),
    ("# less than #", off),
    ("take # off [of] #", off),
    ("subtract # from #", off),
    ("# minus #", decreased),
    ("# plus #", increased),
    ("# - #", lessened),
    ("# tip on|for #", part),
    ("# tax on #", part),
    ("# is # of what [number]", base),
    ("# of what [number] is #", |holes| match holes {
        [percent, part] => base(&[part, percent]),
        _ => None,
    }),
    ("what fraction of # is #", fraction),
    ("percent|percentage|% change from # to #", changed),
    ("percent|percentage|% increase from # to #", risen),
    ("percent|percentage|% decrease from # to #", fallen),
];
