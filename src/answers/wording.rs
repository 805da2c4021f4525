//! When two answers in different words are one.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError},
};

use regex::Regex;

use crate::{
    domain::{Canonical, Draft, Likeness, Number},
    text::{NgramVector, is_stop_word, normal_key, stem, words},
};

use super::{clean::pattern, dates::in_iso, options::Options};

/// Longer texts, in bytes, are the same only where they are equal: over pages, likeness hides the
/// one word that differs.
const LONGEST: usize = 2000;
/// Bytes of the question that are looked at.
const QUESTION: usize = 8 * 1024;
/// Gists that are kept for one question.
const MOST_KEPT: usize = 128;
/// Least cosine of what two answers add to the question.
const LIKENESS: f32 = 0.9;

/// Tells answers to one question apart, or finds them the same.
///
/// Likeness of vectors is no evidence by itself: "it is safe" and "it is not safe" are very like.
/// So two answers are one only where all of this holds:
///
/// - the same negations, quantifiers and signs, in the same order;
/// - the words of one, inflection aside, are the words of the other in the same order, with further
///   words between them: what *replaces* a word says something else;
/// - no further word is a name or a number, except where the question itself has it: "Canberra"
///   answers as "The capital of Australia is Canberra" does. A question that offers alternatives
///   lends no words, because there its words are the answers;
/// - what is left, without the question's words, has hashed n-gram vectors of a cosine of 0.9: a
///   word more in a sentence, not in a phrase.
///
/// Bare lists are compared as sets where the question asks for several things and not for an order.
#[derive(Debug)]
pub struct Wording<'a> {
    question: &'a str,
    asked: OnceLock<Asked>,
    gists: Mutex<HashMap<String, Option<Arc<Gist>>>>,
}

impl<'a> Wording<'a> {
    /// Of answers to this question.
    #[must_use]
    pub fn of_answers_to(question: &'a str) -> Self {
        let question = &question[..question.floor_char_boundary(QUESTION)];
        Self { question, asked: OnceLock::new(), gists: Mutex::default() }
    }

    fn asked(&self) -> &Asked {
        self.asked.get_or_init(|| Asked::by(self.question))
    }

    fn gist(&self, draft: &Draft) -> Option<Arc<Gist>> {
        let text = match draft.answer.as_ref()? {
            // The canonical text has lost its capitals, which tell names.
            Canonical::Text(text) if normal_key(&draft.content).contains(text.as_str()) => {
                draft.content.clone()
            }
            Canonical::Choice(letter) => self.asked().options.text(*letter)?.to_owned(),
            other => other.to_string(),
        };
        let mut kept = self.gists.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(gist) = kept.get(&text) {
            return gist.clone();
        }
        let gist = (text.len() <= LONGEST).then(|| Arc::new(Gist::of(&text, self.asked())));
        if kept.len() < MOST_KEPT {
            kept.insert(text, gist.clone());
        }
        gist
    }
}

impl Likeness for Wording<'_> {
    fn alike(&self, a: &Draft, b: &Draft) -> bool {
        match (self.gist(a), self.gist(b)) {
            (Some(a), Some(b)) => a.says_what(&b, self.asked()),
            _ => false,
        }
    }
}

static ALTERNATIVES: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?i)\b(?:or|either|between|versus|vs|which of|following|options?|compared?)\b")
});
static SEVERAL: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(?:list|name|enumerate|give|mention)\b|\b(?:what|which|who) (?:\w+ )?(?:are|were)\b",
    )
});
static ORDER: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"(?i)\b(?:order|ordered|sort|sorted|rank|ranked|ranking|arrange|steps?|stages?|sequence|chronolog\w*|",
        r"alphabet\w*|ascending|descending|first|last|next|then|smallest|largest|from)\b",
    ))
});

/// What the question lends to its answers.
#[derive(Debug)]
struct Asked {
    words: BTreeSet<String>,
    lends: bool,
    unordered: bool,
    options: Options,
}

impl Asked {
    fn by(question: &str) -> Self {
        let options = Options::of(question);
        Self {
            words: words(&in_iso(question)).iter().map(|word| key(word)).collect(),
            lends: options.is_empty() && !ALTERNATIVES.is_match(question),
            unordered: SEVERAL.is_match(question) && !ORDER.is_match(question),
            options,
        }
    }

    fn lends(&self, word: &Word) -> bool {
        self.lends && self.words.contains(&word.key)
    }
}

/// One word that says something.
#[derive(Debug, PartialEq, Eq)]
struct Word {
    /// Its stem; a number's value.
    key: String,
    /// A name, a number or a preposition: nothing that can be added without saying more.
    strict: bool,
    /// Says how its neighbours belong together: "seen by Alice" is not "seen Alice".
    joins: bool,
}

/// What an answer says, comparably.
#[derive(Debug)]
struct Gist {
    words: Vec<Word>,
    /// What turns a meaning around.
    turns: Vec<String>,
    /// The items of a bare list, sorted.
    items: Option<Vec<String>>,
    /// Of what it adds to the question; of all of it, where it adds nothing.
    vector: NgramVector,
    adds: bool,
    whole: NgramVector,
}

impl Gist {
    fn of(text: &str, asked: &Asked) -> Self {
        let text = in_iso(text);
        let text = text.replace(['*', '_', '`'], "");
        let (mut found, mut turns) = (Vec::new(), signs(&text));
        let names = names(&text);
        for word in words(&text) {
            if let Some(turn) = turn(&word) {
                turns.push(turn.to_owned());
            } else if says_something(&word) {
                let key = key(&word);
                let number = key.bytes().any(|b| b.is_ascii_digit());
                let joins = JOINTS.contains(&word.as_str());
                found.push(Word { key, strict: number || joins || names.contains(&word), joins });
            }
        }
        let joined = |words: &mut dyn Iterator<Item = &Word>| -> String {
            words.map(|word| word.key.as_str()).collect::<Vec<_>>().join(" ")
        };
        let added = joined(&mut found.iter().filter(|word| !asked.lends(word)));
        let whole = NgramVector::of(&joined(&mut found.iter()));
        Self {
            adds: !added.is_empty(),
            vector: NgramVector::of(&added),
            whole,
            items: asked.unordered.then(|| items(&text)).flatten(),
            words: found,
            turns,
        }
    }

    fn says_what(&self, other: &Self, asked: &Asked) -> bool {
        if let (Some(items), Some(others)) = (&self.items, &other.items) {
            return items == others;
        }
        let (short, long) =
            if self.words.len() <= other.words.len() { (self, other) } else { (other, self) };
        let Some(further) = further(&short.words, &long.words) else { return false };
        let harmless = |word: &Word| !word.strict || asked.lends(word);
        let near = if self.adds && other.adds {
            self.vector.cosine(&other.vector)
        } else {
            self.whole.cosine(&other.whole)
        };
        let joins_others = |at: usize| {
            long.words.get(at).is_some_and(|word| word.joins) && !further.contains(&(at + 1))
        };
        self.turns == other.turns
            && further.iter().all(|&at| long.words.get(at).is_some_and(harmless))
            && !further.iter().any(|&at| joins_others(at))
            && near >= LIKENESS
    }
}

/// Where in `long` the words stand that `short` does not have, if `short`'s own stand in it in
/// their order.
fn further(short: &[Word], long: &[Word]) -> Option<Vec<usize>> {
    let mut wanted = short.iter().peekable();
    wanted.peek()?;
    let mut further = Vec::new();
    for (at, word) in long.iter().enumerate() {
        if wanted.peek().is_some_and(|next| next.key == word.key) {
            wanted.next();
        } else {
            further.push(at);
        }
    }
    wanted.peek().is_none().then_some(further)
}

fn says_something(word: &str) -> bool {
    let silent = is_stop_word(word) || FRAME.contains(&word);
    !silent || JOINTS.contains(&word)
}

/// A word as it is compared: a number's value, else the stem.
fn key(word: &str) -> String {
    if let Some(value) = SMALL_NUMBERS.iter().position(|name| *name == word) {
        return value.to_string();
    }
    match word.parse::<Number>() {
        Ok(number) => number.to_string(),
        Err(_) => stem(word),
    }
}

/// What introduces an answer and says nothing of it.
const FRAME: &[&str] = &[
    "answer",
    "certainly",
    "correct",
    "final",
    "hence",
    "indeed",
    "ok",
    "okay",
    "overall",
    "sure",
    "therefore",
    "thus",
    "well",
];

const SMALL_NUMBERS: &[&str] = &[
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve",
];

/// Words that say how their neighbours belong together.
const JOINTS: &[&str] = &[
    "above", "after", "against", "before", "below", "by", "down", "from", "in", "into", "off",
    "on", "out", "outside", "over", "than", "under", "until", "up",
];

/// Words that turn a meaning around, or bound it. Sorted, for binary search.
pub(super) const TURNS: &[&str] = &[
    "all",
    "almost",
    "always",
    "any",
    "barely",
    "both",
    "despite",
    "each",
    "either",
    "every",
    "except",
    "fails",
    "false",
    "few",
    "fewer",
    "first",
    "half",
    "hardly",
    "higher",
    "if",
    "instead",
    "last",
    "least",
    "left",
    "less",
    "lower",
    "many",
    "more",
    "most",
    "nearly",
    "often",
    "only",
    "or",
    "rarely",
    "rather",
    "right",
    "seldom",
    "some",
    "sometimes",
    "true",
    "unless",
    "usually",
    "wrong",
    "yes",
];

fn turn(word: &str) -> Option<&str> {
    let negates = word.ends_with("n't")
        || [
            "not", "no", "never", "none", "nobody", "nothing", "neither", "nor", "without",
            "cannot",
        ]
        .contains(&word);
    if negates { Some("not") } else { TURNS.binary_search(&word).ok().map(|_| word) }
}

/// Signs that mean something: all but punctuation; a hyphen only where it is a minus.
fn signs(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    let at = |i: usize| chars.get(i).copied();
    let mut found = Vec::new();
    for (i, &c) in chars.iter().enumerate() {
        let before = i.checked_sub(1).and_then(at);
        let hyphen = matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}');
        let minus = hyphen
            && !before.is_some_and(char::is_alphanumeric)
            && at(i + 1).is_some_and(|next| next.is_ascii_digit() || next == '.');
        let plain = c.is_alphanumeric() || c.is_whitespace() || hyphen || PUNCTUATION.contains(c);
        if minus {
            found.push("-".to_owned());
        } else if !plain {
            found.push(c.to_string());
        }
    }
    found
}

const PUNCTUATION: &str = ".,;:?!'\"()[]{}\u{2018}\u{2019}\u{201C}\u{201D}\u{2026}";

/// The folded words that are written as names: with a capital anywhere.
fn names(text: &str) -> BTreeSet<String> {
    text.split(|c: char| !(c.is_alphanumeric() || c == '\''))
        .filter(|word| word.chars().any(char::is_uppercase))
        .flat_map(words)
        .collect()
}

/// The items of a text that is nothing but a list of several short items, sorted.
fn items(text: &str) -> Option<Vec<String>> {
    /// An item of more words is a clause.
    const MOST_WORDS: usize = 4;
    let text = text.replace(" and ", ",").replace(" & ", ",");
    let mut items: Vec<String> = text
        .split([',', ';', '\n'])
        .map(|item| words(item).iter().map(|word| key(word)).collect::<Vec<_>>())
        .map(|mut item| {
            item.retain(|word| !matches!(word.as_str(), "the" | "a" | "an" | "and"));
            item.join(" ")
        })
        .filter(|item| !item.is_empty())
        .collect();
    items.sort_unstable();
    items.dedup();
    let short = items.iter().all(|item| item.split(' ').count() <= MOST_WORDS);
    (items.len() >= 2 && short).then_some(items)
}
