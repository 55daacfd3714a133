"""Redirects: a brand's link leads nowhere that the brand has not proven, however the address is written."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

from attack.tally import Tally
from attack.target import Target

ELSEWHERE = (
    "https://evil.test/", "http://evil.test/", "//evil.test/", "javascript:alert(1)", "https://shop.example@evil.test/",
    "https://evil.test\\@shop.example/", "https://evil.test%2f.shop.example/", "https://evil.test%00.shop.example/",
    "https://127.0.0.1/", "https://[::1]/", "https://2130706433/", "https://0x7f.1/", "https://169.254.169.254/latest",
    "https://www.youtube.com/redirect?q=https://evil.test", "https://l.instagram.com/?u=https://evil.test",
    "https://www.youtube.com.evil.test/watch?v=dQw4w9WgXcQ", "https://evil.test/https://www.youtube.com/watch",
    "https://evil.test#@www.youtube.com/watch", "https://evil.test?@www.youtube.com/watch", "https://evil\uff0etest/",
)  # fmt: skip
NO_SITES = ("127.0.0.1", "localhost", "shop", "0x7f.1", "2130706433", "a..b", "-a.example")
PATHS = (
    "/l/..%2f..%2fetc",
    "/l/%0d%0aSet-Cookie:%20a=b",
    "/l/" + "a" * 4_000,
    "/l//evil.test",
    "/l/%00",
    "/l/?next=https://evil.test",
)


def _linked(target: Target, url: str) -> tuple[str, int]:
    body = {"deliverable_id": str(uuid4()), "target_url": url, "code": uuid4().hex[:12]}
    return url, target.send("metrics", "PUT", f"/links/{uuid4()}", target.token("brand"), json=body).status_code


def attack(target: Target, tally: Tally, scale: int, say: Callable[[str], None]) -> None:
    say("links")
    with ThreadPoolExecutor(len(ELSEWHERE)) as pool:  # each waits for a deliverable that may be on its way
        for url, status in pool.map(lambda url: _linked(target, url), ELSEWHERE):
            tally.check(400 <= status < 500, f"link to {url}: {status}")
    say("sites")
    for host in NO_SITES:
        answer = target.send("metrics", "PUT", f"/sites/{host}", target.token("brand"))
        tally.check(400 <= answer.status_code < 500, f"site {host}: {answer.status_code}")
    say("short links")
    for path in PATHS:
        answer = target.send("metrics", "GET", path)
        tally.check("location" not in answer.headers, f"GET {path}: leads to {answer.headers.get('location')}")
        tally.check("set-cookie" not in answer.headers, f"GET {path}: sets a cookie")
