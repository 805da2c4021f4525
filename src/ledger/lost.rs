//! Decisions that could not be written, kept for a while: their answers were served, and whoever
//! judges one of them is not to be told that there never was such an answer.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::rows::response_key;
use crate::domain::{DecisionRecord, LedgerEvent};

/// Most decisions that are kept, about 1 KB each. Older ones go first.
const MOST: usize = 1024;

/// The latest decisions that the store, or the queue, refused.
#[derive(Debug, Default)]
pub(super) struct Lost(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    decisions: HashMap<Vec<u8>, Arc<DecisionRecord>>,
    /// Their keys, oldest first.
    order: VecDeque<Vec<u8>>,
    /// Whether one had to go since the store last wrote.
    overflowed: bool,
}

impl Lost {
    /// Keeps what is a decision of these events.
    pub(super) fn keep<'e>(&self, events: impl IntoIterator<Item = &'e LedgerEvent>) {
        let mut kept = self.kept();
        for event in events {
            let LedgerEvent::Decision(decision) = event else { continue };
            let key = response_key(&decision.tenant, decision.id);
            if kept.decisions.insert(key.clone(), Arc::clone(decision)).is_none() {
                kept.order.push_back(key);
            }
            if kept.order.len() > MOST
                && let Some(oldest) = kept.order.pop_front()
            {
                kept.decisions.remove(&oldest);
                kept.overflowed = true;
            }
        }
    }

    /// The lost decision of a response.
    pub(super) fn find(&self, key: &[u8]) -> Option<Arc<DecisionRecord>> {
        self.kept().decisions.get(key).map(Arc::clone)
    }

    /// Whether more were lost, since the store last wrote, than are kept.
    pub(super) fn overflowed(&self) -> bool {
        self.kept().overflowed
    }

    /// The store has written these events: decisions among them are lost no longer.
    pub(super) fn written<'e>(&self, events: impl IntoIterator<Item = &'e LedgerEvent>) {
        let mut kept = self.kept();
        kept.overflowed = false;
        if kept.decisions.is_empty() {
            return;
        }
        for event in events {
            let LedgerEvent::Decision(decision) = event else { continue };
            let key = response_key(&decision.tenant, decision.id);
            if kept.decisions.remove(&key).is_some() {
                kept.order.retain(|other| *other != key);
            }
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
