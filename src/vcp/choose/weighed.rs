//! The exchanges of a conversation, weighed: how recent, how relevant, how binding, how long.

use std::{cmp::Reverse, ops::Range};

use super::{
    OVERHEAD,
    commitments::{Statement, statements, strength},
    excerpt::excerpt,
    relevance::Wanted,
};
use crate::{
    domain::{Role, Turn},
    text::estimated_tokens,
};

/// How much of one exchange is sent along.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Shape {
    /// The last turn and nothing else.
    LastTurn,
    /// Of each turn what matters in it.
    Brief,
    /// The last turn, and of the others what matters in them.
    LastTurnAndBrief,
    /// All of it.
    Whole,
}

/// Why an exchange is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    Recent,
    Relevant,
    Commitment,
}

/// One exchange and what speaks for it.
#[derive(Debug)]
pub(super) struct Weighed {
    pub(super) range: Range<usize>,
    recency: f64,
    relevance: f64,
    /// How much it binds; 0 where later statements took the place of all of its own.
    binding: f64,
    /// The later exchange that took its place, when it has none left of its own.
    pub(super) superseded_by: Option<usize>,
    brief: Vec<Turn>,
    whole_cost: usize,
    brief_cost: usize,
    last_cost: usize,
    brief_last_cost: usize,
    /// What speaks for it, by its length.
    pub(super) rank: f64,
}

/// An exchange for which less than this speaks is kept only where room is left in the end.
pub(super) const WORTH_A_PLACE: f64 = 0.12;
/// Longest turns, in tokens, that an exchange kept in brief may have: the caller's, the service's.
const BRIEF: (usize, usize) = (80, 60);
/// What recency is worth one exchange before the last, and how it fades with each one further.
const RECENCY: f64 = 0.8;
const FADING: f64 = 0.7;
const RELEVANCE: f64 = 1.6;
/// Statements that are compared with each other, the latest first.
const MOST_STATEMENTS: usize = 512;
/// Two statements of a conversation: the later's place in it decides.
type Placed = (usize, Statement);

/// Weighs the exchanges of a conversation; `relevance` is given for each, 0 to 1.
pub(super) fn weighed(
    turns: &[Turn],
    exchanges: &[Range<usize>],
    relevance: &[f64],
    wanted: &Wanted,
) -> Vec<Weighed> {
    let bindings = bindings(turns, exchanges);
    let mut fading = RECENCY / FADING;
    let mut all: Vec<Weighed> = Vec::with_capacity(exchanges.len());
    for (at, range) in exchanges.iter().enumerate().rev() {
        let exchange = turns.get(range.clone()).unwrap_or_default();
        let relevance = relevance.get(at).copied().unwrap_or(0.0);
        let (binding, superseded_by) = bindings.get(at).copied().unwrap_or((0.0, None));
        let speaks_for = fading + RELEVANCE * relevance + binding;
        // Nobody asks for what matters in an exchange that does not matter.
        let in_brief = |turn| {
            if speaks_for < WORTH_A_PLACE { Turn::clone(turn) } else { in_brief(turn, wanted) }
        };
        let brief: Vec<Turn> = exchange.iter().map(in_brief).collect();
        let brief_cost = cost(&brief);
        let last_cost = exchange.last().map_or(0, cost_of);
        #[expect(clippy::cast_precision_loss, reason = "tokens of one exchange")]
        let rank = speaks_for / (brief_cost as f64 + 20.0).sqrt();
        all.push(Weighed {
            range: range.clone(),
            recency: fading,
            relevance,
            binding,
            superseded_by,
            whole_cost: cost(exchange),
            brief_cost,
            last_cost,
            brief_last_cost: brief_cost - brief.last().map_or(0, cost_of) + last_cost,
            brief,
            rank,
        });
        fading *= FADING;
    }
    all.reverse();
    // What was superseded never ranks before what took its place. Those that supersede are later,
    // so going backwards their own ranks are settled first.
    for at in (0..all.len()).rev() {
        let above = all[at].superseded_by.and_then(|by| all.get(by)).map(|by| by.rank);
        if let Some(above) = above {
            all[at].rank = all[at].rank.min(0.9 * above);
        }
    }
    all
}

impl Weighed {
    pub(super) fn cost(&self, shape: Shape) -> usize {
        match shape {
            Shape::LastTurn => self.last_cost,
            Shape::Brief => self.brief_cost,
            Shape::LastTurnAndBrief => self.brief_last_cost,
            Shape::Whole => self.whole_cost,
        }
    }

    /// The turns in this shape, and how many of them are shortened.
    pub(super) fn shaped(&self, turns: &[Turn], shape: Shape) -> (Vec<Turn>, usize) {
        let exchange = turns.get(self.range.clone()).unwrap_or_default();
        let kept: Vec<Turn> = match (shape, exchange.split_last()) {
            (Shape::Whole, _) | (_, None) => exchange.to_vec(),
            (Shape::Brief, _) => self.brief.clone(),
            (Shape::LastTurn, Some((last, _))) => return (vec![last.clone()], 0),
            (Shape::LastTurnAndBrief, Some((last, others))) => {
                self.brief.iter().take(others.len()).chain([last]).cloned().collect()
            }
        };
        let shortened = kept.iter().zip(exchange).filter(|(kept, whole)| kept != whole).count();
        (kept, shortened)
    }

    /// What speaks for it, whatever its length.
    pub(super) fn worth(&self) -> f64 {
        self.recency + RELEVANCE * self.relevance + self.binding
    }

    pub(super) fn is_binding(&self) -> bool {
        self.binding > 0.0
    }

    /// What speaks for it most.
    pub(super) fn reason(&self) -> Reason {
        let relevance = RELEVANCE * self.relevance;
        if self.recency >= relevance.max(self.binding) {
            Reason::Recent
        } else if relevance >= self.binding {
            Reason::Relevant
        } else {
            Reason::Commitment
        }
    }

    /// How urgently it must be kept for what it binds to: what also bears on the input comes
    /// first, and of equals the shorter.
    pub(super) fn binding_rank(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "tokens of one exchange")]
        let length = (self.brief_cost as f64 + 20.0).sqrt();
        (self.binding + RELEVANCE * self.relevance) / length
    }
}

/// The places of these exchanges by a rank, the highest first; of equals the latest first.
pub(super) fn ranked(all: &[Weighed], rank: impl Fn(&Weighed) -> f64) -> Vec<usize> {
    let mut places: Vec<(usize, f64)> = all.iter().map(rank).enumerate().collect();
    places.sort_by(|a, b| b.1.total_cmp(&a.1).then(Reverse(a.0).cmp(&Reverse(b.0))));
    places.into_iter().map(|(at, _)| at).collect()
}

fn in_brief(turn: &Turn, wanted: &Wanted) -> Turn {
    let most = match turn.role {
        Role::User => BRIEF.0,
        Role::Assistant => BRIEF.1,
    };
    let worth =
        |sentence: &str| RELEVANCE * wanted.share_of(sentence) + strength(sentence, turn.role);
    Turn { role: turn.role, content: excerpt(&turn.content, worth, most) }
}

pub(super) fn cost(turns: &[Turn]) -> usize {
    turns.iter().map(cost_of).sum()
}

pub(super) fn cost_of(turn: &Turn) -> usize {
    estimated_tokens(&turn.content) + OVERHEAD
}

/// How much each exchange binds, and the later one that took its place.
fn bindings(turns: &[Turn], exchanges: &[Range<usize>]) -> Vec<(f64, Option<usize>)> {
    let mut later: Vec<Placed> = Vec::new();
    let mut found: Vec<(f64, Option<usize>)> = Vec::with_capacity(exchanges.len());
    for (at, range) in exchanges.iter().enumerate().rev() {
        let exchange = turns.get(range.clone()).unwrap_or_default();
        let said: Vec<Statement> = exchange.iter().flat_map(statements).collect();
        let successor = |s: &Statement| {
            later.iter().filter(|(_, l)| l.supersedes(s)).map(|(place, _)| *place).max()
        };
        let successors: Vec<Option<usize>> = said.iter().map(successor).collect();
        let binding = said
            .iter()
            .zip(&successors)
            .filter(|(_, successor)| successor.is_none())
            .map(|(statement, _)| statement.strength)
            .fold(0.0, f64::max);
        let all_superseded = !said.is_empty() && successors.iter().all(Option::is_some);
        let by = successors.into_iter().flatten().max();
        found.push((binding, by.filter(|_| all_superseded)));
        let room = MOST_STATEMENTS.saturating_sub(later.len());
        later.extend(said.into_iter().take(room).map(|statement| (at, statement)));
    }
    found.reverse();
    found
}
