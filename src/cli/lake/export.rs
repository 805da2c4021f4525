//! `lake export`: the remembered answers as a table.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::PathBuf,
    process::ExitCode,
};

use clap::Args;

use super::{
    StoreArgs, closed, failed,
    table::{Raw, Ttl},
};
use crate::{
    app::Kept,
    domain::{Clock as _, SystemClock, TenantId},
};

/// What to export, and whereto.
#[derive(Debug, Clone, Args)]
pub(super) struct ExportArgs {
    /// The file to write, JSON lines, or CSV when it ends in .csv; standard output where absent.
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Only this tenant's answers.
    #[arg(long, value_name = "TENANT", value_parser = TenantId::new)]
    tenant: Option<TenantId>,
    /// Also what is in doubt, was refuted, or came from documents, which `import` would bring into
    /// use again.
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    store: StoreArgs,
}

enum Sink {
    Lines(Box<dyn Write>),
    Csv(Box<csv::Writer<Box<dyn Write>>>),
}

impl Sink {
    fn open(file: Option<&PathBuf>) -> io::Result<Self> {
        let Some(path) = file else {
            return Ok(Self::Lines(Box::new(BufWriter::new(io::stdout().lock()))));
        };
        let bytes: Box<dyn Write> = Box::new(BufWriter::new(File::create_new(path)?));
        let is_csv =
            path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
        Ok(match is_csv {
            true => Self::Csv(Box::new(csv::Writer::from_writer(bytes))),
            false => Self::Lines(bytes),
        })
    }

    fn write(&mut self, row: &Raw) -> io::Result<()> {
        match self {
            Self::Lines(bytes) => {
                serde_json::to_writer(&mut *bytes, row)?;
                bytes.write_all(b"\n")
            }
            // Every row has every column.
            Self::Csv(csv) => {
                let Raw { question, answer, tenant, ttl, source, signal, response_id, curated } =
                    row;
                csv.serialize((question, answer, tenant, ttl, source, signal, response_id, curated))
                    .map_err(io::Error::other)
            }
        }
    }

    fn head(&mut self) -> io::Result<()> {
        let Self::Csv(csv) = self else { return Ok(()) };
        let names =
            ["question", "answer", "tenant", "ttl", "source", "signal", "response_id", "curated"];
        csv.write_record(names).map_err(io::Error::other)
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Lines(bytes) => bytes.flush(),
            Self::Csv(csv) => csv.flush(),
        }
    }
}

pub(super) async fn export(args: &ExportArgs) -> ExitCode {
    let shelf = match args.store.open(false).await {
        Ok(shelf) => shelf,
        Err(code) => return code,
    };
    let mut sink = match Sink::open(args.file.as_ref()) {
        Ok(sink) => sink,
        Err(error) => return closed(shelf, failed(format_args!("The table: {error}"))).await,
    };
    let now_ms = SystemClock.now_ms();
    let (mut written, mut left_out) = (0_u64, 0_u64);
    let mut fault = sink.head().err();
    let ended = shelf
        .each(args.tenant.as_ref(), |kept| {
            let lasting = kept.entry.epoch.is_none() && kept.entry.is_recallable(now_ms, None);
            if kept.entry.is_expired(now_ms) || !(lasting || args.all) {
                left_out += 1;
                return true;
            }
            match sink.write(&raw(kept, now_ms)) {
                Ok(()) => written += 1,
                Err(error) => fault = Some(error),
            }
            fault.is_none()
        })
        .await;
    let fault = fault.or_else(|| sink.flush().err());
    drop(sink);
    let code = match (ended, fault) {
        (_, Some(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        (_, Some(error)) => failed(format_args!("The table: {error}")),
        (Err(error), None) => failed(error),
        (Ok(unreadable), None) => {
            eprintln!("{written} answers written, {left_out} left out, {unreadable} unreadable");
            ExitCode::SUCCESS
        }
    };
    closed(shelf, code).await
}

fn raw(kept: Kept, now_ms: i64) -> Raw {
    let Kept { tenant, entry } = kept;
    let left_ms = entry.expires_ms.map(|end| end.saturating_sub(now_ms));
    let seconds = left_ms.map(|left| u64::try_from(left / 1000).unwrap_or(0).max(1));
    Raw {
        question: entry.question,
        answer: entry.content,
        tenant: Some(tenant.as_str().to_owned()),
        ttl: seconds.map(Ttl::Seconds),
        source: Some(entry.source_name),
        signal: Some(entry.signal.get()),
        response_id: Some(entry.origin.to_string()),
        curated: Some(entry.curated),
    }
}
