"""The contract as readable text: a pure function of the sealed record, a form of the text and a language."""
