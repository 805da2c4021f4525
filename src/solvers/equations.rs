//! Linear equations: one with one unknown, or a pair with two.
//!
//! An unknown is a single letter. What is not linear, has no solution or more than one, or can be
//! read in two ways (`1/2x`, `2 x 3`) has no answer here.

use std::sync::LazyLock;

use num_rational::BigRational;
use num_traits::{One, Zero};

use crate::domain::{Canonical, Step};

use super::Solution;
use super::exact::{self, divide};
use super::lexer::{Token, whole};
use super::number_words::spelled;
use super::pattern::Grammar;
use super::question::{Asked, Question};
use super::show::{figure, operand, step};

const SOLVER: &str = "equations";
const MAX_TOKENS: usize = 80;
const MAX_DEPTH: u32 = 20;

/// Answers equations, and expressions whose unknown is given.
pub(super) fn solve(question: &Question<'_>) -> Option<Solution> {
    let body = question.unclosed();
    let end = body.iter().rposition(|t| !TRAILING.iter().any(|mark| t.is(mark)))?;
    let body = body.get(..=end)?;
    // Cheap to tell, and most questions have none.
    if body.len() > MAX_TOKENS || !body.iter().any(|t| EQUALS.iter().any(|e| t.is(e))) {
        return None;
    }
    GRAMMAR.find(body, |task, holes| match (task, holes) {
        (Task::Solve, [equations])
            if question.asked >= Asked::Compute || equations.iter().all(is_usual) =>
        {
            solved(equations, None)
        }
        (Task::SolveFor, [equations, unknown]) => solved(equations, Some(letter(unknown)?)),
        (Task::ForSolve, [unknown, equations]) => solved(equations, Some(letter(unknown)?)),
        (Task::Insert, [expression, given]) => inserted(expression, given),
        (Task::GivenInsert, [given, expression]) => inserted(expression, given),
        (Task::Number, [equation]) => number_sought(equation),
        _ => None,
    })
}

/// Marks and courtesies that may close a question. An "=" may not: what follows it is asked for.
const TRAILING: [&str; 5] = ["?", ".", ",", "please", "thanks"];

/// The words and marks that can stand between the two sides.
const EQUALS: [&str; 7] = ["=", "equals", "is", "equal", "makes", "gives", "make"];

#[derive(Debug, Clone, Copy)]
enum Task {
    Solve,
    /// The equations, then the unknown.
    SolveFor,
    /// The unknown, then the equations.
    ForSolve,
    /// An expression, then what its unknown is.
    Insert,
    GivenInsert,
    /// "what number plus 5 equals 12": the words stand for the unknown.
    Number,
}

static GRAMMAR: LazyLock<Grammar<Task>> = LazyLock::new(|| Grammar::new(PHRASES));

const PHRASES: &[(&str, Task)] = &[
    ("[solve] [the] [system] [of] [equations|equation] [:] #", Task::Solve),
    ("for # [:|,] #", Task::ForSolve),
    ("# : #", Task::ForSolve),
    ("# for #", Task::SolveFor),
    ("# , # = ?", Task::SolveFor),
    ("# , # =", Task::SolveFor),
    ("# , find|solve [for] #", Task::SolveFor),
    ("# , what is [the] [value] [of] #", Task::SolveFor),
    ("if|given|when|suppose [that] # [,] [then] what is [the] [value] [of] #", Task::SolveFor),
    ("if|given|when|suppose [that] # [,] [then] what does # equal", Task::SolveFor),
    ("if|given|when|suppose [that] # [,] [then] find|solve [for] #", Task::SolveFor),
    ("if|given|when|suppose [that] # [,] [then] # = ?", Task::SolveFor),
    ("if|given|when|suppose [that] # [,] [then] # equals what", Task::SolveFor),
    ("# if|when|given|where [that] #", Task::ForSolve),
    ("what does # equal if|when # ", Task::ForSolve),
    (
        "if|given|when|for|suppose [that] # [,] [then] what is [the] [value] [of] #",
        Task::GivenInsert,
    ),
    ("if|given|when|for [that] # [,] [then] evaluate|calculate|find #", Task::GivenInsert),
    ("# if|when|for|at|where|with #", Task::Insert),
    ("#", Task::Number),
];

/// "1.5L = 120" may be litres: where nobody says that an equation is to be solved, its unknown has
/// one of the usual names.
fn is_usual(token: &Token<'_>) -> bool {
    letter(std::slice::from_ref(token)).is_none_or(|_| ["x", "y", "z"].contains(&token.raw))
}

fn letter(tokens: &[Token<'_>]) -> Option<char> {
    let [token] = tokens else { return None };
    let mut letters = token.word()?.chars();
    let letter = letters.next().filter(|c| c.is_ascii_lowercase())?;
    letters.next().is_none().then_some(letter)
}

/// A sum of a number and of multiples of up to two unknowns.
#[derive(Debug, Clone)]
struct Linear {
    constant: BigRational,
    of: Vec<(char, BigRational)>,
}

impl Linear {
    fn constant(constant: BigRational) -> Self {
        Self { constant, of: Vec::new() }
    }

    fn unknown(letter: char) -> Self {
        Self { constant: whole(0), of: vec![(letter, whole(1))] }
    }

    fn is_constant(&self) -> bool {
        self.of.iter().all(|(_, n)| n.is_zero())
    }

    fn coefficient(&self, letter: char) -> BigRational {
        self.of.iter().find(|(l, _)| *l == letter).map_or_else(|| whole(0), |(_, n)| n.clone())
    }

    /// This plus a multiple of another.
    fn plus(mut self, other: &Self, times: &BigRational) -> Option<Self> {
        self.constant = exact::bounded(self.constant + &other.constant * times)?;
        for (letter, n) in &other.of {
            let n = exact::bounded(n * times)?;
            match self.of.iter_mut().find(|(l, _)| l == letter) {
                Some((_, mine)) => *mine = exact::bounded(&*mine + n)?,
                None => self.of.push((*letter, n)),
            }
        }
        (self.of.len() <= 2).then_some(self)
    }

    fn times(&self, by: &BigRational) -> Option<Self> {
        Self::constant(whole(0)).plus(self, by)
    }

    fn product(&self, other: &Self) -> Option<Self> {
        match (self.is_constant(), other.is_constant()) {
            (_, true) => self.times(&other.constant),
            (true, _) => other.times(&self.constant),
            _ => None,
        }
    }
}

struct Parser<'a> {
    tokens: &'a [Token<'a>],
    at: usize,
    depth: u32,
    /// The unknown whose value is given.
    given: Option<(char, BigRational)>,
}

/// The whole run as a linear expression.
fn linear(tokens: &[Token<'_>], given: Option<(char, BigRational)>) -> Option<Linear> {
    let mut parser = Parser { tokens, at: 0, depth: 0, given };
    let value = parser.sum()?;
    (parser.at == tokens.len()).then_some(value)
}

impl Parser<'_> {
    fn sum(&mut self) -> Option<Linear> {
        let mut left = self.product()?;
        loop {
            let sign = if self.take(&["+", "plus"]) {
                whole(1)
            } else if self.take(&["-", "minus"]) {
                whole(-1)
            } else {
                return Some(left);
            };
            let right = self.product()?;
            left = left.plus(&right, &sign)?;
        }
    }

    fn product(&mut self) -> Option<Linear> {
        let mut left = self.signed()?;
        loop {
            if self.take(&["*", "times"]) || self.take_words("multiplied", "by") {
                left = left.product(&self.signed()?)?;
            } else if self.take(&["/"]) || self.take_words("divided", "by") {
                let from = self.at;
                let right = self.signed()?;
                // `1/2x`: is the x below the line?
                let bracketed = self.tokens.get(from).is_some_and(|t| t.is("("));
                let single =
                    self.at == from + 1 || bracketed && self.closes_at(from) == Some(self.at);
                if !single || !right.is_constant() {
                    return None;
                }
                left = left.times(&divide(&whole(1), &right.constant)?)?;
                if self.starts_factor() {
                    return None;
                }
            } else {
                return Some(left);
            }
        }
    }

    /// Behind the closing bracket that belongs to the one at `from`.
    fn closes_at(&self, from: usize) -> Option<usize> {
        let mut open = 0i32;
        for (at, token) in self.tokens.iter().enumerate().skip(from) {
            open += i32::from(token.is("(")) - i32::from(token.is(")"));
            if open == 0 {
                return Some(at + 1);
            }
        }
        None
    }

    fn signed(&mut self) -> Option<Linear> {
        if self.take(&["-", "minus", "negative"]) {
            self.descend()?;
            let value = self.signed()?.times(&whole(-1));
            self.depth -= 1;
            return value;
        }
        let mut value = self.power()?;
        // `2x`, `3(x + 1)`, `2 x`: a number before an unknown or a bracket multiplies.
        while self.starts_factor() {
            let factor = self.power()?;
            value = value.product(&factor)?;
        }
        Some(value)
    }

    fn power(&mut self) -> Option<Linear> {
        let base = self.primary()?;
        let exponent = if self.take(&["^"]) {
            self.descend()?;
            let exponent = self.primary()?;
            self.depth -= 1;
            exponent
        } else if self.take(&["²", "squared"]) {
            Linear::constant(whole(2))
        } else if self.take(&["³", "cubed"]) {
            Linear::constant(whole(3))
        } else {
            return Some(base);
        };
        if !base.is_constant() || !exponent.is_constant() {
            return (exponent.is_constant() && exponent.constant.is_one()).then_some(base);
        }
        exact::power(&base.constant, &exponent.constant).map(Linear::constant)
    }

    fn primary(&mut self) -> Option<Linear> {
        let rest = self.tokens.get(self.at..)?;
        let first = rest.first()?;
        if first.is("(") {
            self.at += 1;
            self.descend()?;
            let value = self.sum()?;
            self.depth -= 1;
            return self.take(&[")"]).then_some(value);
        }
        if let Some(letter) = letter(std::slice::from_ref(first)) {
            let next = rest.get(1);
            // `x2` is a name, "x 3" a product to some; "a dozen" has an article.
            if next.is_some_and(|t| t.number().is_some())
                || (letter == 'a' && spelled(rest).is_some())
            {
                return None;
            }
            self.at += 1;
            return Some(match &self.given {
                Some((given, value)) if *given == letter => Linear::constant(value.clone()),
                _ => Linear::unknown(letter),
            });
        }
        let number = spelled(rest).filter(|n| !n.joined)?;
        self.at += number.used;
        Some(Linear::constant(number.value))
    }

    fn starts_factor(&self) -> bool {
        self.tokens
            .get(self.at)
            .is_some_and(|t| t.is("(") || letter(std::slice::from_ref(t)).is_some())
    }

    fn descend(&mut self) -> Option<()> {
        self.depth += 1;
        (self.depth <= MAX_DEPTH).then_some(())
    }

    fn take(&mut self, any: &[&str]) -> bool {
        let found = self.tokens.get(self.at).is_some_and(|t| any.iter().any(|a| t.is(a)));
        self.at += usize::from(found);
        found
    }

    fn take_words(&mut self, first: &str, second: &str) -> bool {
        let rest = self.tokens.get(self.at..).unwrap_or_default();
        let found = matches!(rest, [a, b, ..] if a.is(first) && b.is(second));
        self.at += if found { 2 } else { 0 };
        found
    }
}

/// Both sides brought to one: what must be zero.
fn equation(tokens: &[Token<'_>]) -> Option<Linear> {
    let mut sides = tokens.split(|t| t.is("=") || t.is("equals"));
    let (left, right, None) = (sides.next()?, sides.next()?, sides.next()) else { return None };
    linear(left, None)?.plus(&linear(right, None)?, &whole(-1))
}

/// One equation, or two parted by "and", a comma or a semicolon.
fn solved(tokens: &[Token<'_>], wanted: Option<char>) -> Option<Solution> {
    let parts: Vec<&[Token<'_>]> = tokens
        .split(|t| t.is("and") || t.is(",") || t.is(";"))
        .filter(|part| !part.is_empty())
        .collect();
    match parts.as_slice() {
        [one] => {
            // `x = 5` alone tells, and asks nothing.
            let told = matches!(one, [name, equals, ..] if equals.is("=") && letter(std::slice::from_ref(name)).is_some());
            if told
                && one.iter().filter(|t| letter(std::slice::from_ref(t)).is_some()).count() == 1
                && wanted.is_none()
            {
                return None;
            }
            let (letter, value) = of_one(&equation(one)?)?;
            if wanted.is_some_and(|wanted| wanted != letter) {
                return None;
            }
            answer(letter, &value, Vec::new())
        }
        [first, second] => of_two(&equation(first)?, &equation(second)?, wanted),
        _ => None,
    }
}

/// The unknown and its value.
fn of_one(zero: &Linear) -> Option<(char, BigRational)> {
    let mut unknowns = zero.of.iter().filter(|(_, n)| !n.is_zero());
    let (letter, n) = unknowns.next()?;
    if unknowns.next().is_some() {
        return None;
    }
    Some((*letter, divide(&-zero.constant.clone(), n)?))
}

/// Cramer's rule.
fn of_two(first: &Linear, second: &Linear, wanted: Option<char>) -> Option<Solution> {
    let all = Linear::constant(whole(0)).plus(first, &whole(1))?.plus(second, &whole(1))?;
    let mut letters: Vec<char> = all.of.iter().map(|(letter, _)| *letter).collect();
    letters.sort_unstable();
    let [x, y] = letters.as_slice() else { return None };
    let (a, b, c) = (first.coefficient(*x), first.coefficient(*y), -&first.constant);
    let (d, e, f) = (second.coefficient(*x), second.coefficient(*y), -&second.constant);
    let determinant = &a * &e - &b * &d;
    let x_value = divide(&(&c * &e - &b * &f), &determinant)?;
    let y_value = divide(&(&a * &f - &c * &d), &determinant)?;
    let (x_text, y_text) = (figure(&x_value)?.text, figure(&y_value)?.text);
    let both = format!("{x} = {x_text}, {y} = {y_text}");
    match wanted {
        Some(wanted) if wanted == *x => answer(*x, &x_value, vec![step(both)]),
        Some(wanted) if wanted == *y => answer(*y, &y_value, vec![step(both)]),
        Some(_) => None,
        None => {
            let working = step(format!("determinant {}", operand(&determinant)?));
            let answer =
                Canonical::List(vec![format!("{x} = {x_text}"), format!("{y} = {y_text}")]);
            Some(Solution { solver: SOLVER, content: both, answer, steps: vec![working] })
        }
    }
}

fn answer(letter: char, value: &BigRational, mut steps: Vec<Step>) -> Option<Solution> {
    let shown = figure(value)?;
    let content = format!("{letter} = {}", shown.text);
    if steps.is_empty() {
        steps.push(step(content.clone()));
    }
    Some(Solution { solver: SOLVER, content, answer: Canonical::Number(shown.number), steps })
}

/// "2x + 3 when x = 5".
fn inserted(expression: &[Token<'_>], given: &[Token<'_>]) -> Option<Solution> {
    let [name, equals, value @ ..] = given else { return None };
    if !["=", "is", "equals"].iter().any(|e| equals.is(e)) {
        return None;
    }
    let name = letter(std::slice::from_ref(name))?;
    let value = linear(value, None).filter(Linear::is_constant)?.constant;
    let used = expression.iter().any(|t| letter(std::slice::from_ref(t)) == Some(name));
    if !used || expression.len() < 2 {
        return None;
    }
    let result = linear(expression, Some((name, value.clone())))?;
    if !result.of.is_empty() {
        return None;
    }
    let shown = figure(&result.constant)?;
    let working = step(format!("{name} = {}", operand(&value)?));
    Some(shown.solution(SOLVER, vec![working]))
}

/// "what number plus 5 equals 12", "5 times what is 40": the words stand for one unknown.
fn number_sought(tokens: &[Token<'_>]) -> Option<Solution> {
    let at = tokens.iter().position(|t| t.is("what") || t.is("which"))?;
    let named = tokens.get(at + 1).is_some_and(|t| t.is("number"));
    let after = tokens.get(at + 1 + usize::from(named)..)?;
    let before = tokens.get(..at)?;
    if !named && tokens.get(at)?.is("which") {
        return None;
    }
    let equals = |t: &Token<'_>| EQUALS.iter().any(|e| t.is(e));
    // The unknown stands in for the words; no letter of its own may be in the question.
    let lettered = tokens.iter().any(|t| letter(std::slice::from_ref(t)).is_some());
    if lettered || tokens.iter().filter(|t| equals(t)).count() != 1 {
        return None;
    }
    let mut put: Vec<Token<'_>> = before.to_vec();
    let unknown = tokens.get(at)?;
    put.push(Token { kind: super::lexer::Kind::Word("x".to_owned()), ..unknown.clone() });
    put.extend_from_slice(after);
    let mut sides = put.split(|t| equals(t));
    let (left, right, None) = (sides.next()?, sides.next()?, sides.next()) else { return None };
    // "what is 5", "3 is what": nothing is computed.
    if left.len() < 2 && right.len() < 2 {
        return None;
    }
    let zero = linear(left, None)?.plus(&linear(right, None)?, &whole(-1))?;
    let (_, value) = of_one(&zero)?;
    let shown = figure(&value)?;
    let working = step(format!("x = {}", shown.text));
    Some(shown.solution(SOLVER, vec![working]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn content(input: &str) -> Option<String> {
        Some(solve(&Question::read(input)?)?.content)
    }

    #[test]
    fn what_is_not_linear_or_not_clear_has_no_answer() {
        for text in [
            "x^2 = 4",
            "1/x = 2",
            "1/2x = 4",
            "x = x",
            "x = x + 1",
            "2 x 3 = 6",
            "x2 = 4",
            "x * y = 4",
            "x + y = 4",
            "x = 5",
            "x + 1 = 2 = 3",
            "xy = 4",
        ] {
            assert_eq!(content(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_was_hidden_is_found(x in -50i64..50, a in 1i64..30, b in -40i64..40, c in -30i64..0) {
            let right = a * x + b - c * x;
            let text = format!("solve {a}x + {b} = {right} + {c}x");
            prop_assert_eq!(content(&text), Some(format!("x = {x}")), "{}", text);
        }

        #[test]
        fn pairs_are_solved_or_have_no_single_solution(
            x in -20i64..20, y in -20i64..20, n in proptest::array::uniform4(-9i64..10),
        ) {
            let [a, b, d, e] = n;
            prop_assume!(a != 0 && b != 0 && d != 0 && e != 0);
            let text = format!("solve {a}x + {b}y = {} and {d}x + {e}y = {}", a * x + b * y, d * x + e * y);
            let wanted = (a * e != b * d).then(|| format!("x = {x}, y = {y}"));
            prop_assert_eq!(content(&text), wanted, "{}", text);
        }
    }
}
