"""How likely it is that accounts are fake, and what is gathered about a creator before it is judged.

`columns`, `traits`, `scorecard`, `base_rate` and `rule` score profiles of accounts; `growth`, `posts` and `comments` measure
a creator's own series; `bands` and `gathering` read what the read models know. The judgement is domain/authenticity.
"""
