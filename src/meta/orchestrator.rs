//! The way of a request.

use std::{sync::Arc, time::Duration};

use tokio::{task::spawn_blocking, time::Instant};

use super::{
    Auditor, ProcessError,
    admission::Admission,
    audit::{Job, agreement},
    compose::{self, Ending},
    gather::{Gathered, Journey},
    limit::RateLimit,
    record::{Begun, Finished, Watch},
};
use crate::{
    answers::{Question, Wording},
    asi::{Asi, Live},
    complexity,
    documents::Shelf,
    domain::{
        Clock, DraftRecord, Listener, Policy, PolicyCell, Position, Prompt, Reply, Request, Stage,
        Tier, Trace, Turn,
    },
    flux::{Flux, asks_plainly},
    ledger::Ledger,
    performance::SnapshotCell,
    routing,
    sessions::Sessions,
    telemetry::{LakeLookup, Metrics},
    vcp,
};

/// Context of more bytes than this is chosen from on a thread of its own: that takes milliseconds
/// which other requests must not wait.
const INLINE_BYTES: usize = 16 * 1024;

/// What the orchestrator is made of.
pub struct Parts {
    /// The runtime tier.
    pub flux: Flux,
    /// The AI tier.
    pub asi: Arc<Asi>,
    /// Where decisions and outcomes are recorded.
    pub ledger: Ledger,
    /// Documents that tenants add.
    pub shelf: Shelf,
    /// Conversations.
    pub sessions: Sessions,
    /// The policy in force.
    pub policy: PolicyCell,
    /// The figures in force.
    pub performance: SnapshotCell,
    /// Where everything is counted.
    pub metrics: Metrics,
    /// The time of day.
    pub clock: Arc<dyn Clock>,
    /// A number from [0, 1) for each request: what Adaptive explores by.
    pub dice: Box<dyn Fn() -> f64 + Send + Sync>,
    /// Who picks answers to be audited; `None` where nobody does.
    pub audits: Option<Auditor>,
    /// Judgements that one tenant may give a minute.
    pub feedback_per_minute: u32,
    /// Standing instructions for models; the system message. `None` sends none.
    pub instructions: Option<String>,
    /// Context that VCP may keep, in tokens (see [`crate::text::estimated_tokens`]).
    pub token_budget: usize,
    /// Most time that a response waits for its record to be durable; zero does not wait.
    pub record_wait: Duration,
}

/// Gives each request to the cheapest mind that is likely to be right.
pub struct MetaOrchestrator {
    pub(super) parts: Parts,
    pub(super) started: Instant,
    pub(super) began_ms: i64,
    pub(super) feedback_limit: RateLimit,
}

impl MetaOrchestrator {
    /// An orchestrator of these parts.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self {
            began_ms: parts.clock.now_ms(),
            feedback_limit: RateLimit::new(parts.feedback_per_minute),
            parts,
            started: Instant::now(),
        }
    }

    /// Answers a request, abstains honestly, or says why neither was possible.
    ///
    /// Dropping the future cancels what is under way upstream; the request is then recorded as
    /// cancelled and counts for nobody and against nobody.
    ///
    /// # Errors
    /// [`ProcessError`] when every expert that could be asked failed and Flux could not stand in.
    pub async fn process(&self, request: Request) -> Result<Reply, ProcessError> {
        self.process_heard(request, None).await
    }

    /// [`Self::process`], followed by a listener: the decision, each position passed, and the text of
    /// the answer, while it is being written where one expert speaks alone, else when it stands.
    ///
    /// # Errors
    /// As [`Self::process`]. Text that was heard by then is no answer.
    pub async fn process_heard(
        &self,
        request: Request,
        listener: Option<Arc<dyn Listener>>,
    ) -> Result<Reply, ProcessError> {
        let since = Instant::now();
        let at_ms = self.parts.clock.now_ms();
        let policy = self.parts.policy.load();
        let live = listener.clone().map(Live::new);
        let trace = Trace::heard_by(listener);
        let deadline = since + request.budget.deadline;

        let analysed = Instant::now();
        let complexity = complexity::analyse(&request, &policy.thresholds);
        let reading = policy.judge.as_ref().map(|judge| judge.read(&request.input));
        let forecast = reading.as_ref().and_then(|reading| reading.forecast());
        let complexity = complexity::with_experience(complexity, forecast, &policy.thresholds);
        let dice = (self.parts.dice)();
        let decision = routing::decide(request.strategy, request.mode, &complexity, &policy, dice);
        let analysis = analysed.elapsed();
        let begun = Begun {
            request: &request,
            at_ms,
            since,
            policy: &policy,
            decision: &decision,
            complexity: &complexity,
        };
        let watch = Watch::over(&self.parts, &begun);

        let (turns, plain) = self.received(&request, at_ms, &trace).await;
        trace.note(
            Stage::Analysed,
            analysis,
            format!("complexity {:.2} ({})", complexity.score, complexity.tier.name()),
        );
        if let Some(listener) = trace.listener() {
            listener.decided(&decision, &complexity);
        }
        let prompt = self.context(&request, turns, &trace).await;
        let question = Question::profiled(&request.input, complexity.elp);
        let journey = Journey {
            flux: &self.parts.flux,
            asi: &self.parts.asi,
            request: &request,
            question: &question,
            policy: &policy,
            decision: &decision,
            prompt,
            plain,
            deadline,
            trace: &trace,
            live: live.as_ref(),
            reading: reading.as_deref(),
            audits: self.parts.audits.as_ref().map(|auditor| (auditor, (self.parts.dice)())),
        };
        let mut gathered = journey.run().await;
        let admission = gathered.admission.take();
        if let Some(hit) = gathered.lake_hit {
            self.parts.metrics.lake_lookup(if hit { LakeLookup::Hit } else { LakeLookup::Miss });
        }
        let best = gathered.best_flux();
        let escalation = best.and_then(|draft| draft.escalation).unwrap_or_else(|| {
            routing::escalation(&complexity, best.map(|draft| draft.signal.get()))
        });
        let ending = self.end(&request, &policy, &journey, &gathered);
        let mut finished = Finished {
            begun: &begun,
            escalation,
            gathered: &gathered,
            drafted: drafted(&request, &policy, &gathered, admission.is_some()),
            duration: since.elapsed(),
        };
        let answer = match ending {
            Ok(ending) => ending,
            Err(error) => {
                watch.end();
                self.record(finished.failed(&error), finished.overhead(), deadline).await;
                return Err(error);
            }
        };
        let composing = Instant::now();
        let mut reply =
            compose::reply(&request, &policy, &decision, &complexity, &gathered, &answer);
        trace.visit(Stage::Composed, composing, format!("{:?}", reply.kind).to_lowercase());
        let verifying = Instant::now();
        let may_enter_lake = compose::may_enter_lake(&answer, &policy);
        trace.visit(Stage::VerificationCheckpoint, verifying, compose::verification_note(&answer));
        if let Some(live) = &live {
            live.settle(&reply.content);
        }
        finished.duration = since.elapsed();
        let record = finished.ended(&reply, &answer);
        watch.end();
        // What is kept is kept at once, so that it shares the store's flush.
        let ((), remembered, ()) = tokio::join!(
            self.record(record, finished.overhead(), deadline),
            async {
                may_enter_lake
                    && self.remember(&request, &reply, &answer, &gathered, deadline).await
            },
            async {
                if compose::is_whole(&answer) {
                    self.converse(&request, &reply, at_ms, deadline).await;
                }
            },
        );
        if let Some(admission) = admission {
            audit(admission, &journey, &answer);
        }
        reply.remembered = remembered;
        reply.trace = trace.entries();
        reply.duration = since.elapsed();
        reply.overhead = reply.duration.saturating_sub(gathered.upstream());
        Ok(reply)
    }

    /// Position 1: the conversation so far, and whether it leaves the question as it is (see
    /// [`asks_plainly`]); one that cannot be read may have asked for anything.
    async fn received(&self, request: &Request, now_ms: i64, trace: &Trace) -> (Vec<Turn>, bool) {
        let since = Instant::now();
        let mut said = match &request.session {
            Some(session) => self.turns(&request.tenant, session, now_ms).await,
            None => Some(Vec::new()),
        };
        // A client that brings its own history has it all: the session's would be said twice.
        if let Some(dialogue) = request.dialogue.as_ref().filter(|d| !d.turns.is_empty()) {
            said = Some(dialogue.turns.clone());
        }
        let plain = said.as_ref().is_some_and(|turns| asks_plainly(turns));
        let turns = said.unwrap_or_default();
        let passages = request.context.len();
        trace.visit(
            Stage::Received,
            since,
            format!("{passages} passages, {} earlier turns", turns.len()),
        );
        (turns, plain)
    }

    /// Position 3: what of the context goes along under the token budget.
    async fn context(&self, request: &Request, turns: Vec<Turn>, trace: &Trace) -> Prompt {
        let since = Instant::now();
        let vcp::Context { turns, passages, note } = self.choose_context(request, turns).await;
        let note = if note.is_empty() { "everything fits".to_owned() } else { note };
        trace.visit(Stage::ContextCheckpoint, since, note);
        let dialogue = request.dialogue.as_ref();
        let theirs = dialogue.and_then(|d| d.instructions.as_deref());
        let instructions = [self.parts.instructions.as_deref(), theirs];
        let instructions: Vec<&str> = instructions.into_iter().flatten().collect();
        Prompt {
            instructions: (!instructions.is_empty()).then(|| instructions.join("\n\n")),
            turns,
            passages,
            input: request.input.clone(),
            revision: None,
            sampling: dialogue.map(|d| d.sampling.clone()).unwrap_or_default(),
            passthrough: dialogue.and_then(|d| d.passthrough.clone()),
        }
    }

    async fn choose_context(&self, request: &Request, turns: Vec<Turn>) -> vcp::Context {
        let said: usize = turns.iter().map(|turn| turn.content.len()).sum();
        let offered: usize = request.context.iter().map(|passage| passage.text.len()).sum();
        let budget = self.parts.token_budget;
        if said + offered <= INLINE_BYTES {
            return vcp::choose_context(&request.input, &turns, &request.context, budget);
        }
        let (input, passages) = (request.input.clone(), request.context.clone());
        let choice = spawn_blocking(move || vcp::choose_context(&input, &turns, &passages, budget));
        // A panic is logged where it happens; the question still stands without its context.
        choice.await.unwrap_or_else(|_| vcp::Context {
            note: "no context could be chosen".to_owned(),
            ..vcp::Context::default()
        })
    }

    /// Positions 7, 6, 5 and 9.
    fn end(
        &self,
        request: &Request,
        policy: &Policy,
        journey: &Journey<'_>,
        gathered: &Gathered,
    ) -> Result<Ending, ProcessError> {
        let providers = self.parts.asi.has_models();
        let (decision, trace) = (journey.decision, journey.trace);
        compose::end(request, policy, decision, gathered, trace, providers, journey.deadline)
    }
}

/// Flux's surest draft; and, where it was admitted to the audits and ASI was asked as well, whether
/// the two agree. An admitted draft that Flux answers with is audited.
fn drafted(
    request: &Request,
    policy: &Policy,
    gathered: &Gathered,
    admitted: bool,
) -> Option<DraftRecord> {
    let draft = gathered.best_flux()?;
    let findings = gathered.asi.as_ref().filter(|_| admitted);
    let agrees = findings
        .and_then(|findings| agreement(draft, findings, &Wording::of_answers_to(&request.input)));
    let judged_by = Some(policy.judged_by().into());
    let by_experience = draft.escalation.is_some();
    Some(DraftRecord { signal: draft.signal.get(), agrees, judged_by, by_experience })
}

/// Has a whole answer of Flux audited. Any other gives its place back: ASI was asked anyway.
fn audit(admission: Admission, journey: &Journey<'_>, ending: &Ending) {
    let Ending::Answer { fused, recovered: false } = ending else { return };
    let draft = &fused.draft;
    let flux = draft.source.tier == Tier::Flux && draft.stage != Position::FUSION;
    if flux && draft.complete {
        admission.submit(|money| Job {
            request: journey.request.clone(),
            prompt: journey.prompt.clone(),
            answer: draft.clone(),
            money,
        });
    }
}
