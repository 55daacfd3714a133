"""Commands over HTTP: creators, and imports of many."""

from fastapi import FastAPI

from kernel.edge.http import create_api
from kernel.host.app import App
from services.discovery.rest import (
    authenticity,
    contacts,
    creators,
    exports,
    imports,
    match_weights,
    media_kits,
    proofs,
    saved_searches,
    shortlists,
    vocabulary,
)
from services.discovery.rest.sealing import Sealer

IMPORT_LIMIT_BYTES = 8 * 1024 * 1024


def make_api(app: App, criteria_text: saved_searches.CriteriaText, criteria_from: exports.CriteriaFrom) -> FastAPI:
    """The command API of discovery; `criteria_text` and `criteria_from` read what is searched as queries do."""
    api = create_api(
        "Dandelion discovery",
        app.admission,
        fingerprint_key=app.fingerprint_key,
        health=app.health,
        live_requests=app.settings.live_requests,
        body_limits={"/imports": IMPORT_LIMIT_BYTES, "/authenticity": authenticity.SAMPLE_LIMIT_BYTES},
        description="Creators: profiles, accounts, rate cards, audiences, figures, and their import and export as CSV and XLSX.",
    )
    sealer = Sealer(app.database, app.personal)
    api.include_router(creators.routes(app.writer, sealer))
    api.include_router(proofs.routes(app.writer, sealer))
    api.include_router(contacts.routes(app.writer, sealer))
    api.include_router(imports.routes(app.writer, sealer))
    api.include_router(exports.routes(app, criteria_text, criteria_from))
    api.include_router(authenticity.routes(app, sealer))
    api.include_router(media_kits.routes(app, sealer))
    api.include_router(match_weights.routes(app))
    api.include_router(saved_searches.routes(app, criteria_text))
    api.include_router(shortlists.routes(app))
    api.include_router(vocabulary.routes())
    return api
