"""Questions to the ledger's tables: single rows at the head, balances and statements, and the proof of the books."""
