//! The Vortex Context Preserver: what context to keep, and the checks at positions 3, 6 and 9.
