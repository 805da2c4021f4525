//! Replays recorded answers through the very same orchestrator.
