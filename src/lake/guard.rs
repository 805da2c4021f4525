//! Which questions may be remembered, and which two of them ask the same.

use std::borrow::Cow;

use super::{
    elsewhere::{points_elsewhere, speaks_of_its_asker},
    volatile::{changes_by_itself, tells_a_sum},
};
use crate::text::{NgramVector, fold, sentences, signs, stem_of, words_of_folded};

/// Longest question that is remembered, in bytes: longer ones are hardly ever put twice.
pub(super) const MAX_QUESTION: usize = 2048;

/// Beginnings of a request that ask for nothing themselves.
const POLITE: &[&[&str]] = &[
    &["please"],
    &["kindly"],
    &["hello"],
    &["hey"],
    &["hi"],
    &["tell", "me"],
    &["can", "you", "tell", "me"],
    &["could", "you", "tell", "me"],
    &["can", "you", "please", "tell", "me"],
    &["could", "you", "please", "tell", "me"],
    &["do", "you", "know"],
];

/// What parts sentences and words, and mostly means nothing by itself.
const PUNCTUATION: &str = ".,;:?!'\"";

/// Least cosine of two questions that ask the same.
const LIKENESS: f32 = 0.9;

/// Whether an answer to this question can be right for the next one who asks: not when it speaks
/// of the moment, of the asker or of chance, when it points at what was said before, when it is very
/// long, or when it says nothing.
/// Refusing too much costs a recall; refusing too little serves a stale answer.
#[must_use]
pub fn worth_remembering(question: &str) -> bool {
    if question.len() > MAX_QUESTION {
        return false;
    }
    let folded = fold(&without_identifiers(question));
    let all: Vec<&str> = words_of_folded(&folded).collect();
    let found = impolite(&all);
    if found.is_empty() {
        return question.contains(char::is_alphanumeric) && all.is_empty();
    }
    !changes_by_itself(found, tells_a_sum(&all, sentences(question).len()))
        && !speaks_of_its_asker(found)
        && !points_elsewhere(found, brings_its_object(question))
}

/// Whether a text has more than its request: a quote, a text after a colon, several lines or
/// sentences. Then what the request points at is most likely there.
fn brings_its_object(question: &str) -> bool {
    let text = question.trim();
    let inner = text.trim_end_matches(['.', '?', '!', ':']);
    text.contains(['\n', '"', '`', '\u{201C}']) || inner.contains(": ") || sentences(text).len() > 1
}

/// The text without what names something in a program, such as `my_dataset`: its parts are no words.
fn without_identifiers(question: &str) -> Cow<'_, str> {
    if !question.contains('_') {
        return Cow::Borrowed(question);
    }
    let is_plain = |chunk: &&str| {
        let joins = |part: &str, next: &str| {
            part.ends_with(char::is_alphanumeric) && next.starts_with(char::is_alphanumeric)
        };
        !chunk.match_indices('_').any(|(at, _)| joins(&chunk[..at], &chunk[at + 1..]))
    };
    Cow::Owned(question.split_whitespace().filter(is_plain).collect::<Vec<_>>().join(" "))
}

/// What two questions must have in common to be compared: the same words in the same order, but
/// for articles, politeness and inflection; the same numbers and the same signs. Likeness alone is
/// no evidence: "is the service up" and "is the service not up" are very like.
pub(super) fn signature(question: &str) -> String {
    let folded = fold(question);
    let all: Vec<&str> = words_of_folded(&folded).collect();
    let mut signature = String::with_capacity(question.len() + 16);
    for word in impolite(&all) {
        match *word {
            "a" | "an" | "the" => continue,
            "what's" | "who's" | "where's" | "when's" | "how's" => {
                signature.push_str(word.trim_end_matches("'s"));
                signature.push_str(" is");
            }
            word => signature.push_str(&stem_of(word)),
        }
        signature.push(' ');
    }
    signature.push('|');
    let sign = |c: &char| !c.is_alphanumeric() && !c.is_whitespace() && !PUNCTUATION.contains(*c);
    signature.extend(folded.chars().filter(sign));
    // Punctuation that is none: the mark of a factorial.
    signature.extend(signs(&folded).into_iter().filter(|c| PUNCTUATION.contains(*c)));
    signature
}

/// Whether two questions of one signature ask the same.
pub(super) fn asks_the_same(a: &str, b: &str) -> bool {
    NgramVector::of(a).cosine(&NgramVector::of(b)) >= LIKENESS
}

/// The words of a question without its politeness.
fn impolite<'a, 'b>(words: &'b [&'a str]) -> &'b [&'a str] {
    let mut rest = words;
    while let Some(after) =
        POLITE.iter().filter_map(|p| rest.strip_prefix(*p)).min_by_key(|r| r.len())
    {
        rest = after;
    }
    while let [before @ .., "please" | "thanks"] = rest {
        rest = before;
    }
    rest
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_changes_by_itself_is_not_remembered() {
        for question in [
            "What's the weather in Paris?",
            "what time is it",
            "What is the current version?",
            "who won today",
            "the price of gold",
            "What is my name?",
            "pick a random number",
            "How old is the president?",
            "what happened last week",
            "Is it out yet?",
            "has it been released yet in Europe",
            "random number from 1 to 6",
            "I need a randomly chosen word",
            "remind me of it",
            "",
            "  ?! ",
            "please",
            "what month is it",
            "is it late",
            "is it still raining in London",
            "how long until christmas",
            "what does bitcoin cost",
            "how much is an iPhone 15",
            "how much is a bitcoin worth",
            "who is the prime minister of Italy",
            "who leads the league",
            "who won the game",
            "who am I",
            "I am 70, can I still work?",
            "roll a die",
            "pick a card",
            "continue",
            "repeat that",
            "why?",
            "what does that mean",
            "translate it to French",
            "which of these is best",
            "when did he die",
            "What is the price of an iPhone 15 256GB?",
            "What is the price of an iPhone 15 with 256 GB?",
            "What is the price of an iPhone 15 with 256 GB at the airport?",
            "Who is the CEO of 3M?",
            "how old is Madonna",
            "how old is the president of France",
            "what is the score of the game",
            "how many days are left",
            "who is king of Spain",
        ] {
            assert!(!worth_remembering(question), "{question}");
        }
        assert!(!worth_remembering(&"why ".repeat(1000)));
    }

    #[test]
    fn what_stays_true_is_remembered() {
        for question in [
            "What is the capital of France?",
            "Can you tell me what a mutex is?",
            "what is 15 percent of 80?",
            "days between 2026-01-01 and 2026-11-22",
            "How do I configure a provider?",
            "what does the hybrid strategy do?",
            "does a vector offer random access in constant time",
            "why is it slow, yet does not fail",
            "what does load_dataset(\"my_dataset\") do",
            "what_is_my_name",
            "is it too late to learn the piano",
            "why does it rain",
            "how long does it take to boil an egg",
            "how much is 15 percent of 80",
            "how much is a kilo in pounds",
            "A robe costs 5 dollars and a hat 3. How much do both cost?",
            "who was the first president of France",
            "who won the battle of Hastings",
            "what to do if I am bitten by a dog",
            "how can I live on little money",
            "what is the mean",
            "why is the sky blue",
            "Translate it to French: good morning",
            "Which of these is a metal?\nA. iron\nB. wood",
            "how do I repeat a string",
            "how many people are left handed",
            "how old are the pyramids",
            "who is King Lear",
            "what is the score of a strike in bowling",
            "who is the 44th president of the United States",
            "If 3 pens cost $2, how much do 12 pens cost?",
            "who won the 2018 world cup",
        ] {
            assert!(worth_remembering(question), "{question}");
        }
    }

    fn same(a: &str, b: &str) -> bool {
        signature(a) == signature(b) && asks_the_same(a, b)
    }

    #[test]
    fn politeness_articles_and_inflection_do_not_make_another_question() {
        assert!(same("What is the capital of France?", "what's capital of France"));
        assert!(same("Can you tell me who wrote Hamlet, please?", "who wrote Hamlet"));
        assert!(same("how do routes work", "how do the routes work?"));
    }

    #[test]
    fn numbers_negations_order_and_signs_make_another_question() {
        for (a, b) in [
            ("is the service up", "is the service not up"),
            ("when was Einstein born", "where was Einstein born"),
            ("does A beat B", "does B beat A"),
            ("what is 12 + 7", "what is 12 - 7"),
            ("convert 5 miles to km", "convert 5 km to miles"),
            ("what is 5!", "what is 5"),
            ("how many apples has John with 12", "how many apples has John with 13"),
            ("convert 3 from feet to meters", "convert 3 to feet from meters"),
        ] {
            assert!(!same(a, b), "{a} / {b}");
        }
    }

    proptest! {
        #[test]
        fn any_text_has_a_signature(text in "\\PC{0,80}") {
            let _ = (signature(&text), worth_remembering(&text));
            prop_assert_eq!(signature(&text), signature(&format!("  {text} ")));
        }
    }
}
