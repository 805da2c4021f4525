//! Flux's drafts: at once from solvers and lake, after a while from the local drafter.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::Semaphore,
    time::{Instant, timeout_at},
};

use crate::{
    answers::answer_to,
    domain::{
        Call, Canonical, Clock, Draft, FinishReason, LanguageModel, ModelError, Prompt, Reply,
        Request, ResponseId, Signal, Source, SourceKind, TenantId, Tier,
    },
    lake::{Curated, Entry, EpochBegun, Ladder, Lake, LakeStats, Recalled, Refusal},
    solvers::{solve, solve_undated},
    store::StoreError,
    text,
};

/// A solver is right or silent; what is left is the chance that it misread the question.
const SOLVER_SIGNAL: f64 = 0.99;
/// Most time that a sentence model is given for a question; then it is recalled by its words.
const MEANING_WAIT: Duration = Duration::from_millis(100);
/// When a drafter without a free place may have one again.
const BUSY_RETRY: Duration = Duration::from_secs(1);

/// What Flux is made of.
pub struct FluxParts {
    /// Remembered answers; `None` when the lake is switched off.
    pub lake: Option<Lake>,
    /// The local drafter, when one is configured.
    pub drafter: Option<Arc<dyn LanguageModel>>,
    /// Most time that the drafter is given.
    pub drafter_deadline: Duration,
    /// Drafts that the drafter writes at once; who comes while all are under way goes on without.
    pub drafter_concurrency: usize,
    /// Today, for relative dates.
    pub clock: Arc<dyn Clock>,
    /// Stands for the documents that a tenant is answered from: answers remembered from others are
    /// stale.
    pub documents_epoch: Box<dyn Fn(&TenantId) -> u64 + Send + Sync>,
}

/// The runtime tier.
pub struct Flux {
    parts: FluxParts,
    /// One place for each draft that may be under way.
    drafting: Semaphore,
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
        let places = parts.drafter_concurrency.clamp(1, Semaphore::MAX_PERMITS);
        Self { drafting: Semaphore::new(places), parts }
    }

    /// Asks the solvers and, for a request that stands alone, the lake. Microseconds, and some
    /// milliseconds where the lake asks a sentence model.
    pub async fn immediate(&self, request: &Request) -> Immediate {
        let mut drafts = Vec::new();
        drafts.extend(self.solved(request));
        let mut lake_hit = None;
        let recalls = remembers(request) && !request.fresh;
        if let Some(lake) = self.parts.lake.as_ref().filter(|_| recalls) {
            let since = Instant::now();
            let now = self.parts.clock.now_ms();
            let epoch = Some((self.parts.documents_epoch)(&request.tenant));
            let Request { tenant, input, .. } = request;
            let point = lake.point_of(tenant, input, MEANING_WAIT).await;
            let recalled = lake.recall_at(tenant, input, point.as_ref(), now, epoch);
            lake_hit = Some(recalled.is_some());
            drafts.extend(recalled.map(|found| recalled_draft(&found, since.elapsed())));
        }
        Immediate { drafts, lake_hit }
    }

    /// Asks the local drafter; `None` when there is none. While it writes as many drafts as it may,
    /// it is not waited for: a small model on the same host has only so many cores.
    pub async fn draft(
        &self,
        request: &Request,
        prompt: &Prompt,
        deadline: Instant,
    ) -> Option<Result<Draft, ModelError>> {
        let drafter = self.parts.drafter.as_deref()?;
        let Ok(_place) = self.drafting.try_acquire() else {
            return Some(Err(ModelError::Busy { retry_after: BUSY_RETRY }));
        };
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
    /// `derived_from`: the response whose remembered answer it rests on, with which it is evicted.
    ///
    /// # Errors
    /// What keeps the store from being written.
    pub async fn remember(
        &self,
        request: &Request,
        reply: &Reply,
        draft: &Draft,
        from_documents: bool,
        derived_from: Option<ResponseId>,
    ) -> Result<bool, StoreError> {
        let Some(lake) = self.parts.lake.as_ref().filter(|_| remembers(request)) else {
            return Ok(false);
        };
        let documents = (self.parts.documents_epoch)(&request.tenant);
        let entry = Entry {
            question: request.input.clone(),
            content: reply.content.clone(),
            answer: draft.answer.clone(),
            signal: reply.confidence,
            origin: reply.id,
            derived_from,
            source: draft.source.kind,
            source_name: draft.source.name.to_string(),
            citations: draft.citations.clone(),
            created_ms: self.parts.clock.now_ms(),
            expires_ms: None,
            epoch: from_documents.then_some(documents),
            curated: false,
            point: None,
            ladder: Ladder::default(),
        };
        lake.remember_at(&request.tenant, entry, Some(documents)).await
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

    /// Puts in answers that an operator vouches for: says of each under which id it can be evicted,
    /// or why it did not come in. `None` when the lake is off.
    ///
    /// # Errors
    /// What keeps the store from being written; then none came in.
    pub async fn curate(
        &self,
        tenant: &TenantId,
        given: Vec<Vouched>,
    ) -> Result<Option<Vec<Result<ResponseId, Refusal>>>, StoreError> {
        let Some(lake) = &self.parts.lake else { return Ok(None) };
        let now_ms = self.parts.clock.now_ms();
        let given = given.into_iter().map(|vouched| vouched.curated(now_ms)).collect();
        lake.curate(tenant, given, now_ms).await.map(Some)
    }

    /// Makes stale what a tenant has remembered so far, what an operator vouches for only where
    /// `curated`; returns since when, in milliseconds since the Unix epoch, and what went. `None`
    /// when the lake is off.
    ///
    /// # Errors
    /// What keeps the store from being written; then nothing has changed.
    pub async fn begin_epoch(
        &self,
        tenant: &TenantId,
        curated: bool,
    ) -> Result<Option<(i64, EpochBegun)>, StoreError> {
        let Some(lake) = &self.parts.lake else { return Ok(None) };
        let now_ms = self.parts.clock.now_ms();
        Ok(Some((now_ms, lake.begin_epoch(tenant, now_ms, curated).await?)))
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

/// An answer that an operator vouches for.
#[derive(Debug, Clone, PartialEq)]
pub struct Vouched {
    /// The question.
    pub question: String,
    /// The answer.
    pub answer: String,
    /// How long it is remembered; `None` is until it is evicted or replaced.
    pub ttl: Option<Duration>,
    /// Where it comes from, in a word or two.
    pub source: Option<String>,
    /// Probability of being right.
    pub signal: Signal,
    /// The id that it had in the lake that it was exported from.
    pub id: Option<ResponseId>,
    /// Whether he really does; what was exported of a lake may be what that lake had learned.
    pub curated: bool,
}

impl Vouched {
    /// As the lake takes it, with the answer's comparable core.
    #[must_use]
    pub fn curated(self, now_ms: i64) -> Curated {
        let ttl = self.ttl.map(|ttl| i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX));
        Curated {
            canonical: answer_to(&self.question, &self.answer),
            question: self.question,
            answer: self.answer,
            source: self.source,
            signal: self.signal,
            expires_ms: ttl.map(|ttl| now_ms.saturating_add(ttl)),
            id: self.id.unwrap_or_else(ResponseId::generate),
            curated: self.curated,
        }
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
    draft.recalled_likeness = found.likeness.map(|likeness| likeness.stated);
    draft.citations.clone_from(&entry.citations);
    draft.elp = text::elp(&draft.content);
    draft.latency = latency;
    draft
}
