"""The ledger's rules: accounts, chains of postings, fees, tax. Pure: no I/O, no clock, no random, no float."""
