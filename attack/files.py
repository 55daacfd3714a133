"""CSV: files of creators, engagement and settlements that hold anything; never an error of ours."""

from collections.abc import Callable

from hypothesis import strategies as st

from attack.tally import Tally
from attack.target import Target
from attack.trying import trying

HEADS = {
    ("discovery", "/creators/import", "operator"): "platform,handle,display_name,followers,country,categories",
    ("metrics", "/engagement", "operator"): "content_id,metric,value,observed_at",
    ("ledger", "/settlements", "finance"): "batch,line,reference,currency,gross_minor,fee_minor,net_minor",
}
CELLS = st.one_of(
    st.text(max_size=40), st.integers().map(str), st.floats().map(str),
    st.sampled_from(
        ["=cmd|' /C calc'!A0", '"', '"unclosed', "\x00", "1e400", "2026-99-99", "9" * 400, "\ufeff", "﷽" * 200, ",,,,"]
    ),
)  # fmt: skip
ROWS = st.lists(st.lists(CELLS, max_size=12).map(",".join), max_size=20)
ENCODINGS = ("utf-8", "utf-16", "gb18030", "utf-8-sig")


def contents(head: str) -> st.SearchStrategy[bytes]:
    """Files with the head that is asked for, with another, and with none at all."""
    heads = st.one_of(st.just(head), st.lists(CELLS, max_size=10).map(",".join))
    lines = st.tuples(heads, ROWS, st.sampled_from(["\n", "\r\n", "\r"])).map(
        lambda told: told[2].join([told[0], *told[1]])
    )
    encoded = st.tuples(lines, st.sampled_from(ENCODINGS)).map(lambda two: two[0].encode(two[1], "replace"))
    return st.one_of(encoded, st.binary(max_size=1_000))


def attack(target: Target, tally: Tally, scale: int, say: Callable[[str], None]) -> None:
    for (service, path, role), head in HEADS.items():
        say(path)

        def one(content: bytes, service: str = service, path: str = path, role: str = role) -> None:
            answer = target.send(
                service, "POST", path, target.staff(role), content=content, headers={"Content-Type": "text/csv"}
            )
            tally.check(answer.status_code < 500, f"POST {path}: {answer.status_code} {answer.text}")

        trying(contents(head), one, 30 * scale)
