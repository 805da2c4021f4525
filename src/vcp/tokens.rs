//! Tokens of calculations in running text.

use regex::Regex;

/// A token of a line, as far as calculations need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A number: its digits without commas, its decimals, and what stands with it.
    Number { digits: String, decimals: u32, percent: bool, money: bool },
    /// `+ - * / ^`, and whether white space stands behind it.
    Operator { sign: char, spaced: bool },
    /// `(`
    Open,
    /// `)`
    Close,
    /// `=` or, where true, `≈`.
    Equals { about: bool },
    /// A word, mostly a unit.
    Word(String),
    /// Anything that ends an expression: punctuation, an unknown like `2x`, a time like `2:30`.
    Break,
}

/// Longest line that is read, in bytes: no calculation is longer.
const LONGEST: usize = 4096;

/// Compiles a pattern of this room.
#[expect(clippy::expect_used, reason = "the patterns are constants, and tests run all of them")]
pub(super) fn pattern(source: &str) -> Regex {
    Regex::new(source).expect("a constant pattern compiles")
}

/// The tokens of one line. A single pass by hand: drafts are read here on every request.
pub(super) fn tokens(line: &str) -> Vec<Token> {
    let line = line[..line.floor_char_boundary(LONGEST)].replace("**", "").replace("\\*", "*");
    let mut found: Vec<Token> = Vec::new();
    let (mut at, mut before, mut money) = (0, None, false);
    while let Some(c) = line[at..].chars().next() {
        let rest = &line[at..];
        let follows = &rest[c.len_utf8()..];
        let mut length = c.len_utf8();
        let is_money = "$€£¥".contains(c);
        if c.is_ascii_digit() || (c == '.' && follows.starts_with(|d: char| d.is_ascii_digit())) {
            length = number_length(rest);
            let after = rest[length..].trim_start_matches(' ');
            let percent = after.starts_with('%');
            found.push(number(&rest[..length], percent, money, before, &rest[length..]));
            if percent {
                length = rest.len() - after.len() + 1;
            }
        } else if c.is_alphabetic() || "_°¢".contains(c) {
            length = word_length(rest);
            word(&mut found, &rest[..length], before, &rest[length..]);
        } else {
            match c {
                // `$25/month`: the slash belongs to the unit.
                '/' if follows.starts_with(char::is_alphabetic) => {}
                '+' | '-' | '*' | '/' | '×' | '÷' | '·' | '∙' | '⋅' | '−' | '–' | '^' => {
                    let spaced = follows.starts_with(char::is_whitespace);
                    found.push(Token::Operator { sign: plain_sign(c), spaced });
                }
                '≈' | '≅' => found.push(Token::Equals { about: true }),
                '=' => found.push(Token::Equals { about: false }),
                '(' | '[' | '{' => found.push(Token::Open),
                ')' | ']' | '}' => found.push(Token::Close),
                _ if c.is_whitespace() || is_money || "`\"~".contains(c) => {}
                _ => found.push(Token::Break),
            }
        }
        money = is_money || (money && c.is_whitespace());
        at += length;
        before = line[..at].chars().next_back();
    }
    found
}

/// Length of the number at the beginning: digits, thousands behind commas, decimals.
fn number_length(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let digits = |from: usize| {
        bytes.get(from..).unwrap_or_default().iter().take_while(|b| b.is_ascii_digit()).count()
    };
    let mut length = digits(0);
    if (1..=3).contains(&length) {
        while bytes.get(length) == Some(&b',') && digits(length + 1) == 3 {
            length += 4;
        }
    }
    let decimals = digits(length + 1);
    if bytes.get(length) == Some(&b'.') && decimals > 0 { length + 1 + decimals } else { length }
}

/// Length of the word at the beginning, with what is written over a slash: `miles/hour`.
fn word_length(rest: &str) -> usize {
    let mut length = 0;
    let mut chars = rest.chars().peekable();
    let mut over = false;
    while let Some(c) = chars.next() {
        let continues = if over {
            c.is_alphabetic()
        } else {
            c.is_alphanumeric() || "_'’.²³°¢".contains(c)
        };
        let slash = c == '/' && length > 0 && chars.peek().is_some_and(|n| n.is_alphabetic());
        if !continues && !slash {
            break;
        }
        over |= slash;
        length += c.len_utf8();
    }
    length
}

fn number(digits: &str, percent: bool, money: bool, before: Option<char>, after: &str) -> Token {
    let time = after.strip_prefix(':').is_some_and(|r| r.starts_with(|c: char| c.is_ascii_digit()));
    let late_minutes = before == Some(':');
    let mut letters = after.chars().take_while(|c| c.is_alphabetic());
    // `2x` is algebra, `1st` an ordinal; `5km` carries its unit.
    let glued = letters.next();
    let unknown = glued.is_some_and(|first| {
        let rest = letters.next();
        let operator = matches!(first, 'x' | 'X')
            && after[first.len_utf8()..]
                .trim_start()
                .starts_with(|c: char| c.is_ascii_digit() || c == '$' || c == '(');
        rest.is_none() && !operator && !matches!(first, 'm' | 'g' | 'L' | 'h' | 's')
    });
    let ordinal = ["st", "nd", "rd", "th"].iter().any(|s| after.starts_with(s));
    if time || late_minutes || unknown || ordinal {
        return Token::Break;
    }
    let decimals = digits.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    Token::Number {
        digits: digits.replace(',', ""),
        decimals: u32::try_from(decimals).unwrap_or(u32::MAX),
        percent,
        money,
    }
}

fn word(found: &mut Vec<Token>, word: &str, before: Option<char>, after: &str) {
    let closes_sentence = word.ends_with('.');
    let bare = word.trim_end_matches('.');
    let operand_follows =
        after.trim_start().starts_with(|c: char| c.is_ascii_digit() || "$(.-€£".contains(c));
    let part_before = matches!(found.last(), Some(Token::Number { percent: true, .. }))
        || matches!(
            found.as_slice(),
            [.., Token::Number { .. }, Token::Operator { sign: '/', .. }, Token::Number { .. }]
        );
    let sign = match bare {
        "x" | "X" | "times" => Some('*'),
        "plus" => Some('+'),
        "minus" => Some('-'),
        "of" if part_before => Some('*'),
        _ => None,
    };
    let spaced = after.starts_with(char::is_whitespace);
    match sign {
        Some(sign) if operand_follows => found.push(Token::Operator { sign, spaced }),
        _ if before.is_some_and(|c| c.is_ascii_digit()) && bare.chars().count() == 1 => {
            // The unit glued to a number, such as the g of 5g.
            found.push(Token::Word(bare.to_owned()));
        }
        _ if is_name(bare) || CONNECTIVES.contains(&bare) => found.push(Token::Break),
        _ => {
            found.push(Token::Word(bare.to_lowercase()));
            if closes_sentence {
                found.push(Token::Break);
            }
        }
    }
}

/// Words that begin something new: what stands before them is no operand of what follows.
const CONNECTIVES: [&str; 14] = [
    "and", "or", "so", "then", "where", "let", "if", "is", "are", "was", "thus", "hence", "but",
    "which",
];

/// `A`, `B`, `X`: the name of an unknown.
fn is_name(word: &str) -> bool {
    let mut chars = word.chars();
    chars.next().is_some_and(char::is_uppercase) && chars.next().is_none()
}

fn plain_sign(sign: char) -> char {
    match sign {
        '×' | '·' | '∙' | '⋅' => '*',
        '÷' => '/',
        '−' | '–' => '-',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number(digits: &str, percent: bool, money: bool) -> Token {
        let decimals = digits.split_once('.').map_or(0, |(_, f)| f.len() as u32);
        Token::Number { digits: digits.to_owned(), decimals, percent, money }
    }

    #[test]
    fn numbers_keep_what_stands_with_them() {
        assert_eq!(tokens("$1,200.50"), [number("1200.50", false, true)]);
        assert_eq!(tokens("20 %"), [number("20", true, false)]);
        assert_eq!(tokens(".5"), [number(".5", false, false)]);
    }

    #[test]
    fn unknowns_ordinals_and_times_end_an_expression() {
        for text in ["2y", "10th", "A"] {
            assert_eq!(tokens(text).first(), Some(&Token::Break), "{text}");
        }
        assert!(!tokens("2:30").iter().any(|t| matches!(t, Token::Number { .. })));
    }

    #[test]
    fn units_over_a_slash_are_one_word() {
        assert_eq!(
            tokens("5 miles/hour"),
            [number("5", false, false), Token::Word("miles/hour".to_owned())]
        );
        assert_eq!(tokens("$25/month").len(), 2);
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "\\PC{0,80}") {
            let _ = tokens(&text);
        }
    }
}
