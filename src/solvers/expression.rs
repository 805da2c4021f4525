//! Expressions in symbols and in words, evaluated exactly.
//!
//! Precedence is the usual one: brackets, then `!`, `%`, "squared"; then `^`, from the right; then
//! the sign; then `×` and `÷`; then `+` and `−`. What people read in two ways has no value here:
//! `2(3)`, `8 % 3`, `100 + 10%`, "half of 90 plus 10", "minus five squared".

use std::cell::Cell;

use num_rational::BigRational;
use num_traits::Signed;

use crate::domain::Step;

use super::exact::{self, Root};
use super::items::{Item, Prefix, Vocabulary, items};
use super::lexer::{Token, whole};
use super::show::{operand, step};

/// Longest expression, in tokens.
const MAX_TOKENS: usize = 300;
/// Deepest nesting of brackets, signs and powers.
const MAX_DEPTH: u32 = 40;
/// What one evaluation may spend, in bits handled; keeps it well below a millisecond.
const FUEL: u64 = 20_000;
/// What all evaluations for one question may spend: the same words are tried in many phrases.
const FUEL_IN_ALL: u64 = 60_000;
/// Steps kept for people.
const MAX_STEPS: usize = 24;

/// What an expression came to.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Value {
    pub(super) number: BigRational,
    /// Written as a percentage: 15% is 0.15 and this.
    pub(super) percent: bool,
    /// The currency mark that the value carries.
    pub(super) money: Option<char>,
    /// A percentage went into it by `×` or `÷`, not by "of": behind a `+` it is open whether the
    /// percentage was meant of what stands before.
    shared: bool,
    /// Something was computed: it is more than a number as it stands.
    pub(super) computed: bool,
    shape: Shape,
}

impl Value {
    /// Another number of the same kind: with the same currency mark.
    pub(super) fn of(&self, number: BigRational) -> Self {
        let money = self.money;
        Self { number, percent: false, shared: false, money, computed: true, shape: Shape::Other }
    }

    /// Whether nothing was computed: a number as it stands.
    pub(super) fn is_literal(&self) -> bool {
        matches!(self.shape, Shape::Literal)
    }
}

/// What an operand looks like: some readings depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Literal,
    /// Can be taken *of* something: `15%`, `1/2`, "half".
    Part,
    /// "squared": ambiguous behind a sign.
    SpokenPower,
    /// A spoken phrase that nothing may follow, as it is open how far the phrase reaches.
    Closed,
    Other,
}

thread_local! {
    /// What the question at hand may still spend. A question is answered on one thread, at a stretch.
    static LEFT: Cell<u64> = const { Cell::new(FUEL_IN_ALL) };
}

/// Begins another question, which may spend anew.
pub(super) fn refuel() {
    LEFT.set(FUEL_IN_ALL);
}

/// Evaluates tokens; `None` when they are no expression, or one of more than one reading.
pub(super) fn value(
    tokens: &[Token<'_>],
    vocabulary: Vocabulary,
    steps: Option<&mut Vec<Step>>,
) -> Option<Value> {
    if tokens.is_empty() || tokens.len() > MAX_TOKENS {
        return None;
    }
    if tokens.windows(5).any(is_date)
        || (vocabulary == Vocabulary::Words
            && (holds_year_and_part(tokens) || tokens.windows(5).any(is_mixed_number)))
    {
        return None;
    }
    let items = items(tokens, vocabulary)?;
    let fuel = LEFT.get().min(FUEL);
    let mut parser = Parser { items: &items, at: 0, depth: 0, fuel, vocabulary, steps };
    let value = parser.sum();
    // An evaluation that failed has cost what it spent; at least one for each token.
    let spent = (fuel - parser.fuel).max(tokens.len() as u64);
    LEFT.set(LEFT.get().saturating_sub(spent));
    let value = value?;
    (parser.at == items.len()).then_some(value)
}

/// `2026-11-22` is a day, not 1993.
fn is_date(five: &[Token<'_>]) -> bool {
    let [a, mark, b, second_mark, c] = five else { return false };
    let glued = five.iter().skip(1).all(|t| !t.spaced);
    let marks = (mark.is("-") && second_mark.is("-")) || (mark.is("/") && second_mark.is("/"));
    let year =
        |t: &Token<'_>| t.raw.len() == 4 && (t.raw.starts_with('1') || t.raw.starts_with('2'));
    let short = |t: &Token<'_>| {
        t.raw.len() <= 2 && t.number().is_some_and(|n| *n >= whole(1) && *n <= whole(31))
    };
    glued && marks && short(b) && ((year(a) && short(c)) || (short(a) && year(c)))
}

/// `3-1/2` is three and a half on many a label, and two and a half in algebra.
fn is_mixed_number(five: &[Token<'_>]) -> bool {
    let [_, minus, above, slash, below] = five else { return false };
    let glued = five.iter().skip(1).all(|t| !t.spaced) && minus.is("-") && slash.is("/");
    let plain = |t: &Token<'_>| t.raw.bytes().all(|b| b.is_ascii_digit());
    let digits = five.iter().step_by(2).all(plain);
    glued && digits && above.number() < below.number() && below.raw.len() <= 2
}

/// Whether a year stands there with a month or the end of a span: `2024-12`, `1984-85`, `2024/08`.
/// With spaces, or within a longer run of operations, it is a difference.
fn holds_year_and_part(tokens: &[Token<'_>]) -> bool {
    let joins = |t: Option<&Token<'_>>| {
        t.is_some_and(|t| {
            !t.spaced && ["+", "-", "*", "/", "^", "x", "!", "%"].iter().any(|m| t.is(m))
        })
    };
    (0..tokens.len()).any(|at| {
        let Some([year, mark, part, rest @ ..]) = tokens.get(at..) else { return false };
        let before = at.checked_sub(1).and_then(|at| tokens.get(at));
        let bound = |t: &Token<'_>| !year.spaced && !["(", ","].iter().any(|m| t.is(m));
        is_year_and_part([year, mark, part]) && !joins(rest.first()) && !before.is_some_and(bound)
    })
}

fn is_year_and_part([year, mark, part]: [&Token<'_>; 3]) -> bool {
    let is_year = year.raw.len() == 4 && (year.raw.starts_with('1') || year.raw.starts_with('2'));
    let glued = !mark.spaced && !part.spaced && part.raw.len() <= 2;
    let (Ok(start), Ok(end)) = (year.raw.parse::<u32>(), part.raw.parse::<u32>()) else {
        return false;
    };
    let can_name = (1..=12).contains(&end) || end > start % 100;
    // A quotient is hardly ever written with a nought before its divisor.
    let padded = part.raw.len() == 2 && part.raw.starts_with('0');
    is_year && glued && can_name && (mark.is("-") || (mark.is("/") && padded))
}

struct Parser<'a> {
    items: &'a [Item],
    at: usize,
    depth: u32,
    fuel: u64,
    vocabulary: Vocabulary,
    steps: Option<&'a mut Vec<Step>>,
}

impl Parser<'_> {
    fn sum(&mut self) -> Option<Value> {
        let mut left = self.product()?;
        if self.take(&Item::Mod) {
            // Beside other operators it is open what "mod" binds.
            let right = self.product()?;
            let plain = |v: &Value| matches!(v.shape, Shape::Literal) && !v.percent;
            if !plain(&left) || !plain(&right) || self.operator_follows() {
                return None;
            }
            return self.combine(&left, '%', &right, Shape::Closed);
        }
        loop {
            let operator = match self.peek() {
                Some(Item::Plus) => '+',
                Some(Item::Minus) => '-',
                _ => return Some(left),
            };
            self.at += 1;
            if left.shape == Shape::Closed {
                return None;
            }
            let right = self.product()?;
            if right.shared {
                return None;
            }
            let shape = if right.shape == Shape::Closed { Shape::Closed } else { Shape::Other };
            left = self.combine(&left, operator, &right, shape)?;
        }
    }

    fn product(&mut self) -> Option<Value> {
        let mut left = self.signed()?;
        loop {
            let operator = match self.peek() {
                Some(Item::Times) => '*',
                Some(Item::Divide) => '/',
                Some(Item::Of) if left.shape == Shape::Part => '*',
                _ => return Some(left),
            };
            let of = self.peek() == Some(&Item::Of);
            self.at += 1;
            if left.shape == Shape::Closed {
                return None;
            }
            let right = if of { self.taken_of()? } else { self.signed()? };
            let literals = [&left, &right].iter().all(|v| {
                v.is_literal() && !v.percent && v.money.is_none() && v.number.is_integer()
            });
            let shape = if of || right.shape == Shape::Closed {
                Shape::Closed
            } else if operator == '/' && literals {
                Shape::Part
            } else {
                Shape::Other
            };
            let shared = !of && [&left, &right].iter().any(|v| v.percent || v.shared);
            left = Value { shared, ..self.combine(&left, operator, &right, shape)? };
        }
    }

    /// "10% of half of 80": each part is taken of all that follows.
    fn taken_of(&mut self) -> Option<Value> {
        let value = self.signed()?;
        if value.shape != Shape::Part || !self.take(&Item::Of) {
            return Some(value);
        }
        self.descend()?;
        let whole = self.taken_of()?;
        self.depth -= 1;
        self.combine(&value, '*', &whole, Shape::Closed)
    }

    fn signed(&mut self) -> Option<Value> {
        if !self.take(&Item::Minus) {
            return self.power();
        }
        self.descend()?;
        let value = self.signed()?;
        self.depth -= 1;
        if value.shape == Shape::SpokenPower {
            return None;
        }
        let shape = match value.shape {
            Shape::Literal => Shape::Literal,
            Shape::Closed => Shape::Closed,
            _ => Shape::Other,
        };
        Some(Value { number: -value.number, shape, ..value })
    }

    fn power(&mut self) -> Option<Value> {
        let base = self.postfix()?;
        let spoken = match self.peek() {
            Some(Item::Power) => false,
            Some(Item::SpokenPower) => true,
            _ => return Some(base),
        };
        self.at += 1;
        if base.shape == Shape::Closed || base.percent {
            return None;
        }
        self.descend()?;
        let exponent = self.signed()?;
        self.depth -= 1;
        if exponent.shape == Shape::Closed || (spoken && !exponent.is_literal()) {
            return None;
        }
        let shape = if spoken { Shape::Closed } else { Shape::Other };
        self.combine(&base, '^', &exponent, shape)
    }

    fn postfix(&mut self) -> Option<Value> {
        let mut value = self.primary()?;
        loop {
            match self.peek() {
                Some(Item::Percent)
                    if value.is_literal() && !value.percent && value.money.is_none() =>
                {
                    value.number /= whole(100);
                    value.percent = true;
                    value.shape = Shape::Part;
                }
                Some(Item::Factorial) if value.shape != Shape::Closed && value.money.is_none() => {
                    let result = exact::factorial(&value.number)?;
                    self.note(&result, || Some(format!("{}!", operand(&value.number)?)));
                    value = Value { number: result, computed: true, shape: Shape::Other, ..value };
                    // 5!! is another function than (5!)!.
                    if self.items.get(self.at + 1) == Some(&Item::Factorial) {
                        return None;
                    }
                }
                Some(Item::Squared(exponent)) if value.shape != Shape::Closed && !value.percent => {
                    let exponent = Value {
                        number: whole(*exponent),
                        percent: false,
                        shared: false,
                        money: None,
                        computed: false,
                        shape: Shape::Literal,
                    };
                    value = self.combine(&value, '^', &exponent, Shape::SpokenPower)?;
                }
                _ => return Some(value),
            }
            self.at += 1;
        }
    }

    fn primary(&mut self) -> Option<Value> {
        let item = self.items.get(self.at)?;
        self.at += 1;
        let plain = |number, shape| Value {
            number,
            percent: false,
            shared: false,
            money: None,
            computed: false,
            shape,
        };
        match item {
            Item::Number { value, part: false } => Some(plain(value.clone(), Shape::Literal)),
            Item::Number { value, part: true } => Some(plain(value.clone(), Shape::Part)),
            Item::Money(mark) => match self.items.get(self.at)? {
                Item::Number { value, part: false } => {
                    self.at += 1;
                    let value = plain(value.clone(), Shape::Literal);
                    Some(Value { money: Some(*mark), ..value })
                }
                _ => None,
            },
            Item::Open => {
                self.descend()?;
                let value = self.sum()?;
                self.depth -= 1;
                if !self.take(&Item::Close) {
                    return None;
                }
                // What is bracketed is whole again.
                let shape = if value.is_literal() { Shape::Literal } else { Shape::Other };
                Some(Value { shape, shared: false, ..value })
            }
            Item::Prefix(prefix, spoken) => {
                self.descend()?;
                let negative = self.take(&Item::Minus);
                let bracketed = self.peek() == Some(&Item::Open);
                let mut argument = self.primary()?;
                if negative {
                    argument.number = -argument.number;
                }
                self.depth -= 1;
                let computed = !argument.is_literal() && !bracketed;
                if argument.percent || computed {
                    return None;
                }
                let number = self.apply(*prefix, &argument)?;
                // `√9 + 1` without brackets leaves the same open as "square root of 9 plus 1".
                let shape = if *spoken || !bracketed { Shape::Closed } else { Shape::Other };
                Some(Value { number, computed: true, shape, ..argument })
            }
            _ => None,
        }
    }

    fn apply(&mut self, prefix: Prefix, argument: &Value) -> Option<BigRational> {
        let x = &argument.number;
        if argument.money.is_some() && !matches!(prefix, Prefix::Multiple(_)) {
            return None;
        }
        let result = match prefix {
            Prefix::Root(degree) => match exact::root(x, degree)? {
                Root::Exact(value) => value,
                Root::Approximate(_) => return None,
            },
            Prefix::ToThe(n) => exact::power(x, &whole(n))?,
            Prefix::Multiple(n) => exact::bounded(x * whole(n))?,
            Prefix::Factorial => exact::factorial(x)?,
            Prefix::Absolute => x.abs(),
        };
        self.note(&result, || {
            let x = operand(x)?;
            Some(match prefix {
                Prefix::Root(degree) => root_text(degree, &x),
                Prefix::ToThe(n) => format!("{x}^{n}"),
                Prefix::Multiple(n) => format!("{n} × {x}"),
                Prefix::Factorial => format!("{x}!"),
                Prefix::Absolute => format!("|{x}|"),
            })
        });
        Some(result)
    }

    fn combine(&mut self, a: &Value, operator: char, b: &Value, shape: Shape) -> Option<Value> {
        let (x, y) = (&a.number, &b.number);
        self.burn(exact::bits(x) + exact::bits(y))?;
        let (mark, number, percent) = match operator {
            // 100 + 10% is 110 to some and 100.1 to others.
            '+' | '-' if a.percent != b.percent => return None,
            '+' => ('+', exact::bounded(x + y)?, a.percent),
            '-' => ('-', exact::bounded(x - y)?, a.percent),
            '*' => ('×', exact::bounded(x * y)?, false),
            '/' => ('÷', exact::divide(x, y)?, false),
            '^' => ('^', exact::power(x, y)?, false),
            _ => ('%', exact::remainder(x, y)?, false),
        };
        self.burn(exact::bits(&number))?;
        let money = self.currency(a, operator, b)?;
        self.note(&number, || {
            let (left, right) = (operand(x)?, operand(y)?);
            let bracketed = |text: String, n: &BigRational| {
                if n.is_negative() && operator == '^' { format!("({text})") } else { text }
            };
            let mark = if mark == '%' { "mod".to_owned() } else { mark.to_string() };
            Some(format!("{} {mark} {}", bracketed(left, x), bracketed(right, y)))
        });
        Some(Value { number, percent, shared: false, money, computed: true, shape })
    }

    /// The currency of a result. Symbols alone, as in the working of a model, are read leniently:
    /// there a mark is often left out.
    fn currency(&self, a: &Value, operator: char, b: &Value) -> Option<Option<char>> {
        let lenient = self.vocabulary == Vocabulary::Symbols;
        Some(match (operator, a.money, b.money) {
            (_, None, None) => None,
            ('+' | '-', x, y) if x == y => x,
            ('*' | '/', x, None) => x,
            ('*', None, x) => x,
            ('/', x, y) if x == y => None,
            _ if lenient => a.money.or(b.money),
            _ => return None,
        })
    }

    fn note(&mut self, result: &BigRational, text: impl FnOnce() -> Option<String>) {
        if let Some(steps) = self.steps.as_mut().filter(|steps| steps.len() < MAX_STEPS)
            && let (Some(text), Some(result)) = (text(), operand(result))
        {
            steps.push(step(format!("{text} = {result}")));
        }
    }

    fn burn(&mut self, bits: u64) -> Option<()> {
        let left = self.fuel.checked_sub(bits);
        self.fuel = left.unwrap_or(0);
        left.map(|_| ())
    }

    fn descend(&mut self) -> Option<()> {
        self.depth += 1;
        (self.depth <= MAX_DEPTH).then_some(())
    }

    fn operator_follows(&self) -> bool {
        !matches!(self.peek(), None | Some(Item::Close))
    }

    fn peek(&self) -> Option<&Item> {
        self.items.get(self.at)
    }

    fn take(&mut self, item: &Item) -> bool {
        let found = self.peek() == Some(item);
        self.at += usize::from(found);
        found
    }
}

/// How a root is written.
pub(super) fn root_text(degree: u32, argument: &str) -> String {
    match degree {
        2 => format!("√{argument}"),
        3 => format!("∛{argument}"),
        _ => format!("{argument}^(1/{degree})"),
    }
}
