"""Collaborations: the list, the page that both parties and staff share, and everything that is done there."""

from fastapi import APIRouter

from console.look.menu import ALL
from console.page import needs
from console.pages.collaborations import content, ending, shown

router = APIRouter(dependencies=[needs(*ALL)])
for part in (shown.router, content.router, ending.router):
    router.include_router(part, prefix="/collaborations")
