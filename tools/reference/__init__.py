"""Reference pages for callers (docs/reference), made from the code: `make reference` writes them, `--check` finds them stale.

What the code cannot say of itself stands beside it: codes/*.toml, in one table per noun, `code = [who can mend it, what it
means, how]`; a code of several services stands in every_service.toml, or in each where it means something else there.

console/words/codes.json has the same codes for people at a page: with the sentences of for_people.toml where a code has some
there, as no header, route or name of a fact tells a person anything.
"""
