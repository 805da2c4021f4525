//! Expressions in running text: where they begin and end, units left out.

use super::tokens::Token;

/// Longest expression, in tokens, and most words of unit behind one operand.
const MOST_TOKENS: usize = 120;
const MOST_UNITS: usize = 4;

/// The expression that ends where the segment ends, units left out; `None` where an operand is
/// unknown.
pub(super) fn expression_at_end(segment: &[Token]) -> Option<Vec<Token>> {
    let mut reversed: Vec<Token> = Vec::new();
    let mut at = segment.len();
    loop {
        at = skip_words_back(segment, at)?;
        at = operand_back(segment, at, &mut reversed)?;
        let Some(Token::Operator { sign, spaced }) = at.checked_sub(1).and_then(|i| segment.get(i))
        else {
            break;
        };
        let before = skip_words_back(segment, at - 1);
        let operand_before = before
            .and_then(|b| b.checked_sub(1))
            .is_some_and(|b| matches!(segment.get(b), Some(Token::Number { .. } | Token::Close)));
        if operand_before {
            reversed.push(Token::Operator { sign: *sign, spaced: *spaced });
            at -= 1;
            continue;
        }
        let word_before =
            at.checked_sub(2).is_some_and(|b| matches!(segment.get(b), Some(Token::Word(_))));
        match (sign, spaced) {
            // "is -5 + 3 = …": a sign. "cost - 5 = …": an unknown operand.
            ('-', false) => reversed.push(Token::Operator { sign: '-', spaced: false }),
            _ if word_before => return None,
            // A bullet.
            ('-' | '*', true) => {}
            _ => return None,
        }
        break;
    }
    // A number or bracket right before, without an operator, is a reading we do not know.
    let clear = at.checked_sub(1).is_none_or(|b| {
        !matches!(segment.get(b), Some(Token::Number { .. } | Token::Close | Token::Open))
    });
    reversed.reverse();
    (clear && reversed.len() <= MOST_TOKENS).then_some(reversed)
}

fn skip_words_back(segment: &[Token], mut at: usize) -> Option<usize> {
    let mut skipped = 0;
    loop {
        match at.checked_sub(1).and_then(|i| segment.get(i)) {
            Some(Token::Word(_)) => at -= 1,
            // A remark in brackets without any number: "25 (initial pens)".
            Some(Token::Close) => {
                let open = opening(segment, at - 1)?;
                let inner = segment.get(open + 1..at - 1)?;
                let is_remark = !inner.is_empty()
                    && inner.iter().all(|t| matches!(t, Token::Word(_) | Token::Break));
                if !is_remark {
                    return Some(at);
                }
                at = open;
            }
            _ => return Some(at),
        }
        skipped += 1;
        if skipped > 2 * MOST_UNITS {
            return None;
        }
    }
}

/// The bracket that this one closes.
fn opening(segment: &[Token], close: usize) -> Option<usize> {
    let mut depth = 0usize;
    for at in (0..=close).rev() {
        match segment.get(at)? {
            Token::Close => depth += 1,
            Token::Open => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

/// Takes the operand that ends before `at`, reversed; gives where it begins.
fn operand_back(segment: &[Token], at: usize, reversed: &mut Vec<Token>) -> Option<usize> {
    let end = at.checked_sub(1)?;
    match segment.get(end)? {
        number @ Token::Number { .. } => {
            reversed.push(number.clone());
            Some(end)
        }
        Token::Close => {
            let open = opening(segment, end)?;
            let inner = bracketed(segment.get(open + 1..end)?)?;
            reversed.push(Token::Close);
            reversed.extend(inner.into_iter().rev());
            reversed.push(Token::Open);
            Some(open)
        }
        _ => None,
    }
}

/// The inside of brackets without its units; `None` where it is not a calculation.
fn bracketed(inner: &[Token]) -> Option<Vec<Token>> {
    let mut kept = Vec::new();
    for token in inner {
        match token {
            Token::Word(_) if matches!(kept.last(), Some(Token::Number { .. } | Token::Close)) => {}
            Token::Word(_) | Token::Break | Token::Equals { .. } => return None,
            other => kept.push(other.clone()),
        }
    }
    (!kept.is_empty()).then_some(kept)
}

/// The expression with which a segment starts: what the calculation is said to come to.
pub(super) fn expression_at_start(segment: &[Token]) -> Option<Vec<Token>> {
    let mut taken: Vec<Token> = Vec::new();
    let mut at = 0;
    if let Some(Token::Word(word)) = segment.first() {
        if !["about", "approximately", "roughly"].contains(&word.as_str()) {
            return None;
        }
        at += 1;
    }
    loop {
        if let Some(Token::Operator { sign: '-', .. }) = segment.get(at) {
            taken.push(Token::Operator { sign: '-', spaced: false });
            at += 1;
        }
        match segment.get(at)? {
            number @ Token::Number { .. } => {
                taken.push(number.clone());
                at += 1;
            }
            Token::Open => {
                let close = closing(segment, at)?;
                taken.push(Token::Open);
                taken.extend(bracketed(segment.get(at + 1..close)?)?);
                taken.push(Token::Close);
                at = close + 1;
            }
            _ => return None,
        }
        let mut next = at;
        while next < at + MOST_UNITS && matches!(segment.get(next), Some(Token::Word(_))) {
            if let Some(Token::Word(word)) = segment.get(next)
                && (SCALES.contains(&word.as_str()) || word == "r" || word == "remainder")
            {
                return None;
            }
            next += 1;
        }
        match (segment.get(next), segment.get(next + 1)) {
            (Some(operator @ Token::Operator { .. }), Some(Token::Number { .. } | Token::Open)) => {
                taken.push(operator.clone());
                at = next + 1;
            }
            (Some(Token::Number { .. } | Token::Open), _) if next == at => {
                return remark_follows(segment, at).then_some(taken);
            }
            _ => return (taken.len() <= MOST_TOKENS).then_some(taken),
        }
    }
}

const SCALES: [&str; 8] =
    ["hundred", "thousand", "million", "billion", "trillion", "thousands", "millions", "billions"];

/// Whether what follows is a remark in brackets, not a factor: "18 (rounded up)".
fn remark_follows(segment: &[Token], open: usize) -> bool {
    matches!(segment.get(open), Some(Token::Open))
        && matches!(segment.get(open + 1), Some(Token::Word(_)))
}

fn closing(segment: &[Token], open: usize) -> Option<usize> {
    let mut depth = 0usize;
    for (at, token) in segment.iter().enumerate().skip(open) {
        match token {
            Token::Open => depth += 1,
            Token::Close => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

pub(super) fn is_tight_fraction(expression: &[Token]) -> bool {
    matches!(
        expression,
        [Token::Number { .. }, Token::Operator { sign: '/', spaced: false }, Token::Number { .. }]
    )
}

/// Units of one dimension that texts convert without saying so.
const CONVERTIBLE: [&str; 46] = [
    "second",
    "sec",
    "minute",
    "min",
    "hour",
    "hr",
    "day",
    "week",
    "month",
    "year",
    "decade",
    "inch",
    "foot",
    "feet",
    "ft",
    "yard",
    "mile",
    "mm",
    "cm",
    "m",
    "meter",
    "km",
    "kilometer",
    "cent",
    "¢",
    "penny",
    "pennie",
    "nickel",
    "dime",
    "quarter",
    "dollar",
    "buck",
    "ounce",
    "oz",
    "pound",
    "lb",
    "g",
    "gram",
    "kg",
    "kilogram",
    "cup",
    "pint",
    "quart",
    "gallon",
    "dozen",
    "pair",
];

/// Whether an equation names two different convertible units.
pub(super) fn mixes_units(left: &[Token], right: &[Token]) -> bool {
    let near = right.iter().take(2 * MOST_UNITS);
    let mut units = left.iter().chain(near).filter_map(|token| match token {
        Token::Word(word) => {
            let singular = word.strip_suffix('s').filter(|s| !s.is_empty()).unwrap_or(word);
            CONVERTIBLE.iter().find(|unit| **unit == singular || **unit == word.as_str())
        }
        _ => None,
    });
    units.next().is_some_and(|first| units.any(|unit| unit != first))
}
