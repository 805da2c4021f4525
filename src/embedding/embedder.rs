//! A thread of its own that makes points: milliseconds of computing are no work for the threads that
//! serve requests.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use tokio::sync::{mpsc, oneshot};

use super::{Embedding, EmbeddingError, Unanswered};

/// Texts that may wait. At some 15 ms each, the last of them waits about a second.
const WAITING: usize = 64;

/// Something that knows what texts mean.
pub trait Model: Send + Sync + fmt::Debug {
    /// The point of a text; `None` where it has none.
    fn embed(&self, text: &str) -> Option<Embedding>;
}

/// Hears how long each text took, the waiting left out.
pub type Heard = Box<dyn Fn(Duration) + Send>;

struct Job {
    text: String,
    reply: oneshot::Sender<Option<Embedding>>,
}

/// Asks a [`Model`] on a thread of its own, one text after the other. Cheap to clone; when the last
/// clone is dropped, the thread has ended.
#[derive(Debug, Clone)]
pub struct Embedder {
    // Before the thread: the channel has to close first.
    jobs: mpsc::Sender<Job>,
    _thread: Arc<Joined>,
}

/// Waits for the thread when it is dropped.
#[derive(Debug)]
struct Joined(Mutex<Option<JoinHandle<()>>>);

impl Drop for Joined {
    fn drop(&mut self) {
        let thread = self.0.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread that embeds texts ended in a panic");
        }
    }
}

impl Embedder {
    /// Starts the thread. `heard` is told the time of each text.
    ///
    /// # Errors
    /// [`EmbeddingError::Thread`].
    pub fn start(model: Arc<dyn Model>, heard: Heard) -> Result<Self, EmbeddingError> {
        let (jobs, mut waiting) = mpsc::channel::<Job>(WAITING);
        let thread = thread::Builder::new().name("embedding".to_owned());
        let thread = thread.spawn(move || {
            while let Some(job) = waiting.blocking_recv() {
                // Whoever asked may have gone.
                if !job.reply.is_closed() {
                    let since = Instant::now();
                    // One text that the model chokes on is no reason to answer none after it. The
                    // model is only read, so that nothing of it is left half done.
                    let embedded = catch_unwind(AssertUnwindSafe(|| model.embed(&job.text)));
                    let point = embedded.unwrap_or_else(|_| {
                        tracing::error!("the sentence model panicked at a text");
                        None
                    });
                    heard(since.elapsed());
                    let _ = job.reply.send(point);
                }
            }
        });
        let thread = thread.map_err(EmbeddingError::Thread)?;
        Ok(Self { jobs, _thread: Arc::new(Joined(Mutex::new(Some(thread)))) })
    }

    /// The point of a text, for somebody who would rather have none than wait: longer than `most`,
    /// or at all where many wait already.
    ///
    /// # Errors
    /// [`Unanswered`].
    pub async fn embed_soon(&self, text: &str, most: Duration) -> Result<Embedding, Unanswered> {
        let (reply, answer) = oneshot::channel();
        let job = Job { text: text.to_owned(), reply };
        self.jobs.try_send(job).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Unanswered::Busy,
            mpsc::error::TrySendError::Closed(_) => Unanswered::Failed,
        })?;
        match tokio::time::timeout(most, answer).await {
            Ok(Ok(Some(point))) => Ok(point),
            Ok(_) => Err(Unanswered::Failed),
            Err(_) => Err(Unanswered::TooLate),
        }
    }

    /// The point of a text, for work in the background, which waits its turn.
    ///
    /// # Errors
    /// [`Unanswered::Failed`].
    pub async fn embed(&self, text: &str) -> Result<Embedding, Unanswered> {
        let (reply, answer) = oneshot::channel();
        let job = Job { text: text.to_owned(), reply };
        self.jobs.send(job).await.map_err(|_| Unanswered::Failed)?;
        answer.await.ok().flatten().ok_or(Unanswered::Failed)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc as gate;

    use super::*;
    use crate::embedding::DIMENSIONS;

    /// Waits at a gate before each text.
    #[derive(Debug)]
    struct Gated(Mutex<gate::Receiver<()>>);

    impl Model for Gated {
        fn embed(&self, text: &str) -> Option<Embedding> {
            let _ = self.0.lock().unwrap().recv();
            // The gate is let go of by then, so that it is not poisoned.
            assert_ne!(text, "panic");
            Embedding::of(&[text.len() as f32; DIMENSIONS])
        }
    }

    fn gated() -> (Embedder, gate::Sender<()>) {
        let (open, wait) = gate::channel();
        let model = Arc::new(Gated(Mutex::new(wait)));
        (Embedder::start(model, Box::new(|_| {})).unwrap(), open)
    }

    const LONG: Duration = Duration::from_secs(3600);

    #[tokio::test]
    async fn who_would_rather_not_wait_is_turned_away_when_many_wait() {
        let (embedder, open) = gated();
        let ask = |text: &'static str| {
            let embedder = embedder.clone();
            tokio::spawn(async move { embedder.embed(text).await })
        };
        // One is under way, or on its way there, and as many wait as may.
        let waiting: Vec<_> = (0..=WAITING).map(|_| ask("text")).collect();
        while embedder.jobs.capacity() > 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(embedder.embed_soon("late", LONG).await, Err(Unanswered::Busy));
        for _ in 0..=WAITING {
            open.send(()).unwrap();
        }
        for asked in waiting {
            assert!(asked.await.unwrap().is_ok());
        }
        drop(open);
    }

    #[tokio::test(start_paused = true)]
    async fn a_model_that_hangs_costs_the_time_that_was_given() {
        let (embedder, open) = gated();
        let most = Duration::from_millis(20);
        assert_eq!(embedder.embed_soon("text", most).await, Err(Unanswered::TooLate));
        drop(open);
    }

    #[tokio::test]
    async fn a_text_that_the_model_panics_at_is_unanswered_and_the_next_one_is_not() {
        let (embedder, open) = gated();
        drop(open);
        assert_eq!(embedder.embed("panic").await, Err(Unanswered::Failed));
        assert!(embedder.embed("text").await.is_ok());
        assert_eq!(embedder.embed_soon("panic", LONG).await, Err(Unanswered::Failed));
        assert!(embedder.embed_soon("text", LONG).await.is_ok());
    }

    #[tokio::test]
    async fn the_time_of_each_text_is_told() {
        let (told, heard) = gate::channel();
        let (open, wait) = gate::channel::<()>();
        drop(open);
        let model = Arc::new(Gated(Mutex::new(wait)));
        let told = Box::new(move |took| {
            let _ = told.send(took);
        });
        let embedder = Embedder::start(model, told).unwrap();
        embedder.embed("text").await.unwrap();
        drop(embedder);
        assert_eq!(heard.iter().count(), 1);
    }
}
