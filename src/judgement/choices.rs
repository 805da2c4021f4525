//! The lettered options of a question: where they stand among its tokens, and what they look like.

use std::ops::Range;

use super::{
    question::{Feature, count},
    scan::Token,
};

/// Most options that are compared with each other.
const MOST: usize = 10;

/// The options of a question, as ranges of its tokens, their letters left out.
#[derive(Debug, Clone, Default)]
pub(super) struct Choices(Vec<Range<usize>>);

impl Choices {
    /// Lines that begin with `a`, `b` and so on, each after the one before; a new `a` begins anew.
    pub(super) fn of(tokens: &[Token<'_>]) -> Self {
        let mut found: Vec<Range<usize>> = Vec::new();
        let mut begins = true;
        for (at, token) in tokens.iter().enumerate() {
            if begins && let Some((letter, length)) = letter(tokens.get(at..).unwrap_or_default()) {
                if letter == 0 {
                    found.clear();
                }
                if letter == found.len() && letter < MOST {
                    let text = at + length;
                    let rest = tokens.get(text..).unwrap_or_default();
                    let long = rest.iter().position(is_line_end).unwrap_or(rest.len());
                    found.push(text..text + long);
                }
            }
            begins = is_line_end(token);
        }
        Self(if found.len() < 2 { Vec::new() } else { found })
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Where the options begin; behind all tokens where there are none.
    pub(super) fn begin(&self, tokens: &[Token<'_>]) -> usize {
        self.0.first().map_or(tokens.len(), |first| first.start)
    }

    /// What they look like, always the same names in the same order.
    pub(super) fn features(&self, tokens: &[Token<'_>]) -> [Feature; 5] {
        let options: Vec<Vec<&str>> = self
            .0
            .iter()
            .map(|range| words(tokens.get(range.clone()).unwrap_or_default()))
            .collect();
        let longest = options.iter().map(Vec::len).max().unwrap_or(0);
        let all: usize = options.iter().map(Vec::len).sum();
        let figures = self
            .0
            .iter()
            .filter(|range| {
                let option = tokens.get((*range).clone()).unwrap_or_default();
                option.iter().any(|t| matches!(t, Token::Number(_)))
                    && option.iter().filter(|t| matches!(t, Token::Word(_))).count() <= 2
            })
            .count();
        let mut alike = 0.0_f64;
        for (at, one) in options.iter().enumerate() {
            for other in options.iter().skip(at + 1) {
                let shared = one.iter().filter(|word| other.contains(word)).count();
                alike = alike.max(count(shared) / (1.0 + count(one.len().min(other.len()))));
            }
        }
        let mean = count(all) / count(options.len().max(1));
        [
            ("c_words", mean.ln_1p()),
            ("c_longest", count(longest).ln_1p()),
            ("c_uneven", count(longest) / (1.0 + mean)),
            ("c_figures", count(figures)),
            ("c_alike", alike),
        ]
    }
}

/// Words that an option is compared by: enough for a sentence, few enough to be quick.
const MOST_WORDS: usize = 24;

fn words<'a>(tokens: &[Token<'a>]) -> Vec<&'a str> {
    let words = tokens.iter().filter_map(|t| if let Token::Word(w) = t { Some(*w) } else { None });
    words.take(MOST_WORDS).collect()
}

fn is_line_end(token: &Token<'_>) -> bool {
    *token == Token::Break(b'\n')
}

/// The place in the alphabet of the letter that a line begins with (`a.`, `(b)`, `c)`), and the
/// tokens that it takes.
fn letter(line: &[Token<'_>]) -> Option<(usize, usize)> {
    let opened = usize::from(line.first() == Some(&Token::Open));
    let Some(Token::Word(word)) = line.get(opened) else { return None };
    let marked = matches!(line.get(opened + 1), Some(Token::Close | Token::Break(b'.' | b':')));
    let [letter] = word.as_bytes() else { return None };
    marked.then(|| (usize::from(letter - b'a'), opened + 2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judgement::scan::tokens;

    fn shown(text: &str) -> Vec<String> {
        let tokens = tokens(text);
        let choices = Choices::of(&tokens);
        choices.0.iter().map(|r| words(&tokens[r.clone()]).join(" ")).collect()
    }

    #[test]
    fn options_are_found_in_their_dresses_and_end_with_their_lines() {
        for text in [
            "which?\na. one thing\nb. another\nanswer:",
            "which?\n(a) one thing\n(b) another",
            "which?\n a) one thing\n b) another\n",
        ] {
            assert_eq!(shown(text), ["one thing", "another"], "{text}");
        }
    }

    #[test]
    fn a_lone_letter_or_letters_out_of_order_offer_nothing() {
        assert!(shown("a. smith wrote it.\nwho is he?").is_empty());
        assert!(shown("b. one\nd. two").is_empty());
        assert_eq!(
            shown("a. x\nb. y\nas said:\na. one\nb. two\nc. three"),
            ["one", "two", "three"]
        );
    }

    #[test]
    fn options_of_the_same_words_are_alike() {
        let alike = |text: &str| {
            let tokens = tokens(text);
            Choices::of(&tokens).features(&tokens)[4].1
        };
        let same = alike("which?\na. wrong, not wrong\nb. not wrong, wrong");
        let other = alike("which?\na. the heart\nb. a red lung");
        assert!(same > 0.7 && other == 0.0, "{same} {other}");
    }
}
