//! From tokens to the items of an expression: numbers, operators, brackets, and words for them.

use num_rational::BigRational;

use super::lexer::{Kind, Token, whole};
use super::number_words::{digits, ordinal, spelled};
use super::question::starts_with;

/// One item of an expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Item {
    /// A number; `part` says that it is a fraction word, which can be taken *of* something.
    Number {
        value: BigRational,
        part: bool,
    },
    /// A currency mark before its amount.
    Money(char),
    Plus,
    Minus,
    Times,
    Divide,
    Power,
    /// "to the power of".
    SpokenPower,
    Mod,
    Of,
    Percent,
    Factorial,
    /// "squared" (2), "cubed" (3).
    Squared(u32),
    /// A function before its argument, and whether it was spoken ("square root of").
    Prefix(Prefix, bool),
    Open,
    Close,
}

/// Functions of one argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Prefix {
    Root(u32),
    ToThe(u32),
    Multiple(u32),
    Factorial,
    Absolute,
}

/// Which spellings are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Vocabulary {
    /// Symbols, digits, `sqrt`, and `of` behind a percentage.
    Symbols,
    /// All of that and words.
    Words,
}

/// Reads all tokens, or nothing.
pub(super) fn items(tokens: &[Token<'_>], vocabulary: Vocabulary) -> Option<Vec<Item>> {
    let mut found = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while let Some(rest) = tokens.get(at..).filter(|rest| !rest.is_empty()) {
        at += next(rest, vocabulary, &mut found)?;
    }
    Some(found)
}

/// Reads one item from the front and says how many tokens it took.
fn next(rest: &[Token<'_>], vocabulary: Vocabulary, found: &mut Vec<Item>) -> Option<usize> {
    let number = if vocabulary == Vocabulary::Words { spelled(rest) } else { digits(rest) };
    if let Some(number) = number {
        // "80 dollars" is $80.
        let mark = rest.get(number.used).and_then(|t| match t.word()? {
            "dollar" | "dollars" => Some('$'),
            "euro" | "euros" => Some('€'),
            _ => None,
        });
        if let Some(mark) = mark.filter(|_| vocabulary == Vocabulary::Words) {
            found.push(Item::Money(mark));
            found.push(Item::Number { value: number.value, part: number.fraction });
            return Some(number.used + 1);
        }
        found.push(Item::Number { value: number.value, part: number.fraction });
        return Some(number.used);
    }
    let first = rest.first()?;
    if let Kind::Symbol(symbol) = first.kind {
        found.push(self::symbol(symbol)?);
        return Some(1);
    }
    if first.is("x") && !is_times(rest) {
        return None;
    }
    if let Some((item, length)) = longest(rest, SYMBOL_WORDS) {
        found.push(item);
        return Some(length);
    }
    if vocabulary == Vocabulary::Symbols {
        return None;
    }
    if let Some((exponent, length)) = nth_power(rest) {
        found.push(Item::SpokenPower);
        found.push(Item::Number { value: whole(exponent), part: false });
        return Some(length);
    }
    let (item, length) = longest(rest, WORDS)?;
    found.push(item);
    Some(length)
}

/// In `4x - 2` and `2 x` the letter is an unknown, in `4x2` and `4 x 2` an operator.
fn is_times(rest: &[Token<'_>]) -> bool {
    match rest {
        [x, next, ..] => {
            let operand = match next.kind {
                Kind::Symbol(symbol) => "($€£√∛".contains(symbol),
                _ => !next.is("x"),
            };
            operand && x.spaced == next.spaced
        }
        _ => false,
    }
}

fn longest(rest: &[Token<'_>], table: &[(&str, Item)]) -> Option<(Item, usize)> {
    table
        .iter()
        .filter_map(|(phrase, item)| Some((item, starts_with(rest, phrase)?)))
        .max_by_key(|(_, length)| *length)
        .map(|(item, length)| (item.clone(), length))
}

fn symbol(symbol: char) -> Option<Item> {
    Some(match symbol {
        '+' => Item::Plus,
        '-' => Item::Minus,
        '*' => Item::Times,
        '/' => Item::Divide,
        '^' => Item::Power,
        '%' => Item::Percent,
        '!' => Item::Factorial,
        '(' => Item::Open,
        ')' => Item::Close,
        '²' => Item::Squared(2),
        '³' => Item::Squared(3),
        '√' => Item::Prefix(Prefix::Root(2), false),
        '∛' => Item::Prefix(Prefix::Root(3), false),
        '$' | '€' | '£' => Item::Money(symbol),
        _ => return None,
    })
}

/// "to the 8th power", "to the eighth power".
fn nth_power(rest: &[Token<'_>]) -> Option<(u64, usize)> {
    let raised = usize::from(rest.first()?.is("raised"));
    let rest = rest.get(raised..)?;
    let start = starts_with(rest, "to the")?;
    let nth = rest.get(start)?;
    let (exponent, length) = match nth.number() {
        Some(n) if n.is_integer() => {
            let suffix = rest.get(start + 1)?;
            if suffix.spaced || !["st", "nd", "rd", "th"].iter().any(|s| suffix.is(s)) {
                return None;
            }
            (u64::try_from(n.to_integer()).ok()?, 2)
        }
        _ => (ordinal(nth.word()?)?, 1),
    };
    let power = usize::from(rest.get(start + length).is_some_and(|t| t.is("power")));
    Some((exponent, raised + start + length + power))
}

const SYMBOL_WORDS: &[(&str, Item)] = &[
    ("x", Item::Times),
    ("of", Item::Of),
    ("sqrt", Item::Prefix(Prefix::Root(2), false)),
    ("cbrt", Item::Prefix(Prefix::Root(3), false)),
];

const WORDS: &[(&str, Item)] = &[
    ("plus", Item::Plus),
    ("added to", Item::Plus),
    ("minus", Item::Minus),
    ("negative", Item::Minus),
    ("take away", Item::Minus),
    ("times", Item::Times),
    ("multiplied by", Item::Times),
    ("multiplied with", Item::Times),
    ("divided by", Item::Divide),
    ("over", Item::Divide),
    ("to the power of", Item::SpokenPower),
    ("to the power", Item::SpokenPower),
    ("to the", Item::SpokenPower),
    ("raised to the power of", Item::SpokenPower),
    ("raised to the power", Item::SpokenPower),
    ("raised to", Item::SpokenPower),
    ("mod", Item::Mod),
    ("modulo", Item::Mod),
    ("modulus", Item::Mod),
    ("percent", Item::Percent),
    ("per cent", Item::Percent),
    ("pct", Item::Percent),
    ("factorial", Item::Factorial),
    ("squared", Item::Squared(2)),
    ("cubed", Item::Squared(3)),
    ("square root of", Item::Prefix(Prefix::Root(2), true)),
    ("the square root of", Item::Prefix(Prefix::Root(2), true)),
    ("square root", Item::Prefix(Prefix::Root(2), true)),
    ("cube root of", Item::Prefix(Prefix::Root(3), true)),
    ("the cube root of", Item::Prefix(Prefix::Root(3), true)),
    ("fourth root of", Item::Prefix(Prefix::Root(4), true)),
    ("the fourth root of", Item::Prefix(Prefix::Root(4), true)),
    ("fifth root of", Item::Prefix(Prefix::Root(5), true)),
    ("square of", Item::Prefix(Prefix::ToThe(2), true)),
    ("the square of", Item::Prefix(Prefix::ToThe(2), true)),
    ("cube of", Item::Prefix(Prefix::ToThe(3), true)),
    ("the cube of", Item::Prefix(Prefix::ToThe(3), true)),
    ("double", Item::Prefix(Prefix::Multiple(2), true)),
    ("twice", Item::Prefix(Prefix::Multiple(2), true)),
    ("triple", Item::Prefix(Prefix::Multiple(3), true)),
    ("thrice", Item::Prefix(Prefix::Multiple(3), true)),
    ("factorial of", Item::Prefix(Prefix::Factorial, true)),
    ("the factorial of", Item::Prefix(Prefix::Factorial, true)),
    ("absolute value of", Item::Prefix(Prefix::Absolute, true)),
    ("the absolute value of", Item::Prefix(Prefix::Absolute, true)),
];
