"""The model of fake accounts: trained, measured, written down as a card, and used on files of accounts."""
