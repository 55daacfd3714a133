"""`python -m console.words`: writes every marked text into the catalog of its room, and takes out what no page says any more."""

import sys

from console.words.catalogs import update

if __name__ == "__main__":
    changed, missing = update()
    sys.stdout.write(f"{changed} texts came or went; {missing} wait for their translation (grep for an empty msgstr)\n")
