//! Following a request while it is answered.

use super::{Complexity, Decision, TraceEntry};

/// Hears of a request's progress, in order and from one task. Must return at once.
///
/// The deltas since the last retraction, joined, are always a beginning of the answer as it looks by
/// then, and at the end they are the whole answer.
pub trait Listener: Send + Sync {
    /// It was decided where the request goes.
    fn decided(&self, decision: &Decision, complexity: &Complexity);

    /// The request passed a position.
    fn visited(&self, entry: &TraceEntry);

    /// More of the answer's text.
    fn delta(&self, text: &str);

    /// The text so far is not the answer's: its expert failed half-way, or another one was found to
    /// be right. Called only where [`Listener::can_retract`].
    fn retract(&self);

    /// Whether text can be taken back. Where it cannot, text goes out only where it is sure to stand,
    /// and an expert that fails half-way ends the request.
    fn can_retract(&self) -> bool;
}
