//! The document experts' part: drafts from retrieval, and passages for the models.

use tokio::{
    runtime::{Handle, RuntimeFlavor},
    task::block_in_place,
    time::Instant,
};

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
    let answer = || documents.answer(&request.input, &request.context);
    let retrieval =
        if is_long(request) && on_many_threads() { block_in_place(answer) } else { answer() };
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

/// Context from this many bytes on takes long enough to index that other requests must not wait.
const LONG_CONTEXT: usize = 16 * 1024;

fn is_long(request: &Request) -> bool {
    request.context.iter().map(|p| p.text.len()).sum::<usize>() >= LONG_CONTEXT
}

/// A runtime with one thread, as in an evaluation, has nobody to hand its other work to.
fn on_many_threads() -> bool {
    Handle::try_current().is_ok_and(|h| h.runtime_flavor() == RuntimeFlavor::MultiThread)
}
