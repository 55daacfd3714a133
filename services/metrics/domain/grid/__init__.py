"""What a creator's contents bring."""
