"""One file for each command of the operator and the newcomer; `cli.main` holds the parser."""
