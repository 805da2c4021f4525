//! Flux's drafts: at once from solvers and lake, after a while from the local drafter.

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, timeout_at};

use crate::{
    answers::answer_to,
    domain::{
        Call, Canonical, Clock, Draft, FinishReason, LanguageModel, ModelError, Prompt, Reply,
        Request, ResponseId, Signal, Source, SourceKind, TenantId, Tier,
    },
    lake::{Entry, Ladder, Lake, LakeStats, Recalled},
    solvers::{solve, solve_undated},
    store::StoreError,
    text,
};

/// A solver is right or silent; what is left is the chance that it misread the question.
const SOLVER_SIGNAL: f64 = 0.99;

/// What Flux is made of.
pub struct FluxParts {
    /// Remembered answers; `None` when the lake is switched off.
    pub lake: Option<Lake>,
    /// The local drafter, when one is configured.
    pub drafter: Option<Arc<dyn LanguageModel>>,
    /// Most time that the drafter is given.
    pub drafter_deadline: Duration,
    /// Today, for relative dates.
    pub clock: Arc<dyn Clock>,
    /// Stands for the documents that a tenant is answered from: answers remembered from others are
    /// stale.
    pub documents_epoch: Box<dyn Fn(&TenantId) -> u64 + Send + Sync>,
}

/// The runtime tier.
pub struct Flux {
    parts: FluxParts,
}

/// What Flux knows without asking anyone: microseconds.
#[derive(Debug, Default)]
pub struct Immediate {
    /// Drafts of solvers and lake.
    pub drafts: Vec<Draft>,
    /// Whether the lake knew; `None` when it was not asked.
    pub lake_hit: Option<bool>,
}

impl Flux {
    /// The tier of these parts.
    #[must_use]
    pub fn new(parts: FluxParts) -> Self {
        Self { parts }
    }

    /// Asks the solvers and, for a request that stands alone, the lake.
    #[must_use]
    pub fn immediate(&self, request: &Request) -> Immediate {
        let mut drafts = Vec::new();
        drafts.extend(self.solved(request));
        let mut lake_hit = None;
        if let Some(lake) = self.parts.lake.as_ref().filter(|_| remembers(request)) {
            let since = Instant::now();
            let now = self.parts.clock.now_ms();
            let epoch = Some((self.parts.documents_epoch)(&request.tenant));
            let recalled = lake.recall(&request.tenant, &request.input, now, epoch);
            lake_hit = Some(recalled.is_some());
            drafts.extend(recalled.map(|found| recalled_draft(&found, since.elapsed())));
        }
        Immediate { drafts, lake_hit }
    }

    /// Asks the local drafter; `None` when there is none.
    pub async fn draft(
        &self,
        request: &Request,
        prompt: &Prompt,
        deadline: Instant,
    ) -> Option<Result<Draft, ModelError>> {
        let drafter = self.parts.drafter.as_deref()?;
        let since = Instant::now();
        let deadline = deadline.min(since + self.parts.drafter_deadline);
        let completion = timeout_at(deadline, drafter.complete(prompt, Call::whole(deadline)))
            .await
            .unwrap_or(Err(ModelError::Timeout));
        Some(completion.and_then(|completion| {
            let content = completion.content.trim();
            if content.is_empty() || completion.finish == FinishReason::Filtered {
                return Err(ModelError::Empty);
            }
            let profile = drafter.profile();
            let source = Source::new(Tier::Flux, SourceKind::Drafter, &profile.name);
            let answer = answer_to(&request.input, content);
            let mut draft = Draft::new(source, content, answer, profile.prior);
            draft.usage = completion.usage;
            draft.complete = completion.finish != FinishReason::Length;
            draft.elp = text::elp(content);
            draft.latency = since.elapsed();
            Ok(draft)
        }))
    }

    /// The drafter's configured name, when there is one.
    #[must_use]
    pub fn drafter(&self) -> Option<&str> {
        self.parts.drafter.as_ref().map(|d| &*d.profile().name)
    }

    /// Remembers an answer, durably when this returns `Ok(true)`. `Ok(false)`: the lake is off, the
    /// question is not one whose answer lasts, or a better answer is there already.
    /// `from_documents`: the answer rests on documents and is forgotten when they change.
    ///
    /// # Errors
    /// What keeps the store from being written.
    pub async fn remember(
        &self,
        request: &Request,
        reply: &Reply,
        draft: &Draft,
        from_documents: bool,
    ) -> Result<bool, StoreError> {
        let Some(lake) = self.parts.lake.as_ref().filter(|_| remembers(request)) else {
            return Ok(false);
        };
        let entry = Entry {
            question: request.input.clone(),
            content: reply.content.clone(),
            answer: draft.answer.clone(),
            signal: reply.confidence,
            origin: reply.id,
            derived_from: None,
            source: draft.source.kind,
            source_name: draft.source.name.to_string(),
            citations: draft.citations.clone(),
            created_ms: self.parts.clock.now_ms(),
            expires_ms: None,
            epoch: from_documents.then(|| (self.parts.documents_epoch)(&request.tenant)),
            ladder: Ladder::default(),
        };
        lake.remember(&request.tenant, entry).await
    }

    /// Evicts what was remembered of a response; returns how many entries went.
    ///
    /// # Errors
    /// What keeps the store from being written.
    pub async fn forget(&self, tenant: &TenantId, origin: ResponseId) -> Result<usize, StoreError> {
        match &self.parts.lake {
            Some(lake) => lake.forget(tenant, origin).await,
            None => Ok(0),
        }
    }

    /// The lake's figures; `None` when it is off.
    #[must_use]
    pub fn lake_stats(&self) -> Option<LakeStats> {
        self.parts.lake.as_ref().map(Lake::stats)
    }

    fn solved(&self, request: &Request) -> Option<Draft> {
        let since = Instant::now();
        // A solver accounts for every word of the input, so what it solves stands by itself, whatever
        // passages or conversation come with it. Only that passages may be of another day.
        let solution = if request.context.is_empty() {
            solve(&request.input, self.parts.clock.today())?
        } else {
            solve_undated(&request.input)?
        };
        let source = Source::new(Tier::Flux, SourceKind::Solver, solution.solver);
        let signal = Signal::clamped(SOLVER_SIGNAL);
        let mut draft = Draft::new(source, solution.content, Some(solution.answer), signal);
        draft.elp = text::elp(&draft.content);
        draft.steps = solution.steps;
        draft.latency = since.elapsed();
        Some(draft)
    }
}

/// Whether the lake may be asked for, and may keep, the answer to this.
fn remembers(request: &Request) -> bool {
    !request.no_store && request.stands_alone()
}

fn recalled_draft(found: &Recalled, latency: Duration) -> Draft {
    let entry = &found.entry;
    let source = Source::new(Tier::Flux, SourceKind::Lake, "lake");
    let answer = entry.answer.clone().or_else(|| {
        let key = text::normal_key(&entry.content);
        (!key.is_empty()).then_some(Canonical::Text(key))
    });
    let mut draft = Draft::new(source, entry.content.clone(), answer, found.signal);
    draft.recalled_from = Some(entry.origin);
    draft.citations.clone_from(&entry.citations);
    draft.elp = text::elp(&draft.content);
    draft.latency = latency;
    draft
}
