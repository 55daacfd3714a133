"""Whether a creator's figures are its own doing: evidence in, a judgement with its range out; appeals and rulings."""
