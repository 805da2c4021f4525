//! A reply read as the answer to its question.

use std::{borrow::Cow, sync::LazyLock};

use num_bigint::BigInt;
use num_rational::BigRational;
use regex::Regex;

use crate::domain::{Canonical, Number};

use super::{Form, clean::pattern, expected_form, extract, options::Options};

/// The final answer of a reply to a question, in canonical form: [`extract`] in the form that the
/// question expects, with what only the question can tell:
///
/// - an option named by its words is its letter;
/// - where a probability, a fraction or a share is asked for, `50 %` is `0.5`, as `1/2` is. Where a
///   percentage is asked for it is 50, and `0.5` stays what it says: it may mean half a percent.
#[must_use]
pub fn answer_to(question: &str, reply: &str) -> Option<Canonical> {
    answer_in_form(question, expected_form(question), reply)
}

/// The same, where the form that the question expects is known.
pub(super) fn answer_in_form(question: &str, form: Option<Form>, reply: &str) -> Option<Canonical> {
    if form == Some(Form::Number) && asks_for_share(question) {
        return extract(&without_percent(reply), form);
    }
    let found = extract(reply, form);
    if form == Some(Form::Choice) && !matches!(found, Some(Canonical::Choice(_))) {
        let said = found.or_else(|| extract(reply, Some(Form::Text)));
        let options = Options::of(question);
        let letter = said.as_ref().and_then(|said| options.letter(said));
        // Words that are none of the options give no answer, unless they were read as one.
        return letter.map(Canonical::Choice).or_else(|| extract(reply, form));
    }
    found
}

static SHARE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?i)\b(?:probability|likelihood|chances?|fraction|proportion|ratio|share)\b")
});
static PERCENT: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)(\d[\d,]*(?:\.\d+)?)\s?\\?(?:%|percent\b|per cent\b)"));
static PERCENTAGE: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)%|\bper ?cent"));

fn asks_for_share(question: &str) -> bool {
    SHARE.is_match(question) && !PERCENTAGE.is_match(question)
}

/// The same text with every percentage as the number that it is.
fn without_percent(reply: &str) -> Cow<'_, str> {
    let hundred = BigRational::from_integer(BigInt::from(100u8));
    PERCENT.replace_all(reply, |found: &regex::Captures<'_>| {
        let written = found.get(0).map_or("", |whole| whole.as_str());
        let value = found.get(1).and_then(|digits| digits.as_str().parse::<Number>().ok());
        value.map_or_else(
            || written.to_owned(),
            |value| Number::from(value.as_rational() / &hundred).to_string(),
        )
    })
}
