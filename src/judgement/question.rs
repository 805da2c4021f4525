//! What is read off a question before anybody has answered it.

use super::{
    cues::Counts,
    scan::{Token, tokens},
};
use crate::text::fold;

/// A feature's name and value.
pub(super) type Feature = (&'static str, f64);

/// The kinds of question that are judged by different experience.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Lettered options are offered.
    Choice,
    /// Numbers are given and a quantity is asked for.
    Quantity,
    /// Anything else.
    Open,
}

impl Kind {
    /// All kinds, in the order in which a model keeps them.
    pub const ALL: [Self; 3] = [Self::Choice, Self::Quantity, Self::Open];

    /// The name in model cards.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Choice => "choice",
            Self::Quantity => "quantity",
            Self::Open => "open",
        }
    }
}

/// A question as it is judged.
#[derive(Debug, Clone)]
pub(super) struct Question {
    pub(super) kind: Kind,
    /// Sorted fingerprints of its different words.
    pub(super) words: Vec<u64>,
    /// The words of its last sentence, longer than three letters.
    pub(super) asked: Vec<u64>,
    /// The numbers that it gives, in digits and in words.
    pub(super) numbers: Vec<f64>,
    pub(super) cues: Counts,
    pub(super) word_count: f64,
    features: Vec<Feature>,
}

/// A fingerprint of a word (FNV-1a).
pub(super) fn fingerprint(word: &str) -> u64 {
    word.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The value of a number word that questions give quantities in.
fn number_word(word: &str) -> Option<f64> {
    Some(match word {
        "two" => 2.0,
        "three" => 3.0,
        "four" => 4.0,
        "five" => 5.0,
        "six" => 6.0,
        "seven" => 7.0,
        "eight" => 8.0,
        "nine" => 9.0,
        "ten" => 10.0,
        "eleven" => 11.0,
        "twelve" => 12.0,
        "fifteen" => 15.0,
        "twenty" => 20.0,
        "thirty" => 30.0,
        "fifty" => 50.0,
        "hundred" => 100.0,
        _ => return None,
    })
}

impl Question {
    /// Reads a question. Linear in its length.
    pub(super) fn of(input: &str) -> Self {
        Self::of_tokens(input, &tokens(&fold(input)))
    }

    /// The same of a text whose tokens are there already.
    pub(super) fn of_tokens(input: &str, tokens: &[Token<'_>]) -> Self {
        let mut cues = Counts::default();
        let (mut digits, mut points, mut percents, mut sentences) = (0, 0, 0, 0);
        let (mut words, mut numbers, mut asked) = (Vec::new(), Vec::new(), Vec::new());
        let (mut how, mut many, mut much, mut asks) = (false, false, false, 0);
        let (mut last_words, mut long) = (0, 0);
        let mut ended = true;
        for token in tokens {
            if ended && matches!(token, Token::Word(_) | Token::Number(_)) {
                (asked, last_words, how, many, much, ended) =
                    (Vec::new(), 0, false, false, false, false);
            }
            match token {
                Token::Word(word) => {
                    let print = fingerprint(word);
                    words.push(print);
                    last_words += 1;
                    long += usize::from(word.len() >= 9);
                    if word.len() > 3 {
                        asked.push(print);
                    }
                    many |= how && *word == "many";
                    much |= how && *word == "much";
                    how = *word == "how";
                    cues.add(word);
                    numbers.extend(number_word(word));
                }
                Token::Number(figure) => {
                    digits += 1;
                    points += usize::from(figure.has_point);
                    percents += usize::from(figure.is_percent);
                    if figure.is_percent {
                        cues.add("%");
                    }
                    numbers.push(figure.value);
                }
                Token::Break(sign) if matches!(sign, b'.' | b'?' | b'!') => {
                    sentences += usize::from(!ended);
                    asks += usize::from(*sign == b'?');
                    ended = true;
                }
                _ => {}
            }
        }
        let word_count = count(words.len());
        words.sort_unstable();
        words.dedup();
        asked.sort_unstable();
        asked.dedup();
        let choices = input.lines().filter(|line| offers_a_choice(line)).count();
        let kind = if choices >= 2 {
            Kind::Choice
        } else if numbers.len() >= 2 && (many || much || asks > 0) {
            Kind::Quantity
        } else {
            Kind::Open
        };
        let largest = numbers.iter().copied().fold(0.0, f64::max);
        let least = numbers.iter().copied().fold(f64::INFINITY, f64::min);
        let mut features = vec![
            ("q_words", word_count),
            ("q_digits", count(digits)),
            ("q_numbers", count(numbers.len())),
            ("q_sentences", count(sentences)),
            ("q_largest", largest.ln_1p()),
            ("q_least", if least.is_finite() { least.ln_1p() } else { 0.0 }),
            ("q_points", count(points)),
            ("q_percents", count(percents)),
            ("q_words_per_number", word_count / (1.0 + count(numbers.len()))),
            ("q_asks", count(asks)),
            ("q_unlike", count(words.len()) / word_count.max(1.0)),
            ("q_how_many", f64::from(u8::from(many))),
            ("q_how_much", f64::from(u8::from(much))),
            ("q_last_words", count(last_words)),
            ("q_long_words", count(long) / word_count.max(1.0)),
            ("q_choices", count(choices)),
            ("q_bytes", count(input.len().min(4096))),
        ];
        features.extend(cues.all());
        Self { kind, words, asked, numbers, cues, word_count, features }
    }

    /// What is known before anybody has answered, always the same names in the same order.
    pub(super) fn features(&self) -> &[Feature] {
        &self.features
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of words are small")]
pub(super) fn count(n: usize) -> f64 {
    n as f64
}

/// `A. …`, `(b) …`, `C) …`
fn offers_a_choice(line: &str) -> bool {
    let line = line.trim_start().trim_start_matches('(');
    let mut chars = line.chars();
    let letter = chars.next().is_some_and(|c| c.is_ascii_alphabetic());
    let mark = chars.next().is_some_and(|c| matches!(c, '.' | ')' | ':'));
    letter && mark && chars.next().is_some_and(char::is_whitespace)
}
