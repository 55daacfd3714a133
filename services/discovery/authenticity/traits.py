"""Traits of a profile: what makes an account more likely to be fake, the more of it there is.

Each trait is a ratio, a logarithm or a flag, so that it means the same on a platform with other sizes; each may only speak
against an account, never for it, so no odd corner of the training accounts turns a trait around elsewhere. Slopes change at
fixed points (hinges), which are round numbers and not fitted. A trait stops where an account is as odd as it gets.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from services.discovery.authenticity.columns import Floats, Profiles

Values = Mapping[str, Floats]


@dataclass(frozen=True, slots=True)
class Trait:
    """`needs` are the columns that it is made of; `prior` is its weight in log odds before any account was seen."""

    name: str
    told: str
    needs: tuple[str, ...]
    value: Callable[[Values], Floats]
    prior: float = 0.0


def _above(measure: Callable[[Values], Floats], start: float, end: float) -> Callable[[Values], Floats]:
    """0 up to `start`, 1 from `end` on, straight between."""
    return lambda v: np.clip((measure(v) - start) / (end - start), 0.0, 1.0)


def _balance(v: Values) -> Floats:
    """Logarithm of following / followers."""
    return np.asarray(np.log1p(v["following"]) - np.log1p(v["followers"]))


def _chase(v: Values) -> Floats:
    """Logarithm of following / posts."""
    return np.asarray(np.log1p(v["following"]) - np.log1p(v["posts"]))


def _silence(v: Values) -> Floats:
    return np.asarray(-np.log1p(v["posts"]))


def _unfollowed(v: Values) -> Floats:
    return np.asarray(-np.log1p(v["followers"]))


def _digits(v: Values) -> Floats:
    return np.asarray(v["username_digits"] / np.maximum(v["username_length"], 1.0))


PAIR, FOLLOWED, NAME = ("followers", "following"), ("followers",), ("username_digits", "username_length")
TRAITS = (
    Trait("follows_more", "follows more accounts than follow it", PAIR, _above(_balance, -1, 0)),
    Trait("follows_3x", "follows up to three times as many", PAIR, _above(_balance, 0, 1.1), 0.5),
    Trait("follows_10x", "follows three to ten times as many", PAIR, _above(_balance, 1.1, 2.3), 0.8),
    Trait("follows_100x", "follows ten to a hundred times as many", PAIR, _above(_balance, 2.3, 4.6), 0.8),
    Trait("few_posts", "fewer than 150 posts", ("posts",), _above(_silence, -5, -3)),
    Trait("very_few_posts", "fewer than 20 posts", ("posts",), _above(_silence, -3, -1.1), 0.3),
    Trait("hardly_any_post", "fewer than two posts", ("posts",), _above(_silence, -1.1, -0.35), 0.5),
    Trait("no_post", "no post at all", ("posts",), _above(_silence, -0.35, 0), 0.5),
    Trait("chases", "follows several accounts for each post", ("following", "posts"), _above(_chase, 0, 2.3)),
    Trait("chases_10x", "follows more than ten for each post", ("following", "posts"), _above(_chase, 2.3, 4.6), 0.3),
    Trait(
        "chases_100x", "follows more than a hundred for each post", ("following", "posts"), _above(_chase, 4.6, 7), 0.5
    ),
    Trait("few_followers", "fewer than 150 followers", FOLLOWED, _above(_unfollowed, -5, -3.4), 0.2),
    Trait("hardly_followed", "fewer than 30 followers", FOLLOWED, _above(_unfollowed, -3.4, -1.1), 0.5),
    Trait("no_picture", "no profile picture", ("has_picture",), lambda v: 1.0 - v["has_picture"], 1.5),
    Trait("digits_in_name", "digits in the handle", NAME, _above(_digits, 0, 0.2), 0.2),
    Trait("many_digits", "more than a fifth of the handle are digits", NAME, _above(_digits, 0.2, 0.5), 0.8),
)
FIXED = (
    Trait("no_bio", "no text about itself", ("has_bio",), lambda v: 1.0 - v["has_bio"], 1.2),
    Trait("has_bio", "a text about itself", ("has_bio",), lambda v: v["has_bio"], -0.5),
    Trait("has_link", "a link in the profile", ("has_link",), lambda v: v["has_link"], -0.8),
)
"""Traits that the training accounts do not tell: their weights are judgement, stated in the card, and never fitted."""
FITTED_ON = ("followers", "following", "posts", "has_picture", "username_digits")
"""Columns by whose presence a scorecard is chosen; the length of a handle comes with its digits."""


def trait_values(profiles: Profiles, traits: tuple[Trait, ...]) -> Floats:
    """A column per trait, all of which the profiles must know."""
    values = {name: profiles.column(name) for trait in traits for name in trait.needs}
    return np.column_stack([trait.value(values) for trait in traits]) if traits else np.zeros((profiles.rows, 0))


def usable(traits: tuple[Trait, ...], known: frozenset[str]) -> tuple[Trait, ...]:
    """The traits whose columns are known."""
    return tuple(one for one in traits if known.issuperset(one.needs))
