//! Durable tables with atomic, grouped commits.
