//! The calculations written down in a text, recomputed.

use std::sync::LazyLock;

use regex::Regex;

use crate::{answers::plain_maths, domain::Number};

use super::{
    expressions::{expression_at_end, expression_at_start, is_tight_fraction, mixes_units},
    readings::{holds, shown},
    tokens::{Token, pattern, tokens},
};

/// Longest text, in bytes, and most calculations that are looked at.
const LONGEST: usize = 32 * 1024;
const MOST: usize = 200;

/// A calculation that holds: the numbers that it takes, and those that it comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Calculation {
    pub(super) from: Vec<Number>,
    pub(super) to: Vec<Number>,
}

/// What recomputing found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Recomputed {
    /// Calculations that hold, in their order.
    pub(super) right: Vec<Calculation>,
    /// Those that do not, each as `3 * 4 is 12, not 13`.
    pub(super) wrong: Vec<String>,
}

/// Recomputes every `a op b = c` of a text. What is open to several readings (percentages, cents
/// and dollars) counts as right when one reading holds; what has an unknown is left alone.
pub(super) fn recompute(text: &str) -> Recomputed {
    let text = &text[..text.floor_char_boundary(LONGEST)];
    let plain = plain_maths(text);
    let mut found = Recomputed::default();
    let unescaped = plain.replace("\\n", "\n");
    // Calculator notes of GSM8K's style, `<<5/2=2.5>>`, are calculations of their own.
    for note in NOTE.captures_iter(&unescaped).take(MOST) {
        if let Some(inner) = note.get(1) {
            recompute_line(inner.as_str(), &mut found);
        }
    }
    for line in NOTE.replace_all(&unescaped, "").lines() {
        if found.right.len() + found.wrong.len() >= MOST {
            break;
        }
        if line.contains(['=', '≈']) {
            recompute_line(line, &mut found);
        }
    }
    found
}

static NOTE: LazyLock<Regex> = LazyLock::new(|| pattern(r"<<([^<>\n]{1,200})>>"));
static ROUNDS: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)\bround|\bwhole\b|\bapprox|\bnearest\b|\bremainder\b"));

fn recompute_line(line: &str, found: &mut Recomputed) {
    let all = tokens(line);
    let mut segments: Vec<(&[Token], bool)> = Vec::new();
    let mut from = 0;
    for (at, token) in all.iter().enumerate() {
        if let Token::Equals { about } = token {
            segments.push((all.get(from..at).unwrap_or_default(), *about));
            from = at + 1;
        }
    }
    segments.push((all.get(from..).unwrap_or_default(), false));
    let rounds = ROUNDS.is_match(line);
    for pair in segments.windows(2) {
        let [(left, about), (right, _)] = pair else { continue };
        let units = mixes_units(left, right);
        let left_has_words = matches!(left.last(), Some(Token::Word(_)));
        let (Some(left), Some(right)) = (expression_at_end(left), expression_at_start(right))
        else {
            continue;
        };
        // "1/4 of the total = 10": a share of something, not a division.
        if left_has_words && is_tight_fraction(&left) {
            continue;
        }
        if !left.iter().any(|t| matches!(t, Token::Operator { .. })) || left.len() < 3 {
            continue;
        }
        match holds(&left, &right, *about || rounds) {
            None => {}
            Some(Ok(())) => {
                found.right.push(Calculation { from: numbers(&left), to: numbers(&right) });
            }
            // "1 hour + 30 minutes = 90 minutes" converts on the way.
            Some(Err(_)) if units => {}
            Some(Err(value)) => found.wrong.push(format!(
                "{} is {}, not {}",
                shown(&left),
                value.decimal(2),
                shown(&right)
            )),
        }
        if found.right.len() + found.wrong.len() >= MOST {
            return;
        }
    }
}

/// The numbers of an expression, as they are written.
fn numbers(expression: &[Token]) -> Vec<Number> {
    let number = |token: &Token| match token {
        Token::Number { digits, .. } => digits.parse().ok(),
        _ => None,
    };
    expression.iter().filter_map(number).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn counts(text: &str) -> (usize, usize) {
        let found = recompute(text);
        (found.right.len(), found.wrong.len())
    }

    #[test]
    fn calculations_in_any_dress_are_recomputed() {
        for text in [
            "5 + 3 = 8",
            "So 4 packs * $10.00 = $40.00.",
            "10/100 * $40.00 = $4.00",
            "20% of 50 = 10",
            "5 jellyfish/second * 14400 seconds = 72000 jellyfish",
            "7 / 1/2 = 14 toys",
            "25 (initial pens) + 5 (additional pens) = 30 pens",
            "12 × 3 = 36 and more",
            "9 ÷ 2 = 4.5",
            "3 x 4 = 12",
            "100 / 3 = 33.33",
            "100 / 3 ≈ 33",
            "2 / 3 = 0.66",
            "4 * 25 cents = $1",
            "1/4 * 100 = 25%",
            "50% - 25% = 25%",
            "$100 + 5% = $105",
            "(38 - 2) \\* 2 = 72",
            "\\( 28 \\times 2 = 56 \\)",
            "- 5 * 3 = 15",
            "2^3 * 2 = 16",
            "$2,000 + $3,500 = $5,500",
            "140 / 3 = 46.666666666666664",
        ] {
            assert_eq!(counts(text), (1, 0), "{text}: {:?}", recompute(text));
        }
    }

    #[test]
    fn wrong_calculations_are_found_and_named() {
        for text in
            ["5 + 3 = 9", "4 * $2.50 = $11", "<<3*4=13>>", "100 / 3 = 40", "7/2 = 4.5 hours"]
        {
            assert_eq!(counts(text), (0, 1), "{text}");
        }
        assert_eq!(recompute("He has 5 + 3 = 9 eggs").wrong, ["5 + 3 is 8, not 9"]);
    }

    #[test]
    fn chains_are_followed_step_by_step() {
        assert_eq!(counts("4 * (3 + 5) = 4 * 8 = 32"), (2, 0));
        assert_eq!(counts("4 * (3 + 5) = 4 * 9 = 36"), (1, 1));
        assert_eq!(counts("3 * 2 = $<<3*2=6>>6."), (2, 0));
    }

    #[test]
    fn an_equals_sign_that_runs_on_is_no_mistake() {
        assert_eq!(counts("4 * 6 = 24 / 8 = 3"), (2, 0));
        assert_eq!(counts("4 * 6 = 25 / 5 = 5"), (1, 1));
    }

    #[test]
    fn what_has_an_unknown_is_left_alone() {
        for text in [
            "2x + 60 = 100",
            "S + 60 = 80",
            "5 * x = 20",
            "1.5L = 120",
            "cost - 5 = 10",
            "5:00 pm - 3 hours = 2:00 pm",
            "x = 5",
            "100 - 20 = cost",
            "2(3) + 1 = 7 apples",
            "no calculation here",
            "15,000,000 / 3 = 5 million",
            "1 hour + 30 minutes = 90 minutes",
            "1/4 of the total = 10 eggs",
            "A = (3 * 4) and B = (1 - 2)",
        ] {
            assert_eq!(counts(text), (0, 0), "{text}: {:?}", recompute(text));
        }
    }

    proptest! {
        #[test]
        fn true_sums_are_never_objected_to(a in 0i64..100_000, b in 1i64..1_000) {
            let text = format!("Then {a} + {b} = {}, {a} * {b} = {} and {a} - {b} = {}.", a + b, a * b, a - b);
            prop_assert_eq!(counts(&text), (3, 0));
        }

        #[test]
        fn false_sums_are_always_objected_to(a in 0i64..100_000, b in 1i64..1_000, off in 1i64..50) {
            prop_assert_eq!(counts(&format!("{a} + {b} = {} eggs", a + b + off)), (0, 1));
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in "[-0-9a-dx+*/=().,%$ <>≈×\\n]{0,100}") {
            let _ = recompute(&text);
        }
    }
}
