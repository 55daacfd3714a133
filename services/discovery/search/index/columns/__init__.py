"""What a segment holds: sets of documents, numbers, labels, texts."""
