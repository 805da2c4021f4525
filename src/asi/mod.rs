//! The AI tier: experts, modes and consensus.
