//! What operators and callers do beside asking: change the policy, judge answers, look at the state.

use std::sync::Arc;

use super::{
    FeedbackError, FeedbackReceipt, Health, Internals, MetaOrchestrator, PartHealth, PartState,
    PolicyError,
};
use crate::{
    domain::{
        LedgerEvent, ModelProfile, OutcomeRecord, OutcomeSource, Policy, PolicyRecord, ResponseId,
        TenantId,
    },
    ledger::LedgerError,
    performance::Snapshot,
};

/// Times that a change of policy is tried again when somebody else's came first. One of all who
/// try at once succeeds each time, so this many may.
const POLICY_TRIES: usize = 64;

/// Tells principals of one tenant apart without keeping their names (FNV-1a, 64 bits).
fn fingerprint(tenant: &TenantId, name: &str) -> u64 {
    const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    let bytes = tenant.as_str().bytes().chain([0]).chain(name.bytes());
    bytes.fold(OFFSET, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME))
}

impl MetaOrchestrator {
    /// The policy in force.
    #[must_use]
    pub fn policy(&self) -> Arc<Policy> {
        self.parts.policy.load()
    }

    /// Changes the policy, durably; the next request is judged by it. `change` is applied to the
    /// newest policy, again if somebody else changes it meanwhile.
    ///
    /// # Errors
    /// [`PolicyError`]: what is wrong with the changed policy, or that it could not be stored.
    pub async fn set_policy(
        &self,
        change: impl Fn(&Policy) -> Policy + Send + Sync,
    ) -> Result<Arc<Policy>, PolicyError> {
        for _ in 0..POLICY_TRIES {
            let current = self.parts.policy.load();
            let policy = Policy { version: current.version + 1, ..change(&current) };
            let problems = policy.problems();
            if !problems.is_empty() {
                return Err(PolicyError::Invalid(problems));
            }
            let policy = Arc::new(policy);
            let record =
                PolicyRecord { at_ms: self.parts.clock.now_ms(), policy: Arc::clone(&policy) };
            match self.parts.ledger.append(LedgerEvent::Policy(record)).await {
                Ok(_) => {
                    self.parts.policy.publish(&policy);
                    return Ok(policy);
                }
                Err(LedgerError::PolicyConflict { .. }) => {}
                Err(error) => {
                    tracing::error!(%error, "a policy was not stored");
                    return Err(PolicyError::Unavailable);
                }
            }
        }
        Err(PolicyError::Conflict)
    }

    /// Takes in whether a response was right (1), wrong (0) or partly right. The same feedback
    /// again changes nothing; other feedback revises the earlier. An answer that was wrong leaves
    /// the lake. `principal` is who judged, where the tenant passes on what others say: together they
    /// decide what Adaptive learns, none of them alone.
    ///
    /// # Errors
    /// [`FeedbackError`]: the tenant has no such response, judges too often, or the store fails.
    pub async fn feedback(
        &self,
        tenant: &TenantId,
        response: ResponseId,
        score: f64,
        principal: Option<&str>,
    ) -> Result<FeedbackReceipt, FeedbackError> {
        let limited = self.feedback_limit.take(tenant);
        limited.map_err(|retry_after| FeedbackError::TooMuch { retry_after })?;
        let outcome = OutcomeRecord {
            response,
            tenant: tenant.clone(),
            at_ms: self.parts.clock.now_ms(),
            // Adding zero makes a negative zero positive.
            score: score.clamp(0.0, 1.0) + 0.0,
            source: OutcomeSource::Feedback,
            probability: None,
            principal: principal.map(|name| fingerprint(tenant, name)),
        };
        let recorded = match self.parts.ledger.append(LedgerEvent::Outcome(outcome)).await {
            Ok(recorded) => recorded,
            Err(LedgerError::UnknownResponse) => return Err(FeedbackError::UnknownResponse),
            Err(error) => {
                tracing::error!(%error, "feedback was not stored");
                return Err(FeedbackError::Unavailable);
            }
        };
        let mut evicted = 0;
        if score < 0.5 {
            let source = recorded.decision.as_ref().and_then(|d| d.recalled_from);
            for origin in std::iter::once(response).chain(source) {
                match self.parts.flux.forget(tenant, origin).await {
                    Ok(gone) => {
                        self.parts.metrics.lake_evicted(gone as u64);
                        evicted += gone;
                    }
                    Err(error) => {
                        tracing::error!(%error, "a wrong answer could not be evicted");
                        return Err(FeedbackError::Unavailable);
                    }
                }
            }
        }
        Ok(FeedbackReceipt { response, score, previous_score: recorded.previous_score, evicted })
    }

    /// Names of the AI tier's models, best first.
    #[must_use]
    pub fn model_names(&self) -> Vec<String> {
        self.parts.asi.models().map(str::to_owned).collect()
    }

    /// What is known of the AI tier's models, best first.
    pub fn models(&self) -> impl ExactSizeIterator<Item = &ModelProfile> {
        self.parts.asi.profiles()
    }

    /// When this orchestrator began, in seconds since 1970.
    #[must_use]
    pub fn began_unix(&self) -> u64 {
        u64::try_from(self.began_ms / 1000).unwrap_or(0)
    }

    /// The figures per strategy and tier.
    #[must_use]
    pub fn performance(&self) -> Arc<Snapshot> {
        self.parts.performance.load()
    }

    /// The state of the parts. Asks no provider.
    #[must_use]
    pub fn health(&self) -> Health {
        let parts = &self.parts;
        let ledger = parts.ledger.status();
        let (models, documents) = (parts.asi.models().len(), parts.asi.documents().stats());
        let part = |name, state, detail: String| PartHealth { name, state, detail };
        let ok_if = |holds: bool| if holds { PartState::Ok } else { PartState::Degraded };
        let drafter =
            parts.flux.drafter().map_or("no drafter".to_owned(), |d| format!("drafter {d}"));
        let lake = parts.flux.lake_stats();
        Health {
            uptime: self.started.elapsed(),
            parts: vec![
                part("flux", PartState::Ok, format!("solvers, {drafter}")),
                part(
                    "lake",
                    if lake.is_some() { PartState::Ok } else { PartState::Absent },
                    lake.map_or("switched off".into(), |l| format!("{} answers", l.entries)),
                ),
                part(
                    "asi",
                    if models > 0 { PartState::Ok } else { PartState::Absent },
                    format!("{models} models configured"),
                ),
                part(
                    "documents",
                    if documents.documents > 0 { PartState::Ok } else { PartState::Absent },
                    format!("{} documents, {} sentences", documents.documents, documents.sentences),
                ),
                part(
                    "ledger",
                    ok_if(!ledger.store_failing),
                    format!("{} events, {} queued", ledger.last_seq, ledger.queued),
                ),
            ],
        }
    }

    /// What the parts count.
    #[must_use]
    pub fn internals(&self) -> Internals {
        let ledger = self.parts.ledger.status();
        let lake = self.parts.flux.lake_stats().unwrap_or_default();
        Internals {
            lake_entries: lake.entries as u64,
            lake_hits: lake.hits,
            lake_misses: lake.misses,
            lake_evictions: lake.evicted,
            flux_agreeing: lake.agreeing as u64,
            flux_contradicting: lake.contradicting as u64,
            flux_coherence: lake.coherence,
            ledger_events: ledger.last_seq,
            ledger_queued: ledger.queued as u64,
            ledger_dropped: ledger.dropped,
        }
    }
}
