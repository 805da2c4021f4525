//! What operators do with the lake: put answers in, take answers out, begin anew.

use super::{EpochBegun, LakeError, LakeStats, MetaOrchestrator, Refusal, Vouched};
use crate::domain::{ResponseId, TenantId};

impl MetaOrchestrator {
    /// Puts in answers that an operator vouches for, all of them in one step, and durably when this
    /// returns `Ok`. Says of each under which id it can be evicted, or why it did not come in.
    ///
    /// # Errors
    /// [`LakeError`]; then none came in.
    pub async fn curate(
        &self,
        tenant: &TenantId,
        given: Vec<Vouched>,
    ) -> Result<Vec<Result<ResponseId, Refusal>>, LakeError> {
        let results = self.parts.flux.curate(tenant, given).await;
        results.map_err(|error| failed(&error))?.ok_or(LakeError::Off)
    }

    /// Evicts the remembered answer of a response and all that rests on it; returns how many
    /// entries went. None is no error: it may have gone before.
    ///
    /// # Errors
    /// [`LakeError`]; then nothing has changed.
    pub async fn evict(&self, tenant: &TenantId, response: ResponseId) -> Result<usize, LakeError> {
        if self.lake().is_none() {
            return Err(LakeError::Off);
        }
        let gone = self.parts.flux.forget(tenant, response).await;
        let gone = gone.map_err(|error| failed(&error))?;
        self.parts.metrics.lake_evicted(gone as u64);
        Ok(gone)
    }

    /// Makes stale what a tenant has remembered so far, what an operator vouches for only where
    /// `curated`; returns since when, in milliseconds since the Unix epoch, and what went.
    ///
    /// # Errors
    /// [`LakeError`]; then nothing has changed.
    pub async fn begin_lake_epoch(
        &self,
        tenant: &TenantId,
        curated: bool,
    ) -> Result<(i64, EpochBegun), LakeError> {
        let begun = self.parts.flux.begin_epoch(tenant, curated).await;
        let begun = begun.map_err(|error| failed(&error))?.ok_or(LakeError::Off)?;
        self.parts.metrics.lake_evicted(begun.1.evicted as u64);
        Ok(begun)
    }

    /// The lake's figures; `None` when it is off.
    #[must_use]
    pub fn lake(&self) -> Option<LakeStats> {
        self.parts.flux.lake_stats()
    }
}

fn failed(error: &impl std::fmt::Display) -> LakeError {
    tracing::error!(%error, "the lake could not be written");
    LakeError::Unavailable
}
