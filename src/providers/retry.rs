//! When to try once more, and how long to wait before.

use std::time::Duration;

use jiff::{Timestamp, fmt::rfc2822};
use reqwest::header::{HeaderMap, RETRY_AFTER};

use crate::domain::ModelError;

/// One attempt that came to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) error: ModelError,
    /// How long the provider asks to wait.
    pub(super) retry_after: Option<Duration>,
    /// The class of the cause, for the log.
    pub(super) cause: &'static str,
    /// Whether a success had begun to arrive: what has been paid for is not asked for twice.
    pub(super) had_begun: bool,
}

impl Failure {
    /// A failure before anything of a success arrived.
    pub(super) const fn early(error: ModelError) -> Self {
        let cause = error.cause();
        Self { error, retry_after: None, cause, had_begun: false }
    }

    /// A failure while a success arrived.
    pub(super) const fn late(error: ModelError) -> Self {
        let cause = error.cause();
        Self { error, retry_after: None, cause, had_begun: true }
    }

    /// How long to wait before trying once more; `None` when that is no use. `left` is the time to
    /// the deadline, `jitter` a random number from 0 to 1 that keeps many callers from coming back
    /// at the same moment.
    pub(super) fn wait(&self, left: Duration, jitter: f64) -> Option<Duration> {
        const SHORTEST: Duration = Duration::from_millis(50);
        const SPREAD: Duration = Duration::from_millis(200);
        if self.had_begun || !self.error.is_transient() {
            return None;
        }
        let backoff = SHORTEST + SPREAD.mul_f64(jitter.clamp(0.0, 1.0));
        let wait = self.retry_after.unwrap_or_default().saturating_add(backoff);
        (wait < left).then_some(wait)
    }
}

/// How long a response asks to wait: `retry-after-ms` as OpenAI sends it, else `Retry-After` in
/// seconds or as a date (RFC 9110, 10.2.3).
pub(super) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    if let Some(millis) = text("retry-after-ms").and_then(|text| text.parse().ok()) {
        return Some(Duration::from_millis(millis));
    }
    let value = text(RETRY_AFTER.as_str())?;
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = rfc2822::DateTimeParser::new().parse_timestamp(value).ok()?;
    // A date that has passed asks for no wait.
    Some(Duration::try_from(at.duration_since(now)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(k, v)| (k.parse().unwrap(), v.parse().unwrap())).collect()
    }

    #[test]
    fn the_wait_is_read_in_all_its_forms() {
        let now: Timestamp = "2015-10-21T07:27:30Z".parse().unwrap();
        for (pairs, expected) in [
            (vec![("retry-after", "2")], Some(2000)),
            (vec![("retry-after", "2"), ("retry-after-ms", "150")], Some(150)),
            (vec![("retry-after", "Wed, 21 Oct 2015 07:28:00 GMT")], Some(30_000)),
            (vec![("retry-after", "Wed, 21 Oct 2015 07:00:00 GMT")], Some(0)),
            (vec![("retry-after", "soon")], None),
            (vec![("retry-after", "-5")], None),
            (vec![], None),
        ] {
            let found = retry_after(&headers(&pairs), now);
            assert_eq!(found, expected.map(Duration::from_millis), "{pairs:?}");
        }
    }

    #[test]
    fn what_has_begun_to_arrive_is_not_asked_for_twice() {
        assert_eq!(Failure::late(ModelError::Cut).wait(Duration::from_secs(9), 0.5), None);
        assert!(Failure::early(ModelError::Cut).wait(Duration::from_secs(9), 0.5).is_some());
    }

    #[test]
    fn what_will_not_change_is_not_asked_again() {
        for error in [ModelError::Unauthorized, ModelError::Malformed, ModelError::Timeout] {
            assert_eq!(Failure::early(error).wait(Duration::from_secs(9), 0.5), None);
        }
    }

    proptest! {
        #[test]
        fn a_retry_waits_as_asked_and_stays_within_the_deadline(
            asked in 0u64..20_000, left in 0u64..20_000, jitter in 0.0f64..=1.0,
        ) {
            let asked = Duration::from_millis(asked);
            let left = Duration::from_millis(left);
            let failure = Failure {
                retry_after: Some(asked),
                ..Failure::early(ModelError::RateLimited { retry_after: Some(asked) })
            };
            if let Some(wait) = failure.wait(left, jitter) {
                prop_assert!(wait >= asked && wait < left);
            } else {
                prop_assert!(left <= asked + Duration::from_millis(250));
            }
        }
    }
}
