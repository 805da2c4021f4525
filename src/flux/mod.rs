//! The runtime tier: solvers, lake, drafter and the background loop.
