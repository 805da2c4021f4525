//! Tokens of a question. Each keeps its raw text and whether space stood before it: `9/11` and
//! `9 / 11`, `Mb` and `MB` are not the same question.

use std::borrow::Cow;

use num_bigint::BigInt;
use num_rational::BigRational;

use crate::domain::Number;
use crate::text::fold;

/// What a token is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    /// Digits, with thousands commas, a fraction or an exponent; never signed.
    Number(BigRational),
    /// Letters, folded; inner apostrophes kept.
    Word(String),
    /// What stood between quotation marks, as written.
    Quoted(String),
    /// Anything else, in its plain form: `×` is `*`, `÷` is `/`, `**` is `^`.
    Symbol(char),
}

/// A token and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    /// As written.
    pub(super) raw: &'a str,
    /// Byte offset of `raw` in the text.
    pub(super) start: usize,
    /// White space stood before it.
    pub(super) spaced: bool,
}

impl Token<'_> {
    /// Whether this is that folded word or that symbol.
    pub(super) fn is(&self, text: &str) -> bool {
        match &self.kind {
            Kind::Word(word) => word == text,
            Kind::Symbol(c) => {
                let mut chars = text.chars();
                chars.next() == Some(*c) && chars.next().is_none()
            }
            Kind::Number(_) | Kind::Quoted(_) => false,
        }
    }

    /// The folded word or the symbol, as the tables of phrases have it.
    pub(super) fn text(&self) -> Option<Cow<'_, str>> {
        match &self.kind {
            Kind::Word(word) => Some(Cow::Borrowed(word)),
            Kind::Symbol(symbol) => Some(Cow::Owned(symbol.to_string())),
            Kind::Number(_) | Kind::Quoted(_) => None,
        }
    }

    pub(super) fn word(&self) -> Option<&str> {
        match &self.kind {
            Kind::Word(word) => Some(word),
            _ => None,
        }
    }

    pub(super) fn number(&self) -> Option<&BigRational> {
        match &self.kind {
            Kind::Number(number) => Some(number),
            _ => None,
        }
    }

    pub(super) fn end(&self) -> usize {
        self.start + self.raw.len()
    }
}

/// The tokens of a text, or `None` when a number in it is too long to be worth its memory.
pub(super) fn tokens(text: &str) -> Option<Vec<Token<'_>>> {
    let chars: Vec<(usize, char)> =
        text.char_indices().filter_map(|(at, c)| Some((at, plain(c)?))).collect();
    let mut lexer = Lexer { text, chars, at: 0 };
    let mut found = Vec::new();
    loop {
        let spaced = lexer.skip_space();
        let Some(&(start, _)) = lexer.chars.get(lexer.at) else { return Some(found) };
        let kind = lexer.kind()?;
        let raw = text.get(start..lexer.offset()).unwrap_or_default();
        found.push(Token { kind, raw, start, spaced });
    }
}

struct Lexer<'a> {
    text: &'a str,
    chars: Vec<(usize, char)>,
    at: usize,
}

impl Lexer<'_> {
    fn kind(&mut self) -> Option<Kind> {
        let c = self.peek(0)?;
        let leading_point = c == '.'
            && self.peek(1).is_some_and(|n| n.is_ascii_digit())
            && !self.before().is_some_and(|b| b.is_alphanumeric() || b == '.');
        if c.is_ascii_digit() || leading_point {
            return self.number().map(Kind::Number);
        }
        if let Some((above, below)) = vulgar(c) {
            self.at += 1;
            return Some(Kind::Number(BigRational::new(above.into(), below.into())));
        }
        if matches!(c, '"' | '\'' | '`')
            && let Some(quoted) = self.quoted(c)
        {
            return Some(Kind::Quoted(quoted));
        }
        if c.is_alphabetic() {
            return Some(self.word());
        }
        self.at += 1;
        let doubled = self.peek(0) == Some(c);
        let symbol = match c {
            '*' if doubled => '^',
            '&' if doubled => '∧',
            '|' if doubled => '∨',
            '=' if doubled => '=',
            _ => return Some(Kind::Symbol(c)),
        };
        self.at += 1;
        Some(Kind::Symbol(symbol))
    }

    fn word(&mut self) -> Kind {
        let start = self.offset();
        while let Some(c) = self.peek(0) {
            let joins = c == '\'' && self.peek(1).is_some_and(char::is_alphabetic);
            if !(c.is_alphabetic() || joins) {
                break;
            }
            self.at += 1;
        }
        Kind::Word(fold(self.text.get(start..self.offset()).unwrap_or_default()))
    }

    fn number(&mut self) -> Option<BigRational> {
        let mut digits = String::new();
        self.digits(&mut digits);
        while (1..=3).contains(&leading(&digits))
            && self.peek(0) == Some(',')
            && (1..=3).all(|i| self.peek(i).is_some_and(|c| c.is_ascii_digit()))
            && !self.peek(4).is_some_and(|c| c.is_ascii_digit())
        {
            digits.push(',');
            self.at += 1;
            self.digits(&mut digits);
        }
        if digits.is_empty() {
            digits.push('0');
        }
        let whole_only = self.peek(0) != Some('.');
        if !whole_only && self.peek(1).is_some_and(|c| c.is_ascii_digit()) {
            digits.push('.');
            self.at += 1;
            self.digits(&mut digits);
        }
        self.exponent(&mut digits);
        let value = digits.parse::<Number>().ok()?.as_rational().clone();
        if whole_only && let Some((above, below)) = self.peek(0).and_then(vulgar) {
            self.at += 1;
            return Some(value + BigRational::new(above.into(), below.into()));
        }
        Some(value)
    }

    /// `e5`, `e-3` directly behind the digits, with no letter behind it.
    fn exponent(&mut self, digits: &mut String) {
        if !matches!(self.peek(0), Some('e' | 'E')) {
            return;
        }
        let signed = usize::from(matches!(self.peek(1), Some('-' | '+')));
        let mut end = 1 + signed;
        while self.peek(end).is_some_and(|c| c.is_ascii_digit()) {
            end += 1;
        }
        if end == 1 + signed || self.peek(end).is_some_and(char::is_alphabetic) {
            return;
        }
        digits.extend((0..end).filter_map(|i| self.peek(i)).filter(|&c| c != '+'));
        self.at += end;
    }

    fn digits(&mut self, into: &mut String) {
        while let Some(c) = self.peek(0).filter(char::is_ascii_digit) {
            into.push(c);
            self.at += 1;
        }
    }

    /// A quotation opens where a word could begin and closes where one could end, so that the
    /// marks of `5'10"` and `r's` open nothing.
    fn quoted(&mut self, mark: char) -> Option<String> {
        if !self.before().is_none_or(|b| b.is_whitespace() || matches!(b, ':' | '(' | ',')) {
            return None;
        }
        let closing = (1..).map_while(|i| Some((i, self.peek(i)?))).find(|&(i, c)| {
            c == mark && i > 1 && !self.peek(i + 1).is_some_and(char::is_alphanumeric)
        });
        let (length, _) = closing?;
        let (from, to) = (self.chars.get(self.at + 1)?.0, self.chars.get(self.at + length)?.0);
        self.at += length + 1;
        self.text.get(from..to).map(str::to_owned)
    }

    fn skip_space(&mut self) -> bool {
        let start = self.at;
        while self.peek(0).is_some_and(char::is_whitespace) {
            self.at += 1;
        }
        self.at > start
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).map(|&(_, c)| c)
    }

    fn before(&self) -> Option<char> {
        self.chars.get(self.at.checked_sub(1)?).map(|&(_, c)| c)
    }

    fn offset(&self) -> usize {
        self.chars.get(self.at).map_or(self.text.len(), |&(at, _)| at)
    }
}

fn leading(digits: &str) -> usize {
    digits.split(',').next().map_or(0, str::len)
}

/// The plain form of a typographic character; `None` for what has no width.
fn plain(c: char) -> Option<char> {
    Some(match c {
        '\u{2018}' | '\u{2019}' | '\u{201B}' | '\u{2032}' => '\'',
        '\u{201C}' | '\u{201D}' | '\u{2033}' => '"',
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        '\u{00A0}' | '\u{2000}'..='\u{200A}' | '\u{202F}' | '\u{3000}' => ' ',
        '\u{200B}'..='\u{200D}' | '\u{FEFF}' => return None,
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(c as u32 - 0xFEE0)?,
        '×' | '·' | '∙' | '⋅' | '✕' | '✖' => '*',
        '÷' | '∕' | '⁄' => '/',
        'º' | '˚' => '°',
        _ => c,
    })
}

fn vulgar(c: char) -> Option<(u8, u8)> {
    Some(match c {
        '½' => (1, 2),
        '⅓' => (1, 3),
        '⅔' => (2, 3),
        '¼' => (1, 4),
        '¾' => (3, 4),
        '⅕' => (1, 5),
        '⅛' => (1, 8),
        '⅜' => (3, 8),
        '⅝' => (5, 8),
        '⅞' => (7, 8),
        _ => return None,
    })
}

/// A whole number as a rational.
pub(super) fn whole(n: impl Into<BigInt>) -> BigRational {
    BigRational::from_integer(n.into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shapes(text: &str) -> Vec<String> {
        let shape = |t: &Token| match &t.kind {
            Kind::Number(n) => Number::from(n.clone()).to_string(),
            Kind::Word(w) => w.clone(),
            Kind::Quoted(q) => format!("“{q}”"),
            Kind::Symbol(c) => c.to_string(),
        };
        tokens(text).unwrap().iter().map(shape).collect()
    }

    #[test]
    fn numbers_keep_their_commas_points_and_exponents() {
        assert_eq!(
            shapes("1,200.50 1,2 .5 2½ 1e3 5ft"),
            ["1200.5", "1", ",", "2", "0.5", "2.5", "1000", "5", "ft"]
        );
    }

    #[test]
    fn a_version_or_an_address_is_no_single_number() {
        assert_eq!(shapes("1.2.3").len(), 3);
        assert!(shapes("10.0.0.1").len() > 1);
    }

    #[test]
    fn quotation_marks_open_only_where_a_word_could_begin() {
        assert_eq!(shapes("5'10\" to m"), ["5", "'", "10", "\"", "to", "m"]);
        assert_eq!(
            shapes("how many r's in “straw berry”?"),
            ["how", "many", "r's", "in", "“straw berry”", "?"]
        );
    }

    proptest! {
        #[test]
        fn no_text_makes_the_lexer_panic(text in "\\PC*") {
            let _ = tokens(&text);
        }

        #[test]
        fn raw_texts_are_slices_of_the_text_in_order(text in "\\PC{0,60}") {
            let mut end = 0;
            for token in tokens(&text).unwrap_or_default() {
                prop_assert!(token.start >= end);
                end = token.end();
                prop_assert_eq!(&text[token.start..end], token.raw);
            }
        }
    }
}
