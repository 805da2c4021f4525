//! The integration tests: one binary, because linking is most of what a test build costs.

mod api;
