//! What a stopped service's ledger tells, for whoever evaluates it.

use std::{path::Path, time::Duration};

use super::{StartError, assemble::STORE_FILE};
use crate::{
    complexity,
    domain::{Budget, Recorded, Request, ResponseId, TenantId, Thresholds},
    evaluation::DecisionLog,
    ledger::{Ledger, LedgerOptions},
    performance::Audited,
    store::Store,
};

/// Events read at once.
const PAGE: usize = 4096;

/// Adaptive's decisions in the ledger of this data folder, with what became of them. The folder is
/// not made, and nothing in it is changed.
///
/// # Errors
/// [`StartError`]: there is no store, a service has it open, or it cannot be read.
pub async fn decision_log(dir: &Path) -> Result<DecisionLog, StartError> {
    let mut log = DecisionLog::default();
    each_event(dir, |recorded| log.take_in(recorded)).await?;
    Ok(log)
}

/// Hybrid's audited drafts in the ledger of this data folder, which is left as it is.
///
/// # Errors
/// As [`decision_log`].
pub async fn audited_drafts(dir: &Path) -> Result<Audited, StartError> {
    let mut audited = Audited::default();
    each_event(dir, |recorded| {
        audited.fold(recorded);
    })
    .await?;
    Ok(audited)
}

async fn each_event(dir: &Path, mut take: impl FnMut(&Recorded)) -> Result<(), StartError> {
    let unusable = |source| StartError::Store { dir: dir.to_owned(), source };
    let path = dir.join(STORE_FILE);
    if !path.exists() {
        return Err(StartError::NoLedger { dir: dir.to_owned() });
    }
    let store = Store::open(&path).map_err(unusable)?;
    let (ledger, _) = Ledger::open(store.clone(), Vec::new(), LedgerOptions::default()).await?;
    let mut after = 0;
    loop {
        let page = ledger.replay(after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.seq;
        page.iter().for_each(&mut take);
    }
    drop(ledger);
    store.close().await.map_err(unusable)
}

/// The complexity score of a question that nobody is going to ask.
#[must_use]
pub fn complexity_of(input: &str, thresholds: &Thresholds) -> f64 {
    let request = Request {
        id: ResponseId::generate(),
        tenant: TenantId::default(),
        session: None,
        input: input.to_owned(),
        context: Vec::new(),
        strategy: None,
        mode: None,
        consensus: None,
        budget: Budget { deadline: Duration::from_secs(1), max_cost_usd: None },
        dialogue: None,
        expert: None,
        no_store: false,
        fresh: false,
    };
    complexity::analyse(&request, thresholds).score
}
