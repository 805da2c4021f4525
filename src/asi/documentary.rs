//! The document expert's part: drafts from retrieval, and passages for the models.

use std::sync::Arc;

use tokio::{task::spawn_blocking, time::Instant};

use crate::{
    answers::Question,
    documents::{Documents, Query, Retrieval},
    domain::{Draft, Passage, Request, Signal},
    text, vcp,
};

/// A sentence less likely to be the answer than this is neither an answer nor worth showing to
/// models. Measured in `documents/questions.rs`: here silence holds for nine in ten questions that
/// the guide does not answer.
const OFFERED: f64 = 0.4;

/// Names of the service and of what is in it, word by word as they stand in a question. Ordinary
/// nouns are among them only with their article: "the lake" may be ours, "a lake" hardly is.
const OUR_NAMES: &[&[&str]] = &[
    &["adaptive", "strategy"],
    &["ai", "first"],
    &["aifirst"],
    &["asi"],
    &["confidence", "lake"],
    &["elp"],
    &["flux"],
    &["hybrid", "strategy"],
    &["meta", "orchestrator"],
    &["parallel", "fusion"],
    &["parallelfusion"],
    &["runtime", "first"],
    &["runtimefirst"],
    &["sacred", "position"],
    &["sacred", "positions"],
    &["the", "drafter"],
    &["the", "lake"],
    &["the", "ledger"],
    &["the", "orchestrator"],
    &["the", "service"],
    &["the", "solver"],
    &["the", "solvers"],
    &["the", "vortex"],
    &["this", "api"],
    &["this", "service"],
    &["vcp"],
];

/// Context of more bytes than this is searched on a thread of its own: it has to be indexed first,
/// which takes milliseconds that other requests must not wait.
const INLINE_BYTES: usize = 4096;

/// What retrieval came back with: checked drafts, and passages worth showing to models.
pub(super) async fn consult(
    documents: &Arc<Documents>,
    request: &Request,
    models_exist: bool,
) -> (Vec<Draft>, Vec<Passage>) {
    let since = Instant::now();
    // Where a model can be asked, the bundled guide speaks only when the service itself is meant.
    let without_guide =
        models_exist && request.context.is_empty() && !is_about_the_service(&request.input);
    if without_guide && documents.only_guide(&request.tenant) {
        return (Vec::new(), Vec::new());
    }
    let retrieval = retrieve(documents, request, !without_guide).await;
    let latency = since.elapsed();
    let question = Question::of(&request.input);
    let drafts: Vec<Draft> = retrieval
        .drafts
        .into_iter()
        .map(|mut draft| {
            draft.latency = latency;
            draft.checks = vcp::check_context(&draft, request, &retrieval.passages);
            draft.checks.extend(vcp::verify_answer(&draft, &question));
            // A sentence out of a document is text whatever the question's form: the form check
            // of models does not apply. Retrieval's signal is calibrated as it stands, and that a
            // quotation stands in its source proves nothing more: checks only lower it.
            if question.form().is_none() {
                let adjusted = vcp::adjusted_signal(draft.signal, &draft.checks);
                draft.signal = Signal::clamped(draft.signal.get().min(adjusted.get()));
            }
            draft
        })
        .filter(|draft| draft.signal >= Signal::clamped(OFFERED))
        .collect();
    let is_worth_showing = !drafts.is_empty() || retrieval.held_back;
    (drafts, if is_worth_showing { retrieval.passages } else { Vec::new() })
}

async fn retrieve(documents: &Arc<Documents>, request: &Request, guide: bool) -> Retrieval {
    let bytes: usize = request.context.iter().map(|passage| passage.text.len()).sum();
    if bytes <= INLINE_BYTES {
        return documents.answer(&Query {
            tenant: &request.tenant,
            text: &request.input,
            context: &request.context,
            guide,
        });
    }
    let (documents, input) = (Arc::clone(documents), request.input.clone());
    let (context, tenant) = (request.context.clone(), request.tenant.clone());
    let search = spawn_blocking(move || {
        documents.answer(&Query { tenant: &tenant, text: &input, context: &context, guide })
    });
    // A search that panics found nothing; the panic itself is logged where it happens.
    search.await.unwrap_or_default()
}

/// Whether a question names the service, something in it, or a field or setting (`keep_signal`).
fn is_about_the_service(question: &str) -> bool {
    let is_identifier = |bytes: &[u8]| matches!(bytes, [a, b'_', b] if a.is_ascii_alphanumeric() && b.is_ascii_alphanumeric());
    let folded = text::fold(question);
    let words: Vec<&str> = text::words_of_folded(&folded)
        .map(|word| word.strip_suffix("'s").unwrap_or(word))
        .collect();
    let named_at = |at: usize| {
        let rest = words.get(at..).unwrap_or_default();
        OUR_NAMES.iter().any(|name| rest.starts_with(name))
    };
    question.as_bytes().windows(3).any(is_identifier) || (0..words.len()).any(named_at)
}

#[cfg(test)]
mod tests {
    use std::{fs, time::Duration};

    use super::*;
    use crate::{
        documents::DocumentsOptions,
        domain::{Budget, ResponseId, TenantId},
    };

    #[test]
    fn only_questions_that_name_the_service_are_about_it() {
        for ours in [
            "what does the hybrid strategy do?",
            "What enters the Lake?",
            "who runs this service",
            "where is Meta Orchestrator's data?",
            "what is keep_signal?",
            "explain ParallelFusion",
            "how does parallel_fusion work?",
        ] {
            assert!(is_about_the_service(ours), "{ours}");
        }
        for other in [
            "how do I back up my phone?",
            "what time is it?",
            "what is Rust?",
            "who made you?",
            "who founded Meta?",
            "what is a ledger?",
            "what is a confidence interval?",
            "how do I boost my confidence?",
            "who keeps this apiary?",
            "fill in the blank: 2 + 2 = __",
        ] {
            assert!(!is_about_the_service(other), "{other}");
        }
    }

    fn request(input: &str, context: Vec<Passage>) -> Request {
        Request {
            id: ResponseId::generate(),
            tenant: TenantId::default(),
            session: None,
            input: input.to_owned(),
            context,
            strategy: None,
            mode: None,
            consensus: None,
            budget: Budget { deadline: Duration::from_secs(5), max_cost_usd: None },
            dialogue: None,
            expert: None,
            no_store: false,
            fresh: false,
        }
    }

    #[tokio::test]
    async fn beside_a_model_other_questions_see_nothing_of_the_guide() {
        let folder = tempfile::tempdir().unwrap();
        let advice = "# Phones\n\nTo back up the phone, plug it into the charger.\n";
        fs::write(folder.path().join("phones.md"), advice).unwrap();
        let folders = [folder.path().to_owned()];
        let documents = Documents::open(&folders, &DocumentsOptions::default()).unwrap().0;
        let documents = Arc::new(documents);
        let asked = request("how do I back up the phone?", Vec::new());
        let (drafts, passages) = consult(&documents, &asked, true).await;
        assert!(!drafts.is_empty() && !passages.is_empty());
        assert!(drafts.iter().all(|d| d.citations[0].document == "phones.md"));
        assert!(passages.iter().all(|p| p.source.starts_with("phones.md")), "{passages:?}");
        let (_, passages) = consult(&documents, &asked, false).await;
        assert!(
            passages.iter().any(|p| p.source.starts_with("builtin:")),
            "nothing was left out above"
        );
    }

    #[tokio::test]
    async fn a_model_sees_the_passage_whose_sentence_answers_another_question() {
        let folder = tempfile::tempdir().unwrap();
        let text = "# Grinder\n\nThe coffee grinder has a 3 year warranty.\n";
        fs::write(folder.path().join("grinder.md"), text).unwrap();
        let options = DocumentsOptions { bundled: false, ..DocumentsOptions::default() };
        let documents = Documents::open(&[folder.path().to_owned()], &options).unwrap().0;
        let documents = Arc::new(documents);
        let asked = request("does the coffee grinder have a 4 year warranty?", Vec::new());
        let (drafts, passages) = consult(&documents, &asked, true).await;
        assert_eq!((drafts.len(), passages.len()), (0, 1));
        let asked = request("does the car have a 4 year warranty?", Vec::new());
        assert!(consult(&documents, &asked, true).await.1.is_empty());
    }

    #[tokio::test]
    async fn a_requests_own_context_is_never_taken_for_the_guide() {
        let context = Passage {
            source: "builtin:mine".to_owned(),
            text: "The ticket costs 5 euros.".to_owned(),
        };
        let asked = request("what does the ticket cost?", vec![context]);
        let documents = Arc::new(Documents::bundled().unwrap());
        assert!(!consult(&documents, &asked, true).await.0.is_empty());
    }
}
