//! What operators and callers do beside asking: change the policy, judge answers, look at the state.

use std::sync::Arc;

use super::{
    FeedbackError, FeedbackReceipt, Health, Internals, MetaOrchestrator, PartHealth, PartState,
    PolicyError,
};
use crate::{
    domain::{
        DocumentError, DocumentId, DocumentInfo, LanguageModel, LedgerEvent, ModelProfile,
        NewDocument, OutcomeRecord, OutcomeSource, Policy, PolicyRecord, ResponseId, TenantId,
    },
    ledger::LedgerError,
    performance::Snapshot,
};

/// Times that a change of policy is tried again when somebody else's came first. One of all who
/// try at once succeeds each time, so this many may.
const POLICY_TRIES: usize = 64;

/// Tells principals of one tenant apart without keeping their names (FNV-1a, 64 bits). It hides
/// nothing from who can guess a name: there is no key.
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
                    // With what was learned, which the change may have moved.
                    return Ok(self.parts.policy.load());
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
            Err(LedgerError::UnknownResponse) => {
                return self.feedback_without_record(tenant, response, score).await;
            }
            Err(error) => {
                tracing::error!(%error, "feedback was not stored");
                return Err(FeedbackError::Unavailable);
            }
        };
        let mut evicted = 0;
        if score < 0.5 {
            // What was recalled by meaning may be right for its own question: there, the outcome
            // raises what it takes to recall it.
            let exact = recorded.decision.as_ref().filter(|d| d.recalled_likeness.is_none());
            let source = exact.and_then(|d| d.recalled_from);
            for origin in std::iter::once(response).chain(source) {
                evicted += self.forget(tenant, origin).await?;
            }
        }
        Ok(FeedbackReceipt { response, score, previous_score: recorded.previous_score, evicted })
    }

    /// Adds a document to what a tenant is answered from, or puts it in the place of the one with
    /// the same id. Durable, and found by the next question, when this returns `Ok`. The second
    /// value says whether it took another's place.
    ///
    /// # Errors
    /// [`DocumentError`]; nothing has changed then.
    pub async fn add_document(
        &self,
        tenant: &TenantId,
        document: NewDocument,
    ) -> Result<(DocumentInfo, bool), DocumentError> {
        self.parts.shelf.add(tenant, document, self.parts.clock.now_ms()).await
    }

    /// Removes a tenant's document; whether there was one.
    ///
    /// # Errors
    /// [`DocumentError`]; nothing has changed then.
    pub async fn remove_document(
        &self,
        tenant: &TenantId,
        id: &DocumentId,
    ) -> Result<bool, DocumentError> {
        self.parts.shelf.remove(tenant, id).await
    }

    /// The first `limit` of the documents that a tenant has added, after an id, ordered by id.
    #[must_use]
    pub fn documents(
        &self,
        tenant: &TenantId,
        after: Option<&DocumentId>,
        limit: usize,
    ) -> Vec<DocumentInfo> {
        self.parts.shelf.list(tenant, after, limit)
    }

    /// Feedback on a response whose record was lost, or is older than what is kept: there is nothing
    /// to learn from it, but a wrong answer of this tenant still leaves the lake.
    async fn feedback_without_record(
        &self,
        tenant: &TenantId,
        response: ResponseId,
        score: f64,
    ) -> Result<FeedbackReceipt, FeedbackError> {
        let evicted = if score < 0.5 { self.forget(tenant, response).await? } else { 0 };
        if evicted == 0 {
            return Err(FeedbackError::UnknownResponse);
        }
        Ok(FeedbackReceipt { response, score, previous_score: None, evicted })
    }

    async fn forget(&self, tenant: &TenantId, origin: ResponseId) -> Result<usize, FeedbackError> {
        match self.parts.flux.forget(tenant, origin).await {
            Ok(gone) => {
                self.parts.metrics.lake_evicted(gone as u64);
                Ok(gone)
            }
            Err(error) => {
                tracing::error!(%error, "a wrong answer could not be evicted");
                Err(FeedbackError::Unavailable)
            }
        }
    }

    /// Names of the AI tier's models, best first.
    #[must_use]
    pub fn model_names(&self) -> Vec<String> {
        self.models().iter().map(|profile| profile.name.to_string()).collect()
    }

    /// The configured name of the model that drafts for Flux, where there is one.
    #[must_use]
    pub fn drafter(&self) -> Option<&str> {
        self.parts.flux.drafter()
    }

    /// What is known of the AI tier's models, best first.
    #[must_use]
    pub fn models(&self) -> Vec<ModelProfile> {
        self.parts.asi.profiles()
    }

    /// Takes in models whose provider was not up at the start; `awaited` names those still to come.
    pub fn join(&self, models: &[Arc<dyn LanguageModel>], awaited: &[String]) {
        self.parts.asi.join(models, awaited);
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
        let (asi_state, asi_detail) = self.asi_health();
        let documents = parts.asi.documents().stats();
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
                part("asi", asi_state, asi_detail),
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

    /// The AI tier's state, by what its calls came to: nobody is asked for it.
    fn asi_health(&self) -> (PartState, String) {
        let asi = &self.parts.asi;
        let (models, awaited, refused) = (asi.profiles().len(), asi.awaited(), asi.refused());
        let mut detail = format!("{models} models configured");
        for provider in &awaited {
            detail.push_str(&format!("; waiting for {provider} to name its models"));
        }
        for (model, since) in &refused {
            let ago = i64::try_from(since.elapsed().as_millis()).unwrap_or(i64::MAX);
            let since_ms = self.parts.clock.now_ms().saturating_sub(ago);
            let since =
                jiff::Timestamp::from_millisecond(since_ms / 1000 * 1000).unwrap_or_default();
            detail.push_str(&format!("; {model}: unauthorized since {since}"));
        }
        let down = asi.down();
        for model in &down {
            detail.push_str(&format!("; {model}: its provider fails, calls are held back"));
        }
        let sound = awaited.is_empty() && refused.is_empty() && down.is_empty();
        let state = match (models, sound) {
            (_, false) => PartState::Degraded,
            (0, true) => PartState::Absent,
            (_, true) => PartState::Ok,
        };
        (state, detail)
    }

    /// What the parts count.
    #[must_use]
    pub fn internals(&self) -> Internals {
        let ledger = self.parts.ledger.status();
        Internals {
            lake: self.parts.flux.lake_stats().unwrap_or_default(),
            ledger_events: ledger.last_seq,
            ledger_queued: ledger.queued as u64,
            ledger_dropped: ledger.dropped,
        }
    }
}
