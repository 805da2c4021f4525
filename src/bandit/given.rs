//! The judgements that were taken in, so that one which is revised can be taken back exactly.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::domain::{Arm, ResponseId};

/// Most judgements of one service that are kept in mind: at a half-life of 1,000 requests, an older
/// one has faded to a sixteenth at least, and stands as it was given.
const MOST: usize = 4096;

/// A judgement as it stands in the sums now.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Given {
    pub(super) response: ResponseId,
    pub(super) arm: Arm,
    /// The complexity score less one half.
    pub(super) z: f64,
    pub(super) score: f64,
    /// Who judged, where it is not the operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) principal: Option<u64>,
    /// The weight with which it was added, in the sums' present scale; 0 where it was not.
    pub(super) weight: f64,
    /// Its place among the arm's latest results, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) recent: Option<u64>,
}

/// The latest judgements, the oldest first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct AllGiven(VecDeque<Given>);

impl AllGiven {
    pub(super) fn remember(&mut self, given: Given) {
        if self.0.len() == MOST {
            self.0.pop_front();
        }
        self.0.push_back(given);
    }

    /// The judgement of a response that stands; most are revised soon.
    pub(super) fn of(&mut self, response: ResponseId) -> Option<&mut Given> {
        self.0.iter_mut().rev().find(|given| given.response == response)
    }

    /// All weights were scaled.
    pub(super) fn scale(&mut self, by: f64) {
        self.0.iter_mut().for_each(|given| given.weight *= by);
    }

    /// What nobody's sums but the service's own hold of an arm was scaled.
    pub(super) fn scale_own(&mut self, arm: Arm, by: f64) {
        let own = self.0.iter_mut().filter(|given| given.principal.is_none() && given.arm == arm);
        own.for_each(|given| given.weight *= by);
    }

    /// A principal's sums are gone: of what he said there is nothing left to take back.
    pub(super) fn forget(&mut self, principal: u64) {
        self.0.retain(|given| given.principal != Some(principal));
    }
}
