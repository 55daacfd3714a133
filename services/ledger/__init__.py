"""Money: accounts, escrow, fees, tax and payouts, as chains of balanced postings."""
