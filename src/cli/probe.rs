//! `probe`: the image's health check, which has no curl. A plain socket is all it needs, so that
//! it works where there is no certificate store.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    process::ExitCode,
    time::Duration,
};

use clap::Args;

/// What to probe.
#[derive(Debug, Clone, Args)]
pub(super) struct ProbeArgs {
    /// Address of the service.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    address: SocketAddr,
    /// Path to ask for.
    #[arg(long, default_value = "/readyz")]
    path: String,
    /// Milliseconds to wait for the answer.
    #[arg(long, value_name = "MS", default_value_t = 2000)]
    timeout_ms: u64,
}

pub(super) fn probe(args: &ProbeArgs) -> ExitCode {
    match status_line(args) {
        Ok(line) if line.split(' ').nth(1) == Some("200") => ExitCode::SUCCESS,
        Ok(line) => {
            eprintln!("not ready: {line}");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("not ready: {error}");
            ExitCode::FAILURE
        }
    }
}

fn status_line(args: &ProbeArgs) -> io::Result<String> {
    let patience = Duration::from_millis(args.timeout_ms.max(1));
    let mut stream = TcpStream::connect_timeout(&args.address, patience)?;
    stream.set_read_timeout(Some(patience))?;
    stream.set_write_timeout(Some(patience))?;
    let head = format!("GET {} HTTP/1.1\r\nhost: probe\r\nconnection: close\r\n\r\n", args.path);
    stream.write_all(head.as_bytes())?;
    let mut answer = [0; 64];
    let read = stream.read(&mut answer)?;
    let text = String::from_utf8_lossy(&answer[..read]);
    Ok(text.lines().next().unwrap_or_default().to_owned())
}
