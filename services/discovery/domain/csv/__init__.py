"""A creators file before it is parsed, and what is said of it: charsets, and a sentence for each rule."""
