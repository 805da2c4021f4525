//! What the service does while its upstreams misbehave in every way that upstreams do.
//!
//! Each promise is held against every face in [`FACES`].

mod ask;
mod company;
mod cuts;
mod disconnects;
mod fixture;
mod load;
mod matrix;
mod memory;
mod recovery;
mod sse;
mod windows;

use std::time::Duration;

use ask::Face;

use crate::support::evil::Call;

/// The ways of asking that are held to the promises.
const FACES: &[Face] = &[Face::Whole, Face::Stream, Face::Chat, Face::ChatStream];

/// Those among them whose text can be taken back, so that another model can still answer.
const RETRACTING: &[Face] = &[Face::Whole, Face::Stream, Face::Chat];

/// The deadline of the requests here, in milliseconds.
const DEADLINE_MS: u64 = 300;

/// How much later than its deadline a call may end, as its client sees it.
const GRACE: Duration = Duration::from_millis(250);

/// Time for connections to upstreams to come to rest.
const REST: Duration = Duration::from_secs(5);

/// Configuration of services here. The bundled guide has nothing to say to these questions, and
/// searching it is most of the work of an unoptimised build.
const PLAIN: &[(&str, &str)] = &[("DOCUMENTS__BUNDLED", "false")];

/// The same for services that fail on purpose again and again, so that each call is made and none is
/// held back.
const EVERY_CALL_IS_MADE: &[(&str, &str)] = PLAIN;

const QUESTION: &str = "Who keeps the lighthouse of island ";

/// A question that nobody but a model can answer.
fn question(number: usize) -> String {
    format!("{QUESTION}{number}?")
}

/// The number of the question that a call was about.
fn number_of(call: &Call) -> usize {
    let (_, number) = call.said().rsplit_once(QUESTION).unwrap();
    let (number, _) = number.split_once('?').unwrap();
    number.parse().unwrap()
}
