//! `lake import`: a table of questions and answers goes into the lake.

use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
    process::ExitCode,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::task::JoinSet;

use super::{
    StoreArgs, closed, failed,
    remote::Remote,
    table::{self, BadRow, Row},
};
use crate::{
    app::{LakeShelf, Refusal},
    cli::say,
    domain::{Clock as _, SystemClock, TenantId},
};

/// Rows that go in at once, and groups that are under way at once.
const GROUP: usize = 2000;
const UNDER_WAY: usize = 2;
/// Bad rows that are shown one by one.
const SHOWN: u64 = 20;

/// What to import, and where.
#[derive(Debug, Clone, Args)]
pub(super) struct ImportArgs {
    /// JSON lines or CSV, plain or gzipped, with the fields question and answer, and optionally
    /// tenant, ttl or ttl_seconds (seconds, or such as 30d), source, signal.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Send the rows to a running service, such as http://127.0.0.1:8080, instead of opening its
    /// store.
    #[arg(long, value_name = "URL", conflicts_with = "data_dir")]
    url: Option<String>,
    #[command(flatten)]
    store: StoreArgs,
}

/// What became of the rows so far.
#[derive(Debug, Default)]
struct Tally {
    read: u64,
    taken: u64,
    refused: u64,
    reasons: BTreeMap<String, u64>,
}

impl Tally {
    fn refuse(&mut self, bar: &ProgressBar, bad: &BadRow) {
        self.refused += 1;
        if self.refused <= SHOWN {
            bar.suspend(|| eprintln!("line {}: {}", bad.line, bad.why));
        }
        // The reasons are few; what a row says of itself is not counted apart.
        let reason = bad.why.split(':').next().unwrap_or(&bad.why).to_owned();
        if self.reasons.len() < 64 || self.reasons.contains_key(&reason) {
            *self.reasons.entry(reason).or_default() += 1;
        }
    }

    fn add(&mut self, bar: &ProgressBar, written: Written) {
        self.taken += written.taken;
        written.bad.iter().for_each(|bad| self.refuse(bar, bad));
    }
}

/// What became of one group.
#[derive(Debug, Default)]
pub(super) struct Written {
    pub(super) taken: u64,
    pub(super) bad: Vec<BadRow>,
}

/// Where rows go.
#[derive(Clone)]
enum Goal {
    Store(Arc<LakeShelf>),
    Service(Arc<Remote>),
}

impl Goal {
    async fn write(self, rows: Vec<Row>) -> Result<Written, String> {
        match self {
            Self::Store(shelf) => write(&shelf, rows).await,
            Self::Service(remote) => remote.send(rows).await,
        }
    }
}

pub(super) async fn import(args: &ImportArgs) -> ExitCode {
    let (rows, size, read) = match table::open(&args.file) {
        Ok(table) => table,
        Err(error) => {
            return failed(format_args!("{} cannot be read: {error}", args.file.display()));
        }
    };
    let goal = match &args.url {
        Some(url) => match Remote::new(url) {
            Ok(remote) => Goal::Service(Arc::new(remote)),
            Err(error) => return failed(error),
        },
        None => match args.store.open(true).await {
            Ok(shelf) => Goal::Store(Arc::new(shelf)),
            Err(code) => return code,
        },
    };
    let bar = progress(size);
    let began = Instant::now();
    let (tally, ended) =
        run(&goal, rows, &bar, || bar.set_position(read.load(Ordering::Relaxed))).await;
    bar.finish_and_clear();
    report(&tally, began.elapsed());
    let code = match ended {
        Err(error) => failed(format_args!("The import stopped: {error}")),
        Ok(()) if tally.refused > 0 => ExitCode::FAILURE,
        Ok(()) => ExitCode::SUCCESS,
    };
    match goal {
        Goal::Store(shelf) => match Arc::into_inner(shelf) {
            Some(shelf) => closed(shelf, code).await,
            None => code,
        },
        Goal::Service(_) => code,
    }
}

/// Reads and writes at once: while groups are written, the next are read.
async fn run(
    goal: &Goal,
    mut rows: table::Reader,
    bar: &ProgressBar,
    moved: impl Fn(),
) -> (Tally, Result<(), String>) {
    let mut tally = Tally::default();
    let mut writing: JoinSet<Result<Written, String>> = JoinSet::new();
    let mut ended = Ok(());
    loop {
        let mut group = Vec::with_capacity(GROUP);
        let before = tally.read;
        for row in rows.by_ref().take(GROUP) {
            tally.read += 1;
            match row {
                Ok(row) => group.push(row),
                Err(bad) => tally.refuse(bar, &bad),
            }
        }
        let done = tally.read == before;
        moved();
        bar.set_message(format!("{} in", tally.taken));
        while writing.len() >= UNDER_WAY || (done && !writing.is_empty()) {
            match writing.join_next().await {
                Some(Ok(Ok(written))) => tally.add(bar, written),
                Some(Ok(Err(error))) => ended = Err(error),
                Some(Err(_)) => ended = Err("a part of the import panicked".to_owned()),
                None => break,
            }
        }
        if done || ended.is_err() {
            writing.shutdown().await;
            return (tally, ended);
        }
        if !group.is_empty() {
            writing.spawn(goal.clone().write(group));
        }
    }
}

/// Puts a group in, tenant by tenant.
async fn write(shelf: &LakeShelf, rows: Vec<Row>) -> Result<Written, String> {
    let mut tenants: HashMap<TenantId, (Vec<u64>, Vec<_>)> = HashMap::new();
    for Row { line, tenant, vouched } in rows {
        let (lines, given) = tenants.entry(tenant).or_default();
        lines.push(line);
        given.push(vouched);
    }
    let mut written = Written::default();
    for (tenant, (lines, given)) in tenants {
        let results = shelf.curate(&tenant, given, SystemClock.now_ms()).await;
        for (line, result) in lines.into_iter().zip(results.map_err(|error| error.to_string())?) {
            match result {
                Ok(_) => written.taken += 1,
                Err(refusal) => written.bad.push(refused(line, refusal)),
            }
        }
    }
    Ok(written)
}

fn refused(line: u64, refusal: Refusal) -> BadRow {
    BadRow { line, why: refusal.to_string() }
}

fn progress(size: u64) -> ProgressBar {
    let bar = ProgressBar::new(size);
    let style = "{msg:16} {wide_bar} {bytes}/{total_bytes}, {eta} left";
    match ProgressStyle::with_template(style) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

fn report(tally: &Tally, took: Duration) {
    if tally.refused > SHOWN {
        eprintln!("… and {} more rows were refused", tally.refused - SHOWN);
    }
    #[expect(clippy::cast_precision_loss, reason = "for people to read")]
    let rate = tally.taken as f64 / took.as_secs_f64().max(1e-9);
    say(format_args!(
        "{} rows read, {} answers put in, {} refused, in {:.1} s ({rate:.0} a second)",
        tally.read,
        tally.taken,
        tally.refused,
        took.as_secs_f64()
    ));
    for (reason, rows) in &tally.reasons {
        say(format_args!("  {rows} refused: {reason}"));
    }
}
