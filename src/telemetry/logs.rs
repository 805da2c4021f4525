//! Structured logs to standard error; standard output belongs to the commands.

use std::io::{self, IsTerminal};

use tracing_subscriber::{
    EnvFilter, Layer, Registry, fmt, layer::SubscriberExt, util::SubscriberInitExt,
};

use crate::settings::{LogFormat, LogSettings};

/// Starts logging for the whole process. Only the first call counts: later ones change nothing, so
/// that tests may call it as they like.
pub fn init_logs(settings: &LogSettings) {
    // The settings have been checked; should they not have been, silence would be the worst answer.
    let filter = EnvFilter::try_new(&settings.filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let layer: Box<dyn Layer<Registry> + Send + Sync> = match settings.format {
        LogFormat::Json => fmt::layer().json().flatten_event(true).with_writer(io::stderr).boxed(),
        LogFormat::Text => {
            fmt::layer().with_ansi(io::stderr().is_terminal()).with_writer(io::stderr).boxed()
        }
    };
    let started = tracing_subscriber::registry().with(layer.with_filter(filter)).try_init();
    if started.is_err() {
        tracing::debug!("logging has been started before");
    }
}

/// Lets a panic be logged by its place alone: its message may carry what somebody asked.
pub fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map_or_else(|| "nowhere".to_owned(), ToString::to_string);
        let thread = std::thread::current().name().unwrap_or("unnamed").to_owned();
        tracing::error!(%place, %thread, "a panic; please report it");
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starting_twice_does_no_harm() {
        let settings = LogSettings { format: LogFormat::Json, filter: "off".to_owned() };
        init_logs(&settings);
        init_logs(&settings);
    }
}
