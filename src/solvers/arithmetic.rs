//! Sums, products, roots and their like, in symbols and in phrases.

use std::sync::LazyLock;

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Signed, ToPrimitive};

use crate::domain::{Canonical, Number, Step};

use super::Solution;
use super::exact::{self, Root, divide};
use super::expression::{Value, root_text, value};
use super::items::Vocabulary;
use super::lexer::{Token, whole};
use super::lists::{
    average, deviation, gcd, geometric_mean, largest, lcm, median, mode, product, range, smallest,
    sum, variance,
};
use super::number_words::{ordinal, spelled};
use super::pattern::{Grammar, Holes};
use super::question::{Asked, Question};
use super::show::{self, figure, operand, step};

pub(super) const SOLVER: &str = "arithmetic";

/// Answers phrases, roots, and plain expressions.
pub(super) fn solve(question: &Question<'_>) -> Option<Solution> {
    let body = question.body();
    GRAMMAR
        .find(body, |answer, holes| answer(question.asked, holes))
        .or_else(|| expression(question))
}

/// A value with its unit mark, as the answer.
pub(super) fn shown(value: &Value, solver: &'static str, mut steps: Vec<Step>) -> Option<Solution> {
    let Some(mark) = value.money else {
        return Some(figure(&value.number)?.solution(solver, steps));
    };
    let shown = show::money(mark, &value.number)?;
    let exact = Number::from(value.number.clone());
    if shown.number != exact
        && let Some(decimal) = exact.exact_decimal(12)
    {
        steps.push(step(format!("{decimal} rounded to cents: {}", shown.text)));
    }
    Some(shown.solution(solver, steps))
}

/// A hole that holds one number without mark, computed or written.
pub(super) fn number(hole: &[Token<'_>]) -> Option<BigRational> {
    value(hole, Vocabulary::Words, None)
        .filter(|v| !v.percent && v.money.is_none())
        .map(|v| v.number)
}

/// The same within a phrase: spoken operators would leave it open how far the phrase reaches, as
/// in "multiply 2 by 3 plus 4".
pub(super) fn operand_of(hole: &[Token<'_>]) -> Option<BigRational> {
    value(hole, Vocabulary::Words, None)
        .filter(Value::is_literal)
        .or_else(|| value(hole, Vocabulary::Symbols, None))
        .filter(|v| !v.percent && v.money.is_none())
        .map(|v| v.number)
}

/// Whether one pair of brackets holds all of it.
fn is_bracketed(hole: &[Token<'_>]) -> bool {
    let mut open = 0i32;
    let closed_early = hole.iter().take(hole.len().saturating_sub(1)).any(|token| {
        open += i32::from(token.is("(")) - i32::from(token.is(")"));
        open == 0
    });
    !closed_early && hole.last().is_some_and(|token| token.is(")"))
}

/// An answer with one step: `text = result`.
pub(super) fn answered(text: String, result: &BigRational) -> Option<Solution> {
    let shown = figure(&exact::bounded(result.clone())?)?;
    let steps = operand(result).map(|r| step(format!("{text} = {r}"))).into_iter().collect();
    Some(shown.solution(SOLVER, steps))
}

/// Two numbers, one operation: the holes come in the order of the phrase.
fn two(
    holes: Holes<'_, '_>,
    mark: &str,
    apply: fn(&BigRational, &BigRational) -> Option<BigRational>,
) -> Option<Solution> {
    let [a, b] = holes else { return None };
    let (a, b) = (operand_of(a)?, operand_of(b)?);
    answered(format!("{} {mark} {}", operand(&a)?, operand(&b)?), &apply(&a, &b)?)
}

fn add(holes: Holes<'_, '_>) -> Option<Solution> {
    two(holes, "+", |a, b| Some(a + b))
}

fn subtract(holes: Holes<'_, '_>) -> Option<Solution> {
    two(holes, "-", |a, b| Some(a - b))
}

fn subtract_from(holes: Holes<'_, '_>) -> Option<Solution> {
    let [a, b] = holes else { return None };
    subtract(&[b, a])
}

/// "between" has no direction: the distance is meant. But "what is the difference between 8085
/// and 8086" asks about processors.
fn distance(asked: Asked, holes: Holes<'_, '_>) -> Option<Solution> {
    let [a, b] = holes else { return None };
    let (x, y) = (operand_of(a)?, operand_of(b)?);
    let named = x.is_integer() && y.is_integer() && (x <= y || x >= whole(1000));
    if asked == Asked::WhatIs && named {
        return None;
    }
    if x >= y { subtract(holes) } else { subtract(&[b, a]) }
}

/// "5 less than 10", "3 more than 4": a computation only when asked as one.
fn less_than(asked: Asked, holes: Holes<'_, '_>) -> Option<Solution> {
    let [a, b] = holes else { return None };
    offset(asked, holes, subtract).and_then(|_| subtract(&[b, a]))
}

fn more_than(asked: Asked, holes: Holes<'_, '_>) -> Option<Solution> {
    offset(asked, holes, add)
}

fn offset(
    asked: Asked,
    holes: Holes<'_, '_>,
    answer: fn(Holes<'_, '_>) -> Option<Solution>,
) -> Option<Solution> {
    let literal = |hole: &&[Token<'_>]| spelled(hole).is_some_and(|s| s.used == hole.len());
    if asked > Asked::Bare && holes.iter().all(literal) { answer(holes) } else { None }
}

/// "difference of 4 and 10" is 6 to some and −6 to others.
fn difference(holes: Holes<'_, '_>) -> Option<Solution> {
    two(holes, "-", |a, b| (a >= b).then(|| a - b))
}

fn multiply(holes: Holes<'_, '_>) -> Option<Solution> {
    two(holes, "×", |a, b| exact::bounded(a * b))
}

fn quotient(holes: Holes<'_, '_>) -> Option<Solution> {
    two(holes, "÷", divide)
}

fn modulo(holes: Holes<'_, '_>) -> Option<Solution> {
    two(holes, "mod", exact::remainder)
}

/// A root at the top of the question may be irrational: then it is rounded, and says so.
fn nth_root(degree: u32, hole: &[Token<'_>]) -> Option<Solution> {
    let x = value(hole, Vocabulary::Words, None)?;
    if x.percent || x.money.is_some() || !(x.is_literal() || is_bracketed(hole)) {
        return None;
    }
    let x = x.number;
    let text = root_text(degree, &operand(&x)?);
    match exact::root(&x, degree)? {
        Root::Exact(result) => answered(text, &result),
        Root::Approximate(result) => {
            let shown = show::approximate(&result)?;
            let working = step(format!("{text} {}", shown.text));
            Some(shown.solution(SOLVER, vec![working]))
        }
    }
}

fn square_root(holes: Holes<'_, '_>) -> Option<Solution> {
    nth_root(2, holes.first()?)
}

fn cube_root(holes: Holes<'_, '_>) -> Option<Solution> {
    nth_root(3, holes.first()?)
}

/// "fourth root of 16", "4th root of 16".
fn ranked_root(holes: Holes<'_, '_>) -> Option<Solution> {
    let [rank, of] = holes else { return None };
    let degree = match rank {
        [word] => ordinal(word.word()?)?,
        [n, suffix] if ["nd", "rd", "th"].iter().any(|s| suffix.is(s)) => {
            n.number()?.to_integer().to_u64()?
        }
        _ => return None,
    };
    nth_root(u32::try_from(degree).ok()?, of)
}

/// Only where the logarithm is whole.
fn logarithm(holes: Holes<'_, '_>) -> Option<Solution> {
    let [base, of] = holes else { return None };
    let (base, of) = (operand_of(base)?, operand_of(of)?);
    let (b, x) = (exact::natural(&base)?.clone(), exact::natural(&of)?.clone());
    if b < BigInt::from(2) {
        return None;
    }
    let (mut exponent, mut power) = (0u32, BigInt::one());
    while power < x {
        power *= &b;
        exponent += 1;
    }
    (power == x).then_some(())?;
    let working = step(format!("{b}^{exponent} = {x}"));
    Some(figure(&whole(exponent))?.solution(SOLVER, vec![working]))
}

fn as_decimal(holes: Holes<'_, '_>) -> Option<Solution> {
    let value = value(holes.first()?, Vocabulary::Words, None)?;
    // "1010 in decimal" may be asked of a binary number.
    if value.number.is_integer() {
        return None;
    }
    let exact = Number::from(value.number.clone()).exact_decimal(30).is_some();
    let shown = if exact { figure(&value.number)? } else { show::approximate(&value.number)? };
    value.money.is_none().then(|| shown.solution(SOLVER, Vec::new()))
}

fn as_fraction(holes: Holes<'_, '_>) -> Option<Solution> {
    let value = value(holes.first()?, Vocabulary::Words, None)?;
    let n = value.number;
    if n.is_integer() || value.money.is_some() || exact::bits(&n) > 200 {
        return None;
    }
    let content = format!("{}/{}", n.numer(), n.denom());
    let answer = Canonical::Number(n.into());
    Some(Solution { solver: SOLVER, content, answer, steps: Vec::new() })
}

/// "how many times does 3 go into 12": whole numbers of times only.
fn goes_into(holes: Holes<'_, '_>) -> Option<Solution> {
    let [by, of] = holes else { return None };
    let (by, of) = (operand_of(by)?, operand_of(of)?);
    let times = divide(&of, &by).filter(BigRational::is_integer)?;
    answered(format!("{} ÷ {}", operand(&of)?, operand(&by)?), &times)
}

fn reciprocal(holes: Holes<'_, '_>) -> Option<Solution> {
    let x = operand_of(holes.first()?)?;
    answered(format!("1 ÷ {}", operand(&x)?), &divide(&whole(1), &x)?)
}

/// "simplify 12/18": of two whole numbers.
fn as_simplified(holes: Holes<'_, '_>) -> Option<Solution> {
    let [above, slash, below] = holes.first()? else { return None };
    let (a, b) = (above.number()?, below.number()?);
    if !slash.is("/") || !a.is_integer() || !b.is_integer() {
        return None;
    }
    let value = divide(a, b)?;
    let content = Number::from(value.clone()).to_string();
    let working = step(format!("{a}/{b} = {content}"));
    Some(Solution {
        solver: SOLVER,
        content,
        answer: Canonical::Number(value.into()),
        steps: vec![working],
    })
}

/// "7/2 as a mixed number".
fn mixed(holes: Holes<'_, '_>) -> Option<Solution> {
    let value = number(holes.first()?).filter(|v| v.is_positive() && !v.is_integer())?;
    let (units, rest) = (value.trunc(), value.fract());
    if units.is_integer() && units < whole(1) || exact::bits(&value) > 200 {
        return None;
    }
    let content = format!("{units} {rest}");
    let answer = Canonical::Number(value.into());
    Some(Solution { solver: SOLVER, content, answer, steps: Vec::new() })
}

/// "divide 100 in the ratio 2:3".
fn shares(holes: Holes<'_, '_>) -> Option<Solution> {
    let [all, a, b] = holes else { return None };
    let all = value(all, Vocabulary::Words, None).filter(|v| v.is_literal() && !v.percent)?;
    let (a, b) = (operand_of(a)?, operand_of(b)?);
    if !a.is_positive() || !b.is_positive() {
        return None;
    }
    let part = divide(&all.number, &(&a + &b))?;
    let one = |times: &BigRational| {
        let number = exact::bounded(&part * times)?;
        Some(match all.money {
            Some(mark) => show::money(mark, &number)?,
            None => figure(&number)?,
        })
    };
    let (first, second) = (one(&a)?, one(&b)?);
    let working = step(format!(
        "{} ÷ ({} + {}) = {}",
        operand(&all.number)?,
        operand(&a)?,
        operand(&b)?,
        operand(&part)?
    ));
    let items = vec![first.number.to_string(), second.number.to_string()];
    show::listed(SOLVER, format!("{} and {}", first.text, second.text), items, vec![working])
}

fn ratio(holes: Holes<'_, '_>) -> Option<Solution> {
    let [a, b] = holes else { return None };
    let (a, b) = (operand_of(a)?, operand_of(b)?);
    if !a.is_positive() || !b.is_positive() {
        return None;
    }
    let ratio = divide(&a, &b)?;
    let content = format!("{}:{}", ratio.numer(), ratio.denom());
    let answer = Canonical::Text(content.clone());
    Some(Solution { solver: SOLVER, content, answer, steps: Vec::new() })
}

/// "half of 2/3": whether the half is taken first or last, it comes to the same.
fn half_of(holes: Holes<'_, '_>) -> Option<Solution> {
    let [above, slash, below] = holes.first()? else { return None };
    let value = divide(above.number()?, below.number()?).filter(|_| slash.is("/"))?;
    answered(format!("{} ÷ 2", operand(&value)?), &(value / whole(2)))
}

/// "3 dozen".
fn dozens(holes: Holes<'_, '_>) -> Option<Solution> {
    let [count] = holes.first()? else { return None };
    let count = count.number()?;
    answered(format!("{} × 12", operand(count)?), &(count * whole(12)))
}

/// An amount of money and a number of shares or things, which are whole.
fn priced(
    money: &[Token<'_>],
    count: &[Token<'_>],
    mark: char,
    apply: fn(&BigRational, &BigRational) -> Option<BigRational>,
) -> Option<Solution> {
    let amount = value(money, Vocabulary::Words, None)
        .filter(|v| v.money.is_some() && v.is_literal() && !v.percent)?;
    let count = operand_of(count).filter(|n| n.is_integer() && n.is_positive())?;
    let total = apply(&amount.number, &count)?;
    let working = format!("{} {mark} {}", operand(&amount.number)?, operand(&count)?);
    let result = operand(&total)?;
    shown(&amount.of(total), SOLVER, vec![step(format!("{working} = {result}"))])
}

fn each(holes: Holes<'_, '_>) -> Option<Solution> {
    let [count, price] = holes else { return None };
    priced(price, count, '×', |price, count| exact::bounded(price * count))
}

fn split(holes: Holes<'_, '_>) -> Option<Solution> {
    let [money, people] = holes else { return None };
    priced(money, people, '÷', divide)
}

/// The rational sines and cosines of whole degrees (Niven): there are no others.
fn sine_of(holes: Holes<'_, '_>, ahead: i64) -> Option<Solution> {
    let degrees = operand_of(holes.first()?).filter(BigRational::is_integer)?;
    let turn = (degrees + whole(ahead)).to_integer() % BigInt::from(360);
    let sine = match (turn.to_i64()? + 360) % 360 {
        0 | 180 => whole(0),
        30 | 150 => whole(1) / whole(2),
        90 => whole(1),
        210 | 330 => -whole(1) / whole(2),
        270 => -whole(1),
        _ => return None,
    };
    Some(figure(&sine)?.solution(SOLVER, Vec::new()))
}

/// A plain expression of at least one operation.
fn expression(question: &Question<'_>) -> Option<Solution> {
    let body = question.body();
    let mut steps = Vec::new();
    // "calculate 2024-12" says itself that it names no month.
    let told = question.asked == Asked::Compute && body.len() == 3;
    let vocabulary = if told { Vocabulary::Symbols } else { Vocabulary::Words };
    let value = value(body, vocabulary, Some(&mut steps))
        .or_else(|| value(body, Vocabulary::Words, Some(&mut steps)).filter(|_| told))?;
    if !value.computed || value.percent {
        return None;
    }
    if question.asked < Asked::Compute && names_something(body) {
        return None;
    }
    shown(&value, SOLVER, steps)
}

/// `9/11`, `24/7`, `10-4`, `4x4`, `120 over 80`, `1990-1995`: names as often as computations.
fn names_something(body: &[Token<'_>]) -> bool {
    let spoken = body.iter().any(|t| t.is("over"));
    if body.len().is_multiple_of(2) || (!spoken && body.iter().skip(1).any(|t| t.spaced)) {
        return false;
    }
    let mut numbers = body.iter().step_by(2).map(|t| t.number());
    let mut marks = body.iter().skip(1).step_by(2);
    let Some(mark) = marks.next().filter(|m| ["-", "/", "x", "over"].iter().any(|o| m.is(o)))
    else {
        return false;
    };
    let same = marks.all(|m| m.is(mark.raw));
    let (Some(Some(a)), Some(Some(b))) = (numbers.next(), numbers.next()) else { return false };
    if body.len() > 3 {
        // `12/4/2` is no date: no year is written with one digit.
        let single = body.last().is_some_and(|t| t.raw.len() == 1);
        let even = single && mark.is("/") && divide(a, b).is_some_and(|n| n.is_integer());
        return same && !even;
    }
    if mark.is("-") {
        let year = |n: &BigRational| n.is_integer() && (whole(1000)..=whole(2999)).contains(n);
        return a <= b || *a == whole(10) || (year(a) && year(b));
    }
    if mark.is("x") {
        return true;
    }
    let share = (a + b) == whole(100);
    let date = *a <= whole(31) && *b <= whole(31);
    share || date || a <= b || !(a / b).is_integer()
}

type Phrase = fn(Asked, Holes<'_, '_>) -> Option<Solution>;

static GRAMMAR: LazyLock<Grammar<Phrase>> = LazyLock::new(|| Grammar::new(PHRASES));

const PHRASES: &[(&str, Phrase)] = &[
    ("half of #", |_, h| half_of(h)),
    ("# dozen", |_, h| dozens(h)),
    ("# items|things|pieces|units|tickets|books at # each|apiece", |_, h| each(h)),
    ("# items|things|pieces|units|tickets|books for # each|apiece", |_, h| each(h)),
    ("split|divide|share # [equally|evenly] between|among|by # people|persons|friends", |_, h| {
        split(h)
    }),
    ("sin|sine [of] # degrees|°", |_, h| sine_of(h, 0)),
    ("cos|cosine [of] # degrees|°", |_, h| sine_of(h, 90)),
    ("sum|total [of] [the] [numbers] #", |_, h| sum(h)),
    ("add [up] [the] [numbers] #", |_, h| sum(h)),
    ("add # to #", |_, h| add(h)),
    ("product of #", |_, h| product(h)),
    ("multiply # by|with|times #", |_, h| multiply(h)),
    ("multiply #", |_, h| product(h)),
    ("divide # by #", |_, h| quotient(h)),
    ("quotient of # and #", |_, h| quotient(h)),
    ("subtract # from #", |_, h| subtract_from(h)),
    ("take # [away] from #", |_, h| subtract_from(h)),
    ("# subtracted from #", |_, h| subtract_from(h)),
    ("difference between # and #", distance),
    ("# less than #", less_than),
    ("# more than #", more_than),
    ("difference of # and #", |_, h| difference(h)),
    ("average|mean [value] of [these|the] [following] [numbers|values|data] [:] #", |_, h| {
        average(h)
    }),
    ("average [these|the] [following] [numbers|values] [:] #", |_, h| average(h)),
    ("arithmetic mean of [these|the] [following] [numbers|values|data] [:] #", |_, h| average(h)),
    ("median [value] of [these|the] [following] [numbers|values|data] [:] #", |_, h| median(h)),
    ("mode of [these|the] [following] [numbers|values|data] [:] #", |_, h| mode(h)),
    (
        "most common|frequent number|value in|of|among [these|the] [following] [numbers|values|data] [:] #",
        |_, h| mode(h),
    ),
    ("range of [these|the] [following] numbers|values|data [:] #", |_, h| range(h)),
    ("range of #", |_, h| range(h)),
    ("geometric mean of [these|the] [following] [numbers] [:] #", |_, h| geometric_mean(h)),
    ("population variance of [these|the] [following] [numbers|values|data] [:] #", |_, h| {
        variance(h)
    }),
    (
        "population standard deviation of [these|the] [following] [numbers|values|data] [:] #",
        |_, h| deviation(h),
    ),
    ("reciprocal of #", |_, h| reciprocal(h)),
    ("[multiplicative] inverse of #", |_, h| reciprocal(h)),
    ("# as a mixed number|fraction", |_, h| mixed(h)),
    ("convert|express|write # as|to|into a mixed number|fraction", |_, h| mixed(h)),
    ("divide|split|share # in|into the ratio [of] # : #", |_, h| shares(h)),
    ("divide|split|share # in|into the ratio [of] # to #", |_, h| shares(h)),
    ("divide|split|share # in|into a ratio of # : #", |_, h| shares(h)),
    ("divide|split|share # in|into a ratio of # to #", |_, h| shares(h)),
    ("divide|split|share # in|into a # : # ratio", |_, h| shares(h)),
    ("product of [these|the] [following] numbers|values [:] #", |_, h| product(h)),
    ("sum|total of [these|the] following numbers|values [:] #", |_, h| sum(h)),
    ("add [up|together] these [numbers|values] [:] #", |_, h| sum(h)),
    ("add # together", |_, h| sum(h)),
    ("# reduced by #", |_, h| subtract(h)),
    ("# increased by #", |_, h| add(h)),
    ("# decreased by #", |_, h| subtract(h)),
    ("increase # by #", |_, h| add(h)),
    ("decrease|reduce # by #", |_, h| subtract(h)),
    ("# and # added|summed [together|up]", |_, h| add(h)),
    ("# and # multiplied [together]", |_, h| multiply(h)),
    ("# divided into # equal parts", |_, h| quotient(h)),
    ("divide|split # into # equal parts", |_, h| quotient(h)),
    ("how many times does # go into #", |_, h| goes_into(h)),
    ("how many times does # fit into|in #", |_, h| goes_into(h)),
    ("simplify|reduce [the] [fraction] #", |_, h| as_simplified(h)),
    ("# simplified", |_, h| as_simplified(h)),
    ("# in [its] simplest|lowest form|terms", |_, h| as_simplified(h)),
    ("simplify|reduce # to [its] simplest|lowest form|terms", |_, h| as_simplified(h)),
    ("max|maximum|largest|biggest|greatest|highest [number] of|among|in|from|between #", |_, h| {
        largest(h)
    }),
    ("largest|bigger|larger|greater|higher [number] of #", |_, h| largest(h)),
    ("min|minimum|smallest|lowest|least [number] of|among|in|from|between #", |_, h| smallest(h)),
    ("smaller|lower|lesser [number] of #", |_, h| smallest(h)),
    ("gcd|gcf|hcf of|for #", |_, h| gcd(h)),
    ("gcd|gcf|hcf ( # )", |_, h| gcd(h)),
    ("greatest|highest|largest common divisor|factor of|for|between #", |_, h| gcd(h)),
    ("lcm of|for #", |_, h| lcm(h)),
    ("lcm ( # )", |_, h| lcm(h)),
    ("least|lowest|smallest common multiple of|for #", |_, h| lcm(h)),
    ("square root of #", |_, h| square_root(h)),
    ("square root #", |_, h| square_root(h)),
    ("sqrt [of] #", |_, h| square_root(h)),
    ("√ #", |_, h| square_root(h)),
    ("∛ #", |_, h| cube_root(h)),
    ("cube root of #", |_, h| cube_root(h)),
    ("cbrt #", |_, h| cube_root(h)),
    ("# root of #", |_, h| ranked_root(h)),
    ("remainder of # divided by #", |_, h| modulo(h)),
    ("remainder of # / #", |_, h| modulo(h)),
    ("remainder when # is divided by #", |_, h| modulo(h)),
    ("remainder when dividing # by #", |_, h| modulo(h)),
    ("remainder if # is divided by #", |_, h| modulo(h)),
    ("remainder when you divide # by #", |_, h| modulo(h)),
    ("log|logarithm base # of #", |_, h| logarithm(h)),
    ("# as|to|in|into a decimal [number]", |_, h| as_decimal(h)),
    ("convert|express|write # as|to|into a decimal", |_, h| as_decimal(h)),
    ("convert|express|write # to|as|into|in decimal", |_, h| as_decimal(h)),
    ("# as|to|into a [simplified] fraction", |_, h| as_fraction(h)),
    ("convert|express|write # as|to|into a fraction", |_, h| as_fraction(h)),
    ("ratio of|between # to|and #", |_, h| ratio(h)),
    ("simplify [the] [ratio] # : #", |_, h| ratio(h)),
    ("what does # equal|make|give", |_, h| computed(h.first()?)),
    ("how much does # equal|make|give", |_, h| computed(h.first()?)),
    // "tell me what 2 + 2 is": the closing "is" has been taken off.
    ("what #", |_, h| if names_something(h.first()?) { None } else { computed(h.first()?) }),
    ("what do|does # make|equal", |_, h| computed(h.first()?)),
];

/// An expression that is asked for as a result.
fn computed(hole: &[Token<'_>]) -> Option<Solution> {
    let mut steps = Vec::new();
    let value = value(hole, Vocabulary::Words, Some(&mut steps))?;
    if !value.computed || value.percent {
        return None;
    }
    shown(&value, SOLVER, steps)
}
