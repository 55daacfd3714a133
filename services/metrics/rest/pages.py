"""Pages for visitors of tracking links, who are people with a browser: plain HTML in Chinese and English, no script, no style."""

from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kernel.edge.http_errors import MEDIA_TYPE

LINKS = "/l/"

GONE = ("链接已失效", "此链接不存在或已失效。请回到发布者的页面查看最新链接。", "This link leads nowhere",
        "This link does not exist, or no longer. Please look for the current one where you found it.")  # fmt: skip
BUSY = ("请稍后再试", "访问过于频繁，请稍后再打开此链接。", "One moment, please",
        "Too many requests came from here. Please open the link again in a little while.")  # fmt: skip
AWAY = ("请稍后再试", "服务暂时不可用，请稍后再打开此链接。", "One moment, please",
        "We cannot answer just now. Please open the link again in a little while.")  # fmt: skip
NOTHING = ("这里没有页面", "此地址不供浏览。若您是从链接来的，请回到发布者的页面查看最新链接。", "There is no page here",
           "This address is not for reading. If a link led you here, please look for the current one.")  # fmt: skip
PAGES: Mapping[int, tuple[str, str, str, str]] = {
    400: NOTHING, 401: NOTHING, 403: NOTHING, 404: GONE, 405: NOTHING, 422: GONE, 429: BUSY,
}  # fmt: skip

_PAGE = """<!doctype html>
<html lang="zh">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex"><title>{0} · {2}</title></head>
<body><h1>{0}</h1><p>{1}</p><div lang="en"><h2>{2}</h2><p>{3}</p></div></body>
</html>
"""


def page_of(status: int) -> str:
    """The page that goes with a status: a dead link, too many requests, or trouble of ours."""
    return _PAGE.format(*PAGES.get(status, AWAY))


class VisitorPages:
    """ASGI middleware: a problem becomes a page where a browser asked, on every path of the host that visitors come to.

    Under `/l/` a page answers every request that does not ask for JSON. Other paths are an API's, where a page answers only a
    request whose Accept names `text/html`.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in {"GET", "HEAD"} or not _wants_page(scope):
            await self.app(scope, receive, send)
            return
        replaced = False

        async def with_page(message: Message) -> None:
            nonlocal replaced
            headers = Headers(raw=message.get("headers", []))
            if message["type"] == "http.response.start" and headers.get("content-type") == MEDIA_TYPE:
                replaced = True
                kept = {
                    name: value for name, value in headers.items() if name not in {"content-type", "content-length"}
                }
                page = HTMLResponse(page_of(message["status"]), message["status"], kept)
                await send({"type": "http.response.start", "status": page.status_code, "headers": page.raw_headers})
                await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else page.body})
            elif not replaced:
                await send(message)

        await self.app(scope, receive, with_page)


def _wants_page(scope: Scope) -> bool:
    accepted = Headers(scope=scope).get("accept", "")
    if f"{scope['path']}/".startswith(LINKS):
        return "json" not in accepted or "html" in accepted
    return "text/html" in accepted
