//! Position 9: is the draft an answer, of the right form, and does its working hold?

use std::sync::LazyLock;

use num_traits::Signed;
use regex::Regex;

use crate::{
    answers::{Form, Question, extract, is_non_answer},
    domain::{Canonical, Check, Draft, Elp, Number, Position, SourceKind, Verdict},
    text::{elp, fold, has_words},
};

use super::{
    arithmetic::{Calculation, Recomputed, recompute},
    names,
    tokens::{Token, pattern, tokens},
};

/// ELP drift beyond which an answer no longer speaks to its question. Of 10,362 recorded replies to
/// word problems half drift by less than 0.2 and none by 0.5: the check is there for the absurd.
const EXTREME_DRIFT: f64 = 0.6;
/// Words a text needs before its profile says anything.
const ENOUGH_WORDS: usize = 12;

/// Checks a draft against its question: whether it answers at all, in the form asked for, without
/// extreme ELP drift, and with calculations that hold. What a language model wrote is also examined
/// for the habits that go with mistakes; an exact solver's or a document's answer is not.
///
/// Every check is returned, also those that did not apply.
#[must_use]
pub fn verify(draft: &Draft, question: &str) -> Vec<Check> {
    verify_answer(draft, &Question::of(question))
}

/// [`verify`], where more than one draft answers the question, or more than one part asks about it.
#[must_use]
pub fn verify_answer(draft: &Draft, question: &Question<'_>) -> Vec<Check> {
    let expected = question.form();
    let answer = draft.answer.clone().or_else(|| extract(&draft.content, expected));
    let recomputed = recompute(&draft.content);
    let mut checks = vec![
        answered(draft, answer.as_ref()),
        answer_form(draft, expected, answer.as_ref()),
        arithmetic(&recomputed, question, answer.as_ref()),
        elp_drift(draft, question),
    ];
    if matches!(draft.source.kind, SourceKind::Model | SourceKind::Drafter) {
        checks.extend(habits(draft, question.text(), expected, answer.as_ref(), &recomputed));
    }
    checks
}

fn check(name: &'static str, verdict: Verdict, note: impl Into<String>) -> Check {
    Check { position: Position::VERIFIED, name, verdict, note: note.into() }
}

fn judged(name: &'static str, fine: bool, objection: &str) -> Check {
    let verdict = if fine { Verdict::Passed } else { Verdict::Failed };
    check(name, verdict, if fine { "" } else { objection })
}

fn answered(draft: &Draft, answer: Option<&Canonical>) -> Check {
    // "I can't be sure, but … #### 18" answers after all.
    let commits = answer.is_some_and(|a| !matches!(a, Canonical::Text(_)));
    let fine = !draft.content.trim().is_empty() && (commits || !is_non_answer(&draft.content));
    judged(names::ANSWERED, fine, "says that it has no answer, or says nothing")
}

/// A document is quoted in its own words, and many a yes or no comes as a sentence: neither is held
/// against a draft.
fn answer_form(draft: &Draft, expected: Option<Form>, answer: Option<&Canonical>) -> Check {
    let lenient = draft.source.kind == SourceKind::Document || expected == Some(Form::YesNo);
    match (expected, answer) {
        (None, _) => check(names::ANSWER_FORM, Verdict::NotApplicable, "any form would do"),
        (Some(form), Some(answer)) if form.fits(answer) => {
            check(names::ANSWER_FORM, Verdict::Passed, form.name())
        }
        _ if lenient => check(names::ANSWER_FORM, Verdict::NotApplicable, "words will do"),
        (Some(form), None) => {
            check(names::ANSWER_FORM, Verdict::Failed, format!("no {} found", form.name()))
        }
        (Some(form), Some(answer)) => check(
            names::ANSWER_FORM,
            Verdict::Failed,
            format!("{} instead of {}", answer.kind(), form.name()),
        ),
    }
}

/// A mistake counts wherever it stands; that a calculation holds speaks for an answer only where it
/// leads to it.
fn arithmetic(
    recomputed: &Recomputed,
    question: &Question<'_>,
    answer: Option<&Canonical>,
) -> Check {
    if let Some(first) = recomputed.wrong.first() {
        return check(names::ARITHMETIC, Verdict::Failed, first.clone());
    }
    if recomputed.right.is_empty() {
        return check(names::ARITHMETIC, Verdict::NotApplicable, "no calculation shown");
    }
    match leading(&recomputed.right, question, answer) {
        0 => check(names::ARITHMETIC, Verdict::NotApplicable, "no calculation leads to the answer"),
        n => check(names::ARITHMETIC, Verdict::Passed, format!("{n} recomputed")),
    }
}

/// Whether a result is this number, or is this whole number once it is rounded.
fn is_rounded(result: &Number, number: &Number) -> bool {
    let near = || (result.to_f64() - number.to_f64()).abs() <= 0.5;
    result == number || (number.is_integer() && !result.is_integer() && near())
}

/// How many calculations have to do with the answer: all, where a quantity is asked for; else those
/// that come to it, or to what another such one takes, and those that take nothing but what a question
/// with several numbers gives, or what such ones came to.
fn leading(
    calculations: &[Calculation],
    question: &Question<'_>,
    answer: Option<&Canonical>,
) -> usize {
    if question.form() == Some(Form::Number) {
        return calculations.len();
    }
    let mut wanted = match answer {
        Some(Canonical::Number(number)) => vec![number.clone()],
        Some(Canonical::Choice(letter)) => {
            question.option(*letter).map(|text| numbers_of(&text)).unwrap_or_default()
        }
        _ => Vec::new(),
    };
    let mut leads = vec![false; calculations.len()];
    for (step, leads) in calculations.iter().zip(&mut leads).rev() {
        if step.to.iter().any(|came_to| wanted.iter().any(|number| is_rounded(came_to, number))) {
            wanted.extend(step.from.iter().cloned());
            *leads = true;
        }
    }
    let mut known = numbers_of(question.text());
    // An answer that is a number is what the calculations have to come to.
    if known.len() >= 2 && !matches!(answer, Some(Canonical::Number(_))) {
        for (step, leads) in calculations.iter().zip(&mut leads) {
            if step.from.iter().all(|number| known.contains(number)) {
                known.extend(step.to.iter().cloned());
                *leads = true;
            }
        }
    }
    leads.into_iter().filter(|leads| *leads).count()
}

fn elp_drift(draft: &Draft, question: &Question<'_>) -> Check {
    let long_enough = |text: &str| has_words(text, ENOUGH_WORDS);
    if !long_enough(&draft.content) || !long_enough(question.text()) {
        return check(names::ELP_DRIFT, Verdict::NotApplicable, "too short to tell");
    }
    // Who made the draft mostly knows its profile; a neutral one may be one that nobody worked out.
    let profile = if draft.elp == Elp::default() { elp(&draft.content) } else { draft.elp };
    let drift = profile.drift(&question.elp());
    let verdict = if drift <= EXTREME_DRIFT { Verdict::Passed } else { Verdict::Failed };
    check(names::ELP_DRIFT, verdict, format!("{drift:.2}"))
}

static HESITATION: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"\bhowever\b|\bassum\w+|\bcannot\b|\bcan't\b|\bcan not\b|\bimpossible\b|\bnot possible\b|\bunclear\b",
        r"|\bnot (?:clear|specified|provided|mentioned|enough)\b|\bactually\b|\bmistake\b|\bwait\b|\bincorrect\b|\bapologi\w+",
        r"|\bseems?\b|\bperhaps\b|\bprobably\b|\bmaybe\b|\bmight\b|\bnot make sense\b|\bre-?(?:evaluate|check|consider)\w*",
    ))
});
static ROUNDING: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\bround\w*|\bapprox\w*|\bnearest\b|≈"));
static ASKS_ROUNDING: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\bround\w*|\bapprox\w*|\bnearest\b|\babout how\b|\bestimate\b"));
static COUNT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"\bhow many\s+(?:more |fewer |total |other |extra |additional )?(\w+)")
});
/// What comes in parts, so that two and a half of it make sense.
const DIVISIBLE: [&str; 32] = [
    "hours",
    "minutes",
    "seconds",
    "days",
    "weeks",
    "months",
    "years",
    "miles",
    "kilometers",
    "km",
    "meters",
    "feet",
    "inches",
    "yards",
    "pounds",
    "ounces",
    "grams",
    "kilograms",
    "kg",
    "tons",
    "gallons",
    "liters",
    "cups",
    "pints",
    "quarts",
    "dollars",
    "cents",
    "calories",
    "acres",
    "percent",
    "times",
    "degrees",
];

/// The habits that go with mistakes in answers to questions for a number.
fn habits(
    draft: &Draft,
    question: &str,
    expected: Option<Form>,
    answer: Option<&Canonical>,
    recomputed: &Recomputed,
) -> Vec<Check> {
    if expected != Some(Form::Number) {
        return Vec::new();
    }
    let folded = fold(&draft.content);
    let asked = fold(question);
    let mut checks = vec![judged(
        names::UNHESITATING,
        !HESITATION.is_match(&folded),
        "hedges or corrects itself",
    )];
    let given = numbers_of(question);
    let rounds = ROUNDING.is_match(&folded) && !ASKS_ROUNDING.is_match(&asked);
    checks.push(judged(names::UNROUNDED, !rounds, "rounds where the question does not"));
    if given.len() >= 2 {
        let shown = recomputed.right.len() + recomputed.wrong.len();
        checks.push(judged(names::WORKING, shown > 0, "shows no calculation"));
        if shown > 0 {
            let enough = shown + 2 > given.len();
            checks.push(judged(names::STEPS, enough, "fewer steps than the numbers call for"));
        }
        let used = numbers_of(&draft.content);
        let unused = given.iter().filter(|n| **n != Number::from(1)).any(|n| !used.contains(n));
        checks.push(judged(names::GIVEN_NUMBERS, !unused, "leaves a given number unused"));
    }
    if let Some(Canonical::Number(answer)) = answer {
        let counted = COUNT
            .captures(&asked)
            .and_then(|c| c.get(1))
            .is_some_and(|noun| !DIVISIBLE.contains(&noun.as_str()));
        if counted {
            let whole = answer.is_integer() && !answer.as_rational().is_negative();
            checks.push(judged(names::WHOLE_COUNT, whole, "a count is a whole number"));
        } else if is_word_problem(&asked)
            && !given.is_empty()
            && given.iter().all(Number::is_integer)
        {
            let even = answer.is_integer() && !answer.as_rational().is_negative();
            checks.push(judged(names::COMES_OUT, even, "whole numbers rarely come to this"));
        }
    }
    checks
}

/// A question in words, not a bare expression, where anything may come out.
fn is_word_problem(asked: &str) -> bool {
    asked
        .split_whitespace()
        .filter(|w| w.chars().filter(|c| c.is_alphabetic()).count() > 1)
        .nth(7)
        .is_some()
}

/// The different numbers of a text written in digits.
fn numbers_of(text: &str) -> Vec<Number> {
    let mut found: Vec<Number> = Vec::new();
    for line in text.lines().take(512) {
        for token in tokens(line) {
            if let Token::Number { digits, .. } = token
                && let Ok(number) = digits.parse()
            {
                found.push(number);
            }
        }
        if found.len() > 1024 {
            break;
        }
    }
    found.sort();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use crate::domain::{Signal, Source, Tier};

    use super::*;

    fn draft(kind: SourceKind, content: &str) -> Draft {
        Draft::new(Source::new(Tier::Asi, kind, "m"), content, None, Signal::clamped(0.6))
    }

    fn verdicts(content: &str, question: &str) -> Vec<(&'static str, Verdict)> {
        verify(&draft(SourceKind::Model, content), question)
            .into_iter()
            .map(|c| (c.name, c.verdict))
            .collect()
    }

    const EGGS: &str = "Ann has 12 eggs and eats 4. How many eggs are left?";

    #[test]
    fn a_sound_answer_passes_everything() {
        let found = verdicts("She has 12 - 4 = 8 eggs left.\n#### 8", EGGS);
        assert!(found.iter().all(|(_, v)| *v != Verdict::Failed), "{found:?}");
        assert!(found.contains(&(names::ARITHMETIC, Verdict::Passed)));
        assert!(found.contains(&(names::ANSWER_FORM, Verdict::Passed)));
    }

    #[test]
    fn each_flaw_is_found_by_its_own_check() {
        for (content, name) in [
            ("She has 12 - 4 = 9 eggs left.", names::ARITHMETIC),
            ("I don't know.", names::ANSWERED),
            ("Plenty of them.", names::ANSWER_FORM),
            ("12 - 4 = 8, however she may have more. So 8.", names::UNHESITATING),
            ("12 / 4 = 3, approximately 3 eggs.", names::UNROUNDED),
            ("8", names::WORKING),
            ("She has 12 + 12 = 24 eggs left.", names::GIVEN_NUMBERS),
            ("She has 4 / 12 = 0.33 eggs left.", names::WHOLE_COUNT),
        ] {
            let found = verdicts(content, EGGS);
            assert!(found.contains(&(name, Verdict::Failed)), "{content}: {found:?}");
        }
    }

    #[test]
    fn a_true_sum_speaks_only_for_the_answer_that_it_leads_to() {
        const CAPITAL: &str = "What is the capital of Australia?";
        const TRAINS: &str = "One train goes 120 miles in 2 hours, another 150 miles in 3 hours. Is the \
             first one faster?";
        const OPTIONS: &str = "Which of these is 12 times 12?\n(A) 124\n(B) 144\n(C) 142";
        let verdict = |content: &str, question: &str| {
            let found = verdicts(content, question);
            found.iter().find(|(name, _)| *name == names::ARITHMETIC).unwrap().1
        };
        for (content, question) in [
            ("2+2=4, so the capital of Australia is Sydney.", CAPITAL),
            ("Note that 17 * 3 = 51 and 51 + 1 = 52. Sydney.", CAPITAL),
            ("6 * 7 = 42. Therefore yes, it is safe.", "Is it safe to eat raw beans?"),
            ("5 + 5 = 10. (B)", "Who wrote Faust?\n(A) Schiller\n(B) Goethe"),
            ("1 + 1 = 2, so it was Hadrian.", "Who built the wall in 122, under legion 2 or 6?"),
        ] {
            assert_eq!(verdict(content, question), Verdict::NotApplicable, "{content}");
        }
        for (content, question) in [
            ("She has 12 - 4 = 8 eggs left.", EGGS),
            ("120 / 2 = 60 and 150 / 3 = 50, so yes.", TRAINS),
            ("120 * 1.157625 = 138.92\n#### 139", "What would be the price?"),
            ("12 * 10 = 120, 12 * 2 = 24, and 120 + 24 = 144. The answer is (B).", OPTIONS),
        ] {
            assert_eq!(verdict(content, question), Verdict::Passed, "{content}");
        }
        // A mistake is one wherever it stands.
        assert_eq!(verdict("2 + 2 = 5, so it is Canberra.", CAPITAL), Verdict::Failed);
        let signal = |content: &str| {
            let draft = draft(SourceKind::Model, content);
            crate::vcp::adjusted_signal(Signal::clamped(0.55), &verify(&draft, CAPITAL))
        };
        assert_eq!(signal("2+2=4, so it is Sydney."), signal("It is Sydney."));
    }

    #[test]
    fn solvers_and_documents_are_not_judged_by_a_models_habits() {
        let checks = verify(&draft(SourceKind::Solver, "8"), EGGS);
        assert!(checks.iter().all(|c| c.name != names::WORKING));
        assert!(checks.iter().all(|c| c.verdict != Verdict::Failed));
    }

    #[test]
    fn yes_and_no_are_answers() {
        let found = verdicts("No", "Is the earth flat?");
        assert!(found.contains(&(names::ANSWERED, Verdict::Passed)));
    }
}
