//! What durability costs: commits, reads, and a restart after a crash with a full lake.
//!
//!     cargo bench --bench store [-- --entries 100000] [--commits 20000] [--folder DIR]
//!
//! The folder decides which disk is measured. CPU is what the kernel counted for this process.
#![expect(clippy::print_stdout, reason = "a command-line tool")]

use std::{
    error::Error,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use clap::Parser;
use futures_util::{StreamExt, stream};
use meta_orchestrator::{
    domain::{Canonical, ResponseId, Signal, SourceKind, TenantId},
    lake::{Entry, Ladder, Lake, LakeOptions},
    store::{Batch, Store, Table, keys},
};

// The service's own allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

#[derive(Debug, Parser)]
struct Options {
    /// Entries of the lake that a restart loads.
    #[arg(long, default_value_t = 100_000)]
    entries: usize,
    /// Commits of each kind.
    #[arg(long, default_value_t = 20_000)]
    commits: usize,
    /// Where the stores are put; a temporary folder by default.
    #[arg(long)]
    folder: Option<PathBuf>,
    /// Fills the lake in this folder and ends without closing it: what the restart is tried on.
    #[arg(long, hide = true)]
    crash_in: Option<PathBuf>,
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> Outcome {
    let options = Options::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build()?;
    if let Some(folder) = options.crash_in {
        runtime.block_on(fill(&folder, options.entries))?;
        std::process::abort();
    }
    let folder = match &options.folder {
        Some(parent) => tempfile::tempdir_in(parent)?,
        None => tempfile::tempdir()?,
    };
    println!("commits like a decision's (1.1 KB, three keys), each waiting for the disk:");
    for waiting in [1, 16, 256] {
        let path = folder.path().join(format!("{waiting}/store.redb"));
        runtime.block_on(commits(&path, options.commits.min(waiting * 2000), waiting))?;
    }
    restart(&runtime, folder.path(), options.entries)
}

async fn commits(path: &Path, count: usize, waiting: usize) -> Outcome {
    let store = Store::open(path)?;
    let (since, cpu) = (Instant::now(), cpu()?);
    let value = vec![b'x'; 1100];
    let mut done = stream::iter(0..count)
        .map(|i| {
            let mut batch = Batch::new();
            batch.put(Table::Ledger, keys::number(i as u64), value.as_slice());
            batch.put(Table::Decisions, ResponseId::generate().as_bytes().to_vec(), b"12345678");
            batch.put(Table::Meta, "ledger", i.to_string());
            store.commit(batch)
        })
        .buffer_unordered(waiting);
    while let Some(result) = done.next().await {
        result?;
    }
    drop(done);
    let took = since.elapsed();
    // What the database takes over later belongs to the commits as well.
    store.close().await?;
    #[expect(clippy::cast_precision_loss, reason = "small counts")]
    let (each, rate) = (per(cpu_since(cpu)?, count), count as f64 / took.as_secs_f64());
    println!("  {waiting:>4} at a time: {rate:>8.0} a second, {each:>6.1} µs CPU each");
    Ok(())
}

fn restart(runtime: &tokio::runtime::Runtime, folder: &Path, entries: usize) -> Outcome {
    let data = folder.join("lake");
    let filled = Command::new(std::env::current_exe()?)
        .args(["--entries", &entries.to_string(), "--crash-in"])
        .arg(&data)
        .status()?;
    assert!(!filled.success(), "the process that fills the lake ends by a crash");
    let path = data.join("store.redb");
    for what in ["after a crash", "after a clean end"] {
        let since = Instant::now();
        let store = Store::open(&path)?;
        let opened = since.elapsed();
        let options = LakeOptions {
            max_entries: usize::MAX,
            max_bytes: usize::MAX,
            ttl: None,
            ..LakeOptions::default()
        };
        let lake = runtime.block_on(Lake::open(store.clone(), options))?;
        let all = since.elapsed();
        let found = lake.stats().entries;
        println!(
            "restart {what}, {found} entries: {:.0} ms, of which the store {:.0} ms",
            milliseconds(all),
            milliseconds(opened)
        );
        assert!(found >= entries, "{found} of {entries} entries are there");
        drop(lake);
        runtime.block_on(store.close())?;
    }
    Ok(())
}

async fn fill(folder: &Path, entries: usize) -> Outcome {
    let store = Store::open(&folder.join("store.redb"))?;
    let options = LakeOptions {
        max_entries: usize::MAX,
        max_bytes: usize::MAX,
        ttl: None,
        ..LakeOptions::default()
    };
    let lake = Lake::open(store, options).await?;
    let tenant = Arc::new(TenantId::new("default")?);
    let mut remembered = stream::iter(0..entries)
        .map(|i| {
            let (lake, tenant) = (lake.clone(), Arc::clone(&tenant));
            async move { lake.remember(&tenant, entry(i)).await }
        })
        .buffer_unordered(1024);
    while let Some(result) = remembered.next().await {
        assert!(result?, "an entry was not remembered");
    }
    Ok(())
}

fn entry(number: usize) -> Entry {
    let content =
        format!("The river that flows through the town of station {number} is the Aller.");
    Entry {
        question: format!(
            "Station number{number} lies by a small town where barges load timber in spring. \
             Which river flows through that town?"
        ),
        answer: Some(Canonical::Text(content.clone())),
        content,
        signal: Signal::clamped(0.9),
        origin: ResponseId::generate(),
        derived_from: None,
        source: SourceKind::Model,
        source_name: "model".to_owned(),
        citations: Vec::new(),
        created_ms: 1_000,
        expires_ms: None,
        epoch: None,
        curated: false,
        point: None,
        ladder: Ladder::default(),
    }
}

/// User and system time of this process.
fn cpu() -> Outcome<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<_> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|f| f.parse::<u64>().ok()).unwrap_or(0);
    Ok(Duration::from_millis((ticks(11) + ticks(12)) * 10))
}

fn cpu_since(before: Duration) -> Outcome<Duration> {
    Ok(cpu()?.saturating_sub(before))
}

#[expect(clippy::cast_precision_loss, reason = "small counts")]
fn per(time: Duration, count: usize) -> f64 {
    time.as_secs_f64() * 1e6 / count.max(1) as f64
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
