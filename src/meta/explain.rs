//! Why it came out as it did, in one plain sentence.

use super::gather::Gathered;
use crate::domain::{Decision, Route};

/// The decision's reason, with what became of it.
pub(super) fn reason(decision: &Decision, gathered: &Gathered) -> String {
    let intended = &decision.reason;
    let best = gathered.best_flux().map(|d| (&d.source.name, d.signal.get()));
    match (gathered.route, best) {
        (Some(Route::Flux), Some((name, signal))) if signal >= decision.keep_signal => {
            format!("{intended}; {name} answered with signal {signal:.2}")
        }
        (Some(Route::FluxThenAsi), Some((name, signal))) => {
            format!("{intended}; {name} came to {signal:.2} only, so ASI was asked")
        }
        (Some(Route::FluxThenAsi), None) => {
            format!("{intended}; Flux had no draft, so ASI was asked")
        }
        (Some(Route::Asi), _) if gathered.stand_in => {
            format!("{intended}; ASI gave no answer, so Flux was asked")
        }
        _ => intended.clone(),
    }
}
