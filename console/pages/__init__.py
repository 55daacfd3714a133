"""The pages, one small file for each noun: what it reads, what it sends. `templates/<noun>/` says how it looks."""

from fastapi import APIRouter


def routers() -> list[APIRouter]:
    """Routers of all rooms; add yours here, and its entry in console/menu.py."""
    from console.pages import (
        applications,
        authenticity,
        briefs,
        calendar,
        campaigns,
        collaborations,
        creators,
        disputes,
        documentation,
        erasures,
        finance,
        history,
        home,
        invitations,
        market,
        money,
        moves,
        operator,
        performance,
        profile,
        reviews,
        rules,
    )
    from console.pages.performance import attribution

    return [
        home.router,
        campaigns.router,
        briefs.router,
        market.router,
        applications.router,
        collaborations.router,
        calendar.router,
        creators.router,
        invitations.router,
        profile.router,
        performance.router,
        attribution.router,
        reviews.router,
        authenticity.router,
        money.router,
        finance.router,
        moves.router,
        disputes.router,
        rules.router,
        erasures.router,
        history.router,
        operator.router,
        documentation.router,
    ]
