//! A model that says what it once said.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;

use super::{
    latency::{ModelLatency, tokens},
    table::Row,
};
use crate::domain::{
    Call, Completion, FinishReason, LanguageModel, ModelError, ModelFuture, ModelProfile, Prompt,
    Signal, Usage,
};

/// Replays a model's recorded answers, each found by its prompt, after a simulated latency. It
/// counts how often it was asked: what was really called, whatever the replies say.
#[derive(Debug)]
pub struct RecordedModel {
    profile: ModelProfile,
    answers: HashMap<Arc<str>, Arc<str>>,
    latency: ModelLatency,
    asked: AtomicU64,
}

impl RecordedModel {
    /// The recordings of one model. `prior` is what is believed of it before any question; it must
    /// not be taken from the rows' gold labels.
    #[must_use]
    pub fn new(name: &str, prior: Signal, latency: ModelLatency, rows: &[Row]) -> Self {
        let profile = ModelProfile {
            name: Arc::from(name),
            provider: Arc::from("recorded"),
            prior,
            weight: 1.0,
            price_per_million: None,
            max_answer_tokens: None,
            passthrough: false,
        };
        // White space around a question is not part of it: whoever asks may have trimmed it.
        let answer =
            |row: &Row| Some((row.prompt.trim().into(), Arc::clone(row.answers.get(name)?)));
        let answers = rows.iter().filter_map(answer).collect();
        Self { profile, answers, latency, asked: AtomicU64::new(0) }
    }

    /// How often it has been asked, cancelled calls included.
    #[must_use]
    pub fn asked(&self) -> u64 {
        self.asked.load(Ordering::Relaxed)
    }

    /// The simulated time of an answer.
    #[must_use]
    pub fn latency_of(&self, answer: &str) -> Duration {
        self.latency.of(answer)
    }

    fn recorded(&self, prompt: &str) -> Result<&str, ModelError> {
        let answer = self.answers.get(prompt.trim()).ok_or(ModelError::Empty)?;
        if answer.trim().is_empty() { Err(ModelError::Empty) } else { Ok(answer) }
    }
}

impl LanguageModel for RecordedModel {
    fn profile(&self) -> &ModelProfile {
        &self.profile
    }

    fn complete<'a>(&'a self, prompt: &'a Prompt, call: Call<'a>) -> ModelFuture<'a> {
        Box::pin(async move {
            self.asked.fetch_add(1, Ordering::Relaxed);
            let since = Instant::now();
            let answer = self.recorded(&prompt.input);
            let done = since + self.latency.of(answer.as_deref().unwrap_or_default());
            tokio::time::sleep_until(done.min(call.deadline)).await;
            if done > call.deadline {
                return Err(ModelError::Timeout);
            }
            let content = answer?.to_owned();
            let usage = Usage {
                prompt_tokens: tokens(&prompt.input) as u64,
                completion_tokens: tokens(&content) as u64,
                cost_usd: None,
            };
            Ok(Completion {
                content,
                model: self.profile.name.to_string(),
                finish: FinishReason::Stop,
                usage,
                upstream: since.elapsed(),
                tool_calls: Vec::new(),
                request_id: None,
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluation::{LatencySpec, table};

    fn model() -> RecordedModel {
        let lines = concat!(
            r#"{"prompt":"1+1?","gold":2,"answers":{"m":"It is 2.","n":"3"}}"#,
            "\n",
            r#"{"prompt":"silence","gold":2,"answers":{"m":" "}}"#
        );
        let table = table::read(lines.as_bytes()).unwrap();
        RecordedModel::new("m", Signal::clamped(0.6), LatencySpec::default().fast, &table.rows)
    }

    fn prompt(input: &str) -> Prompt {
        Prompt { input: input.to_owned(), ..Prompt::default() }
    }

    #[tokio::test(start_paused = true)]
    async fn it_says_what_was_recorded_after_the_simulated_time() {
        let (model, since) = (model(), Instant::now());
        let completion = model
            .complete(&prompt(" 1+1?\n"), Call::whole(since + Duration::from_secs(9)))
            .await
            .unwrap();
        assert_eq!(completion.content, "It is 2.");
        assert_eq!(completion.upstream, Duration::from_millis(80 + 2 * 8));
        assert_eq!(completion.upstream, since.elapsed());
        assert_eq!(model.asked(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn it_keeps_the_deadline() {
        let (model, since) = (model(), Instant::now());
        let late =
            model.complete(&prompt("1+1?"), Call::whole(since + Duration::from_millis(90))).await;
        assert_eq!(late, Err(ModelError::Timeout));
        assert_eq!(since.elapsed(), Duration::from_millis(90));
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_not_recorded_is_no_answer() {
        let (model, deadline) = (model(), Instant::now() + Duration::from_secs(9));
        for input in ["2+2?", "silence"] {
            assert_eq!(
                model.complete(&prompt(input), Call::whole(deadline)).await,
                Err(ModelError::Empty)
            );
        }
    }
}
