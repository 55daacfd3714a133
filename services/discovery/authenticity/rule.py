"""The five-point rule: what a person checks by eye. It is the floor beside the scorecard, explained in five words."""

import numpy as np

from services.discovery.authenticity.columns import Floats, Profiles

POINTS = ("follows more than three times its followers", "no post", "no picture", "no bio", "three or more digits")


def points(profiles: Profiles) -> Floats:
    """0..5: how many of the five hold; what is not known does not hold."""
    p = profiles.column
    held = (
        p("following") > 3 * p("followers"),
        p("posts") == 0,
        p("has_picture") == 0,
        p("has_bio") == 0,
        p("username_digits") >= 3,
    )
    return np.asarray(np.sum(np.array(held, dtype=float), axis=0), dtype=float)
