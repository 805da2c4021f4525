//! Position 3: what of a conversation and of the offered passages goes along with an input under a
//! budget of tokens.
//!
//! Every exchange is weighed by how recent it is, by how much of the input (and, where the input
//! cannot be understood alone, of the latest exchanges) it speaks of, and by how far it binds what
//! is to come. A statement that a later one took the place of binds no more, and is kept only
//! beside the later one. Of a long exchange, the sentences that matter may be kept in its place.

mod commitments;
mod conversation;
mod entities;
mod everyday;
mod excerpt;
mod exchanges;
mod passages;
#[cfg(test)]
mod planted;
mod query;
mod relevance;
mod tally;
#[cfg(test)]
mod tests;
mod weighed;

use std::{collections::HashSet, ops::Range};

use self::{
    conversation::Conversation,
    exchanges::exchanges,
    passages::Kept,
    query::query,
    relevance::{Index, Wanted},
    tally::Tally,
    weighed::{Weighed, cost, weighed},
};
use crate::{
    domain::{Passage, Turn},
    text::normal_key,
};

/// Tokens that a turn or passage costs beyond its text.
const OVERHEAD: usize = 4;
/// Exchanges that a query may lean on.
const LEANED_ON: usize = 2;

/// What goes along with an input.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context {
    /// Of the conversation, oldest first.
    pub turns: Vec<Turn>,
    /// Of the passages, in the order in which they were offered.
    pub passages: Vec<Passage>,
    /// What was kept and what was left behind, in numbers; empty when all of it goes along.
    pub note: String,
}

/// Chooses what of a conversation and of the offered passages goes along with an input, in at most
/// `token_budget` tokens (see [`estimated_tokens`](crate::text::estimated_tokens)).
///
/// - The last exchange always goes along when it fits; when only its last turn does, that one.
/// - Passages and conversation share the budget: each may take half, and more where the other
///   leaves room. A passage that repeats an earlier one is dropped.
/// - Half of what the conversation has beyond the last exchange is first for what binds. Those that
///   are kept by it stay kept under any greater budget.
/// - The same input and context always give the same choice.
#[must_use]
pub fn choose_context(
    input: &str,
    turns: &[Turn],
    passages: &[Passage],
    token_budget: usize,
) -> Context {
    let mut seen = HashSet::new();
    let different: Vec<&Passage> =
        passages.iter().filter(|p| seen.insert(normal_key(&p.text))).collect();
    let repeated = passages.len() - different.len();
    let passages_cost: usize = different.iter().map(|p| passages::cost(p)).sum();
    let turns_cost = cost(turns);
    if turns_cost.saturating_add(passages_cost) <= token_budget {
        let passages: Vec<Passage> = different.into_iter().cloned().collect();
        let tally = Tally::of_everything(turns.len(), passages.len(), repeated);
        return Context { turns: turns.to_vec(), passages, note: tally.to_string() };
    }
    let (all, of_passages, wanted) = weigh(input, turns, &different);
    let (mut conversation, for_turns) = begin(all, passages_cost, token_budget);
    let for_passages = token_budget - for_turns.min(turns_cost);
    let mut evidence = Kept::nothing_of(different, of_passages);
    let unused = evidence.keep_whole(for_passages);
    let unused = evidence.keep_in_part(unused, &wanted);
    conversation.keep_what_fits(token_budget - (for_passages - unused));
    evidence.keep_whole(token_budget - (for_passages - unused) - conversation.spent());

    let mut tally = Tally::of(turns.len(), passages.len(), repeated);
    tally.tokens_dropped = turns_cost - conversation.spent();
    tally.passages_shortened = evidence.shortened;
    let turns = conversation.into_turns(turns, &mut tally);
    let passages = evidence.into_passages();
    tally.passages_kept = passages.len();
    Context { turns, passages, note: tally.to_string() }
}

/// What speaks for each exchange and for each passage, and what was looked for.
fn weigh(input: &str, turns: &[Turn], offered: &[&Passage]) -> (Vec<Weighed>, Vec<f64>, Wanted) {
    let exchanges = exchanges(turns);
    let texts: Vec<String> = exchanges.iter().map(|range| said(turns, range.clone())).collect();
    let latest: Vec<&str> = texts.iter().rev().take(LEANED_ON).map(String::as_str).collect();
    let offered = offered.iter().map(|passage| passage.text.as_str());
    let index = Index::of(texts.iter().map(String::as_str).chain(offered));
    let wanted = index.wanted(&query(input, &latest));
    let mut of_turns = index.scores(&wanted);
    let of_passages = of_turns.split_off(exchanges.len());
    (weighed(turns, &exchanges, &of_turns, &wanted), of_passages, wanted)
}

/// Keeps the last exchange and what binds; returns how much of the budget is for turns. That never
/// falls as the budget grows, so neither does what is kept here, once the last exchange fits.
fn begin(all: Vec<Weighed>, passages_cost: usize, budget: usize) -> (Conversation, usize) {
    let mut conversation = Conversation::begin(all, budget);
    let spent = conversation.spent();
    let for_turns = budget.saturating_sub(passages_cost).max(budget / 2).max(spent);
    conversation.keep_what_binds((for_turns - spent) / 2);
    (conversation, for_turns)
}

/// What is said in an exchange, its turns one after the other.
fn said(turns: &[Turn], range: Range<usize>) -> String {
    let exchange = turns.get(range).unwrap_or_default();
    exchange.iter().map(|turn| turn.content.as_str()).collect::<Vec<_>>().join("\n\n")
}
