"""Comments on a content, as scores: the texts are not kept."""
