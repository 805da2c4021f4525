//! The document experts' part: drafts from retrieval, and passages for the models.

use std::sync::Arc;

use tokio::{task::spawn_blocking, time::Instant};

use crate::{
    answers::expected_form,
    documents::{Documents, Retrieval},
    domain::{Citation, Draft, Passage, Request, Signal},
    text, vcp,
};

/// A sentence less likely to be the answer than not is neither an answer nor worth showing to models.
const OFFERED: f64 = 0.5;

/// Words that only somebody who means this service puts into a question.
const OUR_WORDS: &[&str] = &[
    "abstain",
    "adaptive",
    "aifirst",
    "asi",
    "checkpoint",
    "complexity",
    "confidence",
    "consensus",
    "drafter",
    "elp",
    "escalation",
    "flux",
    "fusion",
    "hybrid",
    "lake",
    "ledger",
    "meta",
    "orchestrator",
    "parallelfusion",
    "runtimefirst",
    "sacred",
    "solver",
    "solvers",
    "vcp",
    "vortex",
];
/// The service as it is spoken of.
const OUR_NAMES: &[&str] =
    &["this service", "the service", "this api", "ai_first", "runtime_first"];

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
    let retrieval = retrieve(documents, request).await;
    let latency = since.elapsed();
    let form = expected_form(&request.input);
    let drafts: Vec<Draft> = retrieval
        .drafts
        .into_iter()
        .map(|mut draft| {
            draft.latency = latency;
            draft.checks = vcp::check_context(&draft, request, &retrieval.passages);
            draft.checks.extend(vcp::verify(&draft, &request.input));
            // A sentence out of a document is text whatever the question's form: the form check
            // of models does not apply, and retrieval has put its own doubt into the signal.
            if form.is_none() {
                draft.signal = vcp::adjusted_signal(draft.signal, &draft.checks);
            }
            draft
        })
        .filter(|draft| draft.signal >= Signal::clamped(OFFERED))
        .collect();
    // Where a model can be asked, the bundled guide speaks only when the service itself is meant.
    let drafts: Vec<Draft> = if models_exist && !is_about_the_service(&request.input) {
        drafts.into_iter().filter(|draft| !draft.citations.iter().any(is_bundled)).collect()
    } else {
        drafts
    };
    let relevant = drafts.iter().any(|d| d.signal >= Signal::clamped(OFFERED));
    (drafts, if relevant { retrieval.passages } else { Vec::new() })
}

async fn retrieve(documents: &Arc<Documents>, request: &Request) -> Retrieval {
    let bytes: usize = request.context.iter().map(|passage| passage.text.len()).sum();
    if bytes <= INLINE_BYTES {
        return documents.answer(&request.input, &request.context);
    }
    let (documents, input) = (Arc::clone(documents), request.input.clone());
    let context = request.context.clone();
    let search = spawn_blocking(move || documents.answer(&input, &context));
    // A search that panics found nothing; the panic itself is logged where it happens.
    search.await.unwrap_or_default()
}

fn is_bundled(citation: &Citation) -> bool {
    citation.document.starts_with("builtin:")
}

fn is_about_the_service(question: &str) -> bool {
    let folded = text::fold(question);
    OUR_NAMES.iter().any(|name| folded.contains(name))
        || text::words(question).iter().any(|word| OUR_WORDS.contains(&word.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_questions_that_name_the_service_are_about_it() {
        for ours in
            ["what does the hybrid strategy do?", "What enters the Lake?", "who runs this service"]
        {
            assert!(is_about_the_service(ours), "{ours}");
        }
        for other in
            ["how do I back up my phone?", "what time is it?", "what is Rust?", "who made you?"]
        {
            assert!(!is_about_the_service(other), "{other}");
        }
    }
}
