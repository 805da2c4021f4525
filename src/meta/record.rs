//! What is kept of a request: its record, its answer, its turn of the conversation.

use std::{borrow::Cow, sync::Arc, time::Duration};

use tokio::time::{Instant, timeout};

use super::{MetaOrchestrator, Parts, ProcessError, compose::Ending, gather::Gathered};
use crate::{
    domain::{
        Complexity, ConsensusReport, Decision, DecisionRecord, Draft, DraftRecord, Ended,
        LedgerEvent, Policy, RecordedVote, Reply, Request, Role, SessionId, TenantId, Tier, Turn,
    },
    ledger::LedgerError,
};

/// A request that was decided on.
pub(super) struct Begun<'a> {
    pub(super) request: &'a Request,
    pub(super) at_ms: i64,
    pub(super) since: Instant,
    pub(super) policy: &'a Policy,
    pub(super) decision: &'a Decision,
    pub(super) complexity: &'a Complexity,
}

impl Begun<'_> {
    /// Its record, as far as it is known before anybody was asked.
    fn record(&self, ended: Ended) -> DecisionRecord {
        DecisionRecord {
            id: self.request.id,
            tenant: self.request.tenant.clone(),
            at_ms: self.at_ms,
            policy_version: self.policy.version,
            strategy: self.decision.strategy,
            route: self.decision.route,
            mode: None,
            arm: self.decision.arm,
            probability: self.decision.probability,
            complexity: self.complexity.score,
            complexity_tier: self.complexity.tier,
            escalation: 0.0,
            ended,
            tier: None,
            source: None,
            confidence: 0.0,
            recalled_from: None,
            recalled_likeness: None,
            duration_us: micros(self.since.elapsed()),
            flux: None,
            draft: None,
            asi: None,
            votes: Vec::new(),
            cost_usd: None,
            cost_unknown: false,
            error: None,
        }
    }
}

/// Records a request as cancelled when nobody waits for its end any more.
pub(super) struct Watch<'a> {
    parts: &'a Parts,
    begun: Option<&'a Begun<'a>>,
}

impl<'a> Watch<'a> {
    pub(super) fn over(parts: &'a Parts, begun: &'a Begun<'a>) -> Self {
        Self { parts, begun: Some(begun) }
    }

    /// The request came to an end that is recorded otherwise.
    pub(super) fn end(mut self) {
        self.begun = None;
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        let Some(begun) = self.begun else { return };
        // A panic on the way unwinds through here, too, and is no client that left.
        let panicked = std::thread::panicking();
        let mut record = begun.record(if panicked { Ended::Failed } else { Ended::Cancelled });
        record.error = panicked.then_some(Cow::Borrowed("internal"));
        self.parts.metrics.finished(&record, Duration::ZERO);
        if let Err(error) = self.parts.ledger.send(LedgerEvent::Decision(Arc::new(record))) {
            self.parts.metrics.ledger_dropped(1);
            tracing::warn!(%error, "a request that was broken off was not recorded");
        }
    }
}

/// A request that came to its end.
pub(super) struct Finished<'a> {
    pub(super) begun: &'a Begun<'a>,
    pub(super) escalation: f64,
    pub(super) gathered: &'a Gathered,
    /// Flux's surest draft.
    pub(super) drafted: Option<DraftRecord>,
    pub(super) duration: Duration,
}

impl Finished<'_> {
    /// Time spent outside of upstream calls.
    pub(super) fn overhead(&self) -> Duration {
        self.duration.saturating_sub(self.gathered.upstream())
    }

    /// The record of an answer or an abstention.
    pub(super) fn ended(&self, reply: &Reply, ending: &Ending) -> DecisionRecord {
        let mut record =
            self.record(if reply.abstained { Ended::Abstained } else { Ended::Answered });
        record.confidence = reply.confidence.get();
        record.recalled_from = reply.recalled_from;
        record.recalled_likeness = reply.recalled_likeness;
        record.cost_usd = reply.usage.cost_usd;
        if let Ending::Answer { fused, .. } = ending {
            let flux =
                fused.weights.iter().find(|(t, _)| *t == Tier::Flux).map_or(0.0, |(_, w)| *w);
            record.tier = Some(if flux >= 0.5 { Tier::Flux } else { Tier::Asi });
            record.source = Some(fused.draft.source.kind);
            record.votes = votes(&fused.report);
            let late = self.gathered.asi.iter().flat_map(|findings| &findings.unheard);
            record.votes.extend(late.filter_map(|draft| late_vote(draft, &fused.draft)));
        }
        record
    }

    /// The record of a failure.
    pub(super) fn failed(&self, error: &ProcessError) -> DecisionRecord {
        let mut record = self.record(Ended::Failed);
        record.error = Some(Cow::Borrowed(error.code()));
        record.cost_usd = self.gathered.asi.as_ref().and_then(|f| f.usage.cost_usd);
        record
    }

    fn record(&self, ended: Ended) -> DecisionRecord {
        let gathered = self.gathered;
        let floor = self.begun.policy.thresholds.abstain_floor;
        let flux = gathered.flux_latency.map(|latency| {
            let answered = gathered.best_flux_signal().is_some_and(|s| s >= floor);
            (micros(latency), if answered { Ended::Answered } else { Ended::Abstained })
        });
        let asi = gathered.asi.as_ref().map(|findings| {
            let silent = gathered.asi_answers().next().is_none();
            // Who says that it has no answer abstains, whoever failed beside it.
            let ended = match (silent, findings.drafts.is_empty(), findings.failures.is_empty()) {
                (false, ..) => Ended::Answered,
                (true, true, false) => Ended::Failed,
                (true, ..) => Ended::Abstained,
            };
            (micros(findings.latency), ended)
        });
        DecisionRecord {
            route: gathered.route.unwrap_or(self.begun.decision.route),
            mode: gathered.asi.as_ref().map(|_| self.begun.decision.mode),
            escalation: self.escalation,
            duration_us: micros(self.duration),
            flux,
            draft: self.drafted.clone(),
            asi,
            cost_unknown: gathered.has_unknown_cost(),
            ..self.begun.record(ended)
        }
    }
}

/// How long the answer waits for the store to keep what is to be kept of it. A disk that is slow may
/// cost the memory, but neither the answer nor its deadline by more than a moment.
fn patience(deadline: Instant) -> Duration {
    const SHORTEST: Duration = Duration::from_millis(50);
    const LONGEST: Duration = Duration::from_secs(2);
    deadline.saturating_duration_since(Instant::now()).clamp(SHORTEST, LONGEST)
}

/// Who stood for which answer, the one returned first; who gave none is left out.
fn votes(report: &ConsensusReport) -> Vec<RecordedVote> {
    let vote = |expert: &String, answer: usize| RecordedVote {
        expert: expert.clone(),
        answer: u8::try_from(answer).unwrap_or(u8::MAX),
    };
    let against = || report.dissent.iter().zip(1..);
    let lost = against().flat_map(|(d, n)| d.experts.iter().map(move |expert| vote(expert, n)));
    let won = report.votes.iter().filter(|vote| vote.won).map(|cast| vote(&cast.expert, 0));
    won.chain(lost).collect()
}

/// The vote of an expert that answered in full and took no part in the consensus.
fn late_vote(draft: &Draft, answer: &Draft) -> Option<RecordedVote> {
    let agrees = draft.answer.as_ref()? == answer.answer.as_ref()?;
    let expert = draft.source.name.to_string();
    // Dissenters are told apart by their answers; nobody shares this one's.
    Some(RecordedVote { expert, answer: if agrees { 0 } else { u8::MAX } })
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

impl MetaOrchestrator {
    /// Counts the request and appends its record. A ledger that is slow or away costs the record's
    /// promptness, never the answer.
    pub(super) async fn record(
        &self,
        record: DecisionRecord,
        overhead: Duration,
        deadline: Instant,
    ) {
        self.parts.metrics.finished(&record, overhead);
        let (event, wait) = (LedgerEvent::Decision(Arc::new(record)), self.parts.record_wait);
        let recorded = if wait.is_zero() {
            self.parts.ledger.send(event)
        } else {
            let Ok(appended) =
                timeout(wait.min(patience(deadline)), self.parts.ledger.append(event)).await
            else {
                tracing::warn!("a response left before its record was durable: the disk is slow");
                return;
            };
            appended.map(|_| ())
        };
        let Err(error) = recorded else { return };
        match error {
            LedgerError::Full => self.parts.metrics.ledger_dropped(1),
            // The ledger tells its observers, which count it.
            LedgerError::Store(_) => {}
            _ => self.parts.metrics.ledger_failed(1),
        }
        tracing::warn!(%error, "a decision was not recorded");
    }

    /// Whether the answer was remembered. A lake that fails costs the memory, never the answer.
    pub(super) async fn remember(
        &self,
        request: &Request,
        reply: &Reply,
        ending: &Ending,
        gathered: &Gathered,
        deadline: Instant,
    ) -> bool {
        let Ending::Answer { fused, .. } = ending else { return false };
        // A model that was shown passages answers from them without citing them.
        let from_documents = gathered.asi.as_ref().is_some_and(|f| f.from_documents);
        let keep = self.parts.flux.remember(
            request,
            reply,
            &fused.draft,
            from_documents,
            fused.derived_from,
        );
        match timeout(patience(deadline), keep).await {
            Ok(Ok(remembered)) => remembered,
            Ok(Err(error)) => {
                tracing::warn!(%error, "an answer was not remembered");
                false
            }
            Err(_) => {
                tracing::warn!("an answer left before it was remembered: the disk is slow");
                false
            }
        }
    }

    /// The conversation so far; `None` when it cannot be read.
    pub(super) async fn turns(
        &self,
        tenant: &TenantId,
        session: &SessionId,
        now_ms: i64,
    ) -> Option<Vec<Turn>> {
        let recent = self.parts.sessions.recent(tenant, session, now_ms).await;
        recent.inspect_err(|error| tracing::warn!(%error, "a conversation could not be read")).ok()
    }

    /// Adds the question and its answer to the conversation. An abstention is no turn: it would
    /// only teach the next model not to know.
    pub(super) async fn converse(
        &self,
        request: &Request,
        reply: &Reply,
        now_ms: i64,
        deadline: Instant,
    ) {
        let Some(session) = request.session.as_ref() else { return };
        let turns = [
            Turn { role: Role::User, content: request.input.clone() },
            Turn { role: Role::Assistant, content: reply.content.clone() },
        ];
        let keep = self.parts.sessions.append(&request.tenant, session, &turns, now_ms);
        match timeout(patience(deadline), keep).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "a conversation could not be kept"),
            Err(_) => {
                tracing::warn!("an answer left before its turn was kept: the disk is slow");
            }
        }
    }
}
