//! What a conversation is bound by: standing instructions, constraints, decisions, promises and
//! what the caller says of himself; and which later statement takes the place of which earlier one.

use std::{
    collections::{BTreeSet, HashSet},
    hash::{DefaultHasher, Hash, Hasher},
    sync::LazyLock,
};

use regex::Regex;

use super::entities::{Entity, Kind, entities};
use crate::{
    domain::{Role, Turn},
    text::{content_words, fold, sentences, stem, words},
};

/// One statement that binds.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Statement {
    /// How much it binds what is to come, 0 to 1.
    pub(super) strength: f64,
    /// What it is about, with the names in it and without.
    subject: BTreeSet<String>,
    bare_subject: BTreeSet<String>,
    /// It says that something said before was otherwise.
    corrects: bool,
    /// A mark of each word of the subject: where two have none in common, no word is.
    marks: u64,
}

/// Longest sentence, in bytes, that is read as a statement: pasted texts and code are none.
const LONGEST: usize = 400;
/// Statements of one turn that are kept apart.
const MOST: usize = 8;
/// Share of words that two subjects must have in common to be one (Jaccard).
const SAME_SUBJECT: f64 = 0.6;

/// Holds for every answer from then on.
const STANDING: f64 = 1.0;
/// Was decided, or has to be kept to.
const DECIDED: f64 = 0.8;
/// Says that something was otherwise.
const CORRECTED: f64 = 0.8;
/// What the caller says of himself and his matters.
const STATED: f64 = 0.4;
/// What somebody said that he would do.
const PROMISED: f64 = 0.35;

/// Finds any of some phrases as whole words, however they are capitalised and spaced.
type Phrases = LazyLock<Regex>;

#[expect(clippy::expect_used, reason = "the patterns are constants, and tests run all of them")]
fn pattern(pattern: &str) -> Regex {
    let pattern = pattern.replace(' ', r"\s+").replace('\'', "['\u{2019}]");
    Regex::new(&format!("(?i){pattern}")).expect("a pattern of this room")
}

/// Any of these, which `|` parts.
fn phrases(phrases: &str) -> Regex {
    pattern(&format!(r"\b(?:{phrases})\b"))
}

fn lexicon(words: &'static str) -> HashSet<&'static str> {
    words.split_whitespace().collect()
}

/// Phrases with which a caller binds every answer.
static STANDING_PHRASES: Phrases = LazyLock::new(|| {
    phrases(
        "from now on|from here on|going forward|in future|in the future|every time|\
         remember that|please remember|keep in mind|bear in mind|don't forget|make sure|\
         only use|use only|stick to|stop using|under no circumstances|call me|address me|\
         refer to me|always|never|must|must not|mustn't|no more than|not more than|at most|\
         avoid|refrain|without exception|(?:all|your|every|each) (?:answers?|repl(?:y|ies)|responses?)|\
         answer in|reply in|respond in",
    )
});
/// Phrases with which either side decides.
static DECISION_PHRASES: Phrases = LazyLock::new(|| {
    phrases(
        "decided|we agreed|we've agreed|agreed on|agreed that|agreed to|as agreed|\
         let's go with|let's use|let's take|go with|going with|i'll take|settled on|we chose|\
         i chose|i choose|we choose|i pick|i picked|we picked|final|is confirmed|booked|\
         signed off|approved|the plan is|we will use|we'll use|we are using|we're using|\
         i'm using|i am using",
    )
});
/// Phrases that make what a caller says of himself a constraint.
static CONSTRAINT_PHRASES: Phrases = LazyLock::new(|| {
    phrases(
        "budget|deadline|allergic|allergy|limit|prefer|i can't|i cannot|we can't|we cannot|\
         i don't eat|i don't drink|i don't like|i hate|not allowed|forbidden|required|\
         has to be|have to be|needs to be|vegan|vegetarian|due|at least|is called|name is",
    )
});
/// Phrases with which a caller speaks of himself and his matters.
static STATED_PHRASES: Phrases = LazyLock::new(|| {
    phrases(
        "i am|i'm|i have|i've|i live|i work|i was|i need|i want|i like|i love|i own|i use|\
         i moved|i bought|i grew|i study|we have|we need|we are|we're|we use|we live|we run|\
         we want|my|our|the password|the code",
    )
});
/// Phrases that correct; the first group only where they begin a sentence.
static CORRECTING_OPENING: Phrases = LazyLock::new(|| {
    pattern(r"^\W*(?:no|actually|sorry|wait|correction|update|change of plan|scratch that)\b\W*\w+")
});
/// A bare `no` is an answer, and `no problem` is good manners.
static GOOD_MANNERS: Phrases = LazyLock::new(|| {
    pattern(r"^\W*(?:no|sorry)\W*(?:problem|thanks|thank|worries|need|for|idea)\b")
});
static CORRECTING_PHRASES: Phrases = LazyLock::new(|| {
    phrases(
        "i meant|i was wrong|that's wrong|that is wrong|that was wrong|i made a mistake|\
         instead of|change that|change it|changed to|make that|make it|changed my mind|\
         changed our mind|changed our minds|forget what i said|ignore what i said|moved to|\
         no longer|not anymore|any more|is now|are now",
    )
});
static PROMISE_PHRASES: Phrases = LazyLock::new(|| phrases("i will|i'll|we will|we'll|i promise"));
/// `don't use tabs`.
static ORDER_NOT_TO: Phrases = LazyLock::new(|| pattern(r"(\w+)?\W*\b(?:don't|do not)\b"));
/// Who is spoken of when `don't` is no order.
const SUBJECTS: &[&str] = &["i", "we", "you", "they", "he", "she", "it", "people", "that", "who"];

/// Words of binding itself, stemmed: they are no part of what a statement is about.
static BINDING: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    lexicon(
        "actually agr agre alway always chang choos chos confirm correction decid decision don't \
         exactly final futur future go going i'll i'm i've instead let's mad mak meant mind \
         mistak must never no not now only remember remembered settl settled sorry stick sur sure \
         updat wait we'll we're we've wrong",
    )
});
/// Languages are what one answers in, not what one speaks about.
static LANGUAGES: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    lexicon(
        "arabic chinese czech danish dutch english finnish french german greek hindi italian \
         japanese korean latin norwegian polish portuguese russian spanish swedish turkish \
         ukrainian",
    )
});

/// The statements of a turn that bind.
pub(super) fn statements(turn: &Turn) -> Vec<Statement> {
    if turn.role == Role::Assistant
        && !DECISION_PHRASES.is_match(&turn.content)
        && !PROMISE_PHRASES.is_match(&turn.content)
    {
        return Vec::new();
    }
    sentences(&turn.content)
        .into_iter()
        .filter_map(|sentence| statement(sentence.text, turn.role))
        .take(MOST)
        .collect()
}

/// How much a sentence binds, 0 when not at all.
pub(super) fn strength(sentence: &str, role: Role) -> f64 {
    if sentence.len() > LONGEST || sentence.ends_with('?') {
        return 0.0;
    }
    let says = |phrases: &Phrases| phrases.is_match(sentence);
    let decided = if says(&DECISION_PHRASES) { DECIDED } else { 0.0 };
    let promised = if says(&PROMISE_PHRASES) { PROMISED } else { 0.0 };
    if role == Role::Assistant {
        // Explanations are full of `must` and `always`; they bind nobody. Nor does a decision that
        // the service speaks of bind as the caller's own does.
        return decided.max(promised) / 2.0;
    }
    if says(&STANDING_PHRASES) || orders_not_to(sentence) {
        return STANDING;
    }
    if corrects(sentence) {
        return CORRECTED;
    }
    let stated = says(&STATED_PHRASES);
    let constrained = says(&CONSTRAINT_PHRASES);
    let of_himself = match (stated, constrained) {
        (true, true) => DECIDED,
        (false, true) => (DECIDED + STATED) / 2.0,
        (true, false) => STATED,
        (false, false) => 0.0,
    };
    decided.max(of_himself).max(promised)
}

fn corrects(sentence: &str) -> bool {
    CORRECTING_PHRASES.is_match(sentence)
        || CORRECTING_OPENING.is_match(sentence) && !GOOD_MANNERS.is_match(sentence)
}

/// `don't use tabs`, but not `I don't know`.
fn orders_not_to(sentence: &str) -> bool {
    ORDER_NOT_TO.captures_iter(sentence).any(|order| {
        order.get(1).is_none_or(|before| {
            !SUBJECTS.iter().any(|subject| subject.eq_ignore_ascii_case(before.as_str()))
        })
    })
}

fn statement(sentence: &str, role: Role) -> Option<Statement> {
    let strength = strength(sentence, role);
    if strength <= 0.0 {
        return None;
    }
    let said = words(sentence);
    let corrects = corrects(sentence);
    let (names, values): (Vec<Entity>, Vec<Entity>) =
        entities(sentence).into_iter().partition(|entity| entity.kind == Kind::Name);
    let values: BTreeSet<String> = values
        .into_iter()
        .map(|entity| entity.term)
        .chain(said.iter().filter(|w| LANGUAGES.contains(w.as_str())).map(|w| stem(w)))
        .collect();
    let names: BTreeSet<String> = names.into_iter().map(|entity| entity.term).collect();
    let about = |text: &str| -> BTreeSet<String> {
        content_words(text)
            .into_iter()
            .filter(|word| !values.contains(word) && !BINDING.contains(word.as_str()))
            .filter(|word| !word.starts_with(|c: char| c.is_ascii_digit()))
            .collect()
    };
    let folded = fold(sentence);
    let subject = about(before_copula(&folded));
    let subject = if subject.is_empty() { about(&folded) } else { subject };
    let bare_subject = subject.difference(&names).cloned().collect();
    let marks = subject.iter().fold(0, |marks, word| marks | mark(word));
    Some(Statement { strength, subject, bare_subject, corrects, marks })
}

/// `my budget` of `my budget is 500 euros`; the whole sentence where nothing is said to be anything.
fn before_copula(folded: &str) -> &str {
    let copulas =
        [" is ", " are ", " was ", " will be ", " has to be ", " changed to ", " moved to "];
    copulas.iter().filter_map(|copula| folded.find(copula)).min().map_or(folded, |at| &folded[..at])
}

impl Statement {
    /// Whether this, said later, takes the place of an earlier statement.
    pub(super) fn supersedes(&self, earlier: &Self) -> bool {
        if self.marks & earlier.marks == 0 {
            return false;
        }
        if self.corrects {
            alike(&self.bare_subject, &earlier.bare_subject)
        } else {
            alike(&self.subject, &earlier.subject)
        }
    }
}

/// One of 64 marks.
fn mark(word: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    word.hash(&mut hasher);
    1 << (hasher.finish() % 64)
}

fn alike(a: &BTreeSet<String>, b: &BTreeSet<String>) -> bool {
    let common = a.intersection(b).count();
    #[expect(clippy::cast_precision_loss, reason = "words of two sentences")]
    let jaccard = common as f64 / (a.len() + b.len() - common).max(1) as f64;
    common > 0 && jaccard >= SAME_SUBJECT
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(content: &str) -> Vec<Statement> {
        statements(&Turn { role: Role::User, content: content.to_owned() })
    }

    fn supersedes(later: &str, earlier: &str) -> bool {
        user(later)[0].supersedes(&user(earlier)[0])
    }

    #[test]
    fn what_binds_is_told_from_what_does_not() {
        for binding in [
            "Always answer in French.",
            "My budget is 500 euros.",
            "Please do not use semicolons.",
            "I decided to take the red one.",
            "We agreed that Ana writes the report.",
            "From now on, call me Sam.",
            "I'm allergic to peanuts.",
        ] {
            assert!(strength(binding, Role::User) >= 0.4, "{binding}");
        }
        for idle in ["What is the capital of Peru?", "Thanks a lot!", "You don't say.", "Go on."] {
            assert_eq!(strength(idle, Role::User), 0.0, "{idle}");
        }
        let lecture = "You must always close the file, and never read it twice.";
        assert_eq!(strength(lecture, Role::Assistant), 0.0);
    }

    #[test]
    fn a_later_statement_on_the_same_subject_takes_the_earlier_ones_place() {
        for (later, earlier) in [
            ("Actually, my budget is 800.", "My budget is 500."),
            ("Answer in German from now on.", "Always answer in French."),
            ("Sorry, the meeting with Ana is on Friday.", "The deadline of the meeting is due."),
            ("Always use tabs.", "Never use tabs."),
        ] {
            let expected = !earlier.starts_with("The deadline");
            assert_eq!(supersedes(later, earlier), expected, "{later} after {earlier}");
        }
    }

    #[test]
    fn statements_on_other_subjects_stand_beside_each_other() {
        for (later, earlier) in [
            ("Do not use semicolons.", "Do not use tabs."),
            ("My sister is Ana.", "My brother is Tom."),
            ("Always answer in short sentences.", "Always answer in French."),
            ("Never mention Paris.", "Never mention Rome."),
        ] {
            assert!(!supersedes(later, earlier), "{later} after {earlier}");
        }
    }
}
