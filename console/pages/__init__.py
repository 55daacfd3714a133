"""The pages, one small file for each noun: what it reads, what it sends. `templates/<noun>/` says how it looks."""

from fastapi import APIRouter


def routers() -> list[APIRouter]:
    """Routers of all rooms; add yours here, and its entry in console/menu.py."""
    from console.pages import (
        anomalies,
        applications,
        authenticity,
        briefs,
        calendar,
        campaigns,
        collaborations,
        comparing,
        contacts,
        creators,
        disputes,
        documentation,
        erasures,
        escrows,
        files,
        finance,
        forgetting,
        history,
        home,
        invitations,
        market,
        match_weights,
        media_kits,
        money,
        moves,
        operator,
        performance,
        planner,
        profile,
        reviews,
        rules,
        saved,
        shortlists,
        similar,
    )
    from console.pages.performance import attribution, payable, sentiment

    rooms = (
        home, campaigns, briefs, market, applications, collaborations, calendar, comparing, saved, shortlists,
        media_kits, files, creators, similar, planner, match_weights, invitations, profile, contacts, performance, attribution,
        payable, sentiment, anomalies, reviews,
        authenticity, money, finance, escrows, moves, disputes,
        rules, erasures, forgetting, history, operator, documentation,
    )  # fmt: skip
    return [room.router for room in rooms]
