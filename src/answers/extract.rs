//! The final answer of a model's reply.

use std::sync::LazyLock;

use regex::Regex;

use crate::{
    domain::{Canonical, Number},
    text::sentences,
};

use super::{
    Form, canonical,
    canonical::{MOST, in_form, text as normal_text},
    clean::{pattern, plain_maths, undress, without_tokens},
    dates::last_date,
    is_non_answer,
    numbers::{last_in_words, quantities},
};

/// Characters up to which an unmarked reply of one paragraph counts as an answer by itself.
const SHORT: usize = 160;
/// Declarations that are looked at, from the last one back, and bytes of each.
const MOST_DECLARATIONS: usize = 16;
const LONGEST_DECLARATION: usize = 2048;

/// The final answer of a model's reply, in canonical form; `None` when the reply gives none.
///
/// A declared answer counts first: the `"answer"` of a JSON object, whole or broken; then the last
/// of `#### …`, `\boxed{…}`, `<answer>…</answer>`, "the answer is …", "Answer: …". Without one, the
/// conclusion of the prose is read in the expected form. Of a reply longer than 32 KiB only the
/// end is read.
#[must_use]
pub fn extract(text: &str, expected: Option<Form>) -> Option<Canonical> {
    let tail = &text[text.ceil_char_boundary(text.len().saturating_sub(MOST))..];
    let cleaned = without_tokens(tail);
    let reply = cleaned.trim();
    if let Some(declared) = json_answer(reply) {
        return canonical(&declared, expected);
    }
    if is_unfinished_json(reply) {
        return None;
    }
    let plain = plain_maths(reply);
    for declared in declarations(&plain, expected == Some(Form::Choice)) {
        if is_non_answer(declared) && !signs_only(declared) {
            continue;
        }
        if expected == Some(Form::Choice) && NO_OPTION.is_match(declared) {
            return normal_text(undress(declared).trim_matches(['(', ')']));
        }
        if let Some(answer) = read_declared(declared, expected) {
            return Some(answer);
        }
    }
    if is_non_answer(&plain) {
        return None;
    }
    match expected {
        Some(Form::Number) => concluding_number(&plain).map(Canonical::Number),
        Some(Form::Choice) => concluding_choice(&plain).map(Canonical::Choice),
        // Many a polar question is answered in words that say neither yes nor no.
        Some(Form::YesNo) => concluding_yes_no(&plain)
            .map(Canonical::YesNo)
            .or_else(|| unmarked(&plain, Some(Form::Text))),
        Some(Form::Date) => last_date(&plain).map(Canonical::Date),
        Some(Form::List) => concluding_list(&plain),
        Some(Form::Text) => unmarked(&plain, Some(Form::Text)),
        None => unmarked(&plain, None),
    }
}

static JSON_KEY: LazyLock<Regex> =
    LazyLock::new(|| pattern(r#"(?i)["'“]?(?:final[_ ]?)?(?:answer|result)["'”]\s*:\s*"#));
static JSON_OPENING: LazyLock<Regex> =
    LazyLock::new(|| pattern(r#"^(?:[^{]{0,200}```\w*\s*)?\{\s*["'“]"#));

/// The value under the last `"answer"` of a JSON object, whole or broken.
fn json_answer(reply: &str) -> Option<String> {
    if !reply.contains(['{', '}']) {
        return None;
    }
    let value = &reply[JSON_KEY.find_iter(reply).last()?.end()..];
    match value.chars().next()? {
        '"' => Some(json_string(value)),
        '[' => Some(value.split_inclusive(']').next().unwrap_or(value).to_owned()),
        '{' => Some(value.trim_start_matches('{').split('}').next().unwrap_or_default().to_owned()),
        _ => Some(value.split([',', '}', '\n']).next().unwrap_or(value).trim().to_owned()),
    }
}

/// A JSON string up to its closing quote, or what there is of it when the text was cut.
fn json_string(value: &str) -> String {
    let mut escaped = false;
    let inner = value.get(1..).unwrap_or_default();
    let close = inner.char_indices().find(|&(_, c)| {
        let closes = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        closes
    });
    let inner = close.map_or(inner, |(at, _)| &inner[..at]);
    serde_json::from_str(&format!("\"{inner}\"")).unwrap_or_else(|_| inner.to_owned())
}

/// A JSON object that was cut before its answer: whatever number comes last in it is none.
fn is_unfinished_json(reply: &str) -> bool {
    JSON_OPENING.is_match(reply) && !reply.trim_end_matches(['`', ' ', '\n']).ends_with('}')
}

static DECLARATION: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"(?i)(?P<hashes>(?:^|\n)[ \t]*####[ \t]*)",
        r"|(?P<boxed>\\boxed\s*\{)",
        r"|(?P<tag><(?:final_?)?answer>)",
        r"|(?P<is>\b(?:answer|(?P<option>(?:option|choice|statement|sentence)))(?: (?:choice|option))?(?: to (?:the|this|your) (?:question|problem))?[*_\s]*(?:\bis\b|=|\bwould be\b|\bwill be\b|\bshould be\b|\bmust be\b)(?: therefore| thus| simply| clearly)?[*_:\s]*)",
        r"|(?P<colon>\banswer[*_]*\s*:[*_\s]*)",
    ))
});
static HEADING: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)^(?:step|final|answer|solution|conclusion|explanation|summary|reasoning)\b[^\d]*$",
    )
});

/// What the reply declares to be its answer, the last declaration first.
fn declarations(plain: &str, options: bool) -> impl Iterator<Item = &str> {
    let found: Vec<_> = DECLARATION.captures_iter(plain).collect();
    found.into_iter().rev().take(MOST_DECLARATIONS).filter_map(move |c| {
        let rest = &plain[c.get(0)?.end()..];
        let line = rest.lines().next().unwrap_or_default();
        let line = &line[..line.floor_char_boundary(LONGEST_DECLARATION)];
        // "The best option is to wait" declares nothing where no options were offered.
        if c.name("option").is_some() && !options {
            return None;
        }
        if c.name("boxed").is_some() {
            return Some(rest.split('}').next().unwrap_or(rest));
        }
        if c.name("tag").is_some() {
            return Some(rest.split("</").next().unwrap_or(rest));
        }
        if c.name("hashes").is_some() {
            return (!HEADING.is_match(line.trim())).then_some(line);
        }
        let sentence = first_sentence(line);
        // "Answer: First we add …" opens the working, it does not declare anything.
        let opens_working =
            c.name("colon").is_some() && sentence.len() > 80 && rest.len() > line.len() + SHORT;
        (!opens_working).then_some(sentence)
    })
}

/// All or none of the options: an answer, but no letter.
static NO_OPTION: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)^\W{0,4}(?:none|neither|both|all) (?:of|option)?"));

fn first_sentence(line: &str) -> &str {
    match sentences(line).first() {
        Some(first) => &line[..first.start + first.text.len()],
        None => line,
    }
}

fn signs_only(text: &str) -> bool {
    !text.chars().any(char::is_alphanumeric) && !undress(text).is_empty()
}

fn read_declared(declared: &str, expected: Option<Form>) -> Option<Canonical> {
    match expected {
        Some(form) => in_form(undress(declared), form),
        None => canonical(declared, None),
    }
}

static BOLD: LazyLock<Regex> = LazyLock::new(|| pattern(r"\*\*([^*\n]{1,120})\*\*"));

/// The number on which prose ends. In the last sentence that has one: the last in bold, else the
/// last outcome of a calculation, else the one that repeats the latest outcome before it ("it
/// takes 45 minutes to peel 90 shrimp" after "15 + 30 = 45"), else the last.
fn concluding_number(plain: &str) -> Option<Number> {
    let all = quantities(plain);
    let Some(last) = all.iter().rev().find(|q| !q.qualifies).or(all.last()) else {
        return sentences(plain).iter().rev().take(3).find_map(|s| last_in_words(s.text));
    };
    let line_start = plain[..last.start].rfind('\n').map_or(0, |at| at + 1);
    let line_end = plain[last.end..].find('\n').map_or(plain.len(), |at| last.end + at);
    let line = &plain[line_start..line_end];
    let within = sentences(line)
        .iter()
        .map(|s| (line_start + s.start, line_start + s.start + s.text.len()))
        .find(|&(start, end)| start <= last.start && last.end <= end)
        .unwrap_or((line_start, line_end));
    let in_bold = BOLD.captures_iter(&plain[within.0..within.1]).filter_map(|c| {
        quantities(c.get(1)?.as_str()).into_iter().rev().find(|q| !q.qualifies).map(|q| q.value)
    });
    if let Some(bold) = in_bold.last() {
        return Some(bold);
    }
    let candidates_from = |from: usize| -> Vec<_> {
        all.iter().filter(|q| from <= q.start && q.start < within.1 && !q.qualifies).collect()
    };
    let conclusion = within.0 + conclusion_within(&plain[within.0..within.1]);
    let mut candidates = candidates_from(conclusion);
    if candidates.is_empty() {
        candidates = candidates_from(within.0);
    }
    if let Some(result) = candidates.iter().rev().find(|q| q.result) {
        return Some(result.value.clone());
    }
    all.iter()
        .rev()
        .filter(|q| q.result && q.start < within.0)
        .take(3)
        .find(|earlier| candidates.iter().any(|q| q.value == earlier.value))
        .or(candidates.last().copied())
        .or(Some(last))
        .map(|q| q.value.clone())
}

static CONCLUDES: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)(?:[,;]|\band) (?:so|therefore|thus|hence|which means|this means|meaning)(?: that)?,? ",
    )
});
static PREMISE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)^\W*(?:so,? |and )?(?:since|because|as|if|given|when|after|with|for|in|over|at) [^\n]*?,\s",
    )
});

/// Where the conclusion of a sentence begins: after its last ", so …", else after a leading clause
/// that states a premise ("Since one box holds 24, she needs 1 box").
fn conclusion_within(sentence: &str) -> usize {
    CONCLUDES
        .find_iter(sentence)
        .last()
        .or_else(|| PREMISE.find(sentence))
        .map_or(0, |found| found.end())
}

static LETTER: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\(([A-Z])\)|\b(?i:option|choice)\s+([A-Z])\b|\*\*([A-Z])[).:*]"));

/// The letter on which prose ends: that of the last sentence that names any. A sentence that
/// names several and joins them made no choice.
fn concluding_choice(plain: &str) -> Option<char> {
    let opening = plain.lines().next().unwrap_or_default();
    if let Some(letter) = super::canonical::choice(opening).filter(|_| opening.len() <= SHORT) {
        return Some(letter);
    }
    let sentences = sentences(plain);
    let letters = |text: &str| -> Vec<char> {
        LETTER
            .captures_iter(text)
            .filter_map(|c| c.iter().skip(1).flatten().next()?.as_str().chars().next())
            .collect()
    };
    let named = sentences.iter().rev().map(|s| letters(s.text)).find(|l| !l.is_empty())?;
    let first = named.first().copied()?;
    named.iter().all(|&l| l == first).then_some(first)
}

static POLAR_WORD: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"(?i)(\bnot\s+)?\b(yes|true|false|correct|incorrect|plausible|implausible)\b|\bis (no)\b|\b(no)(?:[.,!;"'*]|\s*$)"#,
    )
});

/// The yes or no with which prose opens, else that of the last sentence that has one.
fn concluding_yes_no(plain: &str) -> Option<bool> {
    if let Some(answer) = super::canonical::yes_no(plain) {
        return Some(answer);
    }
    sentences(plain).iter().rev().find_map(|s| {
        let found = POLAR_WORD.captures_iter(s.text).last()?;
        let negated = found.get(1).is_some();
        let word = found.get(2).map_or("no".to_owned(), |w| w.as_str().to_ascii_lowercase());
        Some(matches!(word.as_str(), "yes" | "true" | "correct" | "plausible") != negated)
    })
}

static ITEM_LINE: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\s*(?:\d{1,4}[.)]|[-*•])\s+\S"));
static LEAD_IN: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?is)^.{0,200}?\b(?:we (?:now )?have|the (?:sorted |final )?(?:list|order|words)(?: is| are)?)\b[:\s]*",
    )
});

/// The list on which a reply ends: its closing block of item lines, else its last line.
fn concluding_list(plain: &str) -> Option<Canonical> {
    let lines: Vec<&str> = plain.lines().filter(|l| !l.trim().is_empty()).collect();
    let items = lines.iter().rev().take_while(|l| ITEM_LINE.is_match(l)).count();
    let closing = if items > 1 {
        lines[lines.len() - items..].join("\n")
    } else {
        let last = lines.last()?;
        let last = sentences(last).last().map_or(*last, |s| s.text);
        LEAD_IN.replace(last, "").into_owned()
    };
    in_form(undress(&closing), Form::List)
}

/// A reply without a declared answer, of unknown form or to be taken in words. A short one is its
/// own answer, a longer one stands as a whole: only the same words are the same answer.
fn unmarked(plain: &str, expected: Option<Form>) -> Option<Canonical> {
    let is_short = plain.len() <= SHORT && !plain.trim().contains("\n\n");
    if is_short { canonical(plain, expected) } else { normal_text(plain) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(text: &str, expected: Option<Form>) -> Option<String> {
        extract(text, expected).map(|c| c.to_string())
    }

    #[test]
    fn declared_answers_are_found_in_every_habit() {
        for text in [
            "12 + 6 = 18\n#### 18",
            "{\"reasoning\": \"12 eggs\", \"answer\": \"18\"}",
            "```json\n{\"reasoning\": \"a \"quoted\" mess\", \"answer\": \"18 eggs\"\n```</s></s>",
            "{\"answer\": 18, \"reasoning\": \"then 3 are left\"}",
            "{\"reasoning\": \"…\", \"answer\": \"12 + 6 = 18",
            "So \\(x = \\boxed{18}\\).",
            "The answer is $18.00. She had 3 before.",
            "**Final Answer:** 18",
            "**Answer**\n\n18",
            "<answer>18</answer>",
            "<think>perhaps #### 12</think>It is 18.",
            "The total is **18** eggs, of 24 laid.",
            "So it takes 18 minutes to peel 90 shrimp, since 15 + 3 = 18.",
            "15 + 3 = 18 minutes\n\nIt takes 18 minutes to peel 90 shrimp.",
            "Since one box holds 24, she needs 18 boxes.",
            "18",
            "eighteen",
            "\\frac{36}{2}",
        ] {
            assert_eq!(shown(text, Some(Form::Number)).as_deref(), Some("18"), "{text}");
        }
    }

    #[test]
    fn choices_and_verdicts_are_found() {
        for (text, form, answer) in [
            ("… So the answer is (B).", Form::Choice, Some("B")),
            ("(b)", Form::Choice, Some("B")),
            ("B. kite", Form::Choice, Some("B")),
            ("The kite fits best. Option B is right.", Form::Choice, Some("B")),
            ("So the answer is (A) and (B).", Form::Choice, None),
            ("The answer is (None of the above).", Form::Choice, Some("none of the above")),
            ("No, it does not.", Form::YesNo, Some("no")),
            (
                "Prompts leave the house encrypted.",
                Form::YesNo,
                Some("prompts leave the house encrypted"),
            ),
            ("We are back at (0, 0). So the answer is Yes.", Form::YesNo, Some("yes")),
            ("Therefore the statement is not true.", Form::YesNo, Some("no")),
            ("So the answer is invalid.", Form::Text, Some("invalid")),
            ("45 days later it is Friday, April 17, 2026.", Form::Date, Some("2026-04-17")),
            ("Sorted:\n1. apple\n2. pear", Form::List, Some("apple, pear")),
        ] {
            assert_eq!(shown(text, Some(form)).as_deref(), answer, "{text}");
        }
    }

    #[test]
    fn without_an_expected_form_the_answer_shows_its_own() {
        assert_eq!(shown("So the answer is True.", None).as_deref(), Some("yes"));
        assert_eq!(shown("So the answer is > ] }.", None).as_deref(), Some("> ] }"));
        assert_eq!(shown("Paris.", None).as_deref(), Some("paris"));
        let advice = "Your best option is to wait";
        assert_eq!(shown(advice, None).as_deref(), Some("your best option is to wait"));
    }

    #[test]
    fn a_reply_that_was_cut_or_refuses_has_no_answer() {
        for text in [
            "{\"reasoning\": \"First we add 12 and 6, then",
            "I'm sorry, I cannot help with that.",
            "",
            "{\"reasoning\": \"no\", \"answer\": \"Not possible\"}",
        ] {
            assert_eq!(shown(text, Some(Form::Number)), None, "{text}");
        }
    }

    /// Would not end in a lifetime if any pattern or loop were more than linear.
    #[test]
    fn hostile_replies_cost_little() {
        for piece in [
            "(",
            "9",
            "9 ",
            "9.",
            "answer is ",
            "#### ",
            "\\boxed{",
            "\\frac{1}{",
            "<think>",
            "</s>",
            "\"answer\": ",
            "\"answer\": \"",
            "{\"a\": ",
            "**1",
            "1/",
            "1,000,",
            "= 1 ",
            "- ",
            "'",
            "one ",
            "(A) and ",
            "a < ",
            "not true ",
            "\n1. ",
            "é",
            "Since 1, ",
        ] {
            let text = piece.repeat(300_000 / piece.len());
            for form in
                [None, Some(Form::Number), Some(Form::Choice), Some(Form::YesNo), Some(Form::List)]
            {
                let _ = extract(&text, form);
            }
        }
    }

    proptest! {
        #[test]
        fn a_declared_number_is_found_whatever_stands_before(
            before in "[a-zA-Z0-9 .,]{0,80}",
            n in -1_000_000i64..1_000_000,
        ) {
            let text = format!("{before}\n#### {n}");
            prop_assert_eq!(extract(&text, Some(Form::Number)), Some(Canonical::Number(n.into())));
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in "\\PC{0,160}") {
            for form in [None, Some(Form::Number), Some(Form::Choice), Some(Form::YesNo), Some(Form::Date), Some(Form::List), Some(Form::Text)] {
                let _ = extract(&text, form);
            }
        }
    }
}
