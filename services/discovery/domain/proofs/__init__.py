"""Proofs of accounts, stream `proof-<id>` of a creator and a platform: a code that the creator puts into the bio there."""
