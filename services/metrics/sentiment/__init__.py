"""Sentiment of Chinese and English comments, by models that were trained on texts of elsewhere (CARD.md)."""
