//! One pass over a text: words, numbers, signs. What every feature is read from.

/// Longest text that is scanned, in bytes; what lies behind is not looked at.
const LONGEST: usize = 24 * 1024;

/// A piece of a text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Token<'a> {
    /// Letters, with inner apostrophes.
    Word(&'a str),
    /// A number in digits.
    Number(Figure),
    /// One of `+ - * /`.
    Operator(u8),
    /// `(` and its like.
    Open,
    /// `)` and its like.
    Close,
    /// `=` or `≈`.
    Equals,
    /// The end of a sentence or line, or any other sign that ends an expression.
    Break(u8),
}

/// A number as it is written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Figure {
    pub(super) value: f64,
    pub(super) has_point: bool,
    pub(super) is_percent: bool,
}

/// The tokens of a folded text.
pub(super) fn tokens(folded: &str) -> Vec<Token<'_>> {
    let text = folded.get(..folded.floor_char_boundary(LONGEST)).unwrap_or_default();
    let bytes = text.as_bytes();
    let at = |i: usize| bytes.get(i).copied().unwrap_or(0);
    let mut found = Vec::with_capacity(bytes.len() / 4);
    let mut i = 0;
    while i < bytes.len() {
        let b = at(i);
        match b {
            b'a'..=b'z' => {
                let from = i;
                while at(i).is_ascii_lowercase()
                    || (at(i) == b'\'' && at(i + 1).is_ascii_lowercase())
                    || at(i) >= 0xc3 && at(i) != 0xe2
                    || (0x80..0xc0).contains(&at(i))
                {
                    i += 1;
                }
                found.extend(text.get(from..i).map(Token::Word));
            }
            b'0'..=b'9' => {
                let (figure, end) = figure(bytes, i);
                found.push(Token::Number(figure));
                i = end;
            }
            b'.' if at(i + 1).is_ascii_digit() => {
                let (figure, end) = figure(bytes, i);
                found.push(Token::Number(figure));
                i = end;
            }
            // The escapes of JSON and LaTeX.
            b'\\' if at(i + 1) == b'n' && at(i + 2) != b'e' => {
                found.push(Token::Break(b'\n'));
                i += 2;
            }
            b'\\' if bytes.get(i..).is_some_and(|rest| rest.starts_with(b"\\times")) => {
                found.push(Token::Operator(b'*'));
                i += 6;
            }
            b'\\' if bytes.get(i..).is_some_and(|rest| rest.starts_with(b"\\div")) => {
                found.push(Token::Operator(b'/'));
                i += 4;
            }
            // What ends a text for a model is no part of it.
            b'<' if bytes.get(i..).is_some_and(|rest| rest.starts_with(b"</s>")) => i += 4,
            b'+' | b'-' | b'*' | b'/' => {
                // Bold type in Markdown is no power.
                if b == b'*' && at(i + 1) == b'*' {
                    i += 2;
                } else {
                    found.push(Token::Operator(b));
                    i += 1;
                }
            }
            b'(' | b'[' => {
                found.push(Token::Open);
                i += 1;
            }
            b')' | b']' => {
                found.push(Token::Close);
                i += 1;
            }
            b'=' => {
                found.push(Token::Equals);
                i += 1;
            }
            b' ' | b'$' | b'\t' | b'\\' | b'_' | b'`' => i += 1,
            0xc3 if at(i + 1) == 0x97 => {
                found.push(Token::Operator(b'*'));
                i += 2;
            }
            0xc3 if at(i + 1) == 0xb7 => {
                found.push(Token::Operator(b'/'));
                i += 2;
            }
            0xe2 if at(i + 1) == 0x89 && at(i + 2) == 0x88 => {
                found.push(Token::Equals);
                i += 3;
            }
            0x80.. => i += 1,
            other => {
                found.push(Token::Break(other));
                i += 1;
            }
        }
    }
    found
}

/// The number that begins here, and where it ends. Commas between digits are part of it.
fn figure(bytes: &[u8], from: usize) -> (Figure, usize) {
    let at = |i: usize| bytes.get(i).copied().unwrap_or(0);
    let (mut i, mut value, mut unit, mut has_point) = (from, 0.0_f64, 1.0_f64, false);
    loop {
        match at(i) {
            digit @ b'0'..=b'9' => {
                if has_point {
                    unit /= 10.0;
                    value += f64::from(digit - b'0') * unit;
                } else {
                    value = value * 10.0 + f64::from(digit - b'0');
                }
            }
            b',' if !has_point && at(i + 1).is_ascii_digit() => {}
            b'.' if !has_point && at(i + 1).is_ascii_digit() => has_point = true,
            _ => break,
        }
        i += 1;
    }
    let is_percent = at(i) == b'%';
    // Sums of tenths are a little off; what is written has at most six decimals that matter.
    let value = if has_point { (value * 1e6).round() / 1e6 } else { value };
    (Figure { value, has_point, is_percent }, i + usize::from(is_percent))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_calculation_falls_into_its_signs() {
        let found = tokens("so 1,200 miles/hour × 2.5 = $3000.");
        let numbers: Vec<f64> = found
            .iter()
            .filter_map(|t| if let Token::Number(f) = t { Some(f.value) } else { None })
            .collect();
        assert_eq!(numbers, [1200.0, 2.5, 3000.0]);
        assert!(found.contains(&Token::Operator(b'*')) && found.contains(&Token::Equals));
        assert_eq!(found.last(), Some(&Token::Break(b'.')));
    }

    proptest! {
        #[test]
        fn any_text_comes_to_its_end(text in "\\PC{0,300}") {
            prop_assert!(tokens(&text.to_lowercase()).len() <= text.len() * 3);
        }
    }
}
