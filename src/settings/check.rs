//! What types cannot say: ranges, and keys that must agree.

use std::path::Path;

use super::{LakeEmbedding, Settings, problem::Problems};

/// Notes everything about well-typed settings that makes no sense.
pub(super) fn check(settings: &Settings, problems: &mut Problems) {
    ranges(settings, problems);
    if settings.limits.default_deadline > settings.limits.max_deadline {
        problems.add(
            "limits.default_deadline_ms",
            "the default deadline is longer than limits.max_deadline_ms",
            "lower the one or raise the other",
        );
    }
    for problem in settings.policy().problems() {
        // The policy's own name of this field is not the configuration's.
        let key = match problem.field.as_str() {
            "sacred_weight" => "fusion.sacred_weight",
            field => field,
        };
        problems.add(key, "the value is out of range", format!("it {}", problem.problem));
    }
    for (i, folder) in settings.documents.folders.iter().enumerate() {
        if !Path::new(folder).is_dir() {
            problems.add(
                &format!("documents.folders[{i}]"),
                format_args!("`{}` is no folder", folder.display()),
                "name a folder that exists, or take it out",
            );
        }
    }
    if settings.data.dir.as_os_str().is_empty() {
        problems.add("data.dir", "the folder has no name", "the default is \"./data\"");
    }
    if settings.data.dir.exists() && !settings.data.dir.is_dir() {
        problems.add("data.dir", "this is a file", "name a folder; it is made when missing");
    }
    if let Err(error) = tracing_subscriber::EnvFilter::try_new(&settings.log.filter) {
        problems.add(
            "log.filter",
            format_args!("this is no filter: {error}"),
            "write a level (error, warn, info, debug, trace), or levels by module such as \
             \"info,meta_orchestrator::providers=debug\"",
        );
    }
    drafter(settings, problems);
    sentence_model(settings, problems);
}

fn ranges(settings: &Settings, problems: &mut Problems) {
    let Settings {
        server, data, limits, flux, lake, documents, sessions, ledger, asi, audit, ..
    } = settings;
    for (key, value, min, max) in [
        ("server.max_body_bytes", server.max_body_bytes, 1024, 64 << 20),
        ("server.max_header_bytes", server.max_header_bytes, 8192, 1 << 20),
        ("server.max_connections", server.max_connections, 1, 100_000),
        ("server.max_in_flight", server.max_in_flight, 1, 100_000),
        ("limits.max_input_chars", limits.max_input_chars, 1, 10_000_000),
        ("limits.max_context_passages", limits.max_context_passages, 0, 10_000),
        ("limits.max_context_chars", limits.max_context_chars, 0, 50_000_000),
        ("limits.max_json_depth", limits.max_json_depth, 4, 128),
        ("lake.max_entries", lake.max_entries, 1, 100_000_000),
        ("lake.max_bytes", lake.max_bytes, 1 << 20, 1 << 40),
        ("flux.drafter_concurrency", flux.drafter_concurrency, 1, 1024),
        ("sessions.max_turns", sessions.max_turns, 2, 10_000),
        ("sessions.max_bytes", sessions.max_bytes, 4096, 8 << 20),
        ("sessions.max_per_tenant", sessions.max_per_tenant, 1, 10_000_000),
        ("sessions.max_sessions", sessions.max_sessions, 1, 10_000_000),
        ("sessions.token_budget", sessions.token_budget, 0, 1_000_000),
        ("ledger.queue", ledger.queue, 16, 1_000_000),
        ("audit.queue", audit.queue, 1, 100_000),
        ("audit.max_concurrent", audit.max_concurrent, 1, 64),
        ("asi.max_experts", asi.max_experts, 1, 64),
        ("documents.max_added", documents.max_added, 0, 100_000),
        ("documents.max_added_bytes", documents.max_added_bytes, 0, 1 << 30),
    ] {
        problems.range(key, value, min, max);
    }
    for (key, value, min, max) in [
        ("data.retain_decisions", data.retain_decisions, 1000, 1_000_000_000),
        ("documents.max_file_bytes", documents.max_file_bytes, 1024, 1 << 30),
        ("documents.watch_seconds", documents.watch_seconds, 0, 86_400),
        ("judgement.watch_seconds", settings.judgement.watch_seconds, 0, 86_400),
        ("lake.ttl_hours", lake.ttl.as_secs() / 3600, 1, 87_600),
        ("sessions.ttl_hours", sessions.ttl.as_secs() / 3600, 1, 87_600),
    ] {
        problems.range(key, value, min, max);
    }
    for (key, value, min, max) in [
        ("server.header_timeout_ms", server.header_timeout, 100, 120_000),
        ("server.shutdown_grace_ms", server.shutdown_grace, 0, 600_000),
        ("flux.drafter_deadline_ms", flux.drafter_deadline, 10, 600_000),
        ("limits.default_deadline_ms", limits.default_deadline, 1, 600_000),
        ("limits.max_deadline_ms", limits.max_deadline, 1, 600_000),
    ] {
        problems.range(key, value.as_millis(), min, max);
    }
    problems.range("flux.rate_hz", flux.rate_hz, 1.0, 1000.0);
    problems.range("audit.rate", audit.rate, 0.0, 1.0);
    problems.range("audit.max_usd_per_hour", audit.max_usd_per_hour, 0.0, 1e6);
    problems.range("feedback.max_per_minute", settings.feedback.max_per_minute, 1, 1_000_000);
    problems.range("lake.max_wrong_hit_rate", lake.max_wrong_hit_rate, 0.0, 0.5);
    problems.range("asi.default_prior", asi.default_prior, 0.0, 1.0);
}

fn sentence_model(settings: &Settings, problems: &mut Problems) {
    if settings.lake.embedding != LakeEmbedding::Minilm {
        return;
    }
    if !cfg!(feature = "minilm") {
        problems.add(
            "lake.embedding",
            "this program was built without all-MiniLM-L6-v2",
            "build it with `cargo build --release --features minilm`, or write \"hashed\"",
        );
    } else if !settings.lake.embedding_folder.is_dir() {
        let folder = settings.lake.embedding_folder.display();
        problems.add(
            "lake.embedding_folder",
            format_args!("`{folder}` is no folder"),
            "name the folder with model.safetensors and vocab.txt of all-MiniLM-L6-v2",
        );
    }
}

fn drafter(settings: &Settings, problems: &mut Problems) {
    let Some(drafter) = settings.flux.drafter() else { return };
    let mut models = settings.providers.iter().flat_map(|p| &p.models);
    // A model that is yet to be discovered may turn out to be the one.
    let all_known = settings.providers.iter().all(|p| p.discovery.is_none());
    if all_known && !models.any(|model| model.name == drafter) && !problems.has("providers") {
        problems.add(
            "flux.drafter",
            format_args!("no configured model has the name `{drafter}`"),
            "write the `name` of one of [[providers.models]], or leave it empty",
        );
    }
}
