//! What is read off a question before anybody has answered it.

use super::{
    choices::Choices,
    cues::{Counts, Cue},
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
    /// Whether a draft may be judged as a quantity. Wider than [`Kind::Quantity`], which is what
    /// wording is learned from: amounts may be given as "half as many", and the task as an order.
    pub(super) wants_quantity: bool,
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

/// Features of a question, about.
const MOST_FEATURES: usize = 96;
/// Bytes of a question that are looked through for capitals.
const LONGEST_LOOK: usize = 8192;

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
        let folded = fold(input);
        let tokens = tokens(&folded);
        Self::of_tokens(input, &tokens, &Choices::of(&tokens))
    }

    /// The same of a text whose tokens are there already.
    pub(super) fn of_tokens(input: &str, tokens: &[Token<'_>], choices: &Choices) -> Self {
        let mut cues = Counts::default();
        let (mut digits, mut points, mut percents, mut sentences) = (0, 0, 0, 0);
        let mut words = Vec::with_capacity(tokens.len());
        let (mut numbers, mut asked) = (Vec::new(), Vec::new());
        let (mut how, mut many, mut much, mut asks) = (false, false, false, 0);
        let (mut last_words, mut long, mut lines, mut signs) = (0, 0, 0, 0);
        let (mut is_dated, mut commands) = (false, false);
        let mut ended = true;
        for token in tokens {
            if ended && matches!(token, Token::Word(_) | Token::Number(_)) {
                asked.clear();
                (last_words, how, many, much, ended) = (0, false, false, false, false);
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
                    commands |= matches!(*word, "calculate" | "compute");
                    cues.add(word);
                    numbers.extend(number_word(word));
                }
                Token::Number(figure) => {
                    digits += 1;
                    points += usize::from(figure.has_point);
                    is_dated |= (1400.0..2100.0).contains(&figure.value) && !figure.has_point;
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
                Token::Break(b'\n') => lines += 1,
                Token::Operator(_) | Token::Equals | Token::Open => signs += 1,
                _ => {}
            }
        }
        let word_count = count(words.len());
        words.sort_unstable();
        words.dedup();
        asked.sort_unstable();
        asked.dedup();
        let kind = if choices.len() >= 2 {
            Kind::Choice
        } else if numbers.len() >= 2 && (many || much || asks > 0) {
            Kind::Quantity
        } else {
            Kind::Open
        };
        let wants_quantity = kind == Kind::Quantity
            || kind == Kind::Open && amounts(&numbers, &cues) >= 2.0 && (many || much || commands);
        let largest = numbers.iter().copied().fold(0.0, f64::max);
        let least = numbers.iter().copied().fold(f64::INFINITY, f64::min);
        let mut features = Vec::with_capacity(MOST_FEATURES);
        features.extend([
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
            ("q_choices", count(choices.len())),
            ("q_bytes", count(input.len().min(4096))),
        ]);
        // What tells of lettered questions only blurs others.
        let told = |value: f64| if kind == Kind::Choice { value } else { 0.0 };
        let capitals = if kind == Kind::Choice { capitals(input) } else { 0 };
        features.extend([
            ("c_lines", told(count(lines))),
            ("c_signs", told(count(signs))),
            ("c_year", told(f64::from(u8::from(is_dated)))),
            ("c_capitals", count(capitals) / word_count.max(1.0)),
        ]);
        features.extend(choices.features(tokens));
        features.extend(cues.all());
        Self { kind, wants_quantity, words, asked, numbers, cues, word_count, features }
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

/// Amounts that a question gives, those in words of proportion included.
fn amounts(numbers: &[f64], cues: &Counts) -> f64 {
    let proportions = [Cue::Half, Cue::Twice, Cue::Triple, Cue::Fraction, Cue::Dozen];
    count(numbers.len()) + proportions.into_iter().map(|cue| cues.of(cue)).sum::<f64>()
}

/// Words that begin with a capital letter.
fn capitals(input: &str) -> usize {
    let bytes = input.as_bytes();
    let bytes = bytes.get(..bytes.len().min(LONGEST_LOOK)).unwrap_or_default();
    let pairs = bytes.windows(2);
    pairs.filter(|pair| matches!(pair, [b' ', b'A'..=b'Z'])).count()
}
