//! A circuit breaker (Nygard, *Release It!*): after too many failures calls are held back; after a
//! while one call at a time may probe, and the first that succeeds lets all through again.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

/// Failures in a row that open it.
const FAILURES_IN_A_ROW: u32 = 5;
/// Verdicts that are looked back on, and how many failures among them open it.
const WINDOW: usize = 20;
const FAILURES_IN_WINDOW: usize = 10;
/// Time until the first probe. Doubled for each probe that fails, up to the longest: a provider that
/// is back is in use again within a second, and a probe a second harms nobody.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_millis(800);

/// The breaker of one provider. Told the time, so that tests need none.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    /// `true` for failures; newest last.
    recent: VecDeque<bool>,
    in_a_row: u32,
    open: Option<Open>,
    /// How often it opened: a probe of an earlier time says no more than any other call.
    openings: u64,
}

#[derive(Debug, Clone, Copy)]
struct Open {
    until: Instant,
    pause: Duration,
    /// Whether a probe is under way.
    probing: bool,
}

/// What the end of a call says of its provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It works.
    Works,
    /// It does not.
    Fails,
    /// It answered, and so that neither can be said: it limits the rate, or refuses the key.
    Unclear,
    /// Nobody waited for the end.
    Unheard,
}

/// Leave to call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pass {
    /// Like any other call.
    Ordinary,
    /// The one that tries whether the provider is back, after this opening.
    Probe(u64),
}

impl Breaker {
    /// Leave to call, or the time to wait.
    pub(super) fn admit(&mut self, now: Instant) -> Result<Pass, Duration> {
        let Some(open) = &mut self.open else { return Ok(Pass::Ordinary) };
        if now < open.until {
            return Err(open.until - now);
        }
        if open.probing {
            return Err(open.pause);
        }
        open.probing = true;
        Ok(Pass::Probe(self.openings))
    }

    /// Whether calls are held back, but for a probe.
    pub(super) fn is_open(&self, now: Instant) -> bool {
        self.open.is_some_and(|open| open.probing || now < open.until)
    }

    /// Whether it has opened and no call has succeeded since.
    pub(super) fn has_opened(&self) -> bool {
        self.open.is_some()
    }

    /// A call that had leave ended.
    pub(super) fn settle(&mut self, pass: Pass, verdict: Verdict, now: Instant) {
        // Whichever call succeeds, also one that was begun before: the provider is back.
        if verdict == Verdict::Works && self.open.is_some() {
            *self = Self { openings: self.openings, ..Self::default() };
            return;
        }
        match (&mut self.open, pass) {
            (Some(open), Pass::Probe(opening)) if opening == self.openings => {
                open.probing = false;
                match verdict {
                    Verdict::Fails => {
                        open.pause = (open.pause * 2).min(LONGEST_PAUSE);
                        open.until = now + open.pause;
                    }
                    // The next probe would most likely hear the same: not at once.
                    Verdict::Unclear => open.until = now + open.pause,
                    Verdict::Works | Verdict::Unheard => {}
                }
            }
            _ => match verdict {
                Verdict::Works => self.ordinary(true, now),
                Verdict::Fails => self.ordinary(false, now),
                Verdict::Unclear | Verdict::Unheard => {}
            },
        }
    }

    fn ordinary(&mut self, well: bool, now: Instant) {
        if self.recent.len() == WINDOW {
            self.recent.pop_front();
        }
        self.recent.push_back(!well);
        self.in_a_row = if well { 0 } else { self.in_a_row + 1 };
        let failures = self.recent.iter().filter(|failed| **failed).count();
        let too_many = self.in_a_row >= FAILURES_IN_A_ROW || failures >= FAILURES_IN_WINDOW;
        if self.open.is_none() && !well && too_many {
            self.openings += 1;
            self.open = Some(Open { until: now + FIRST_PAUSE, pause: FIRST_PAUSE, probing: false });
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn failed(breaker: &mut Breaker, times: u32, now: Instant) {
        for _ in 0..times {
            let pass = breaker.admit(now).unwrap();
            breaker.settle(pass, Verdict::Fails, now);
        }
    }

    #[test]
    fn it_opens_after_failures_in_a_row_and_one_success_between_prevents_it() {
        let now = Instant::now();
        let mut breaker = Breaker::default();
        failed(&mut breaker, 4, now);
        breaker.settle(Pass::Ordinary, Verdict::Works, now);
        failed(&mut breaker, 4, now);
        assert!(!breaker.is_open(now));
        failed(&mut breaker, 1, now);
        assert_eq!(breaker.admit(now), Err(FIRST_PAUSE));
    }

    #[test]
    fn it_opens_when_half_of_the_recent_calls_failed() {
        let now = Instant::now();
        let mut breaker = Breaker::default();
        for call in 0..19 {
            let verdict = if call % 2 == 1 { Verdict::Works } else { Verdict::Fails };
            breaker.settle(Pass::Ordinary, verdict, now);
            assert!(!breaker.is_open(now) || call == 18, "call {call}");
        }
        assert!(breaker.is_open(now));
    }

    #[test]
    fn one_probe_at_a_time_and_its_success_lets_all_through() {
        let mut now = Instant::now();
        let mut breaker = Breaker::default();
        failed(&mut breaker, 5, now);
        now += FIRST_PAUSE;
        assert_eq!(breaker.admit(now), Ok(Pass::Probe(1)));
        assert!(breaker.admit(now).is_err(), "a second probe");
        breaker.settle(Pass::Probe(1), Verdict::Works, now);
        assert_eq!(breaker.admit(now), Ok(Pass::Ordinary));
    }

    #[test]
    fn a_probe_that_nobody_waited_for_makes_room_for_the_next() {
        let mut now = Instant::now();
        let mut breaker = Breaker::default();
        failed(&mut breaker, 5, now);
        now += FIRST_PAUSE;
        assert_eq!(breaker.admit(now), Ok(Pass::Probe(1)));
        breaker.settle(Pass::Probe(1), Verdict::Unheard, now);
        assert_eq!(breaker.admit(now), Ok(Pass::Probe(1)));
    }

    #[test]
    fn a_probe_that_says_neither_is_not_followed_by_the_next_at_once() {
        let mut now = Instant::now();
        let mut breaker = Breaker::default();
        failed(&mut breaker, 5, now);
        for _ in 0..3 {
            now += FIRST_PAUSE;
            let pass = breaker.admit(now).unwrap();
            breaker.settle(pass, Verdict::Unclear, now);
            assert_eq!(
                breaker.admit(now),
                Err(FIRST_PAUSE),
                "the pause begins anew and does not grow"
            );
        }
    }

    #[test]
    fn pauses_grow_to_less_than_a_second() {
        let mut now = Instant::now();
        let mut breaker = Breaker::default();
        failed(&mut breaker, 5, now);
        for expected in [400, 800, 800] {
            now = breaker.open.unwrap().until;
            let pass = breaker.admit(now).unwrap();
            breaker.settle(pass, Verdict::Fails, now);
            assert_eq!(breaker.admit(now), Err(Duration::from_millis(expected)));
        }
    }

    proptest! {
        #[test]
        fn an_open_breaker_never_has_two_probes_under_way(
            steps in prop::collection::vec((0u64..900, 0u8..5), 0..200),
        ) {
            let mut now = Instant::now();
            let mut breaker = Breaker::default();
            let mut under_way: Vec<Pass> = Vec::new();
            for (millis, what) in steps {
                now += Duration::from_millis(millis);
                let verdict = match what {
                    0 => {
                        under_way.extend(breaker.admit(now));
                        continue;
                    }
                    1 => Verdict::Works,
                    2 => Verdict::Fails,
                    3 => Verdict::Unclear,
                    _ => Verdict::Unheard,
                };
                if let Some(pass) = under_way.pop() {
                    breaker.settle(pass, verdict, now);
                }
                let probe = Pass::Probe(breaker.openings);
                let probes = under_way.iter().filter(|pass| **pass == probe).count();
                prop_assert!(breaker.open.is_none() || probes <= 1);
            }
        }
    }
}
