//! Which exchanges of a conversation go along, and how much of each.

use super::{
    tally::Tally,
    weighed::{Reason, Shape, WORTH_A_PLACE, Weighed, cost, ranked},
};
use crate::domain::Turn;

/// A conversation and what of it is kept so far.
#[derive(Debug)]
pub(super) struct Conversation {
    all: Vec<Weighed>,
    kept: Vec<Option<(Shape, Reason)>>,
    spent: usize,
}

impl Conversation {
    /// Keeps of the last exchange as much as fits.
    pub(super) fn begin(all: Vec<Weighed>, budget: usize) -> Self {
        let mut conversation = Self { kept: vec![None; all.len()], all, spent: 0 };
        if let Some(last) = conversation.all.len().checked_sub(1) {
            for shape in [Shape::Whole, Shape::LastTurnAndBrief, Shape::LastTurn, Shape::Brief] {
                if conversation.keep(last, shape, Reason::Recent, budget) {
                    break;
                }
            }
        }
        conversation
    }

    /// Tokens of all that is kept.
    pub(super) fn spent(&self) -> usize {
        self.spent
    }

    /// Keeps what binds, in brief, as far as this room goes. It stops at the first that does not
    /// fit: what a room keeps, every greater room keeps, too.
    pub(super) fn keep_what_binds(&mut self, room: usize) {
        let limit = self.spent + room;
        for at in ranked(&self.all, Weighed::binding_rank) {
            let binds = self.all.get(at).is_some_and(Weighed::is_binding);

            if binds
                && self.is_missing(at)
                && !self.keep(at, Shape::Brief, Reason::Commitment, limit)
            {
                return;
            }
        }
    }

    /// Keeps in brief what most speaks for, then more of each, then what still fits, the latest
    /// first, until so much is spent in all.
    pub(super) fn keep_what_fits(&mut self, limit: usize) {
        let order = ranked(&self.all, |exchange| exchange.rank);
        // A part of the room is left for keeping more of what matters most than its brief.
        let for_brief = self.spent + limit.saturating_sub(self.spent) / 10 * 7;
        self.keep_in_brief(&order, for_brief);
        for &at in &order {
            if let Some((Shape::Brief, reason)) = self.kept.get(at).copied().flatten() {
                self.keep(at, Shape::Whole, reason, limit);
            }
        }
        self.keep_in_brief(&order, limit);
        for at in (0..self.all.len()).rev() {
            if self.may_be_added(at) && !self.keep(at, Shape::Whole, Reason::Recent, limit) {
                self.keep(at, Shape::Brief, Reason::Recent, limit);
            }
        }
    }

    /// The turns that are kept, oldest first, noted in the tally.
    pub(super) fn into_turns(self, turns: &[Turn], tally: &mut Tally) -> Vec<Turn> {
        let mut chosen = Vec::new();
        for (exchange, kept) in self.all.iter().zip(&self.kept) {
            let Some((shape, reason)) = *kept else { continue };
            let (kept, shortened) = exchange.shaped(turns, shape);
            tally.note(reason, kept.len(), shortened);
            chosen.extend(kept);
        }
        debug_assert_eq!(cost(&chosen), self.spent);
        chosen
    }

    fn keep_in_brief(&mut self, order: &[usize], limit: usize) {
        for &at in order {
            let Some(exchange) = self.all.get(at) else { continue };
            let (worth, reason) = (exchange.worth(), exchange.reason());
            if worth >= WORTH_A_PLACE && self.may_be_added(at) {
                self.keep(at, Shape::Brief, reason, limit);
            }
        }
    }

    /// Keeps an exchange in this shape when no more than the limit is then spent.
    fn keep(&mut self, at: usize, shape: Shape, reason: Reason, limit: usize) -> bool {
        let (Some(exchange), Some(kept)) = (self.all.get(at), self.kept.get_mut(at)) else {
            return false;
        };
        let before = kept.map_or(0, |(shape, _)| exchange.cost(shape));
        let spent = self.spent - before + exchange.cost(shape);
        if spent > limit {
            return false;
        }
        *kept = Some((shape, reason));
        self.spent = spent;
        true
    }

    /// Whether nothing of an exchange is kept so far.
    pub(super) fn is_missing(&self, at: usize) -> bool {
        self.kept.get(at).is_some_and(Option::is_none)
    }

    /// Whether it is missing, and what took its place, if anything did, is not.
    fn may_be_added(&self, at: usize) -> bool {
        let successor = self.all.get(at).and_then(|exchange| exchange.superseded_by);
        self.is_missing(at) && successor.is_none_or(|by| !self.is_missing(by))
    }
}
