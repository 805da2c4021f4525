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
    ask::{Asked, ask, prompt_cost},
    live::Live,
    panel::Panel,
};
use crate::domain::{Call, ExpertReport, LanguageModel};

/// Report code of an expert that another one was quicker than.
const OVERTAKEN: &str = "overtaken";

impl Panel<'_> {
    /// Asks these, best first, until one answers. While the one asked last keeps silent, the next is
    /// asked beside it: after its 95th percentile where the operator allows hedging, at the latest
    /// when half of the time has gone, and within the budget of overlaps. The first answer counts,
    /// the other calls are cancelled. Returns whether there is an answer.
    pub(super) async fn race(
        &mut self,
        candidates: &[Arc<dyn LanguageModel>],
        live: Option<&Live>,
    ) -> bool {
        let began = Instant::now();
        let (task, prompt) = (self.task, self.prompt.clone());
        let overtaken: Vec<AtomicBool> =
            candidates.iter().map(|_| AtomicBool::new(false)).collect();
        let mut spent = self.findings.usage.cost_usd.unwrap_or(0.0);
        let start = |expert: usize, spent: &mut f64| {
            let model = &candidates[expert];
            let spending = *spent + prompt_cost(&**model, &prompt);
            if task.request.budget.max_cost_usd.is_none_or(|budget| spending <= budget) {
                *spent = spending;
            }
            let call = Call { overtaken: Some(&overtaken[expert]), ..Call::whole(task.deadline) };
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
        let mut wait_until = task.deadline;
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
                wait_until = self.patience(&*candidates[next]);
                running.push(start(next, &mut spent));
                under_way.push(next);
                next += 1;
            }
            tokio::select! {
                Some((expert, asked)) = running.next() => {
                    under_way.retain(|other| *other != expert);
                    let speaker = live.and_then(Live::speaker);
                    match (&asked.result, speaker) {
                        // Somebody else is being heard: this answer counts if he fails.
                        (Ok(_), Some(other)) if other != expert && under_way.contains(&other) => {
                            match reserve {
                                None => reserve = Some((expert, asked)),
                                Some(_) => {
                                    self.pass_over(&candidates[expert], OVERTAKEN, began.elapsed());
                                }
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
                () = sleep_until(wait_until), if may_overlap && next < candidates.len()
                    && wait_until < task.deadline =>
                {
                    wait_until = task.deadline;
                    if live.is_none_or(open) && self.asi.overlaps.withdraw() {
                        wait_until = self.patience(&*candidates[next]);
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
            // It answered in full and is paid for, though another answer is the one.
            self.asked.insert(Arc::clone(&candidates[expert].profile().name));
            if let Ok(draft) = &asked.result {
                self.findings.usage.add(&draft.usage);
            }
            self.findings.experts.push(ExpertReport { error: Some(OVERTAKEN), ..asked.report });
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
