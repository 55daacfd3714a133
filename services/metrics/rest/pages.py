"""Pages for visitors of tracking links, who are people with a browser: plain HTML in Chinese and English, no script, no style."""

from collections.abc import Mapping

GONE = ("链接已失效", "此链接不存在或已失效。请回到发布者的页面查看最新链接。", "This link leads nowhere",
        "This link does not exist, or no longer. Please look for the current one where you found it.")  # fmt: skip
BUSY = ("请稍后再试", "访问过于频繁，请稍后再打开此链接。", "One moment, please",
        "Too many requests came from here. Please open the link again in a little while.")  # fmt: skip
AWAY = ("请稍后再试", "服务暂时不可用，请稍后再打开此链接。", "One moment, please",
        "We cannot answer just now. Please open the link again in a little while.")  # fmt: skip
PAGES: Mapping[int, tuple[str, str, str, str]] = {404: GONE, 422: GONE, 429: BUSY}

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
