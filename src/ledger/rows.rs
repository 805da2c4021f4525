//! The ledger's rows as they are stored, and reading them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::LedgerError;
use crate::{
    domain::{
        DecisionRecord, LedgerEvent, OutcomeRecord, OutcomeSource, Policy, Recorded, ResponseId,
        TenantId,
    },
    store::{Row, Store, StoreError, Table, decode, keys},
};

/// The key of the current policy.
pub(super) const POLICY: &[u8] = b"current";
/// The key of the head, in `meta`.
pub(super) const HEAD: &[u8] = b"ledger";

/// Where the ledger begins and ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Head {
    /// Place of the newest event; 0 before the first.
    pub(super) last_seq: u64,
    /// Place of the oldest event that is kept.
    pub(super) first_seq: u64,
    /// Decisions that are kept.
    pub(super) decisions: u64,
}

impl Head {
    pub(super) const EMPTY: Self = Self { last_seq: 0, first_seq: 1, decisions: 0 };

    /// Events that are kept.
    pub(super) const fn rows(&self) -> u64 {
        (self.last_seq + 1).saturating_sub(self.first_seq)
    }
}

/// A row of the ledger. An outcome carries its decision along, so that a replay can tell what it
/// judges even when the decision itself is kept no longer.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct LedgerRow {
    pub(super) record: LedgerEvent,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) decision: Option<Arc<DecisionRecord>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) previous_score: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) previous_probability: Option<f64>,
}

/// The latest outcome of a response.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct OutcomeRow {
    pub(super) seq: u64,
    pub(super) score: f64,
    pub(super) source: OutcomeSource,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) probability: Option<f64>,
    /// Whether an audit was recorded of it, before this outcome or after. Absent in rows from before
    /// agreements were recorded.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) audited: bool,
}

/// What an outcome is worth beside the one that is known already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weight {
    /// It takes the other's place.
    Revises,
    /// An audit, which only guesses what somebody has said: the answer stays judged as it is, yet
    /// whether the tiers agreed is kept.
    Agreement,
    /// It says nothing new.
    Repeats,
}

impl OutcomeRow {
    pub(super) fn weigh(&self, outcome: &OutcomeRecord) -> Weight {
        let audit = outcome.source == OutcomeSource::Audit;
        if audit && !self.is_audited() {
            return Weight::Agreement;
        }
        let same = self.score == outcome.score && self.source == outcome.source;
        if audit || same { Weight::Repeats } else { Weight::Revises }
    }

    pub(super) fn is_audited(&self) -> bool {
        self.audited || self.source == OutcomeSource::Audit
    }
}

/// The key of a response's decision and outcome.
pub(super) fn response_key(tenant: &TenantId, response: ResponseId) -> Vec<u8> {
    keys::scoped(tenant, response.as_bytes())
}

/// Refuses what could be written but not be read again (JSON has no NaN), or means nothing.
pub(super) fn check(event: &LedgerEvent) -> Result<(), LedgerError> {
    let valid = match event {
        LedgerEvent::Decision(d) => {
            [d.probability, d.complexity, d.escalation, d.confidence]
                .into_iter()
                .all(|p| (0.0..=1.0).contains(&p))
                && d.cost_usd.is_none_or(f64::is_finite)
        }
        LedgerEvent::Outcome(outcome) => {
            (0.0..=1.0).contains(&outcome.score)
                && outcome.probability.is_none_or(|p| p > 0.0 && p <= 1.0)
        }
        LedgerEvent::Agreement(_) => true,
        LedgerEvent::Policy(record) => record.policy.problems().is_empty(),
    };
    let what = match event {
        LedgerEvent::Decision(_) => "decision",
        LedgerEvent::Outcome(_) => "score",
        LedgerEvent::Agreement(_) => "agreement",
        LedgerEvent::Policy(_) => "policy",
    };
    if valid { Ok(()) } else { Err(LedgerError::Invalid(what)) }
}

pub(super) async fn policy(store: &Store) -> Result<Option<Policy>, LedgerError> {
    let found = store.get(Table::Policy, POLICY).await?;
    Ok(found.map(|value| decode(Table::Policy, &value)).transpose()?)
}

pub(super) async fn replay(
    store: &Store,
    after_seq: u64,
    limit: usize,
) -> Result<Vec<Recorded>, LedgerError> {
    let range = keys::after(keys::number(after_seq));
    let rows = store.scan(Table::Ledger, range, limit, false).await?;
    Ok(rows.iter().map(recorded).collect::<Result<_, _>>()?)
}

/// The decision of a response, and its place.
pub(super) async fn decision(
    store: &Store,
    key: &[u8],
) -> Result<Option<(u64, Arc<DecisionRecord>)>, LedgerError> {
    let Some(place) = store.get(Table::Decisions, key).await? else { return Ok(None) };
    let Some(row) = store.get(Table::Ledger, &place).await? else { return Ok(None) };
    let recorded = recorded(&(place, row))?;
    Ok(match recorded.event {
        LedgerEvent::Decision(decision) => Some((recorded.seq, decision)),
        _ => None,
    })
}

pub(super) fn recorded((key, value): &Row) -> Result<Recorded, StoreError> {
    let (seq, _) = keys::split_number(key).ok_or(StoreError::Unreadable(Table::Ledger.name()))?;
    let row: LedgerRow = decode(Table::Ledger, value)?;
    Ok(Recorded {
        seq,
        event: row.record,
        decision: row.decision,
        previous_score: row.previous_score,
        previous_probability: row.previous_probability,
    })
}
