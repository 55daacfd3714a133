"""Rewriting of posts as platforms do it: the text that stands there is not byte for byte the text that its author sent."""

import re
import unicodedata
from collections.abc import Callable

TOPIC = re.compile(r"#([^\s#\[\]]{1,100})(?!\[)")
STICKERS = {"😂": "[笑哭R]", "😭": "[哭惹R]", "🥰": "[害羞R]", "👍": "[赞R]", "❤️": "[红色心形R]", "✨": "[星R]"}


def _xiaohongshu(text: str) -> str:
    """Topics and emoji in its own notation, and a line end after the last line."""
    for emoji, sticker in STICKERS.items():
        text = text.replace(emoji, sticker)
    return TOPIC.sub(r"#\1[话题]#", text) + "\n"


def _weibo(text: str) -> str:
    """A zero-width space at the end."""
    return text + "\u200b"


def _instagram(text: str) -> str:
    """Accents parted from their letters, as some of its apps send them."""
    return unicodedata.normalize("NFD", text.strip())


def _tiktok(text: str) -> str:
    """Trimmed, its line ends as Windows has them."""
    return text.strip().replace("\r\n", "\n").replace("\n", "\r\n")


PLATFORMS: dict[str, Callable[[str], str]] = {
    "xiaohongshu": _xiaohongshu, "weibo": _weibo, "instagram": _instagram, "tiktok": _tiktok,
}  # fmt: skip


def rewritten(platform: str, text: str) -> str:
    """The text as the platform shows it; a platform that is not listed leaves it alone."""
    return PLATFORMS.get(platform, str)(text)
