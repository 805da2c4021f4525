//! What each strategy and tier has been worth, folded from the ledger.
