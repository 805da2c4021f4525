//! Counting and turning letters and words.
//!
//! What is counted must be marked as text: quoted, behind a colon, called "the word", or a single
//! plain word that names nothing with letters of its own ("the alphabet", "English").

use std::sync::LazyLock;

use crate::domain::{Canonical, Number};
use crate::text::{fold, is_stop_word};

use super::Solution;
use super::lexer::{Kind, Token};
use super::pattern::{Grammar, Holes};
use super::question::Question;
use super::units::is_unit;

const SOLVER: &str = "text";

/// Answers operations on a given text.
pub(super) fn solve(question: &Question<'_>) -> Option<Solution> {
    let body = question.body();
    if let Some((head, text)) = behind_colon(question) {
        return COLON_GRAMMAR.find(head, |operation, _| operation(&text));
    }
    WORD_GRAMMAR
        .find(body, |(must_be_marked, operation), holes| {
            let given = given(holes.first()?)?;
            (given.marked || !must_be_marked).then(|| operation(&given.text)).flatten()
        })
        .or_else(|| LETTER_GRAMMAR.find(body, |(), holes| occurrences(holes)))
}

/// The head of a question and the text behind its first colon, one pair of quotes taken off.
pub(super) fn behind_colon<'q>(question: &'q Question<'_>) -> Option<(&'q [Token<'q>], String)> {
    let tokens = question.unclosed();
    let at = tokens.iter().position(|t| t.is(":")).filter(|&at| at > 0)?;
    let text = question.input.get(tokens.get(at)?.end()..)?.trim();
    let text = match tokens.get(at + 1..)? {
        [Token { kind: Kind::Quoted(quoted), .. }] => quoted,
        _ => text,
    };
    (!text.is_empty()).then(|| (tokens.get(..at).unwrap_or_default(), text.to_owned()))
}

/// A text that something is done with.
struct Given {
    text: String,
    /// Quoted, or called a word: no doubt that the letters are meant.
    marked: bool,
}

/// A quotation; or one word, called a word or plain enough to be taken as one.
fn given(hole: &[Token<'_>]) -> Option<Given> {
    let kinds = ["word", "string", "text", "phrase", "sentence"];
    let rest = match hole {
        [the, rest @ ..] if the.is("the") && rest.len() > 1 => rest,
        all => all,
    };
    let (called, rest) = match rest {
        [kind, rest @ ..] if !rest.is_empty() && kinds.iter().any(|k| kind.is(k)) => (true, rest),
        _ => (false, hole),
    };
    match rest {
        [Token { kind: Kind::Quoted(quoted), .. }] => {
            Some(Given { text: quoted.clone(), marked: true })
        }
        [token] => {
            let word = token.word()?;
            let named = is_stop_word(word) || NO_SPELLING.contains(&word) || is_unit(token);
            (called || !named).then(|| Given { text: token.raw.to_owned(), marked: called })
        }
        _ => None,
    }
}

fn counted(count: usize) -> Option<Solution> {
    let number = Number::from(i64::try_from(count).ok()?);
    Some(Solution {
        solver: SOLVER,
        content: count.to_string(),
        answer: Canonical::Number(number),
        steps: Vec::new(),
    })
}

fn turned(content: String) -> Option<Solution> {
    let answer = Canonical::Text(content.clone());
    Some(Solution { solver: SOLVER, content, answer, steps: Vec::new() })
}

fn letters(text: &str) -> Option<Solution> {
    counted(text.chars().filter(|c| c.is_alphabetic()).count())
}

/// Spaces count as characters to some.
fn characters(text: &str) -> Option<Solution> {
    let plain = text.is_ascii() && !text.contains(char::is_whitespace);
    if plain { counted(text.len()) } else { None }
}

/// Words as white space parts them; lone marks and slashes leave it open what a word is.
fn word_count(text: &str) -> Option<Solution> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let clear = |w: &&str| w.contains(char::is_alphanumeric) && !w.contains(['/', '\u{2014}']);
    if words.is_empty() || !words.iter().all(clear) { None } else { counted(words.len()) }
}

/// `y` is a vowel to some.
fn plain_letters(text: &str) -> Option<String> {
    let folded = fold(text);
    (folded.is_ascii() && !folded.contains('y')).then_some(folded)
}

fn vowels(text: &str) -> Option<Solution> {
    counted(plain_letters(text)?.chars().filter(|c| "aeiou".contains(*c)).count())
}

fn consonants(text: &str) -> Option<Solution> {
    let consonant = |c: &char| c.is_ascii_alphabetic() && !"aeiou".contains(*c);
    counted(plain_letters(text)?.chars().filter(consonant).count())
}

fn reversed(text: &str) -> Option<Solution> {
    if text.is_ascii() { turned(text.chars().rev().collect()) } else { None }
}

fn upper(text: &str) -> Option<Solution> {
    turned(text.to_uppercase())
}

fn lower(text: &str) -> Option<Solution> {
    turned(text.to_lowercase())
}

/// How often a letter, or a quoted part, occurs in a text; capitals do not matter.
fn occurrences(holes: Holes<'_, '_>) -> Option<Solution> {
    let [part, whole_text] = holes else { return None };
    let (part, named) = sought(part)?;
    // "how many m in km", "how many C in F": units, or symbols, not letters.
    let Given { text, marked } = given(whole_text)?;
    if !named && !marked && text.chars().count() < 3 {
        return None;
    }
    let text = fold(&text);
    let apart = text.matches(&part).count();
    let overlapping = text.char_indices().filter(|(at, _)| text[*at..].starts_with(&part)).count();
    if apart == overlapping { counted(apart) } else { None }
}

/// A letter ("r", "r's", "the letter r") or a quotation; and whether it was called one.
fn sought(hole: &[Token<'_>]) -> Option<(String, bool)> {
    let (called, rest) = match hole {
        [the, letter, rest @ ..] if the.is("the") && letter.is("letter") => (true, rest),
        [letter, rest @ ..] if letter.is("letter") && !rest.is_empty() => (true, rest),
        [the, rest @ ..] if the.is("the") => (false, rest),
        all => (false, all),
    };
    let single = |text: &str| text.chars().count() == 1 && text.is_ascii();
    match rest {
        [Token { kind: Kind::Quoted(quoted), .. }] if !quoted.trim().is_empty() => {
            Some((fold(quoted), true))
        }
        // 'r's
        [Token { kind: Kind::Quoted(quoted), .. }, s] if s.is("s") && !s.spaced => {
            Some((fold(quoted), true))
        }
        [letter] => {
            let word = letter.word()?;
            let plural =
                word.strip_suffix("'s").or_else(|| word.strip_suffix('s').filter(|w| single(w)));
            match plural {
                Some(one) if single(one) => Some((one.to_owned(), true)),
                _ => single(word).then(|| (word.to_owned(), called)),
            }
        }
        _ => None,
    }
}

/// Single words whose letters are hardly ever meant: languages, alphabets, what has no spelling.
const NO_SPELLING: &[&str] = &[
    "alphabet",
    "alphabets",
    "english",
    "spanish",
    "french",
    "german",
    "italian",
    "portuguese",
    "dutch",
    "greek",
    "latin",
    "russian",
    "cyrillic",
    "arabic",
    "hebrew",
    "hindi",
    "sanskrit",
    "tamil",
    "telugu",
    "kannada",
    "malayalam",
    "bengali",
    "urdu",
    "punjabi",
    "marathi",
    "gujarati",
    "nepali",
    "persian",
    "turkish",
    "chinese",
    "mandarin",
    "cantonese",
    "japanese",
    "korean",
    "thai",
    "vietnamese",
    "hawaiian",
    "swahili",
    "polish",
    "czech",
    "swedish",
    "norwegian",
    "danish",
    "finnish",
    "hungarian",
    "romanian",
    "ukrainian",
    "bulgarian",
    "esperanto",
    "irish",
    "welsh",
    "gaelic",
    "mongolian",
    "tibetan",
    "burmese",
    "khmer",
    "lao",
    "phonics",
    "ipa",
    "scrabble",
    "hangman",
    "wordle",
    "braille",
    "bible",
    "quran",
    "dna",
    "rna",
    "language",
    "languages",
    "name",
    "names",
    "word",
    "words",
    "letter",
    "letters",
    "text",
    "sentence",
    "total",
    "all",
    "everything",
    "general",
    "string",
    "title",
    "order",
    "case",
    "writing",
    "speech",
    "music",
    "algebra",
    "math",
    "maths",
    "physics",
    "chemistry",
    "morse",
    "unicode",
    "ascii",
    "hangul",
    "kanji",
    "hiragana",
    "katakana",
    "pinyin",
    "one",
    "two",
    "each",
    "every",
];

type Operation = fn(&str) -> Option<Solution>;

static COLON_GRAMMAR: LazyLock<Grammar<Operation>> = LazyLock::new(|| Grammar::new(COLON));
static WORD_GRAMMAR: LazyLock<Grammar<(bool, Operation)>> = LazyLock::new(|| Grammar::new(WORD));
static LETTER_GRAMMAR: LazyLock<Grammar<()>> = LazyLock::new(|| Grammar::new(LETTER));

/// Operations on a text behind a colon.
const COLON: &[(&str, Operation)] = &[
    (
        "count [the] [number] [of] [the] words [in] [this|the] [following] [text|sentence|phrase]",
        word_count,
    ),
    ("how many words are|is [there] in [this|the] [following] [text|sentence|phrase]", word_count),
    ("how many words in [this|the] [following] [text|sentence|phrase]", word_count),
    ("[number|count] [of] words in [this|the] [following] [text|sentence|phrase]", word_count),
    ("word count [of] [this|the] [following] [text|sentence|phrase]", word_count),
    ("how many letters are|is [there] in [this|the] [following] [word|text]", letters),
    ("count [the] letters in [this|the] [following] [word|text]", letters),
    ("how many vowels are|is [there] in [this|the] [following] [word|text]", vowels),
    ("count [the] vowels in [this|the] [following] [word|text]", vowels),
    ("reverse [this|the] [following] [word|string|text]", reversed),
    ("uppercase [this|the] [following] [word|string|text]", upper),
    ("lowercase [this|the] [following] [word|string|text]", lower),
    ("convert [this|the] [following] [word|string|text] to uppercase", upper),
    ("convert [this|the] [following] [word|string|text] to lowercase", lower),
];

/// Operations on one quotation or word, and whether it must be marked as text: "reverse osmosis"
/// asks for no letters.
const WORD: &[(&str, (bool, Operation))] = &[
    ("how many letters is|are [there] in #", (false, letters)),
    ("how many letters in #", (false, letters)),
    ("how many letters does # have|contain", (false, letters)),
    ("count [the] letters in #", (false, letters)),
    ("number of letters in #", (false, letters)),
    ("how many characters is|are [there] in #", (true, characters)),
    ("how many characters in #", (true, characters)),
    ("how many characters does # have|contain", (true, characters)),
    ("length of #", (true, characters)),
    ("how many words is|are [there] in #", (true, word_count)),
    ("how many words in #", (true, word_count)),
    ("count [the] words in #", (true, word_count)),
    ("number of words in #", (true, word_count)),
    ("how many vowels is|are [there] in #", (false, vowels)),
    ("how many vowels in #", (false, vowels)),
    ("how many vowels does # have|contain", (false, vowels)),
    ("count [the] vowels in #", (false, vowels)),
    ("number of vowels in #", (false, vowels)),
    ("how many consonants is|are [there] in #", (false, consonants)),
    ("how many consonants in #", (false, consonants)),
    ("number of consonants in #", (false, consonants)),
    ("reverse #", (true, reversed)),
    ("spell # backwards|backward", (false, reversed)),
    ("# spelled|written backwards|backward", (false, reversed)),
    ("uppercase #", (false, upper)),
    ("lowercase #", (false, lower)),
    ("convert|change|turn|put # to|into|in uppercase", (false, upper)),
    ("convert|change|turn|put # to|into|in lowercase", (false, lower)),
    ("# in uppercase", (false, upper)),
    ("# in upper case", (false, upper)),
    ("# in lower case", (false, lower)),
    ("make # uppercase", (false, upper)),
    ("write # in uppercase", (false, upper)),
    ("write # in lowercase", (false, lower)),
    ("convert|change|turn # to upper case", (false, upper)),
    ("convert|change|turn # to lower case", (false, lower)),
    ("reverse the letters in|of #", (false, reversed)),
    ("# backwards|backward", (true, reversed)),
    ("make # lowercase", (false, lower)),
    ("# in lowercase", (false, lower)),
];

/// Counting a letter or a part: what is sought, then where.
const LETTER: &[(&str, ())] = &[
    ("how many times does|do # occur|occurs|appear|appears in #", ()),
    ("how many times is # in #", ()),
    ("how often does # occur|appear in #", ()),
    ("how many # is|are [there] in #", ()),
    ("how many # in #", ()),
    ("how many # does # have|contain", ()),
    ("count # in #", ()),
    ("count [the] [number] of # in #", ()),
    ("count [the] occurrences of # in #", ()),
    ("number of # in #", ()),
    ("number of occurrences|times of # in #", ()),
];
