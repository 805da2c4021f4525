//! What a written calculation comes to, in each of its readings.

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{Signed, Zero};

use crate::{domain::Number, solvers::evaluate};

use super::tokens::Token;

/// Whether the calculation comes to what is shown, in one of its readings; `None` when it has no
/// value, else the value that it does come to.
pub(super) fn holds(left: &[Token], right: &[Token], about: bool) -> Option<Result<(), Number>> {
    let readings: Vec<Number> = [Percent::Share, Percent::Plain, Percent::Change]
        .into_iter()
        .filter_map(|percent| written(left, percent))
        .filter_map(|expression| evaluate(&expression))
        .collect();
    let first = readings.first()?.clone();
    let targets: Vec<Number> = [Percent::Share, Percent::Plain]
        .into_iter()
        .filter_map(|percent| written(right, percent))
        .filter_map(|expression| evaluate(&expression))
        .collect();
    let decimals = match right {
        [Token::Number { decimals, .. }] => Some(*decimals),
        [Token::Operator { .. }, Token::Number { decimals, .. }] => Some(*decimals),
        _ => None,
    };
    let marks_percent =
        |tokens: &[Token]| tokens.iter().any(|t| matches!(t, Token::Number { percent: true, .. }));
    let marks_money =
        |tokens: &[Token]| tokens.iter().any(|t| matches!(t, Token::Number { money: true, .. }));
    let hundredfold =
        marks_percent(left) || marks_percent(right) || marks_money(left) != marks_money(right);
    let near = readings.iter().any(|value| {
        targets.iter().any(|target| {
            is_near(value, target, decimals, about)
                || (hundredfold
                    && [(1, 100), (100, 1)].iter().any(|&(above, below)| {
                        is_near(&times(value, above, below), target, decimals, about)
                    }))
        })
    });
    if targets.is_empty() {
        return None;
    }
    // "4 * 6 = 24 / 8 = 3": the equals sign as a running arrow.
    let runs_on = right.len() > 1
        && match right.first() {
            Some(Token::Number { digits, decimals, .. }) => digits.parse().is_ok_and(|start| {
                readings.iter().any(|value| is_near(value, &start, Some(*decimals), about))
            }),
            _ => false,
        };
    Some(if near || runs_on { Ok(()) } else { Err(first) })
}

fn times(value: &Number, above: i64, below: i64) -> Number {
    let factor = BigRational::new(BigInt::from(above), BigInt::from(below));
    Number::from(value.as_rational() * factor)
}

/// Whether a value may be shown as that: equal, or rounded to the decimals on show. A whole number
/// on show must be the rounded value; where the line speaks of rounding, the next one will do.
fn is_near(value: &Number, target: &Number, decimals: Option<u32>, about: bool) -> bool {
    let off = (value.as_rational() - target.as_rational()).abs();
    if off.is_zero() {
        return true;
    }
    let tenth =
        |places: u32| BigRational::new(BigInt::from(1), BigInt::from(10u8).pow(places.min(30)));
    let half = BigRational::new(BigInt::from(1), BigInt::from(2));
    let room = match decimals {
        // Several decimals are as often cut off as rounded.
        Some(places) if places >= 2 || (about && places > 0) => tenth(places),
        Some(places) if about => tenth(places),
        Some(0) if value.is_integer() => return false,
        Some(places) => tenth(places) * &half,
        None => BigRational::zero(),
    };
    let hundredth_of_it = target.as_rational().abs() * tenth(2);
    let thousandth_of_it = target.as_rational().abs() * tenth(3);
    let float_noise = target.as_rational().abs() * tenth(12);
    off <= room
        || off <= float_noise
        || (about && off <= hundredth_of_it)
        || (!value.is_integer() && decimals.is_none() && off <= thousandth_of_it)
}

/// How `20%` is read.
#[derive(Clone, Copy, PartialEq)]
enum Percent {
    /// 0.2
    Share,
    /// 20
    Plain,
    /// "+ 20%" at the end adds a fifth.
    Change,
}

/// The expression in the evaluator's notation.
fn written(tokens: &[Token], percent: Percent) -> Option<String> {
    let has_percent = tokens.iter().any(|t| matches!(t, Token::Number { percent: true, .. }));
    if percent != Percent::Share && !has_percent {
        return None;
    }
    if percent == Percent::Change {
        let [
            before @ ..,
            Token::Operator { sign: sign @ ('+' | '-'), .. },
            Token::Number { digits, percent: true, .. },
        ] = tokens
        else {
            return None;
        };
        let base = written(before, Percent::Share)?;
        return Some(format!("({base}) * (1 {sign} {digits} / 100)"));
    }
    let mut text = String::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        match (token, tokens.get(at + 1), tokens.get(at + 2)) {
            // "7 / 1/2": the tight fraction belongs together.
            (
                Token::Number { digits: above, percent: false, .. },
                Some(Token::Operator { sign: '/', spaced: false }),
                Some(Token::Number { digits: below, percent: false, .. }),
            ) if matches!(
                at.checked_sub(1).and_then(|i| tokens.get(i)),
                Some(Token::Operator { sign: '/', spaced: true })
            ) =>
            {
                text.push_str(&format!("({above} / {below})"));
                at += 3;
                continue;
            }
            (Token::Number { digits, percent: true, .. }, ..) if percent == Percent::Share => {
                text.push_str(&format!("({digits} / 100)"));
            }
            (Token::Number { digits, .. }, ..) => text.push_str(digits),
            (Token::Operator { sign, .. }, ..) => {
                let binary = matches!(
                    at.checked_sub(1).and_then(|i| tokens.get(i)),
                    Some(Token::Number { .. } | Token::Close)
                );
                text.push_str(&if binary { format!(" {sign} ") } else { sign.to_string() });
            }
            (Token::Open, ..) => text.push('('),
            (Token::Close, ..) => text.push(')'),
            _ => return None,
        }
        at += 1;
    }
    Some(text)
}

/// The expression for people, cut short where it is long.
pub(super) fn shown(tokens: &[Token]) -> String {
    let full = tokens
        .iter()
        .map(|token| match token {
            Token::Number { digits, percent, money, .. } => {
                let (lead, tail) = (if *money { "$" } else { "" }, if *percent { "%" } else { "" });
                format!("{lead}{digits}{tail}")
            }
            Token::Operator { sign, .. } => sign.to_string(),
            Token::Open => "(".to_owned(),
            Token::Close => ")".to_owned(),
            Token::Equals { .. } | Token::Word(_) | Token::Break => String::new(),
        })
        .collect::<Vec<_>>()
        .join(" ");
    if full.len() <= 60 {
        return full;
    }
    format!("{}…", &full[..full.floor_char_boundary(60)])
}
