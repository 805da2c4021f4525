//! The latest responses whose records could not be written, so that whoever judges one is told that
//! it was given, but not recorded.

use std::{
    collections::{HashSet, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::rows::response_key;
use crate::domain::{LedgerEvent, ResponseId, TenantId};

/// Most responses that are known; beyond it, the oldest is forgotten.
const MOST: usize = 4096;

#[derive(Debug, Default)]
pub(super) struct Unwritten(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    keys: HashSet<Vec<u8>>,
    order: VecDeque<Vec<u8>>,
}

impl Unwritten {
    /// Takes note of what was not written, as far as it is a response's record.
    pub(super) fn note<'a>(&self, events: impl Iterator<Item = &'a LedgerEvent>) {
        let mut known = self.lock();
        for event in events {
            let LedgerEvent::Decision(decision) = event else { continue };
            let key = response_key(&decision.tenant, decision.id);
            if !known.keys.insert(key.clone()) {
                continue;
            }
            known.order.push_back(key);
            if known.order.len() > MOST
                && let Some(oldest) = known.order.pop_front()
            {
                known.keys.remove(&oldest);
            }
        }
    }

    /// Whether this tenant's response was given, and its record lost.
    pub(super) fn has(&self, tenant: &TenantId, response: ResponseId) -> bool {
        self.lock().keys.contains(&response_key(tenant, response))
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
