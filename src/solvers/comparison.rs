//! Which of some numbers is larger, and whether one is.

use std::sync::LazyLock;

use num_rational::BigRational;

use crate::domain::{Canonical, Step};

use super::Solution;
use super::arithmetic::number;
use super::lexer::Token;
use super::pattern::Grammar;
use super::question::{Question, raw, starts_with};
use super::show::{as_written, operand, step};

const SOLVER: &str = "comparison";

/// Answers comparisons of numbers and of computed values.
pub(super) fn solve(question: &Question<'_>) -> Option<Solution> {
    let body = question.body();
    if let Some(length) = CLAIMS.iter().find_map(|phrase| starts_with(body, phrase)) {
        let claim = body.get(length..)?;
        let claim = match claim {
            [mark, rest @ ..] if mark.is(":") || mark.is(",") => rest,
            all => all,
        };
        return CLAIM_GRAMMAR.find(claim, |relation, holes| match holes {
            [a, b] => relate(&number(a)?, relation, &number(b)?),
            _ => None,
        });
    }
    RELATION_GRAMMAR
        .find(body, |relation, holes| match holes {
            [a, b] => relate(&number(a)?, relation, &number(b)?),
            _ => None,
        })
        .or_else(|| BETWEEN_GRAMMAR.find(body, |(), holes| lies_between(holes)))
        .or_else(|| {
            CHOICE_GRAMMAR
                .find(body, |largest, holes| choose(question.input, holes.first()?, largest))
        })
}

/// Answers yes or no.
pub(super) fn yes_no(solver: &'static str, yes: bool, steps: Vec<Step>) -> Solution {
    let content = if yes { "Yes" } else { "No" }.to_owned();
    Solution { solver, content, answer: Canonical::YesNo(yes), steps }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Relation {
    Greater,
    Less,
    Equal,
    AtLeast,
    AtMost,
}

fn relate(a: &BigRational, relation: Relation, b: &BigRational) -> Option<Solution> {
    let yes = match relation {
        Relation::Greater => a > b,
        Relation::Less => a < b,
        Relation::Equal => a == b,
        Relation::AtLeast => a >= b,
        Relation::AtMost => a <= b,
    };
    let mark = match a.cmp(b) {
        std::cmp::Ordering::Less => '<',
        std::cmp::Ordering::Equal => '=',
        std::cmp::Ordering::Greater => '>',
    };
    Some(yes_no(SOLVER, yes, vec![step(format!("{} {mark} {}", operand(a)?, operand(b)?))]))
}

/// "is 10 between 5 and 15"; whether an end lies between is open.
fn lies_between(holes: &[&[Token<'_>]]) -> Option<Solution> {
    let [n, from, to] = holes else { return None };
    let (n, from, to) = (number(n)?, number(from)?, number(to)?);
    if from >= to || n == from || n == to {
        return None;
    }
    let yes = from < n && n < to;
    let working = if yes {
        format!("{} < {} < {}", operand(&from)?, operand(&n)?, operand(&to)?)
    } else if n < from {
        format!("{} < {}", operand(&n)?, operand(&from)?)
    } else {
        format!("{} > {}", operand(&n)?, operand(&to)?)
    };
    Some(yes_no(SOLVER, yes, vec![step(working)]))
}

/// Of two candidates or more, the one that stands out alone; as it was written.
fn choose(input: &str, hole: &[Token<'_>], largest: bool) -> Option<Solution> {
    let mut candidates: Vec<(BigRational, &str)> = Vec::new();
    let parted = |t: &Token<'_>| t.is(",") || t.is("or") || t.is("and");
    for part in hole.split(parted).filter(|part| !part.is_empty()) {
        candidates.push((number(part)?, raw(input, part)));
    }
    // "100,200": two numbers or one?
    if candidates.len() < 2 || candidates.iter().any(|(_, raw)| raw.matches(',').count() > 1) {
        return None;
    }
    candidates.sort_by(|a, b| a.0.cmp(&b.0));
    if largest {
        candidates.reverse();
    }
    let [(best, text), (second, _), ..] = candidates.as_slice() else { return None };
    let text = as_written(text, best);
    if best == second {
        return None;
    }
    let mark = if largest { '>' } else { '<' };
    let working = step(format!("{} {mark} {}", operand(best)?, operand(second)?));
    let answer = Canonical::Number(best.clone().into());
    Some(Solution { solver: SOLVER, content: text.to_owned(), answer, steps: vec![working] })
}

static RELATION_GRAMMAR: LazyLock<Grammar<Relation>> = LazyLock::new(|| Grammar::new(RELATIONS));
static CLAIM_GRAMMAR: LazyLock<Grammar<Relation>> = LazyLock::new(|| Grammar::new(CLAIMED));
static BETWEEN_GRAMMAR: LazyLock<Grammar<()>> =
    LazyLock::new(|| Grammar::new(&[("is # between # and #", ())]));
static CHOICE_GRAMMAR: LazyLock<Grammar<bool>> = LazyLock::new(|| Grammar::new(CHOICES));

/// What may stand before a claim that is to be judged.
const CLAIMS: &[&str] = &["true or false", "is it true that", "is it true", "is it correct that"];

const CLAIMED: &[(&str, Relation)] = &[
    ("# is|are greater|larger|bigger|more|higher than #", Relation::Greater),
    ("# is|are less|smaller|lower|fewer than #", Relation::Less),
    ("# is|are equal to #", Relation::Equal),
    ("# is|are|equals|equal|= #", Relation::Equal),
    ("# > = #", Relation::AtLeast),
    ("# < = #", Relation::AtMost),
    ("# > #", Relation::Greater),
    ("# < #", Relation::Less),
];

const RELATIONS: &[(&str, Relation)] = &[
    ("is|are # greater|larger|bigger|more|higher than #", Relation::Greater),
    ("is|are # less|smaller|lower|fewer than #", Relation::Less),
    ("is|are # greater than or equal to #", Relation::AtLeast),
    ("is|are # less than or equal to #", Relation::AtMost),
    ("is # at least #", Relation::AtLeast),
    ("is # at most #", Relation::AtMost),
    ("is|are # equal to #", Relation::Equal),
    ("is|are # the same as #", Relation::Equal),
    ("does|do # equal #", Relation::Equal),
    ("is # = #", Relation::Equal),
    ("is # > #", Relation::Greater),
    ("is # < #", Relation::Less),
    ("is # > = #", Relation::AtLeast),
    ("is # < = #", Relation::AtMost),
    ("is # ≥ #", Relation::AtLeast),
    ("is # ≤ #", Relation::AtMost),
    ("# > #", Relation::Greater),
    ("# < #", Relation::Less),
];

const CHOICES: &[(&str, bool)] = &[
    (
        "which|what [number|one|value|of] [these|them] [is] [the] greater|larger|bigger|higher|more|greatest|largest|biggest|highest [number|one|value] [,|:|-|?] #",
        true,
    ),
    (
        "which|what [number|one|value|of] [these|them] [is] [the] smaller|lower|less|smallest|lowest|lesser|least [number|one|value] [,|:|-|?] #",
        false,
    ),
    ("greater|larger|bigger|higher|more [number|one|value] [,|:|-|?] #", true),
    ("smaller|lower|less|lesser [number|one|value] [,|:|-|?] #", false),
    ("is # greater|larger|bigger|higher", true),
    ("is # smaller|lower|less", false),
];
