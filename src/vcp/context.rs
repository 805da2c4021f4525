//! Position 3: whether a draft stands on its context.

use std::{borrow::Cow, collections::HashSet};

use crate::{
    domain::{Check, Citation, Draft, Passage, Position, Request, SourceKind, Verdict},
    text::{content_words, content_words_of_folded, fold, words},
};

use super::names;

/// Share of a question's content words that its evidence must speak of.
const COVERED: f64 = 0.5;
/// Share of the content words of an answer from context that the context must hold.
const GROUNDED: f64 = 0.5;
/// Content words an answer needs before its topic or grounding can be judged.
const ENOUGH_WORDS: usize = 8;

/// Checks a draft against its request and the evidence at hand.
///
/// `grounding`: what a document expert quotes must stand in the evidence, word for word but for
/// white space; what a model answers to a request that brings its own context must share half of
/// its content words with that context. `coverage`: the quotations speak of half of the question's
/// content words. `relevance`: a draft of some length shares at least one content word with the
/// question or the evidence.
#[must_use]
pub fn check_context(draft: &Draft, request: &Request, evidence: &[Passage]) -> Vec<Check> {
    let passages: Vec<&Passage> = evidence.iter().chain(&request.context).collect();
    let mut checks = vec![grounding(draft, request, &passages)];
    if is_quotation(draft) {
        checks.push(coverage(draft, &request.input));
    }
    checks.push(relevance(draft, &request.input, &passages));
    checks
}

fn check(name: &'static str, verdict: Verdict, note: impl Into<String>) -> Check {
    Check { position: Position::CONTEXT, name, verdict, note: note.into() }
}

fn grounding(draft: &Draft, request: &Request, passages: &[&Passage]) -> Check {
    if is_quotation(draft) {
        return quoted(draft, passages);
    }
    let from_context = matches!(draft.source.kind, SourceKind::Model | SourceKind::Drafter)
        && !request.context.is_empty();
    let said = if from_context { content_words(&draft.content) } else { Vec::new() };
    if said.len() < ENOUGH_WORDS {
        return check(names::GROUNDING, Verdict::NotApplicable, "no evidence to stand on");
    }
    let held: HashSet<String> = passages
        .iter()
        .flat_map(|p| content_words(&p.text))
        .chain(content_words(&request.input))
        .collect();
    let share = share(&said, &held);
    let verdict = if share >= GROUNDED { Verdict::Passed } else { Verdict::Failed };
    check(
        names::GROUNDING,
        verdict,
        format!("{:.0} % of its words are in the context", share * 100.0),
    )
}

/// A document expert's answer, or several of them fused. What the lake remembers was grounded when
/// it was new, and its evidence is not at hand.
fn is_quotation(draft: &Draft) -> bool {
    match draft.source.kind {
        SourceKind::Document => true,
        SourceKind::Fused => !draft.citations.is_empty(),
        SourceKind::Solver | SourceKind::Lake | SourceKind::Drafter | SourceKind::Model => false,
    }
}

fn quoted(draft: &Draft, passages: &[&Passage]) -> Check {
    if draft.citations.is_empty() {
        return check(names::GROUNDING, Verdict::Failed, "cites nothing");
    }
    let texts: Vec<String> = passages.iter().map(|p| spaced(&p.text)).collect();
    let stands = |citation: &Citation| {
        let quote = spaced(&citation.quote);
        !quote.trim().is_empty() && texts.iter().any(|text| text.contains(&quote))
    };
    let missing = draft.citations.iter().filter(|c| !stands(c)).count();
    match missing {
        0 => check(
            names::GROUNDING,
            Verdict::Passed,
            format!("{} found in the evidence", draft.citations.len()),
        ),
        n => check(
            names::GROUNDING,
            Verdict::Failed,
            format!("{n} of {} not found in the evidence", draft.citations.len()),
        ),
    }
}

/// The words of a text with single spaces around, so that a quotation is found only as whole words.
fn spaced(text: &str) -> String {
    format!(" {} ", words(text).join(" "))
}

fn coverage(draft: &Draft, question: &str) -> Check {
    let asked = content_words(question);
    if asked.is_empty() {
        return check(names::COVERAGE, Verdict::NotApplicable, "the question names no topic");
    }
    let mut held: HashSet<String> = content_words(&draft.content).into_iter().collect();
    for citation in &draft.citations {
        held.extend(content_words(&citation.quote));
        held.extend(citation.section.iter().flat_map(|section| content_words(section)));
        held.extend(content_words(&citation.document.replace(['/', '_', '-', '.', ':'], " ")));
    }
    let share = share(&asked, &held);
    let verdict = if share >= COVERED { Verdict::Passed } else { Verdict::Failed };
    check(names::COVERAGE, verdict, format!("{:.0} % of the question's words", share * 100.0))
}

fn relevance(draft: &Draft, question: &str, passages: &[&Passage]) -> Check {
    let (said, asked) = (fold(&draft.content), fold(question));
    let asked: Vec<Cow<'_, str>> = content_words_of_folded(&asked).collect();
    if asked.is_empty() || content_words_of_folded(&said).nth(ENOUGH_WORDS - 1).is_none() {
        return check(names::RELEVANCE, Verdict::NotApplicable, "too short to tell");
    }
    // Most answers name the topic early: what follows is then not looked at.
    let on_topic = content_words_of_folded(&said).any(|word| asked.contains(&word)) || {
        let said = sorted(content_words_of_folded(&said));
        let shared = |word: Cow<'_, str>| said.binary_search(&word).is_ok();
        passages.iter().any(|p| content_words_of_folded(&fold(&p.text)).any(shared))
    };
    let verdict = if on_topic { Verdict::Passed } else { Verdict::Failed };
    check(names::RELEVANCE, verdict, if on_topic { "" } else { "shares no word with the question" })
}

/// Words to search in: a handful of them is looked through faster than it is hashed.
fn sorted<'a>(words: impl Iterator<Item = Cow<'a, str>>) -> Vec<Cow<'a, str>> {
    let mut words: Vec<_> = words.collect();
    words.sort_unstable();
    words
}

/// The share of some words that are held, each different word counting once.
fn share(wanted: &[String], held: &HashSet<String>) -> f64 {
    let different: HashSet<&String> = wanted.iter().collect();
    let found = different.iter().filter(|word| held.contains(**word)).count();
    #[expect(clippy::cast_precision_loss, reason = "words of one bounded text")]
    {
        found as f64 / different.len().max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::{Budget, ResponseId, Signal, Source, TenantId, Tier};

    fn request(input: &str, context: &[&str]) -> Request {
        Request {
            id: ResponseId::generate(),
            tenant: TenantId::default(),
            session: None,
            input: input.to_owned(),
            context: context.iter().map(|t| passage(t)).collect(),
            strategy: None,
            mode: None,
            consensus: None,
            budget: Budget { deadline: Duration::from_secs(1), max_cost_usd: None },
            dialogue: None,
            expert: None,
            no_store: false,
            fresh: false,
        }
    }

    fn passage(text: &str) -> Passage {
        Passage { source: "guide".to_owned(), text: text.to_owned() }
    }

    fn document(quote: &str) -> Draft {
        let source = Source::new(Tier::Asi, SourceKind::Document, "bm25");
        let mut draft = Draft::new(source, quote, None, Signal::clamped(0.6));
        draft.citations.push(Citation {
            document: "docs/guide.md".to_owned(),
            section: Some("Strategies".to_owned()),
            line: 3,
            quote: quote.to_owned(),
            score: 0.8,
        });
        draft
    }

    fn verdict(checks: &[Check], name: &str) -> Verdict {
        checks.iter().find(|c| c.name == name).unwrap().verdict
    }

    #[test]
    fn a_quotation_stands_in_its_evidence_or_fails() {
        let asked = request("What does the hybrid strategy do?", &[]);
        let evidence = [passage("Hybrid drafts first,\nthen decides. More follows.")];
        let real =
            check_context(&document("Hybrid drafts first, then decides."), &asked, &evidence);
        assert_eq!(verdict(&real, names::GROUNDING), Verdict::Passed);
        assert_eq!(verdict(&real, names::COVERAGE), Verdict::Passed);
        let made_up = check_context(&document("Hybrid asks everybody at once."), &asked, &evidence);
        assert_eq!(verdict(&made_up, names::GROUNDING), Verdict::Failed);
    }

    #[test]
    fn evidence_beside_the_question_does_not_cover_it() {
        let asked = request("How are rate limits configured per tenant?", &[]);
        let quote = "The image runs as a user without rights.";
        let checks = check_context(&document(quote), &asked, &[passage(quote)]);
        assert_eq!(verdict(&checks, names::GROUNDING), Verdict::Passed);
        assert_eq!(verdict(&checks, names::COVERAGE), Verdict::Failed);
    }

    #[test]
    fn a_model_that_leaves_its_context_is_noticed() {
        let asked = request(
            "Who wrote the report?",
            &["The report on river ice was written by Ana Silva in May and sent to the board."],
        );
        let model = |content: &str| {
            Draft::new(Source::new(Tier::Asi, SourceKind::Model, "m"), content, None, Signal::ZERO)
        };
        let faithful =
            model("The report on river ice was written by Ana Silva and sent to the board in May.");
        let astray = model(
            "Penguins breed in colonies along southern coasts, feeding on krill, squid and small fish.",
        );
        assert_eq!(
            verdict(&check_context(&faithful, &asked, &[]), names::GROUNDING),
            Verdict::Passed
        );
        let checks = check_context(&astray, &asked, &[]);
        assert_eq!(verdict(&checks, names::GROUNDING), Verdict::Failed);
        assert_eq!(verdict(&checks, names::RELEVANCE), Verdict::Failed);
    }
}
