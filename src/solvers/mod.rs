//! Exact evaluators: each is right or silent.
