//! Which words of a question name the things that it is about: what documents say of other things is
//! no answer, whatever words they share. "How do I start the car?" is about a car.

use super::{furniture::FURNITURE_STEMS, quantities::is_weekday, question::Group};
use crate::text::{is_stop_word, stem};

/// Words behind which a thing is named.
const BEFORE: &[&str] = &[
    "a", "about", "an", "any", "at", "between", "by", "each", "every", "for", "from", "her", "his",
    "in", "into", "its", "like", "many", "much", "my", "of", "on", "or", "our", "per", "some",
    "that", "the", "their", "these", "this", "those", "to", "which", "with", "without", "your",
    "and",
];
const HELPING: &[&str] = &[
    "can", "could", "did", "do", "does", "may", "might", "must", "shall", "should", "will", "would",
];
const COPULAS: &[&str] = &["are", "is", "was", "were"];
const ASKERS: &[&str] = &["i", "it", "one", "they", "we", "you", "he", "she"];

/// Nouns for what is asked of a thing, or for saying it in general.
const GENERAL: &[&str] = &[
    "action",
    "advice",
    "aim",
    "amount",
    "approach",
    "area",
    "aspect",
    "benefit",
    "charge",
    "concept",
    "condition",
    "consequence",
    "cost",
    "date",
    "deadline",
    "deal",
    "definition",
    "degree",
    "detail",
    "difference",
    "duration",
    "effect",
    "fee",
    "fine",
    "function",
    "goal",
    "guideline",
    "height",
    "hour",
    "impact",
    "info",
    "information",
    "instruction",
    "item",
    "length",
    "level",
    "limit",
    "location",
    "maximum",
    "meaning",
    "method",
    "minimum",
    "moment",
    "month",
    "number",
    "objective",
    "option",
    "penalty",
    "period",
    "place",
    "policy",
    "possibility",
    "price",
    "problem",
    "procedure",
    "process",
    "product",
    "property",
    "reason",
    "regulation",
    "requirement",
    "result",
    "role",
    "rule",
    "schedule",
    "section",
    "service",
    "size",
    "software",
    "step",
    "system",
    "temperature",
    "term",
    "time",
    "topic",
    "value",
    "version",
    "week",
    "weight",
    "year",
    "day",
    "people",
    "person",
    "app",
    "application",
    "program",
    "tool",
    "project",
    "world",
    "default",
    "end",
    "start",
    "rest",
    "only",
    "out",
    "off",
    "multiple",
    "well",
    "too",
    "already",
    "anyway",
    "expensive",
    "several",
    "different",
    "other",
    "new",
    "figure",
    "case",
];

/// The numbers of the question's words that name its things, and those of a name in capitals.
pub(super) fn named(words: &[String], stems: &[String], groups: &[Group]) -> Vec<usize> {
    let verb = verb(words);
    let predicate = words.first().is_some_and(|w| COPULAS.contains(&w.as_str()));
    let is_english = words.first().is_some_and(|word| is_stop_word(word));
    let mut found: Vec<usize> = Vec::new();
    let mut chain = false;
    for (at, word) in words.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| words.get(at)).map_or("", String::as_str);
        let stem = stem(word);
        if is_stop_word(word) || FURNITURE_STEMS.contains(&stem) {
            chain = false;
            continue;
        }
        let Some(number) = stems.iter().position(|s| *s == stem) else { continue };
        let is_topic = groups.get(number).is_some_and(|g| g.topical && !g.figure);
        // Other languages end on a verb.
        let last = at + 1 == words.len() && is_english;
        let subject = at <= 3 && (HELPING.contains(&before) || COPULAS.contains(&before));
        let participle =
            word.ends_with("ed") || word.ends_with("ing") || IRREGULAR.contains(&word.as_str());
        let stands = BEFORE.contains(&before) && !(before == "to" && last_verb(words, at))
            || subject
            || chain
            || (last && at > 0);
        let exempt = verb == Some(at)
            || is_weekday(word)
            || (participle && !predicate && last)
            || GENERAL.contains(&stem.as_str())
            || GENERAL.contains(&word.as_str());
        chain = stands && verb != Some(at);
        if is_topic && stands && !exempt && !found.contains(&number) {
            found.push(number);
        }
    }
    found
}

/// Of these things, those that an answer cannot be without.
pub(super) fn required(words: &[String], stems: &[String], things: &[usize]) -> Vec<usize> {
    let word = |at: usize| words.get(at).map_or("", String::as_str);
    let is = |number: &usize, word: &str| stems.get(*number).is_some_and(|s| *s == stem(word));
    if word(1) != "there" && (HELPING.contains(&word(0)) || COPULAS.contains(&word(0))) {
        // "are folders searched" may be answered by what is read of them.
        let done = |number: &usize| words.iter().any(|w| is_participle(w) && is(number, w));
        return things.iter().copied().filter(|number| !done(number)).collect();
    }
    let value = match (word(0), word(1), word(2)) {
        ("what" | "which", "is" | "are" | "was" | "were", "the") => {
            words.iter().position(|w| w == "of").and_then(|at| at.checked_sub(1)).map_or("", word)
        }
        _ => return Vec::new(),
    };
    let is_value = |number: &usize| is(number, value);
    things.iter().copied().filter(is_value).collect()
}

fn is_participle(word: &str) -> bool {
    word.ends_with("ed") || word.ends_with("ing") || IRREGULAR.contains(&word)
}

/// Participles without an ending of their own.
const IRREGULAR: &[&str] = &[
    "bought", "built", "done", "found", "given", "held", "kept", "known", "left", "lost", "made",
    "meant", "paid", "put", "run", "seen", "sent", "set", "shown", "sold", "spent", "taken",
    "told", "written", "gone",
];

/// "to refund": a verb behind "to", unless the question says where to.
fn last_verb(words: &[String], at: usize) -> bool {
    let before = at.checked_sub(2).and_then(|at| words.get(at)).map_or("", String::as_str);
    [
        "how", "need", "have", "want", "possible", "able", "way", "allowed", "it", "what", "i",
        "take", "like",
    ]
    .contains(&before)
}

/// Verbs that often have an object behind them: in "does it support subscriptions" the last word is
/// none.
const VERBS: &[&str] = &[
    "accept", "allow", "answer", "ask", "bring", "carry", "change", "charge", "compare",
    "compress", "contain", "cover", "give", "have", "include", "keep", "know", "make", "need",
    "offer", "open", "own", "provide", "read", "require", "return", "run", "sell", "send", "serve",
    "show", "speak", "store", "support", "take", "use", "want", "write",
];

/// Where the verb stands behind a helping one: "does the ferry *leave*", "do I *start* the car".
fn verb(words: &[String]) -> Option<usize> {
    let helping = words.iter().take(6).position(|word| HELPING.contains(&word.as_str()))?;
    let mut at = helping + 1;
    let subject = words.get(at)?;
    if ASKERS.contains(&subject.as_str()) {
        return (at + 1..words.len()).find(|&at| {
            words.get(at).is_some_and(|w| {
                !["not", "also", "still", "just", "have", "be"].contains(&w.as_str())
            })
        });
    }
    while words.get(at).is_some_and(|word| is_stop_word(word)) {
        at += 1;
    }
    let run = (at..words.len()).take_while(|&at| words.get(at).is_some_and(|w| !is_stop_word(w)));
    let is_verb = |at: &usize| words.get(*at).is_some_and(|w| VERBS.contains(&w.as_str()));
    run.clone().skip(1).find(is_verb).or_else(|| run.last().filter(|&last| last > at))
}
