//! What is read off a draft: where its numbers come from, how it argues, what it ends in.

use super::{
    cues::{Counts, Cue},
    question::{Feature, Question, count, fingerprint},
    scan::{Token, tokens},
    working::{Calculation, calculations},
};
use crate::{
    domain::{Canonical, Draft, Verdict},
    text::fold,
};

/// Numbers that a sound solution may bring along: small factors, parts of time, hundredths.
const COMMON: [f64; 13] =
    [1.0, 2.0, 3.0, 4.0, 7.0, 12.0, 24.0, 30.0, 52.0, 60.0, 100.0, 365.0, 0.5];

/// The checks whose verdicts are features.
const CHECKS: [(&str, &str); 11] = [
    ("answered", "k_answered"),
    ("answer_form", "k_answer_form"),
    ("arithmetic", "k_arithmetic"),
    ("unhesitating", "k_unhesitating"),
    ("unrounded", "k_unrounded"),
    ("working", "k_working"),
    ("steps", "k_steps"),
    ("given_numbers", "k_given_numbers"),
    ("whole_count", "k_whole_count"),
    ("comes_out", "k_comes_out"),
    ("grounding", "k_grounding"),
];

fn flag(holds: bool) -> f64 {
    f64::from(u8::from(holds))
}

fn same(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-6_f64.max(b.abs() * 1e-9)
}

fn among(numbers: &[f64], wanted: f64) -> bool {
    numbers.iter().any(|n| same(*n, wanted))
}

/// What a draft shows of itself, always the same names in the same order.
pub(super) fn features(question: &Question, draft: &Draft) -> Vec<Feature> {
    let folded = fold(&draft.content);
    let tokens = tokens(&folded);
    let steps = calculations(&tokens);
    let answer = match &draft.answer {
        Some(Canonical::Number(number)) => Some(number.to_f64()),
        _ => None,
    };
    let mut found = Vec::with_capacity(128);
    form(&mut found, question, draft, answer);
    manner(&mut found, question, &tokens, &folded, answer);
    work(&mut found, question, &steps, answer);
    for (check, name) in CHECKS {
        let verdict = draft.checks.iter().find(|c| c.name == check).map(|c| c.verdict);
        found.push((
            name,
            match verdict {
                Some(Verdict::Passed) => 1.0,
                Some(Verdict::Failed) => -1.0,
                Some(Verdict::NotApplicable) | None => 0.0,
            },
        ));
    }
    found
}

/// The answer itself.
fn form(found: &mut Vec<Feature>, question: &Question, draft: &Draft, answer: Option<f64>) {
    let largest = question.numbers.iter().copied().fold(0.0, f64::max);
    let value = answer.unwrap_or(0.0);
    let has = answer.is_some();
    found.extend([
        ("a_any", flag(draft.answer.is_some())),
        ("a_number", flag(has)),
        ("a_whole", flag(has && same(value, value.round()))),
        ("a_negative", flag(has && value < 0.0)),
        ("a_zero", flag(has && value == 0.0)),
        ("a_below_one", flag(has && value.abs() < 1.0)),
        ("a_finer_than_cents", flag(has && !same(value * 100.0, (value * 100.0).round()))),
        ("a_size", if has { value.abs().ln_1p() } else { -1.0 }),
        ("a_size_to_given", if has { value.abs().ln_1p() - largest.ln_1p() } else { 0.0 }),
        ("a_is_given", flag(has && among(&question.numbers, value))),
        ("a_below_all", flag(has && question.numbers.iter().all(|n| value < *n))),
        (
            "a_trailing_zero",
            flag(has && value != 0.0 && same(value / 10.0, (value / 10.0).round())),
        ),
        ("f_json", flag(draft.content.contains("\"answer\""))),
        ("f_hash", flag(draft.content.contains("####"))),
        ("f_notes", flag(draft.content.contains("<<"))),
        ("f_complete", flag(draft.complete)),
    ]);
}

/// How it is told.
fn manner(
    found: &mut Vec<Feature>,
    question: &Question,
    tokens: &[Token<'_>],
    folded: &str,
    answer: Option<f64>,
) {
    let mut cues = Counts::default();
    let (mut words, mut numbers) = (Vec::new(), Vec::new());
    let (mut lines, mut asks, mut opens, mut equals, mut percents) = (0, 0, 0, 0, 0);
    let (mut divides, mut dashes, mut points) = (0, 0, 0);
    let mut before: Option<&Token<'_>> = None;
    for token in tokens {
        match token {
            Token::Word(word) => {
                words.push(fingerprint(word));
                cues.add(word);
            }
            Token::Number(figure) => {
                numbers.push(figure.value);
                percents += usize::from(figure.is_percent);
                points += usize::from(figure.has_point);
            }
            Token::Break(b'\n') => lines += 1,
            Token::Break(b'?') => asks += 1,
            Token::Open => opens += 1,
            Token::Equals => equals += 1,
            Token::Operator(b'/') if matches!(before, Some(Token::Number(_))) => divides += 1,
            Token::Operator(b'-') => dashes += 1,
            _ => {}
        }
        before = Some(token);
    }
    let said = count(words.len());
    // The end of a reply repeats what was asked, when it was understood.
    let tail: Vec<u64> = words.iter().rev().take(40).copied().collect();
    let told = question.asked.iter().filter(|w| tail.contains(w)).count();
    words.sort_unstable();
    words.dedup();
    let shared = question.words.iter().filter(|w| words.binary_search(w).is_ok()).count();
    let unused = question.numbers.iter().filter(|n| **n != 1.0 && !among(&numbers, **n)).count();
    let mentions = answer.map_or(0, |a| numbers.iter().filter(|n| same(**n, a)).count());
    found.extend([
        ("d_words", said),
        ("d_words_to_question", said / question.word_count.max(1.0)),
        ("d_bytes", count(folded.len().min(8192))),
        ("d_lines", count(lines)),
        ("d_numbers", count(numbers.len())),
        ("d_equals", count(equals)),
        ("d_asks", count(asks)),
        ("d_opens", count(opens)),
        ("d_divides", count(divides)),
        ("d_dashes", count(dashes)),
        ("d_percents", count(percents)),
        ("d_points", count(points)),
        ("d_unused", count(unused)),
        ("d_shared", count(shared) / count(question.words.len().max(1))),
        ("d_new", count(words.len() - shared.min(words.len())) / count(words.len().max(1))),
        ("d_asked_again", count(told) / count(question.asked.len().max(1))),
        ("d_answer_said", count(mentions)),
    ]);
    let of = |cue| cues.of(cue);
    let more_than_asked = |cue| cues.of(cue) - question.cues.of(cue);
    found.extend([
        ("w_hedge", of(Cue::Hedge)),
        ("w_round", of(Cue::Round)),
        ("w_algebra", of(Cue::Algebra)),
        ("w_hence", of(Cue::Hence)),
        ("w_step", of(Cue::Step)),
        ("w_because", of(Cue::Because)),
        ("w_order", of(Cue::Order)),
        ("w_if", of(Cue::If)),
        ("w_only", of(Cue::Only)),
        ("w_total", of(Cue::Total)),
        ("m_half", more_than_asked(Cue::Half)),
        ("m_twice", more_than_asked(Cue::Twice)),
        ("m_percent", more_than_asked(Cue::Percent)),
        ("m_dozen", more_than_asked(Cue::Dozen)),
        ("m_week", more_than_asked(Cue::Week)),
        ("m_average", more_than_asked(Cue::Average)),
        ("m_left", more_than_asked(Cue::Left)),
        ("m_each", more_than_asked(Cue::Each)),
        ("m_more", more_than_asked(Cue::More)),
        ("m_start", more_than_asked(Cue::Start)),
    ]);
}

/// The calculations: where each number comes from, and whether it leads anywhere.
fn work(found: &mut Vec<Feature>, question: &Question, steps: &[Calculation], answer: Option<f64>) {
    let (mut strange, mut strange_common) = (0, 0);
    let mut known = question.numbers.clone();
    let mut operands: Vec<f64> = Vec::new();
    for step in steps {
        for operand in &step.operands {
            if !among(&known, *operand) && !among(&known, *operand * 100.0) {
                strange += 1;
                strange_common += usize::from(among(&COMMON, *operand));
            }
            operands.push(*operand);
        }
        known.push(step.shown);
    }
    let results: Vec<f64> = steps.iter().map(|s| s.shown).collect();
    let (last, earlier) = match results.split_last() {
        Some((last, earlier)) => (Some(*last), earlier),
        None => (None, [].as_slice()),
    };
    let idle = earlier.iter().filter(|r| !among(&operands, **r)).count();
    let mut repeats = 0;
    for (at, result) in results.iter().enumerate() {
        repeats += usize::from(among(results.get(..at).unwrap_or_default(), *result));
    }
    let uncalculated =
        question.numbers.iter().filter(|n| **n != 1.0 && !among(&operands, **n)).count();
    let used_again = question
        .numbers
        .iter()
        .filter(|n| operands.iter().filter(|o| same(**o, **n)).count() > 1)
        .count();
    let with = |operator| count(steps.iter().filter(|s| s.has(operator)).count());
    let has = |constant| flag(among(&operands, constant));
    let ends = |test: &dyn Fn(f64) -> bool| flag(answer.is_some_and(test));
    let last_operator = steps.last().and_then(|s| s.operators.last()).copied().unwrap_or(0);
    found.extend([
        ("s_steps", count(steps.len())),
        ("s_wrong", count(steps.iter().filter(|s| !s.holds()).count())),
        ("s_more_than_numbers", count(steps.len()) - count(question.numbers.len())),
        ("s_plus", with(b'+')),
        ("s_minus", with(b'-')),
        ("s_times", with(b'*')),
        ("s_over", with(b'/')),
        ("s_strange", count(strange - strange_common)),
        ("s_strange_common", count(strange_common)),
        ("s_idle", count(idle)),
        ("s_repeats", count(repeats)),
        ("s_uncalculated", count(uncalculated)),
        ("s_used_again", count(used_again)),
        ("s_broken", count(results.iter().filter(|r| !same(**r, r.round())).count())),
        ("s_negative", count(results.iter().filter(|r| **r < 0.0).count())),
        ("s_longest", count(steps.iter().map(|s| s.operands.len()).max().unwrap_or(0))),
        ("s_has_half", flag(among(&operands, 2.0) || among(&operands, 0.5))),
        ("s_has_3", has(3.0)),
        ("s_has_7", has(7.0)),
        ("s_has_12", has(12.0)),
        ("s_has_60", has(60.0)),
        ("s_has_100", has(100.0)),
        ("s_ends_in_answer", ends(&|a| last.is_some_and(|l| same(l, a)))),
        ("s_reaches_answer", ends(&|a| among(&results, a))),
        ("s_last_plus", flag(last_operator == b'+')),
        ("s_last_minus", flag(last_operator == b'-')),
        ("s_last_times", flag(last_operator == b'*')),
        ("s_last_over", flag(last_operator == b'/')),
        ("s_last_operands", count(steps.last().map_or(0, |s| s.operands.len()))),
    ]);
}
