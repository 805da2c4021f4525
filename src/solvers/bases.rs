//! Numerals: binary, octal, hexadecimal and other bases, Roman numerals, numbers in words.

use std::sync::LazyLock;

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{Num, Signed, ToPrimitive, Zero};

use crate::text::NUMBER_NAMES;

use super::Solution;
use super::exact;
use super::lexer::{Token, whole};
use super::number_words::spelled;
use super::pattern::{Grammar, Holes};
use super::question::Question;
use super::show::{numbered, said, step};

const SOLVER: &str = "numerals";
/// Longest numeral that is read, in characters.
const MAX_NUMERAL: usize = 100;

/// Answers what a number is in another notation.
pub(super) fn solve(question: &Question<'_>) -> Option<Solution> {
    GRAMMAR.find(question.body(), |turn, holes| turn(holes))
}

/// A notation that a number is read from or written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Notation {
    Base(u32),
    Roman,
    Words,
    /// "in digits": from words or Roman numerals only.
    Digits,
}

/// "binary", "base 7", "roman numerals", "words".
fn notation(hole: &[Token<'_>]) -> Option<Notation> {
    let hole = match hole {
        [article, rest @ ..] if ["a", "an", "the"].iter().any(|w| article.is(w)) => rest,
        all => all,
    };
    let system = [
        "number",
        "numbers",
        "notation",
        "form",
        "format",
        "representation",
        "system",
        "numeral",
        "numerals",
    ];
    let (name, rest) = hole.split_first()?;
    let bare = rest.is_empty()
        || matches!(rest, [kind] if system.iter().any(|w| kind.is(w)))
        || matches!(rest, [number, kind] if number.is("number") && system.iter().any(|w| kind.is(w)));
    let word = name.word()?;
    Some(match word {
        "binary" if bare => Notation::Base(2),
        "octal" if bare => Notation::Base(8),
        "decimal" | "denary" if bare => Notation::Base(10),
        "hex" | "hexadecimal" if bare => Notation::Base(16),
        "roman"
            if rest.is_empty()
                || matches!(rest, [kind] if kind.is("numerals") || kind.is("numeral")) =>
        {
            Notation::Roman
        }
        "arabic" if matches!(rest, [kind] if kind.is("numerals") || kind.is("numeral") || kind.is("numbers")) => {
            Notation::Digits
        }
        "words" | "english" if rest.is_empty() => Notation::Words,
        "digits" | "numbers" | "figures" | "numerals" | "number" if rest.is_empty() => {
            Notation::Digits
        }
        "base" => match rest {
            [base] => Notation::Base(base_of(base)?),
            _ => return None,
        },
        _ => return None,
    })
}

fn base_of(token: &Token<'_>) -> Option<u32> {
    let value = spelled(std::slice::from_ref(token))?.value;
    exact::natural(&value)?.to_u32().filter(|base| (2..=36).contains(base))
}

/// A numeral as written, without space within; and the notation that it was said to be in.
fn numeral(hole: &[Token<'_>]) -> Option<(String, Option<Notation>)> {
    let hole = match hole {
        [the, rest @ ..] if the.is("the") => rest,
        all => all,
    };
    let kinds = ["number", "numeral", "value", "string", "digit", "integer"];
    let (before, rest) = match hole {
        [roman, kind, rest @ ..] if roman.is("roman") && kind.is("numeral") && !rest.is_empty() => {
            (Some(Notation::Roman), rest)
        }
        [first, rest @ ..] if !rest.is_empty() => {
            match notation(std::slice::from_ref(first)).filter(|n| matches!(n, Notation::Base(_))) {
                Some(notation) => match rest {
                    [kind, rest @ ..] if !rest.is_empty() && kinds.iter().any(|k| kind.is(k)) => {
                        (Some(notation), rest)
                    }
                    rest => (Some(notation), rest),
                },
                None if kinds.iter().any(|k| first.is(k)) => (None, rest),
                None => (None, hole),
            }
        }
        all => (None, all),
    };
    let end =
        rest.iter().skip(1).position(|t| t.spaced || t.is("(")).map_or(rest.len(), |at| at + 1);
    let (written, behind) = rest.split_at_checked(end)?;
    let behind = match behind {
        [open, inner @ .., close] if open.is("(") && close.is(")") => inner,
        [joint, rest @ ..] if joint.is("in") && !rest.is_empty() => rest,
        all => all,
    };
    let after = if behind.is_empty() { None } else { Some(notation(behind)?) };
    let text: String = written.iter().map(|t| t.raw).collect();
    if text.len() > MAX_NUMERAL || (before.is_some() && after.is_some() && before != after) {
        return None;
    }
    Some((text, before.or(after)))
}

/// Reads digits of a base, which a prefix such as `0x` may name, too.
fn read(text: &str, said: Option<Notation>) -> Option<(BigInt, u32)> {
    let prefixed = [("0x", 16), ("0b", 2), ("0o", 8)].into_iter().find_map(|(prefix, base)| {
        let head = text.get(..2)?;
        head.eq_ignore_ascii_case(prefix).then(|| Some((text.get(2..)?, base)))?
    });
    let (digits, base) = match (prefixed, said) {
        // A `0b1` that is called hexadecimal is the number 177.
        (Some((_, base)), Some(Notation::Base(16))) if base != 16 => (text, 16),
        (Some((digits, base)), None) => (digits, base),
        (Some((digits, base)), Some(Notation::Base(named))) if base == named => (digits, base),
        (None, Some(Notation::Base(named))) => (text, named),
        (None, None) => (text, 10),
        _ => return None,
    };
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_alphanumeric());
    if !plain {
        return None;
    }
    Some((BigInt::from_str_radix(digits, base).ok()?, base))
}

fn written(number: &BigInt, base: u32) -> String {
    number.to_str_radix(base).to_uppercase()
}

/// From a numeral into a base.
fn into_base(text: &str, said_in: Option<Notation>, base: u32, asked_to: bool) -> Option<Solution> {
    if said_in == Some(Notation::Roman) {
        let value = from_roman(&text.to_uppercase())?;
        return if base == 10 { as_figure(text, value) } else { None };
    }
    let (number, from) = read(text, said_in)?;
    if from == base {
        return None;
    }
    // "what is 1010 in binary" may also ask what these binary digits stand for.
    let digits = text.len() > 1 && text.bytes().all(|b| (b'0'..b'2').contains(&b));
    if said_in.is_none() && base == 2 && digits && !asked_to && from == 10 {
        return None;
    }
    let content = written(&number, base);
    let working = vec![step(format!("{} in base {from} is {content} in base {base}", text))];
    if base == 10 {
        return numbered(SOLVER, content, BigRational::from_integer(number), working);
    }
    said(SOLVER, content, working)
}

fn as_figure(text: &str, value: u32) -> Option<Solution> {
    let working = vec![step(format!("{} is {value}", text.to_uppercase()))];
    numbered(SOLVER, value.to_string(), whole(value), working)
}

fn into_roman(text: &str) -> Option<Solution> {
    let number: u32 = text.replace(',', "").parse().ok()?;
    let roman = to_roman(number)?;
    said(SOLVER, roman.clone(), vec![step(format!("{number} = {roman}"))])
}

fn turn(hole: &[Token<'_>], to: Notation, asked_to: bool) -> Option<Solution> {
    match to {
        Notation::Base(base) => {
            let (text, said) = numeral(hole)?;
            into_base(&text, said, base, asked_to)
        }
        Notation::Roman => {
            let (text, said) = numeral(hole)?;
            if said.is_none_or(|s| s == Notation::Base(10)) { into_roman(&text) } else { None }
        }
        Notation::Words => {
            let [number] = hole else { return None };
            in_words(number.number()?)
        }
        Notation::Digits => {
            if let Some((text, said)) = numeral(hole)
                && said.is_none_or(|s| s == Notation::Roman)
                && (said.is_some() || text.len() > 1)
                && let Some(value) =
                    from_roman(&if said.is_some() { text.to_uppercase() } else { text.clone() })
            {
                return as_figure(&text, value);
            }
            let number = spelled(hole).filter(|s| s.used == hole.len() && !s.fraction)?;
            hole.first()?.word()?;
            let digits = number.value.to_string();
            number.value.is_integer().then(|| numbered(SOLVER, digits, number.value, Vec::new()))?
        }
    }
}

/// "… in binary": could also say what the numeral is in.
fn within(holes: Holes<'_, '_>) -> Option<Solution> {
    let [hole, to] = holes else { return None };
    let to = notation(to)?;
    // "100 in binary in hex": of the digits 100, or of the number?
    if hole.iter().any(|t| t.is("in")) && to != Notation::Base(10) {
        return None;
    }
    turn(hole, to, false)
}

fn into(holes: Holes<'_, '_>) -> Option<Solution> {
    let [hole, to] = holes else { return None };
    turn(hole, notation(to)?, true)
}

fn of(holes: Holes<'_, '_>) -> Option<Solution> {
    let [to, hole] = holes else { return None };
    turn(hole, notation(to)?, true)
}

fn from_to(holes: Holes<'_, '_>) -> Option<Solution> {
    let [hole, from, to] = holes else { return None };
    let (text, said) = numeral(hole)?;
    let from = notation(from)?;
    if said.is_some_and(|said| said != from) {
        return None;
    }
    match (from, notation(to)?) {
        (Notation::Base(_), Notation::Base(base)) => into_base(&text, Some(from), base, true),
        (Notation::Base(10), Notation::Roman) => into_roman(&text),
        (Notation::Roman, Notation::Base(10) | Notation::Digits) => {
            as_figure(&text, from_roman(&text.to_uppercase())?)
        }
        _ => None,
    }
}

/// "what does the roman numeral XIV stand for".
fn roman_value(holes: Holes<'_, '_>) -> Option<Solution> {
    let [token] = holes.first()? else { return None };
    as_figure(token.raw, from_roman(&token.raw.to_uppercase())?)
}

const ROMAN: [(u32, &str); 13] = [
    (1000, "M"),
    (900, "CM"),
    (500, "D"),
    (400, "CD"),
    (100, "C"),
    (90, "XC"),
    (50, "L"),
    (40, "XL"),
    (10, "X"),
    (9, "IX"),
    (5, "V"),
    (4, "IV"),
    (1, "I"),
];

/// From 1 to 3999, which is as far as the letters go.
fn to_roman(mut number: u32) -> Option<String> {
    if !(1..4_000).contains(&number) {
        return None;
    }
    let mut text = String::new();
    for (value, letters) in ROMAN {
        while number >= value {
            text.push_str(letters);
            number -= value;
        }
    }
    Some(text)
}

/// Only what is written as the rules have it: IV, not IIII.
fn from_roman(text: &str) -> Option<u32> {
    if text.is_empty() || text.len() > 15 {
        return None;
    }
    let (mut rest, mut value) = (text, 0);
    for (worth, letters) in ROMAN {
        while let Some(after) = rest.strip_prefix(letters) {
            (rest, value) = (after, value + worth);
        }
    }
    (rest.is_empty() && to_roman(value).as_deref() == Some(text)).then_some(value)
}

fn in_words(value: &BigRational) -> Option<Solution> {
    let number = exact::natural(value)?.to_u64().filter(|n| *n < 1_000_000_000_000)?;
    let content = named(number);
    // "and" or none, hyphen or none: the same number.
    said(SOLVER, content, Vec::new())
}

/// "one thousand two hundred thirty-four".
pub(super) fn named(number: u64) -> String {
    let name = |n: u64| {
        NUMBER_NAMES.iter().find(|(_, value)| u64::from(*value) == n).map_or("", |(name, _)| name)
    };
    let rest = |joint: &str, rest: u64| {
        if rest == 0 { String::new() } else { format!("{joint}{}", named(rest)) }
    };
    match number {
        0..20 => name(number).to_owned(),
        20..100 => format!("{}{}", name(number / 10 * 10), rest("-", number % 10)),
        100..1_000 => format!("{} hundred{}", name(number / 100), rest(" ", number % 100)),
        _ => {
            let (scale, word) = match number {
                1_000..1_000_000 => (1_000, "thousand"),
                1_000_000..1_000_000_000 => (1_000_000, "million"),
                _ => (1_000_000_000, "billion"),
            };
            format!("{} {word}{}", named(number / scale), rest(" ", number % scale))
        }
    }
}

/// "sum of the digits of 1234".
fn digit_sum(holes: Holes<'_, '_>) -> Option<Solution> {
    let [token] = holes.first()? else { return None };
    let plain = !token.raw.is_empty() && token.raw.bytes().all(|b| b.is_ascii_digit());
    if !plain {
        return None;
    }
    let digits: Vec<String> = token.raw.chars().map(|c| c.to_string()).collect();
    let sum: u32 = token.raw.bytes().map(|b| u32::from(b - b'0')).sum();
    let working = vec![step(format!("{} = {sum}", digits.join(" + ")))];
    numbered(SOLVER, sum.to_string(), whole(sum), working)
}

fn digit_count(holes: Holes<'_, '_>) -> Option<Solution> {
    let value = super::arithmetic::operand_of(holes.first()?)?;
    if !value.is_integer() || value.is_negative() {
        return None;
    }
    let digits = if value.is_zero() { 1 } else { value.numer().to_string().len() };
    numbered(SOLVER, digits.to_string(), whole(digits), Vec::new())
}

type Turn = fn(Holes<'_, '_>) -> Option<Solution>;

static GRAMMAR: LazyLock<Grammar<Turn>> = LazyLock::new(|| Grammar::new(PHRASES));

const PHRASES: &[(&str, Turn)] = &[
    ("convert|change|translate|turn # from # to|into #", from_to),
    ("# from # to|into #", from_to),
    ("convert|express|write|change|translate|turn|represent|rewrite # to|into|in|as #", into),
    ("how do|would you|i write|express|say # in|as #", into),
    ("how is # written|expressed in|as #", into),
    ("# written|expressed in|as #", into),
    ("# converted to|into #", into),
    ("# is what in #", within),
    ("# to|into|as #", into),
    ("# in #", within),
    ("# representation|form|equivalent|value|notation|version|expansion of|for #", of),
    ("# of|for #", of),
    ("what does [the] roman numeral # equal|mean|represent", roman_value),
    ("what does [the] roman numeral # stand for", roman_value),
    ("what number does [the] roman numeral # represent|equal|mean", roman_value),
    ("what number is [the] roman numeral #", roman_value),
    ("value|meaning of [the] roman numeral #", roman_value),
    ("roman numeral # [in] [decimal|numbers|digits]", roman_value),
    ("sum of [the|all] [the] digits of|in [the] [number] #", digit_sum),
    ("digit sum of #", digit_sum),
    ("add [up] the digits of|in [the] [number] #", digit_sum),
    ("how many digits are [there] in [the] [number] #", digit_count),
    ("how many digits does [the] [number] # have", digit_count),
    ("how many digits in [the] [number] #", digit_count),
    ("number of digits in [the] [number] #", digit_count),
];

#[cfg(test)]
mod tests {
    use super::super::lexer::tokens;
    use super::*;

    #[test]
    fn roman_numerals_go_there_and_back() {
        for number in 1..4_000 {
            assert_eq!(to_roman(number).and_then(|roman| from_roman(&roman)), Some(number));
        }
        for text in ["IIII", "VX", "IC", "MMMM", "XIVI", "", "ABC"] {
            assert_eq!(from_roman(text), None, "{text}");
        }
    }

    #[test]
    fn numbers_in_words_are_read_back() {
        for number in (0..3_000).chain((1..60).map(|n| n * 987_654_321)) {
            let text = named(number);
            let read = spelled(&tokens(&text).unwrap()).unwrap();
            assert_eq!(read.value, whole(number), "{text}");
        }
    }
}
