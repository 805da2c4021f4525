//! Turns the ledger's events into what the next policy knows.
