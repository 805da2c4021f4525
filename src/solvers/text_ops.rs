//! Counting and turning letters and words.
//!
//! What is counted must be marked as text: quoted, behind a colon, called "the word", or a single
//! plain word that names nothing with letters of its own ("the alphabet", "English").

use std::sync::LazyLock;

use crate::domain::{Canonical, Number};
use crate::text::{fold, is_stop_word};

use super::Solution;
use super::lexer::{Kind, Token};
use super::number_words::spelled;
use super::pattern::{Grammar, Holes};
use super::question::Question;
use super::tails;
use super::units::is_unit;
use super::unspelled::NO_SPELLING;

const SOLVER: &str = "text";

/// Answers operations on a given text.
pub(super) fn solve(question: &Question<'_>) -> Option<Solution> {
    let body = question.body();
    if let Some((head, text)) = behind_colon(question) {
        let quoted = !question.input.trim_end().ends_with(text.as_str());
        return COLON_GRAMMAR.find(head, |(needs, operation), _| match needs {
            Needs::Marked if !quoted && closes_a_word(&text) => None,
            _ => operation(&text),
        });
    }
    WORD_GRAMMAR
        .find(body, |(needs, operation), holes| {
            let given = given(holes.first()?)?;
            let taken = match needs {
                Needs::Word => given.marked || !is_proper_name(&given.text),
                Needs::Marked => given.marked,
                // "how many words are in 'War and Peace'" asks about a book.
                Needs::Sentence => given.marked && !(given.quoted && is_title(&given.text)),
            };
            if !taken {
                return None;
            }
            operation(&given.text)
        })
        .or_else(|| WORDS_GRAMMAR.find(body, |operation, holes| operation(holes)))
        .or_else(|| LETTER_GRAMMAR.find(body, |letters, holes| occurrences(letters, holes)))
}

/// The head of a question and the text behind its first colon, one pair of quotes taken off.
pub(super) fn behind_colon<'q>(question: &'q Question<'_>) -> Option<(&'q [Token<'q>], String)> {
    let tokens = question.unclosed();
    let at = tokens.iter().position(|t| t.is(":")).filter(|&at| at > 0)?;
    let text = question.input.get(tokens.get(at)?.end()..)?.trim();
    let text = match tokens.get(at + 1..)? {
        [Token { kind: Kind::Quoted(quoted), .. }] => quoted,
        // "'hello' twice", "'hello' and then uppercase it".
        [Token { kind: Kind::Quoted(_), .. }, ..] => return None,
        _ if points_elsewhere(text) || tails::may_go_on(text) => return None,
        _ => text,
    };
    (!text.is_empty()).then(|| (tokens.get(..at).unwrap_or_default(), text.to_owned()))
}

/// Whether a single word is followed by a mark that may close the question: "reverse: hello."
fn closes_a_word(text: &str) -> bool {
    text.ends_with(['.', '?']) && !text.contains(char::is_whitespace)
}

/// Whether a text is not the text itself: "it", "the sentence above", "same as before".
fn points_elsewhere(text: &str) -> bool {
    let folded = fold(text);
    let words: Vec<&str> = folded.split(|c: char| !c.is_alphanumeric()).collect();
    let alone = matches!(words.as_slice(), [only] if POINTS_ELSEWHERE.contains(only));
    let opens =
        ["the", "my", "your", "our", "same", "this", "that", "these", "those", "what", "all"];
    let places =
        ["above", "below", "before", "previous", "earlier", "given", "provided", "mentioned"];
    alone
        || (words.first().is_some_and(|first| opens.contains(first))
            && words.iter().any(|word| places.contains(word)))
}

/// A text that something is done with.
struct Given {
    text: String,
    /// Quoted, or called a word: no doubt that the letters are meant.
    marked: bool,
    /// Quoted and not called anything.
    quoted: bool,
}

/// What an operation must be given.
#[derive(Debug, Clone, Copy)]
enum Needs {
    /// Any word that is no name.
    Word,
    /// A text marked as such: "reverse osmosis" asks for no letters.
    Marked,
    /// A text marked as such, and no title of a work.
    Sentence,
}

/// "Rotokas" may be a language with letters of its own.
fn is_proper_name(word: &str) -> bool {
    word.starts_with(char::is_uppercase) && word.contains(char::is_lowercase)
}

/// Several words, the long ones with capitals.
fn is_title(text: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().collect();
    let capital = |w: &&str| w.len() <= 3 || w.starts_with(char::is_uppercase);
    words.len() > 1
        && words.iter().all(capital)
        && words.last().is_some_and(|w| w.starts_with(char::is_uppercase))
}

/// Words that stand for a text which is somewhere else: "how many words are in the text above?" is
/// not about the word "above". To be spelled or counted themselves they must be quoted.
pub(super) const POINTS_ELSEWHERE: [&str; 44] = [
    "above",
    "again",
    "answer",
    "article",
    "attached",
    "before",
    "below",
    "both",
    "context",
    "conversation",
    "document",
    "each",
    "earlier",
    "everything",
    "first",
    "following",
    "given",
    "here",
    "hers",
    "his",
    "input",
    "instead",
    "it",
    "itself",
    "last",
    "list",
    "mentioned",
    "message",
    "mine",
    "none",
    "ours",
    "passage",
    "previous",
    "provided",
    "question",
    "quoted",
    "result",
    "same",
    "second",
    "that",
    "theirs",
    "these",
    "this",
    "yours",
];

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
            Some(Given { text: quoted.clone(), marked: true, quoted: !called })
        }
        [token] => {
            let word = token.word()?;
            if POINTS_ELSEWHERE.contains(&word) {
                return None;
            }
            let named = is_stop_word(word)
                || NO_SPELLING.contains(&word)
                || is_unit(token)
                || spelled(rest).is_some();
            (called || !named).then(|| Given {
                text: token.raw.to_owned(),
                marked: called,
                quoted: false,
            })
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

/// One word that its letters are meant of.
fn word(hole: &[Token<'_>]) -> Option<String> {
    let given = given(hole)?;
    (given.marked || !is_proper_name(&given.text)).then_some(given.text)
}

fn end_letter(holes: Holes<'_, '_>, last: bool) -> Option<Solution> {
    let text = word(holes.first()?)?;
    let mut chars = text.chars().filter(|c| c.is_alphabetic());
    let letter = if last { chars.next_back() } else { chars.next() }?;
    text.is_ascii().then(|| turned(letter.to_string()))?
}

/// "are listen and silent anagrams".
fn anagrams(holes: Holes<'_, '_>) -> Option<Solution> {
    let sorted = |hole: &&[Token<'_>]| {
        let text = fold(&word(hole)?);
        let mut letters: Vec<char> = text.chars().collect();
        letters.sort_unstable();
        text.bytes().all(|b| b.is_ascii_lowercase()).then_some((text, letters))
    };
    let [a, b] = holes else { return None };
    let ((a, x), (b, y)) = (sorted(a)?, sorted(b)?);
    (a != b).then(|| super::comparison::yes_no(SOLVER, x == y, Vec::new()))
}

fn concatenated(holes: Holes<'_, '_>) -> Option<Solution> {
    // "bar" is a unit, too, and here a word all the same.
    let part = |hole: &[Token<'_>]| match hole {
        [token] if token.word().is_some_and(|w| is_unit(token) && w.len() > 2) => {
            Some(token.raw.to_owned())
        }
        other => word(other),
    };
    let [a, b] = holes else { return None };
    turned(format!("{}{}", part(a)?, part(b)?))
}

/// "replace a with b in banana".
fn replaced(holes: Holes<'_, '_>) -> Option<Solution> {
    let [[from], [to], within] = holes else { return None };
    let part = |t: &Token<'_>| match &t.kind {
        Kind::Quoted(quoted) => Some(quoted.clone()),
        _ => t.word().filter(|w| w.len() == 1 && *w == t.raw).map(str::to_owned),
    };
    let (from, to, text) = (part(from)?, part(to)?, word(within)?);
    let found = !from.is_empty() && text.contains(&from);
    found.then(|| turned(text.replace(&from, &to)))?
}

fn capitalized(holes: Holes<'_, '_>) -> Option<Solution> {
    let text = word(holes.first()?)?;
    let (first, rest) = text.split_at_checked(1)?;
    text.bytes().all(|b| b.is_ascii_lowercase()).then(|| turned(first.to_uppercase() + rest))?
}

/// "reverse 1234", "reverse the list 1, 2, 3".
fn reversed_digits(holes: Holes<'_, '_>) -> Option<Solution> {
    let [digits] = holes.first()? else { return None };
    let plain = digits.raw.len() > 1 && digits.raw.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| reversed(digits.raw))?
}

fn reversed_list(holes: Holes<'_, '_>) -> Option<Solution> {
    let mut items = Vec::new();
    for item in holes.first()?.split(|t| t.is(",")) {
        let [item] = item else { return None };
        let plain = item.raw.bytes().all(|b| b.is_ascii_alphanumeric());
        items.push(plain.then(|| item.raw.to_owned())?);
    }
    items.reverse();
    (items.len() > 1).then(|| super::show::listed(SOLVER, items.join(", "), items, Vec::new()))?
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
///
/// "how many m in a marathon" asks for metres, unless the phrase speaks of letters.
fn occurrences(letters: bool, holes: Holes<'_, '_>) -> Option<Solution> {
    let [part, whole_text] = holes else { return None };
    let measure = matches!(part, [unit] if is_unit(unit));
    let (part, named) = sought(part)?;
    let Given { text, marked, .. } = given(whole_text)?;
    // Nobody measures "mississippi" in seconds.
    let often = !is_proper_name(&text) && fold(&text).matches(&part).count() > 2;
    if !letters && !named && !marked && (measure && !often || text.chars().count() < 3) {
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

type Operation = fn(&str) -> Option<Solution>;
/// An operation on several words, or on parts of one.
type OnWords = fn(Holes<'_, '_>) -> Option<Solution>;

static WORDS_GRAMMAR: LazyLock<Grammar<OnWords>> = LazyLock::new(|| Grammar::new(WORDS));
static COLON_GRAMMAR: LazyLock<Grammar<(Needs, Operation)>> = LazyLock::new(|| Grammar::new(COLON));
static WORD_GRAMMAR: LazyLock<Grammar<(Needs, Operation)>> = LazyLock::new(|| Grammar::new(WORD));
static LETTER_GRAMMAR: LazyLock<Grammar<bool>> = LazyLock::new(|| Grammar::new(LETTER));

/// Operations on a text behind a colon.
const COLON: &[(&str, (Needs, Operation))] = &[
    (
        "count [the] [number] [of] [the] words [in] [this|the] [following] [text|sentence|phrase]",
        (Needs::Word, word_count),
    ),
    (
        "how many words are|is [there] in [this|the] [following] [text|sentence|phrase]",
        (Needs::Word, word_count),
    ),
    ("how many words in [this|the] [following] [text|sentence|phrase]", (Needs::Word, word_count)),
    (
        "[number|count] [of] words in [this|the] [following] [text|sentence|phrase]",
        (Needs::Word, word_count),
    ),
    ("word count [of] [this|the] [following] [text|sentence|phrase]", (Needs::Word, word_count)),
    (
        "how many letters are|is [there] in [this|the] [following] [word|text]",
        (Needs::Word, letters),
    ),
    ("count [the] letters in [this|the] [following] [word|text]", (Needs::Word, letters)),
    ("how many vowels are|is [there] in [this|the] [following] [word|text]", (Needs::Word, vowels)),
    ("count [the] vowels in [this|the] [following] [word|text]", (Needs::Word, vowels)),
    ("reverse [this|the] [following] [word|string|text]", (Needs::Marked, reversed)),
    ("uppercase [this|the] [following] [word|string|text]", (Needs::Word, upper)),
    ("lowercase [this|the] [following] [word|string|text]", (Needs::Word, lower)),
    ("convert [this|the] [following] [word|string|text] to uppercase", (Needs::Word, upper)),
    ("convert [this|the] [following] [word|string|text] to lowercase", (Needs::Word, lower)),
];

/// Operations on one quotation or word.
const WORD: &[(&str, (Needs, Operation))] = &[
    ("how many letters is|are [there] in #", (Needs::Word, letters)),
    ("how many letters in #", (Needs::Word, letters)),
    ("how many letters does # have|contain", (Needs::Word, letters)),
    ("count [the] letters in #", (Needs::Word, letters)),
    ("number of letters in #", (Needs::Word, letters)),
    ("how many characters is|are [there] in #", (Needs::Sentence, characters)),
    ("how many characters in #", (Needs::Sentence, characters)),
    ("how many characters does # have|contain", (Needs::Sentence, characters)),
    ("length of #", (Needs::Sentence, characters)),
    ("how many words is|are [there] in #", (Needs::Sentence, word_count)),
    ("how many words in #", (Needs::Sentence, word_count)),
    ("count [the] words in #", (Needs::Sentence, word_count)),
    ("number of words in #", (Needs::Sentence, word_count)),
    ("how many vowels is|are [there] in #", (Needs::Word, vowels)),
    ("how many vowels in #", (Needs::Word, vowels)),
    ("how many vowels does # have|contain", (Needs::Word, vowels)),
    ("count [the] vowels in #", (Needs::Word, vowels)),
    ("number of vowels in #", (Needs::Word, vowels)),
    ("how many consonants is|are [there] in #", (Needs::Word, consonants)),
    ("how many consonants in #", (Needs::Word, consonants)),
    ("number of consonants in #", (Needs::Word, consonants)),
    ("reverse #", (Needs::Marked, reversed)),
    ("spell # backwards|backward", (Needs::Word, reversed)),
    ("# spelled|written backwards|backward", (Needs::Word, reversed)),
    ("uppercase #", (Needs::Word, upper)),
    ("lowercase #", (Needs::Word, lower)),
    ("convert|change|turn|put # to|into|in uppercase", (Needs::Word, upper)),
    ("convert|change|turn|put # to|into|in lowercase", (Needs::Word, lower)),
    ("# in uppercase", (Needs::Word, upper)),
    ("# in upper case", (Needs::Word, upper)),
    ("# in lower case", (Needs::Word, lower)),
    ("make # uppercase", (Needs::Word, upper)),
    ("write # in uppercase", (Needs::Word, upper)),
    ("write # in lowercase", (Needs::Word, lower)),
    ("convert|change|turn # to upper case", (Needs::Word, upper)),
    ("convert|change|turn # to lower case", (Needs::Word, lower)),
    ("reverse the letters in|of #", (Needs::Word, reversed)),
    ("# backwards|backward", (Needs::Marked, reversed)),
    ("make # lowercase", (Needs::Word, lower)),
    ("# in lowercase", (Needs::Word, lower)),
];

/// Operations on several words, or on parts of one.
const WORDS: &[(&str, OnWords)] = &[
    ("last letter of|in #", |h| end_letter(h, true)),
    ("first letter of|in #", |h| end_letter(h, false)),
    ("are # and # anagrams [of] [each] [other]", anagrams),
    ("is # an anagram of #", anagrams),
    ("concatenate # and|with #", concatenated),
    ("replace # with|by # in #", replaced),
    ("capitalize|capitalise #", capitalized),
    ("reverse [the] [number|digits] #", reversed_digits),
    ("reverse the list #", reversed_list),
    ("# backwards|backward", |h| {
        // "talking backwards" is no word to be spelt.
        let text = word(h.first()?).filter(|w| !w.ends_with("ing"))?;
        reversed(&text)
    }),
];

/// Counting a letter or a part: what is sought, then where; and whether letters are spoken of.
const LETTER: &[(&str, bool)] = &[
    ("how many times does|do # occur|occurs|appear|appears in #", true),
    ("how many times is # in #", false),
    ("how often does # occur|appear in #", true),
    ("how many # is|are [there] in #", false),
    ("how many # in #", false),
    ("how many # does # have|contain", false),
    ("count # in #", true),
    ("count [the] [number] of # in #", true),
    ("count [the] occurrences of # in #", true),
    ("number of # in #", false),
    ("number of occurrences|times of # in #", true),
];
