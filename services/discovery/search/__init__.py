"""Full text over what is personal: an index in memory, built from decrypted texts, never stored."""
