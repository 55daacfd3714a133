"""Documents made of read models: the media kit as its readers see it, and as PDF."""
