//! Audits: a random share of Flux's answers is also asked of ASI, behind the caller's back and after
//! his answer has left. Whether the two agree is what the accuracy of the fast tier is estimated by
//! where nobody says anything.
//!
//! Everything about it is bounded: the queue, the audits under way, and the money an hour; what finds
//! no place is not admitted (`admission`) and counted. Nothing of it is waited for by any request.

use std::{sync::Arc, time::Duration};

use futures_util::{StreamExt, stream::FuturesUnordered};
use tokio::{sync::mpsc, time::Instant};
use tokio_util::sync::CancellationToken;

use super::admission::{Auditor, Reserved};
use crate::{
    answers::{Question, Wording},
    asi::{Asi, Findings, Task},
    domain::{
        AsiMode, Clock, Draft, LedgerEvent, Likeness, OutcomeRecord, OutcomeSource, PolicyCell,
        Prompt, Request, SourceKind, Trace,
    },
    ledger::Ledger,
    telemetry::{AuditResult, Metrics},
};

/// Time for one audit.
const PATIENCE: Duration = Duration::from_secs(60);

/// How much is audited.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AuditOptions {
    /// Share of Flux's answers that is audited, 0 to 1; 0 switches audits off.
    pub rate: f64,
    /// Audits that may wait.
    pub queue: usize,
    /// Audits under way at once.
    pub concurrency: usize,
    /// US dollars an hour; calls without a known price count nothing.
    pub usd_per_hour: f64,
}

/// An answer to be audited.
pub(super) struct Job {
    pub(super) request: Request,
    pub(super) prompt: Prompt,
    pub(super) answer: Draft,
    pub(super) money: Reserved,
}

/// What the background task works with; the caller runs [`AuditTask::run`] and waits for it.
pub struct AuditTask {
    jobs: mpsc::Receiver<Job>,
    options: AuditOptions,
    parts: AuditParts,
}

/// Whom the task asks, and whom it tells.
pub struct AuditParts {
    /// The AI tier.
    pub asi: Arc<Asi>,
    /// The policy in force.
    pub policy: PolicyCell,
    /// Where the outcome goes.
    pub ledger: Ledger,
    /// Where audits are counted.
    pub metrics: Metrics,
    /// The time of day.
    pub clock: Arc<dyn Clock>,
}

/// An auditor and its task; `None` where audits are off.
#[must_use]
pub fn auditor(options: AuditOptions, parts: AuditParts) -> Option<(Auditor, AuditTask)> {
    if options.rate <= 0.0 {
        return None;
    }
    let (queue, jobs) = mpsc::channel(options.queue.max(1));
    let metrics = parts.metrics.clone();
    let auditor = Auditor::new(options.rate, queue, options.usd_per_hour, metrics);
    Some((auditor, AuditTask { jobs, options, parts }))
}

impl AuditTask {
    /// The task's name, for supervision.
    pub const NAME: &'static str = "audits";

    /// Audits until `shutdown` is cancelled or the auditor is gone. What is under way then is given
    /// up: an audit is worth nothing that a stop should wait for.
    pub async fn run(self, shutdown: CancellationToken) {
        let Self { mut jobs, options, parts } = self;
        let mut under_way = FuturesUnordered::new();
        loop {
            let has_room = under_way.len() < options.concurrency.max(1);
            tokio::select! {
                biased;
                () = shutdown.cancelled() => return,
                Some(()) = under_way.next(), if !under_way.is_empty() => {}
                job = jobs.recv(), if has_room => match job {
                    None => return,
                    // A provider may come up later; until then there is nobody to ask.
                    Some(_) if !parts.asi.has_models() => {}
                    Some(job) => under_way.push(audit(&parts, job, options.rate)),
                },
            }
        }
    }
}

async fn audit(parts: &AuditParts, job: Job, rate: f64) {
    let policy = parts.policy.load();
    let wording = Wording::of_answers_to(&job.request.input);
    let trace = Trace::default();
    let question = Question::of(&job.request.input);
    let reading = policy.judge.as_ref().map(|judge| judge.read(&job.request.input));
    let task = Task {
        request: &job.request,
        question: &question,
        prompt: job.prompt.clone(),
        mode: AsiMode::Fast,
        rule: super::gather::rule(&policy, policy.consensus, &wording),
        experts: &policy.experts,
        second_opinion: policy.thresholds.second_opinion,
        deadline: Instant::now() + PATIENCE,
        trace: &trace,
        alone: true,
        live: None,
        reading: reading.as_deref(),
    };
    let findings = parts.asi.answer(&task).await;
    job.money.paid(findings.usage.cost_usd.unwrap_or(0.0));
    let Some(agree) = agreement(&job.answer, &findings, &wording) else {
        parts.metrics.audited(AuditResult::Unanswered);
        return;
    };
    parts.metrics.audited(if agree { AuditResult::Agreed } else { AuditResult::Disagreed });
    let outcome = OutcomeRecord {
        response: job.request.id,
        tenant: job.request.tenant.clone(),
        at_ms: parts.clock.now_ms(),
        score: f64::from(u8::from(agree)),
        source: OutcomeSource::Audit,
        probability: Some(rate.min(1.0)),
        principal: None,
    };
    if let Err(error) = parts.ledger.send(LedgerEvent::Outcome(outcome)) {
        tracing::warn!(%error, "an audit was not recorded");
    }
}

/// Whether the surest model says the same; `None` where no model answered, or where the answers
/// have no form in which they could be compared.
pub(super) fn agreement(
    answer: &Draft,
    findings: &Findings,
    wording: &Wording<'_>,
) -> Option<bool> {
    let models = findings
        .drafts
        .iter()
        .filter(|d| d.source.kind == SourceKind::Model && d.complete && super::gather::answers(d));
    let surest = models.max_by(|a, b| a.signal.get().total_cmp(&b.signal.get()))?;
    let (ours, theirs) = (answer.answer.as_ref()?, surest.answer.as_ref()?);
    Some(ours == theirs || wording.alike(answer, surest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Canonical, Signal, Source, Tier};

    fn draft(kind: SourceKind, text: &str, signal: f64) -> Draft {
        let tier = if kind == SourceKind::Model { Tier::Asi } else { Tier::Flux };
        let answer = Some(Canonical::Text(text.to_owned()));
        Draft::new(Source::new(tier, kind, "x"), text, answer, Signal::clamped(signal))
    }

    fn agree(drafts: Vec<Draft>) -> Option<bool> {
        let answer = draft(SourceKind::Drafter, "paris", 0.9);
        let findings = Findings { drafts, ..Findings::default() };
        agreement(&answer, &findings, &Wording::of_answers_to("What is the capital of France?"))
    }

    #[test]
    fn the_surest_model_is_who_is_compared_with() {
        let (paris, rome) =
            (draft(SourceKind::Model, "paris", 0.8), draft(SourceKind::Model, "rome", 0.6));
        assert_eq!(agree(vec![paris.clone(), rome.clone()]), Some(true));
        assert_eq!(agree(vec![rome]), Some(false));
    }

    #[test]
    fn a_model_that_says_nothing_is_no_audit() {
        assert_eq!(agree(Vec::new()), None);
        assert_eq!(agree(vec![draft(SourceKind::Document, "paris", 0.9)]), None);
        let mut silent = draft(SourceKind::Model, "paris", 0.8);
        silent.answer = None;
        assert_eq!(agree(vec![silent]), None);
    }
}
