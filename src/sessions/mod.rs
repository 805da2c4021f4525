//! Conversations, bounded and durable.
