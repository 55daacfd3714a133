"""The bytes of a CSV file as UTF-8: in the charset that its sender names, else UTF-8 itself, and nothing is guessed."""

from kernel.core.faults import Invalid

UTF_8 = frozenset({"", "utf-8", "utf8", "us-ascii", "ascii"})
CODECS = {
    **dict.fromkeys(("gb18030", "gbk", "gb2312", "cp936", "x-gbk"), "gb18030"),
    **dict.fromkeys(("big5", "big5-hkscs"), "big5hkscs"),
    "utf-16": "utf-16",
    **dict.fromkeys(("utf-16le", "utf-16-le"), "utf-16-le"),
    **dict.fromkeys(("utf-16be", "utf-16-be"), "utf-16-be"),
}
"""GBK and GB2312 are parts of GB18030. The byte order of UTF-16 is the name's, else the file's own mark says it."""
EXPECTED = "UTF-8, or its charset in the Content-Type: text/csv; charset=gb18030"


def as_utf8(data: bytes, charset: str) -> bytes:
    """Raises Invalid for a file that is not in the charset as a whole: `csv.charset_unknown`, `.not_in_charset`, `.not_utf8`.

    Single damaged lines of a UTF-8 file pass, and are reported line by line.
    """
    name = charset.strip().strip('"').lower()
    if name in UTF_8:
        _check_utf8(data)
        return data
    if name not in CODECS:
        raise Invalid("csv.charset_unknown", charset=name[:40], known=", ".join(("utf-8", *CODECS)))
    try:
        return data.decode(CODECS[name]).encode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Invalid("csv.not_in_charset", charset=name, line=line) from None


def _check_utf8(data: bytes) -> None:
    if _is_utf8(data):
        return
    lines = [line for line in data.split(b"\n") if not line.isascii()]
    damaged = sum(not _is_utf8(line) for line in lines)
    if 2 * damaged > len(lines):
        first = next(number for number, line in enumerate(data.split(b"\n"), start=1) if not _is_utf8(line))
        raise Invalid("csv.not_utf8", line=first, expected=EXPECTED)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
