//! Numbers as people write and say them: `12`, `1 1/2`, `twenty-five`, `a dozen`, `three quarters`.

use num_rational::BigRational;
use num_traits::One;

use crate::text::number_named;

use super::lexer::{Token, whole};

/// A number read from the front of a run of tokens.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Spelled {
    pub(super) value: BigRational,
    /// How many tokens it took.
    pub(super) used: usize,
    /// A fraction word, such as `half`, which can be taken *of* something.
    pub(super) fraction: bool,
    /// An "and" was taken into the number, which in a list could also part two numbers.
    pub(super) joined: bool,
}

impl Spelled {
    fn new(value: BigRational, used: usize) -> Self {
        Self { value, used, fraction: false, joined: false }
    }
}

/// The longest number at the front, in digits or in words.
pub(super) fn spelled(tokens: &[Token<'_>]) -> Option<Spelled> {
    digits(tokens).or_else(|| fraction(tokens)).or_else(|| cardinal(tokens))
}

/// A number in digits, a mixed number (`1 1/2`), or digits with a scale word (`3 million`).
pub(super) fn digits(tokens: &[Token<'_>]) -> Option<Spelled> {
    let first = tokens.first()?;
    let value = first.number()?.clone();
    if let [_, above, slash, below, rest @ ..] = tokens
        && let (Some(n), Some(d)) = (above.number(), below.number())
        && slash.is("/")
        && above.spaced
        && !slash.spaced
        && !below.spaced
        && n < d
        && [first, above, below].iter().all(|t| t.raw.bytes().all(|b| b.is_ascii_digit()))
        && !rest.first().is_some_and(|t| t.is("^") || t.is("/") || t.is("!"))
    {
        return Some(Spelled::new(value + n / d, 4));
    }
    // "1 and a half"
    if let [_, and, a, half, ..] = tokens
        && and.is("and")
        && a.is("a")
        && half.is("half")
        && value.is_integer()
    {
        let value = value + whole(1) / whole(2);
        return Some(Spelled { joined: true, ..Spelled::new(value, 4) });
    }
    if let Some(scale) = tokens.get(1).and_then(|t| t.word()).and_then(scale) {
        return Some(Spelled::new(value * whole(scale), 2));
    }
    Some(Spelled::new(value, 1))
}

/// `half`, `a third`, `three quarters`; not `third`, which may be a rank.
fn fraction(tokens: &[Token<'_>]) -> Option<Spelled> {
    let first = tokens.first()?.word()?;
    let fraction = |above: u64, below: u64, used| Spelled {
        fraction: true,
        ..Spelled::new(whole(above) / whole(below), used)
    };
    if first == "half" {
        return Some(fraction(1, 2, 1));
    }
    let above = if first == "a" { 1 } else { small(first).filter(|n| (1..10).contains(n))? };
    let hyphen = usize::from(tokens.get(1).is_some_and(|t| t.is("-") && !t.spaced));
    let part = tokens.get(1 + hyphen)?.word()?;
    if part == "and"
        && let [_, _, a, second, ..] = tokens
        && (a.is("a") || a.is("one"))
        && let Some(below) = second.word().and_then(denominator)
    {
        let value = whole(above) + whole(1) / whole(below);
        return Some(Spelled { joined: true, ..Spelled::new(value, 4) });
    }
    Some(fraction(above, denominator(part)?, 2 + hyphen))
}

fn cardinal(tokens: &[Token<'_>]) -> Option<Spelled> {
    let mut total: u64 = 0;
    let mut group: u64 = 0;
    // What may still be added to the group, and the scale below which the next must stay.
    let (mut room, mut last_scale, mut used, mut joined) = (1_000, u64::MAX, 0, false);
    let word = |i: usize| tokens.get(i).and_then(|t| t.word());
    if word(0) == Some("a") && word(1).is_some_and(|w| w == "hundred" || scale(w).is_some()) {
        (group, used) = (1, 1);
    }
    let mut read = used;
    while let Some(token) = word(read) {
        if let Some(n) = small(token).filter(|&n| n < room && (n > 0 || read == 0)) {
            group += n;
            // "twenty" leaves room for "five", nothing else does.
            room = if n >= 20 { 10 } else { 0 };
            if n == 0 {
                return Some(Spelled::new(whole(0), 1));
            }
        } else if token == "hundred" && (1..100).contains(&group) && room < 100
            || token == "hundred" && used == 1 && group == 1
        {
            group *= 100;
            room = 100;
        } else if let Some(s) = scale(token).filter(|&s| group > 0 && s < last_scale) {
            total = total.checked_add(group.checked_mul(s)?)?;
            (group, room, last_scale) = (0, 1_000.min(s), s);
        } else {
            break;
        }
        read += 1;
        used = read;
        let hyphen = tokens.get(read).is_some_and(|t| t.is("-") && !t.spaced);
        let and = word(read) == Some("and")
            && matches!(word(read.wrapping_sub(1)), Some("hundred" | "thousand" | "million"))
            && word(read + 1).and_then(small).is_some_and(|n| (1..100).contains(&n));
        if and {
            room = room.min(100);
            joined = true;
            read += 1;
        } else if hyphen
            && word(read + 1).and_then(small).is_some_and(|n| (1..room.min(10)).contains(&n))
        {
            read += 1;
        }
    }
    if used == 0 || total + group == 0 {
        return None;
    }
    let mut value = whole(total + group);
    if word(used) == Some("point") {
        let (decimals, length) = decimals(tokens.get(used + 1..)?)?;
        value += decimals;
        used += 1 + length;
    }
    Some(Spelled { joined, ..Spelled::new(value, used) })
}

/// "five", "one four": the digits behind a spoken point.
fn decimals(tokens: &[Token<'_>]) -> Option<(BigRational, usize)> {
    let (mut value, mut place, mut length) = (whole(0), BigRational::one(), 0);
    while let Some(digit) = tokens.get(length).and_then(|t| small(t.word()?)).filter(|&d| d < 10) {
        place /= whole(10);
        value += whole(digit) * &place;
        length += 1;
        if length > 20 {
            return None;
        }
    }
    (length > 0).then_some((value, length))
}

fn small(word: &str) -> Option<u64> {
    number_named(word).map(u64::from)
}

fn scale(word: &str) -> Option<u64> {
    Some(match word {
        "dozen" => 12,
        "thousand" => 1_000,
        "million" => 1_000_000,
        "billion" => 1_000_000_000,
        "trillion" => 1_000_000_000_000,
        _ => return None,
    })
}

fn denominator(word: &str) -> Option<u64> {
    let singular = word.strip_suffix('s').unwrap_or(word);
    Some(match singular {
        "half" | "halve" => 2,
        "quarter" => 4,
        _ => ordinal(singular).filter(|n| (3..=10).contains(n))?,
    })
}

/// "third" → 3; up to "tenth".
pub(super) fn ordinal(word: &str) -> Option<u64> {
    const ORDINALS: [&str; 10] = [
        "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth",
        "tenth",
    ];
    ORDINALS.iter().position(|&o| o == word).map(|at| at as u64 + 1)
}

#[cfg(test)]
mod tests {
    use super::super::lexer::tokens;
    use super::*;
    use crate::domain::Number;

    fn read(text: &str) -> Option<(String, usize)> {
        let spelled = spelled(&tokens(text).unwrap())?;
        Some((Number::from(spelled.value).to_string(), spelled.used))
    }

    #[test]
    fn numbers_are_read_to_their_end() {
        for (text, value) in [
            ("twelve", "12"),
            ("twenty-five", "25"),
            ("twenty five", "25"),
            ("one hundred and five", "105"),
            ("a hundred", "100"),
            ("twelve hundred", "1200"),
            ("two thousand three hundred forty-one", "2341"),
            ("one million two hundred thousand", "1200000"),
            ("three point one four", "3.14"),
            ("3 million", "3000000"),
            ("two dozen", "24"),
            ("a dozen", "12"),
            ("1 1/2", "1.5"),
            ("half", "0.5"),
            ("three quarters", "0.75"),
            ("two-thirds", "2/3"),
            ("two and a half", "2.5"),
            ("zero", "0"),
        ] {
            let all = tokens(text).unwrap().len();
            assert_eq!(read(text), Some((value.to_owned(), all)), "{text}");
        }
    }

    #[test]
    fn what_is_no_number_stops_the_reading() {
        for (text, used) in [("two three", 1), ("twenty twenty", 1), ("five and six", 1)] {
            assert_eq!(read(text).map(|r| r.1), Some(used), "{text}");
        }
        for text in ["third", "a", "and", "hundred", "point five", "one thousand thousand x y z"] {
            let _ = read(text);
        }
        assert_eq!(read("hundred"), None);
        assert_eq!(read("a"), None);
    }
}
