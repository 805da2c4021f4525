//! The calculations shown in a draft, in floating point: quick, for features. Whether a step holds
//! is decided exactly by VCP's check; what is looked at here is where its numbers come from.

use super::scan::Token;

/// Most calculations, and longest expression in tokens, that are looked at.
const MOST: usize = 64;
const LONGEST: usize = 40;
/// Most words between a number and the next sign: `8 miles an hour * 4`.
const MOST_UNITS: usize = 3;

/// One calculation: `operands` under `operators` came to `shown`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Calculation {
    pub(super) operands: Vec<f64>,
    pub(super) operators: Vec<u8>,
    pub(super) value: f64,
    pub(super) shown: f64,
}

impl Calculation {
    /// Whether it comes to what is shown, rounding and percentages allowed for.
    pub(super) fn holds(&self) -> bool {
        let near = |a: f64, b: f64| (a - b).abs() <= 0.0051_f64.max(b.abs() * 0.004);
        near(self.value, self.shown)
            || near(self.value * 100.0, self.shown)
            || near(self.value / 100.0, self.shown)
    }

    pub(super) fn has(&self, operator: u8) -> bool {
        self.operators.contains(&operator)
    }
}

/// Every `… = …` of a text whose two sides have a value.
pub(super) fn calculations(tokens: &[Token<'_>]) -> Vec<Calculation> {
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        if *token != Token::Equals || found.len() >= MOST {
            continue;
        }
        let (before, after) = tokens.split_at(at);
        let Some(left) = expression_before(before) else { continue };
        let Some(right) = expression_after(after.get(1..).unwrap_or_default()) else { continue };
        let (Some(value), Some(shown)) = (value(&left), value(&right)) else { continue };
        let operators: Vec<u8> = left
            .iter()
            .filter_map(|t| if let Token::Operator(o) = t { Some(*o) } else { None })
            .collect();
        let operands: Vec<f64> = left
            .iter()
            .filter_map(|t| if let Token::Number(f) = t { Some(f.value) } else { None })
            .collect();
        if operands.len() >= 2 && !operators.is_empty() && value.is_finite() && shown.is_finite() {
            found.push(Calculation { operands, operators, value, shown });
        }
    }
    found
}

/// The expression that ends here, units left out.
fn expression_before<'a>(tokens: &[Token<'a>]) -> Option<Vec<Token<'a>>> {
    let mut found: Vec<Token<'a>> = Vec::new();
    let mut at = tokens.len();
    while let Some(token) = at.checked_sub(1).and_then(|i| tokens.get(i)) {
        if found.len() > LONGEST {
            break;
        }
        match token {
            Token::Word("x") if is_number(tokens.get(at)) => found.push(Token::Operator(b'*')),
            Token::Word(_) => {
                // Units belong to the number before them.
                let mut words = 1;
                while words < MOST_UNITS
                    && matches!(
                        at.checked_sub(words + 1).and_then(|i| tokens.get(i)),
                        Some(Token::Word(_) | Token::Operator(b'/'))
                    )
                {
                    words += 1;
                }
                let owner = at.checked_sub(words + 1).and_then(|i| tokens.get(i));
                let continues = matches!(
                    tokens.get(at),
                    None | Some(Token::Operator(_) | Token::Close | Token::Open)
                ) || matches!(tokens.get(at), Some(Token::Word("x")));
                if !continues || !(is_number(owner) || owner == Some(&Token::Close)) {
                    break;
                }
                at -= words;
                continue;
            }
            Token::Number(_) | Token::Operator(_) | Token::Open | Token::Close => {
                found.push(*token);
            }
            Token::Equals | Token::Break(_) => break,
        }
        at -= 1;
    }
    found.reverse();
    let begins = found.iter().position(|t| matches!(t, Token::Number(_) | Token::Open))?;
    Some(found.split_off(begins))
}

fn is_number(token: Option<&Token<'_>>) -> bool {
    matches!(token, Some(Token::Number(_)))
}

/// The expression that begins here: numbers joined by operators.
fn expression_after<'a>(tokens: &[Token<'a>]) -> Option<Vec<Token<'a>>> {
    let mut found: Vec<Token<'a>> = Vec::new();
    for token in tokens.iter().take(LONGEST) {
        let after_number = matches!(found.last(), Some(Token::Number(_) | Token::Close));
        match token {
            Token::Number(_) if !after_number => found.push(*token),
            Token::Operator(b'-') if found.is_empty() => found.push(*token),
            Token::Operator(_) | Token::Close if after_number => found.push(*token),
            Token::Open if !after_number => found.push(*token),
            _ => break,
        }
    }
    while matches!(found.last(), Some(Token::Operator(_) | Token::Open)) {
        found.pop();
    }
    (!found.is_empty()).then_some(found)
}

/// The value by the usual precedence; `None` where it is no expression.
fn value(tokens: &[Token<'_>]) -> Option<f64> {
    let mut at = 0;
    let result = sum(tokens, &mut at, 0)?;
    (at == tokens.len()).then_some(result)
}

fn sum(tokens: &[Token<'_>], at: &mut usize, depth: usize) -> Option<f64> {
    let mut total = product(tokens, at, depth)?;
    while let Some(Token::Operator(sign @ (b'+' | b'-'))) = tokens.get(*at) {
        *at += 1;
        let next = product(tokens, at, depth)?;
        total = if *sign == b'+' { total + next } else { total - next };
    }
    Some(total)
}

fn product(tokens: &[Token<'_>], at: &mut usize, depth: usize) -> Option<f64> {
    let mut total = factor(tokens, at, depth)?;
    while let Some(Token::Operator(sign @ (b'*' | b'/'))) = tokens.get(*at) {
        *at += 1;
        let next = factor(tokens, at, depth)?;
        total = if *sign == b'*' { total * next } else { total / next };
    }
    Some(total)
}

fn factor(tokens: &[Token<'_>], at: &mut usize, depth: usize) -> Option<f64> {
    if depth > 8 {
        return None;
    }
    let token = tokens.get(*at)?;
    *at += 1;
    match token {
        Token::Number(f) if f.is_percent => Some(f.value / 100.0),
        Token::Number(f) => Some(f.value),
        Token::Operator(b'-') => Some(-factor(tokens, at, depth + 1)?),
        Token::Open => {
            let inner = sum(tokens, at, depth + 1)?;
            let closes = tokens.get(*at) == Some(&Token::Close);
            *at += 1;
            closes.then_some(inner)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judgement::scan::tokens;

    fn found(text: &str) -> Vec<(f64, f64)> {
        calculations(&tokens(text)).iter().map(|c| (c.value, c.shown)).collect()
    }

    #[test]
    fn calculations_in_any_dress_are_seen() {
        for (text, value) in [
            ("so he has 24 - 2 = 22 lollipops", 22.0),
            ("8 miles/hour * 4 hours = 32 miles", 32.0),
            ("that is 20/100 * 50 = 10 people", 10.0),
            ("first 0.20 * 50 = 10", 10.0),
            ("<<8*4=32>>32", 32.0),
            ("(38 - 2) * 2 = 72", 72.0),
            ("14 x 2 = 28", 28.0),
            ("60% * 40 = 24", 24.0),
        ] {
            assert_eq!(found(text), [(value, value)], "{text}");
        }
    }

    #[test]
    fn a_running_equation_has_every_step() {
        assert_eq!(found("8 * 4 + 8 * 6 = 32 + 48 = 80"), [(80.0, 80.0), (80.0, 80.0)]);
        assert!(!calculations(&tokens("3 * 4 = 13"))[0].holds());
    }
}
