//! What a question asks for, told before anything is searched: itself, a value, a place.

use super::{corpus::Sentence, grammar, quantities::is_measure, question::MAX_CHARS};
use crate::text::{is_stop_word, number_named, words};

/// Whether a question is about its own words, as "count the words in this question" is, or about
/// the conversation, as "what did I just ask?" is.
pub(super) fn is_about_itself(question: &str) -> bool {
    const ITSELF: &[&str] = &[
        "list",
        "message",
        "paragraph",
        "passage",
        "phrase",
        "question",
        "sentence",
        "string",
        "text",
        "word",
    ];
    const SAYING: &[&str] = &["ask", "mention", "say", "tell", "write"];
    let text: String = question.chars().take(MAX_CHARS).collect();
    let found = words(&text);
    let opens = found.first().is_some_and(|w| w == "what");
    found.windows(2).any(|pair| match pair {
        [this, what] if this == "this" => ITSELF.contains(&what.as_str()),
        // "what did I just ask?", and nothing behind it that it could be about.
        [just, said] if opens && (just == "just" || just == "i") => {
            SAYING.contains(&said.as_str()) && found.last() == Some(said)
        }
        _ => false,
    })
}

/// Whether a question asks for the present: "what week is it", "what time is it in Tokyo".
pub(super) fn is_about_now(question: &str) -> bool {
    const TIMES: &[&str] =
        &["time", "day", "date", "week", "weekday", "month", "quarter", "season", "year"];
    let text: String = question.chars().take(MAX_CHARS).collect();
    let found = words(&text);
    let word = |at: usize| found.get(at).map_or("", String::as_str);
    let asked = ["what", "which"].contains(&word(0))
        && ["is", "was"].contains(&word(2))
        && TIMES.contains(&word(1));
    // "what time is it open" is about what opens.
    let bare = ["", "at", "in", "now", "on", "right", "today", "tomorrow", "yesterday"];
    asked
        && (word(3) == "it" && bare.contains(&word(4))
            || ["now", "today", "tomorrow"].contains(&word(3)))
}

/// Whether a question is nothing but a calculation: "double 5 plus 3", "5 ft in". What no solver takes, as it
/// is open to two readings, no document knows either.
pub(super) fn is_calculation(question: &str) -> bool {
    const OPERATIONS: &[&str] = &[
        "plus",
        "minus",
        "times",
        "multiplied",
        "multiply",
        "divided",
        "divide",
        "over",
        "squared",
        "cubed",
        "square",
        "cube",
        "root",
        "double",
        "doubled",
        "twice",
        "triple",
        "tripled",
        "thrice",
        "half",
        "halved",
        "halves",
        "third",
        "thirds",
        "quarter",
        "quarters",
        "sum",
        "product",
        "difference",
        "quotient",
        "remainder",
        "mod",
        "modulo",
        "power",
        "powers",
        "percent",
        "percentage",
        "add",
        "added",
        "subtract",
        "subtracted",
        "increase",
        "increased",
        "decrease",
        "decreased",
        "average",
        "mean",
        "median",
        "factorial",
        "negative",
        "more",
        "less",
        "take",
        "away",
        "raised",
        "log",
        "logarithm",
        "sqrt",
        "x",
        "total",
        "dozen",
        "fraction",
        "ratio",
        "round",
        "rounded",
        "absolute",
    ];
    /// Operations that name a result as often, of which nothing is to be calculated.
    const NAMING: &[&str] = &["average", "less", "mean", "more", "take", "total", "times", "away"];
    const BESIDE: &[&str] = &[
        "words",
        "digits",
        "binary",
        "hex",
        "hexadecimal",
        "octal",
        "roman",
        "numeral",
        "numerals",
        "calculate",
        "many",
        "compute",
        "evaluate",
        "solve",
        "much",
        "value",
        "result",
        "answer",
        "equal",
        "equals",
        "number",
        "numbers",
        "first",
        "then",
        "hundred",
        "thousand",
        "million",
        "billion",
        "point",
        "between",
        "following",
        "base",
        "decimal",
        "nearest",
        "whole",
        "places",
        "make",
        "makes",
        "give",
        "gives",
        "get",
        "expression",
        "itself",
    ];
    let text: String = question.chars().take(MAX_CHARS).collect();
    let found = words(&text);
    let is_number = |word: &String| {
        word.starts_with(|c: char| c.is_ascii_digit())
            || number_named(word).is_some()
            || ["pair", "score", "gross", "dozen", "couple"].contains(&word.as_str())
    };
    let is = |list: &[&str], word: &String| list.contains(&word.as_str());
    let counts = |word: &String| is(OPERATIONS, word) || is(BESIDE, word) || is_measure(word);
    // "the total for 2 nights", "how much is 1 night": one number, and nothing done with it.
    let numbers = found.iter().filter(|word| is_number(word)).count();
    let works = found.iter().any(|word| is(OPERATIONS, word) && !is(NAMING, word));
    let measures = found.iter().filter(|word| is_measure(word)).count();
    let asks_for_a_unit = found.last().is_some_and(|word| word == "in");
    let converts = measures >= 2 || measures == 1 && asks_for_a_unit;
    (numbers >= 2 || numbers == 1 && (works || converts))
        && found.iter().any(counts)
        && found.iter().all(|word| is_number(word) || counts(word) || is_stop_word(word))
}

/// What a question asks for that not every sentence about its topic can give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asks {
    /// The name or value of something: "what port", "which port is", "what is the port".
    Value,
    /// A place.
    Place,
    /// Anything else, or nothing that can be told from the words.
    Open,
}

impl Asks {
    pub(super) fn read(text: &str) -> Self {
        // "what happens if", "what to do when": a case is what is asked about.
        const CASES: &[&str] =
            &["case", "fail", "fails", "happen", "happens", "if", "when", "without"];
        let found = words(text);
        let word = |i: usize| found.get(i).map_or("", String::as_str);
        let of_a_case = found.iter().any(|w| CASES.contains(&w.as_str()));
        match word(0) {
            "where" if ["is", "are", "was", "were"].contains(&word(1)) => Self::Place,
            "what" | "which" if !of_a_case && !["should", "can", "do"].contains(&word(1)) => {
                Self::Value
            }
            _ => Self::Open,
        }
    }

    /// Whether a sentence can be the answer at all, whatever words it has in common.
    pub(super) fn admits(self, sentence: &Sentence) -> bool {
        match self {
            // What to do if the port is in use does not say what the port is.
            Self::Value => !sentence.text.starts_with("If "),
            Self::Place => !grammar::tells_only_when(&sentence.text),
            Self::Open => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_document_knows_what_time_it_is() {
        for text in ["what week is it", "What time is it in Tokyo?", "which day was it yesterday"] {
            assert!(is_about_now(text), "{text}");
        }
        for text in [
            "what day is the drill?",
            "which week is the fair in?",
            "what is it?",
            "What year was it founded?",
            "What time is it open?",
            "what day is it closed?",
        ] {
            assert!(!is_about_now(text), "{text}");
        }
    }

    #[test]
    fn a_calculation_is_told_from_a_question_with_numbers() {
        for text in [
            "double 5 plus 3",
            "minus 3 squared",
            "what is twice 7 minus one?",
            "half of twelve plus 7",
            "the square root of 16 plus 9",
            "5 ft in",
            "what is 2 + 2 * 2 in words",
            "a pair plus a pair",
            "what is 10 C minus 5 F",
            "how many days are in 3 weeks",
        ] {
            assert!(is_calculation(text), "{text}");
        }
        for text in [
            "what are the 3 sacred positions?",
            "what happens after 30 days?",
            "is it free after 5 days?",
            "what does the ticket for 2 cost?",
            "what is the sum insured?",
            "How much is 1 night?",
            "What is the total for 2 nights?",
            "how long is 1 lesson?",
            "double",
        ] {
            assert!(!is_calculation(text), "{text}");
        }
    }
}
