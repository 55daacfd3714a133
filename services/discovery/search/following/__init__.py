"""The index of this process: loaded from the read model, following it, kept in a file; and questions put to it."""
