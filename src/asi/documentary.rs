//! The document experts' part: drafts from retrieval, and passages for the models.

use tokio::time::Instant;

use crate::{
    answers::expected_form,
    documents::Documents,
    domain::{Draft, Passage, Request, Signal},
    vcp,
};

/// Passages that go to models as context must come with at least this signal of relevance.
const OFFERED: f64 = 0.5;

/// What retrieval came back with: checked drafts, and passages worth showing to models.
pub(super) fn consult(documents: &Documents, request: &Request) -> (Vec<Draft>, Vec<Passage>) {
    let since = Instant::now();
    let retrieval = documents.answer(&request.input, &request.context);
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
        .collect();
    let relevant = drafts.iter().any(|d| d.signal >= Signal::clamped(OFFERED));
    (drafts, if relevant { retrieval.passages } else { Vec::new() })
}
