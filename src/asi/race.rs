//! Asking for one answer: the best expert first, the next one when it fails or keeps silent for long.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::time::{Instant, sleep_until};

use super::{
    ask::{Asked, ask, highest_cost},
    live::Live,
    panel::Panel,
};
use crate::domain::{Call, ExpertReport, LanguageModel, Pulse};

/// How often in a lull it is looked whether it lasts.
const LOOKS_IN_A_LULL: u32 = 4;

/// Longest pause between two pieces of an answer that has begun, with this much time in all: who is
/// silent for longer is not relied on.
fn longest_lull(time: Duration) -> Duration {
    const SHORTEST: Duration = Duration::from_secs(1);
    (time / 8).max(SHORTEST)
}

/// Report code of an expert that another one was quicker than.
const OVERTAKEN: &str = "overtaken";

impl Panel<'_> {
    /// Asks these, best first, until one answers. While the one asked last keeps silent, the next is
    /// asked beside it: after its 95th percentile where the operator allows hedging, at the latest
    /// when half of the time has gone, and much sooner where an answer had begun and its bytes stopped
    /// coming; within the budget of overlaps. The first answer counts, the other calls are cancelled.
    /// Returns whether there is an answer.
    pub(super) async fn race(
        &mut self,
        candidates: &[Arc<dyn LanguageModel>],
        live: Option<&Live>,
    ) -> bool {
        let began = Instant::now();
        let (task, prompt) = (self.task, self.prompt.clone());
        let overtaken: Vec<AtomicBool> =
            candidates.iter().map(|_| AtomicBool::new(false)).collect();
        let pulses: Vec<Pulse> = candidates.iter().map(|_| Pulse::silent()).collect();
        let lull = longest_lull(task.deadline.saturating_duration_since(began));
        let mut spent = self.findings.known_usd;
        let start = |expert: usize, spent: &mut f64| {
            let model = &candidates[expert];
            let spending = *spent + highest_cost(&**model, &prompt);
            if task.request.budget.max_cost_usd.is_none_or(|budget| spending <= budget) {
                *spent = spending;
            }
            let call = Call {
                overtaken: Some(&overtaken[expert]),
                pulse: Some(&pulses[expert]),
                ..Call::whole(task.deadline)
            };
            let prompt = &prompt;
            async move {
                let microphone = live.map(|live| live.microphone(expert));
                let call = match &microphone {
                    Some(microphone) => call.heard_by(microphone),
                    None => call,
                };
                (expert, ask(&**model, prompt, task, spending, call).await)
            }
        };
        let mut running = FuturesUnordered::new();
        let mut under_way = Vec::new();
        let mut next = 0;
        // How long the one asked last may keep silent; none when nobody else is to be asked beside it.
        let mut patience: Option<(usize, Instant)> = None;
        let mut reserve: Option<(usize, Asked)> = None;
        let mut winner = None;
        while winner.is_none() {
            // Text that can be taken back is no reason to rely on its speaker alone: should he not
            // come to an end, the answer of another one is there.
            let open = |live: &Live| live.speaker().is_none() || live.can_retract();
            let may_overlap = live.is_none_or(open);
            if running.is_empty() {
                if next == candidates.len() || (next > 0 && Instant::now() >= task.deadline) {
                    break;
                }
                patience = Some((next, self.patience(&*candidates[next])));
                running.push(start(next, &mut spent));
                under_way.push(next);
                next += 1;
            }
            let falls_silent = |expert: usize| pulses[expert].last().map(|last| last + lull);
            let silent_until = |expert: usize, until: Instant| {
                falls_silent(expert).map_or(until, |lull_ends| until.min(lull_ends))
            };
            let wait_until =
                patience.map_or(task.deadline, |(expert, until)| silent_until(expert, until));
            // Bytes wake nobody here; how long they have been away is looked at now and then.
            let look = wait_until.min(Instant::now() + lull / LOOKS_IN_A_LULL);
            // Another one has answered while a speaker is being heard: should his words stop coming,
            // that answer is the one.
            let speaker = live.filter(|live| !live.is_committed()).and_then(Live::speaker);
            let gives_up = speaker.filter(|_| reserve.is_some()).and_then(falls_silent);
            tokio::select! {
                Some((expert, asked)) = running.next() => {
                    under_way.retain(|other| *other != expert);
                    let speaker = live.and_then(Live::speaker);
                    match (&asked.result, speaker) {
                        // Somebody else is being heard: this answer counts if he fails.
                        (Ok(_), Some(other)) if other != expert && under_way.contains(&other) => {
                            match reserve {
                                None => reserve = Some((expert, asked)),
                                Some(_) => self.leave_unheard(&candidates[expert], asked),
                            }
                        }
                        (Ok(_), _) => winner = Some((expert, asked)),
                        (Err(_), speaker) => {
                            self.take(&candidates[expert], asked);
                            if speaker == Some(expert) && let Some(live) = live {
                                if live.is_committed() {
                                    break;
                                }
                                live.retract();
                            }
                            // As long as another one is being heard, his answer counts.
                            let heard = speaker.is_some_and(|other| under_way.contains(&other));
                            if !heard {
                                winner = reserve.take();
                            }
                        }
                    }
                }
                () = sleep_until(gives_up.unwrap_or(task.deadline)), if gives_up.is_some() => {
                    let still = speaker.and_then(falls_silent).is_some_and(|at| at <= Instant::now());
                    if still && let Some(live) = live.filter(|live| !live.is_committed()) {
                        live.retract();
                        winner = reserve.take();
                    }
                }
                () = sleep_until(look), if may_overlap && next < candidates.len()
                    && wait_until < task.deadline =>
                {
                    let until = patience.map(|(expert, until)| silent_until(expert, until));
                    if until.is_some_and(|until| until > Instant::now()) {
                        continue;
                    }
                    patience = None;
                    if live.is_none_or(open) && self.asi.overlaps.withdraw() {
                        patience = Some((next, self.patience(&*candidates[next])));
                        running.push(start(next, &mut spent));
                        under_way.push(next);
                        next += 1;
                    }
                }
            }
        }
        under_way.iter().for_each(|expert| overtaken[*expert].store(true, Ordering::Relaxed));
        drop(running);
        for expert in under_way {
            self.pass_over(&candidates[expert], OVERTAKEN, began.elapsed());
        }
        if let Some((expert, asked)) = reserve {
            self.leave_unheard(&candidates[expert], asked);
        }
        self.findings.upstream += began.elapsed();
        let answered = winner.is_some();
        if let Some((expert, asked)) = winner {
            self.take(&candidates[expert], asked);
        }
        answered
    }

    /// Until when a model that is asked now may keep silent before another one is asked, too.
    fn patience(&self, model: &dyn LanguageModel) -> Instant {
        let now = Instant::now();
        let half = now + self.task.deadline.saturating_duration_since(now) / 2;
        let unusual = self.asi.hedging.then(|| model.p95()).flatten().map(|p95| now + p95);
        unusual.map_or(half, |at| at.min(half))
    }

    /// Notes a model that answered in full and is paid for, though another answer is the one.
    fn leave_unheard(&mut self, model: &Arc<dyn LanguageModel>, asked: Asked) {
        self.asked.insert(Arc::clone(&model.profile().name));
        if let Ok(draft) = asked.result {
            self.findings.pay(&draft.usage);
            self.findings.unheard.push(draft);
        }
        self.findings.experts.push(ExpertReport { error: Some(OVERTAKEN), ..asked.report });
    }

    /// Notes a model whose answer was not waited for.
    pub(super) fn pass_over(
        &mut self,
        model: &Arc<dyn LanguageModel>,
        why: &'static str,
        waited: Duration,
    ) {
        self.asked.insert(Arc::clone(&model.profile().name));
        let report = ExpertReport { error: Some(why), ..ExpertReport::asked(&**model, waited) };
        self.findings.experts.push(report);
    }
}
