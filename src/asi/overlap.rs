//! How often a second expert may be asked while the first is still silent.

use std::sync::{Mutex, PoisonError};

/// Overlaps that each request earns: at most every tenth request may cost twice.
const SHARE: f64 = 0.1;
/// Most overlaps that are saved up.
const MOST: f64 = 10.0;

/// The budget of overlapping calls. It is small on purpose: when every upstream is slow, a second
/// call for each request would only double the load.
#[derive(Debug)]
pub(super) struct Overlaps(Mutex<f64>);

impl Default for Overlaps {
    fn default() -> Self {
        Self(Mutex::new(MOST / 2.0))
    }
}

impl Overlaps {
    /// A request came that may want one.
    pub(super) fn requested(&self) {
        let mut saved = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *saved = (*saved + SHARE).min(MOST);
    }

    /// Takes one, if there is one.
    pub(super) fn withdraw(&self) -> bool {
        let mut saved = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let enough = *saved >= 1.0;
        if enough {
            *saved -= 1.0;
        }
        enough
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_does_not_double_the_load() {
        let overlaps = Overlaps::default();
        let granted = (0..1000)
            .filter(|_| {
                overlaps.requested();
                overlaps.withdraw()
            })
            .count();
        assert!((95..=106).contains(&granted), "{granted}");
    }
}
