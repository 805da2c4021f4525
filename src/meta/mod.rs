//! The orchestrator: one request, one direction.
