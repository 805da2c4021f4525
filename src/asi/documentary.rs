//! The document experts' part: drafts from retrieval, and passages for the models.

use std::sync::Arc;

use tokio::{task::spawn_blocking, time::Instant};

use crate::{
    answers::expected_form,
    documents::{Documents, Retrieval},
    domain::{Draft, Passage, Request, Signal},
    vcp,
};

/// Passages that go to models as context must come with at least this signal of relevance.
const OFFERED: f64 = 0.5;

/// Context of more bytes than this is searched on a thread of its own: it has to be indexed first,
/// which takes milliseconds that other requests must not wait.
const INLINE_BYTES: usize = 4096;

/// What retrieval came back with: checked drafts, and passages worth showing to models.
pub(super) async fn consult(
    documents: &Arc<Documents>,
    request: &Request,
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
        .collect();
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
