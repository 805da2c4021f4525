//! The decision: which mind, in what order, with what probability.
