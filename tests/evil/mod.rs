//! What the service does while its upstreams misbehave in every way that upstreams do.
//!
//! Each promise is held against every face in [`FACES`].

mod ask;
mod cuts;
mod disconnects;
mod fixture;
mod load;
mod matrix;
mod memory;
mod recovery;
mod sse;

use std::time::Duration;

use ask::Face;

/// The ways of asking that are held to the promises.
const FACES: &[Face] = &[Face::Whole];

/// The deadline of the requests here, in milliseconds.
const DEADLINE_MS: u64 = 300;

/// How much later than its deadline a call may end, as its client sees it.
const GRACE: Duration = Duration::from_millis(250);

/// Time for connections to upstreams to come to rest.
const REST: Duration = Duration::from_secs(5);

/// Further configuration of services that fail on purpose again and again, so that each failure
/// reaches an upstream and none is held back.
const EVERY_CALL_IS_MADE: &[(&str, &str)] = &[];

/// A question that nobody but a model can answer.
fn question(number: usize) -> String {
    format!("Who keeps the lighthouse of island {number}?")
}
