//! Drafts in, one answer out, their order never mattering.
