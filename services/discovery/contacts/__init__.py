"""What is read of proofs of accounts and of contacts: more for the creator itself than for anybody else."""
