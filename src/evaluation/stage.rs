//! One replay: every row, one after another, through an orchestrator of its own.

use std::{
    collections::{BTreeMap, HashMap},
    future::Future,
    sync::Arc,
    time::Duration,
};

use indicatif::ProgressBar;
use tokio::time::Instant;

use super::{
    Baseline, Bench, EvaluationError, Grader, Options, RecordedModel, Workbench,
    scoring::{self, PairRight, RowResult},
    table::{Gold, Row},
};
use crate::{
    domain::{
        Budget, Consensus, ConsensusReport, Ended, LanguageModel, LedgerEvent, Policy, Recorded,
        Reply, Request, ResponseId, Signal, SourceKind, TenantId,
    },
    fusion::{Contest, Evidence},
    meta::ProcessError,
    routing,
};

/// What each request may take, in simulated time.
const DEADLINE: Duration = Duration::from_secs(60);
/// Events read from the ledger at once.
const PAGE: usize = 512;
/// Times that a ledger which lags behind is looked at again.
const LOOKS: usize = 500;

/// All that a replay asks of an orchestrator. [`Bench`] is one; tests script another.
pub(super) trait Subject {
    fn process(&self, request: Request) -> impl Future<Output = Result<Reply, ProcessError>>;
    fn decisions(
        &self,
        after_seq: u64,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Recorded>, EvaluationError>>;
}

/// Where subjects are made.
pub(super) trait Studio {
    type Subject: Subject;
    fn fresh(
        &self,
        fast: Arc<dyn LanguageModel>,
        slow: Vec<Arc<dyn LanguageModel>>,
        policy: Policy,
    ) -> impl Future<Output = Result<Self::Subject, EvaluationError>>;
}

impl Subject for Bench {
    async fn process(&self, request: Request) -> Result<Reply, ProcessError> {
        self.meta.process(request).await
    }

    async fn decisions(
        &self,
        after_seq: u64,
        limit: usize,
    ) -> Result<Vec<Recorded>, EvaluationError> {
        Ok(self.ledger.replay(after_seq, limit).await?)
    }
}

impl Studio for &dyn Workbench {
    type Subject = Bench;

    async fn fresh(
        &self,
        fast: Arc<dyn LanguageModel>,
        slow: Vec<Arc<dyn LanguageModel>>,
        policy: Policy,
    ) -> Result<Bench, EvaluationError> {
        self.orchestrator(fast, slow, policy).await.map_err(EvaluationError::Workbench)
    }
}

/// The rows, who grades them and who plays them.
pub(super) struct Stage {
    rows: Vec<Row>,
    graders: Vec<Grader>,
    fast: Arc<RecordedModel>,
    slow: Vec<Arc<RecordedModel>>,
}

impl Stage {
    pub(super) fn new(options: &Options, rows: Vec<Row>) -> Self {
        let (spec, graders) = (options.latency, rows.iter().map(Grader::new).collect());
        let fast = RecordedModel::new(&options.fast, options.fast_prior, spec.fast, &rows);
        let slow = |name: &String| {
            Arc::new(RecordedModel::new(name, options.slow_prior, spec.slow, &rows))
        };
        let slow = options.slow.iter().map(slow).collect();
        Self { graders, fast: Arc::new(fast), slow, rows }
    }

    pub(super) fn rows(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn rows_without_gold(&self) -> usize {
        self.graders.iter().filter(|grader| !grader.has_gold()).count()
    }

    /// Every row once, one after another, through a fresh orchestrator.
    pub(super) async fn replay<S: Studio>(
        &self,
        studio: &S,
        policy: Policy,
        progress: &ProgressBar,
    ) -> Result<Replayed<S::Subject>, EvaluationError> {
        let slow = self.slow.iter().map(|model| Arc::clone(model) as Arc<dyn LanguageModel>);
        let fast = Arc::clone(&self.fast) as Arc<dyn LanguageModel>;
        let sacred_weight = policy.sacred_weight;
        let subject = studio.fresh(fast, slow.collect(), policy).await?;
        let mut results = Vec::with_capacity(self.rows.len());
        let mut ids = Vec::with_capacity(self.rows.len());
        for (row, grader) in self.rows.iter().zip(&self.graders) {
            let request = request(row);
            ids.push(request.id);
            results.push(self.ask(&subject, request, grader, sacred_weight).await);
            progress.inc(1);
        }
        Ok(Replayed { results, ids, subject })
    }

    async fn ask(
        &self,
        subject: &impl Subject,
        request: Request,
        grader: &Grader,
        sacred_weight: f64,
    ) -> RowResult {
        let calls = || self.slow.iter().map(|model| model.asked()).sum::<u64>();
        let (since, calls_before) = (Instant::now(), calls());
        let reply = subject.process(request).await;
        let waited = since.elapsed();
        let slow_calls = calls() - calls_before;
        match reply {
            Ok(reply) => {
                let judged = judged(&reply, grader, slow_calls);
                let consensus =
                    reply.consensus.as_ref().filter(|_| judged.ended == Ended::Answered);
                let contest = consensus.and_then(|c| contest(c, sacred_weight, judged.right));
                RowResult { contest, ..judged }
            }
            Err(_) => RowResult {
                ended: Ended::Failed,
                right: false,
                confidence: 0.0,
                duration: waited,
                slow_calls,
                draft_signal: None,
                escalation: None,
                before_drafting: None,
                contest: None,
            },
        }
    }

    pub(super) fn pair(&self) -> Vec<PairRight> {
        let Some(first) = self.slow.first() else { return Vec::new() };
        let right = |model: &RecordedModel| self.graded(model).into_iter().map(|(right, _)| right);
        right(&self.fast).zip(right(first)).map(|(fast, slow)| PairRight { fast, slow }).collect()
    }

    /// A lone model's answers, graded, with their simulated latencies.
    fn graded(&self, model: &RecordedModel) -> Vec<(bool, Duration)> {
        let name = &*model.profile().name;
        let grade = |(row, grader): (&Row, &Grader)| {
            let answer = row.answers.get(name).map_or("", AsRef::as_ref);
            (grader.is_right(answer), model.latency_of(answer))
        };
        self.rows.iter().zip(&self.graders).map(grade).collect()
    }

    pub(super) fn baselines(&self, pair: &[PairRight]) -> Vec<Baseline> {
        let alone = |name, model: &RecordedModel, slow_share| {
            scoring::lone_model(name, &model.profile().name, &self.graded(model), slow_share)
        };
        let slow = self.slow.iter().map(|model| alone("slow only", model, 1.0));
        std::iter::once(alone("fast only", &self.fast, 0.0))
            .chain(slow)
            .chain([scoring::oracle(pair)])
            .collect()
    }

    pub(super) fn notes(&self, scored: usize, drafted: usize) -> Vec<String> {
        let rows = self.rows.len();
        let first = self.slow.first().map_or("", |model| &model.profile().name);
        let mut notes = vec![
            "latency is simulated: a base per call and a time per output token, on paused time"
                .to_owned(),
            "nothing is fitted on this table by this command (what a model file was trained on, its \
             card says); adaptive explores by dice of a fixed seed, and a table \
             without feedback teaches it nothing of right and wrong"
                .to_owned(),
            format!(
                "routing and signal come from a run of their own, hybrid with \
                 complex_complexity 1.0 and keep_signal 0.0: every row is drafted and every draft \
                 kept; the pair is `{}` and `{first}`",
                self.fast.profile().name
            ),
        ];
        if self.rows.iter().any(|row| matches!(row.gold, Gold::RightAnswers(_))) {
            notes.push(
                "the table has no gold: right is what a model recorded as right has answered; \
                 where none was, every answer counts as wrong"
                    .to_owned(),
            );
        }
        if scored < rows {
            notes.push(format!("{} rows have no escalation score in the ledger", rows - scored));
        }
        if drafted < rows {
            notes.push(format!("{} rows have no draft of the fast model", rows - drafted));
        }
        notes
    }
}

/// What a replay found, and the orchestrator it was found with.
pub(super) struct Replayed<S> {
    pub(super) results: Vec<RowResult>,
    ids: Vec<ResponseId>,
    subject: S,
}

impl<S: Subject> Replayed<S> {
    /// The results with the escalation scores of the ledger. It may write behind, so it is looked
    /// at until it has caught up; what it dropped stays absent.
    pub(super) async fn with_escalations(self) -> Result<Vec<RowResult>, EvaluationError> {
        let Self { mut results, ids, subject } = self;
        let mut wanted: HashMap<ResponseId, &mut RowResult> =
            ids.into_iter().zip(&mut results).collect();
        let mut after_seq = 0;
        for _ in 0..LOOKS {
            loop {
                let page = subject.decisions(after_seq, PAGE).await?;
                let Some(last) = page.last() else { break };
                after_seq = last.seq;
                for recorded in &page {
                    let LedgerEvent::Decision(decision) = &recorded.event else { continue };
                    if let Some(result) = wanted.remove(&decision.id) {
                        result.escalation = Some(decision.escalation);
                    }
                }
            }
            if wanted.is_empty() {
                break;
            }
            // Paused time gives a writer on another thread no time at all: wait really, too.
            tokio::time::sleep(Duration::from_millis(20)).await;
            let real = || std::thread::sleep(Duration::from_millis(2));
            let _ = tokio::task::spawn_blocking(real).await;
        }
        Ok(results)
    }
}

fn judged(reply: &Reply, grader: &Grader, slow_calls: u64) -> RowResult {
    let draft = reply.experts.iter().find(|expert| expert.kind == SourceKind::Drafter);
    RowResult {
        ended: if reply.abstained { Ended::Abstained } else { Ended::Answered },
        right: !reply.abstained && grader.is_right(&reply.content),
        confidence: reply.confidence.get(),
        duration: reply.duration,
        slow_calls,
        draft_signal: draft.and_then(|expert| expert.signal).map(Signal::get),
        escalation: None,
        before_drafting: Some(routing::before_drafting(&reply.complexity)),
        contest: None,
    }
}

/// What stood behind the answer and behind the strongest other one, each vote as it weighs without
/// the boost.
fn contest(report: &ConsensusReport, sacred_weight: f64, right: bool) -> Option<Contest> {
    if report.strategy != Consensus::WeightedConfidence {
        return None;
    }
    let mut answers: BTreeMap<(bool, &str), Evidence> = BTreeMap::new();
    for vote in &report.votes {
        let evidence = answers.entry((vote.won, &vote.answer)).or_default();
        if vote.boosted {
            evidence.passed += vote.weight / sacred_weight;
        } else {
            evidence.other += vote.weight;
        }
    }
    let of = |won| answers.iter().filter(move |((its, _), _)| *its == won).map(|(_, e)| *e);
    let weight = |e: &Evidence| e.passed * sacred_weight + e.other;
    Some(Contest {
        winner: of(true).next()?,
        runner_up: of(false).max_by(|a, b| weight(a).total_cmp(&weight(b)))?,
        right,
    })
}

/// A question as any caller would put it, except that nothing is recalled or remembered: no row
/// may learn from another.
fn request(row: &Row) -> Request {
    Request {
        id: ResponseId::generate(),
        tenant: TenantId::default(),
        session: None,
        input: row.prompt.to_string(),
        context: Vec::new(),
        strategy: None,
        mode: None,
        consensus: None,
        budget: Budget { deadline: DEADLINE, max_cost_usd: None },
        dialogue: None,
        expert: None,
        no_store: true,
        fresh: true,
    }
}
