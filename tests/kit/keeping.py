"""What a brand keeps for itself, which the story does not: a saved search and a shortlist."""

import httpx

from cli.story.market import Address, Who, named
from tools.speed import patience


async def kept(address: Address, brand: Who, creator_id: str) -> dict[str, str]:
    """Ids by path parameter, once queries show both."""
    ids = {name: named("kept", name) for name in ("search_id", "shortlist_id")}
    saved, listed = f"/saved-searches/{ids['search_id']}", f"/shortlists/{ids['shortlist_id']}"
    bearer = {"Authorization": f"Bearer {address.issue(brand)}"}
    async with httpx.AsyncClient(base_url=address.http["discovery"], timeout=patience(30), headers=bearer) as client:
        for method, path, body in (
            ("PUT", saved, {"name": "kept", "search": {"text": "nobody says so"}}),
            ("PUT", listed, {"name": "kept"}),
            ("POST", f"{listed}/add", {"creator_ids": [creator_id]}),
            ("POST", f"{listed}/note", {"creator_id": creator_id, "note": "answers fast"}),
        ):
            answer = await client.request(method, path, headers={"Idempotency-Key": named("key", path)}, json=body)
            assert answer.status_code < 300, answer.text
        token = answer.json()["token"]
        for path in (f"{saved}/matches", f"{listed}/creators"):
            shown = await client.get(path, params={"at_least": token})
            assert shown.status_code == 200, shown.text
    return ids
