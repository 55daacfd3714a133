"""The provider's pages: who is there to sign in as, and two short ones. They load nothing and run no script."""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from html import escape
from urllib.parse import urlencode

from sandbox.identity.asking import ASKED, Client
from sandbox.identity.people import PARTIES, STAFF, STORY, Person

STYLE = """
:root{color-scheme:light dark;--ink:#1c1b18;--soft:#5f5c55;--paper:#fff;--ground:#f6f5f2;--line:#dedbd3;--accent:#f2b705;
--bad:#b3261e}
@media(prefers-color-scheme:dark){:root{--ink:#eceae4;--soft:#a8a49a;--paper:#232220;--ground:#181715;--line:#3a3833;
--bad:#ff8a80}}
*{box-sizing:border-box}body{margin:0;background:var(--ground);color:var(--ink);font:14px/1.45 system-ui,"PingFang SC",
"Microsoft YaHei","Noto Sans SC",sans-serif}main{max-width:720px;margin:0 auto;padding:40px 16px 64px}
header{display:flex;align-items:center;gap:12px;margin-bottom:8px}header svg{width:36px;height:36px;flex:none}
h1{font-size:28px;font-weight:600;line-height:1.2;margin:0;flex:1}h2{font-size:16px;font-weight:600;margin:32px 0 8px}
p{margin:0 0 8px;color:var(--soft)}a{color:inherit}.bad{color:var(--bad);margin:4px 0 0}
ul{list-style:none;margin:0;padding:0;display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,320px),1fr));gap:8px}
.who{display:flex;width:100%;min-height:64px;gap:12px;align-items:center;text-align:left;font:inherit;color:inherit;
background:var(--paper);border:1px solid var(--line);border-radius:6px;padding:12px;cursor:pointer}
.who:hover,.who:focus-visible{border-color:var(--accent)}:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
.face{width:36px;height:36px;border-radius:50%;background:var(--accent);color:#1c1b18;font-weight:600;font-size:16px;flex:none;
display:grid;place-items:center}.text{min-width:0;flex:1}.text b{font-weight:600;display:block;overflow-wrap:anywhere}
.text span{color:var(--soft);font-size:12px;overflow-wrap:anywhere}.role{font-size:12px;border:1px solid var(--line);
border-radius:6px;padding:0 8px;line-height:20px;flex:none}
.own{background:var(--paper);border:1px solid var(--line);border-radius:6px;padding:16px;display:grid;gap:12px}
label{display:grid;gap:4px;font-weight:600}input,select{font:inherit;font-weight:400;color:inherit;background:var(--ground);height:36px;
border:1px solid var(--soft);border-radius:6px;padding:0 8px;width:100%}
.go{justify-self:start;font:inherit;font-weight:600;background:var(--accent);color:#1c1b18;border:0;border-radius:6px;
height:36px;padding:0 16px;cursor:pointer}
"""
_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
MARK = (
    '<svg viewBox="0 0 24 24" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="1.2" stroke-linecap="round">'
    '<path d="M12 11V2.5M12 11l4.3-7.4M12 11l7.4-4.2M12 11h8.5M12 11l7.4 4.2M12 11l-4.3-7.4M12 11 4.6 6.8M12 11H3.5M12 11l-7.4'
    ' 4.2M12 11l4.3 7.4M12 11l-4.3 7.4"/><path d="M12 11c.6 4 .4 7.5-.8 11" stroke="#f2b705"/></svg>'
)


def headers(client: Client) -> dict[str, str]:
    """`form-action` names the client's origin too, as a browser holds the answer's redirect against it."""
    return {
        "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; frame-ancestors 'none'; "
        f"form-action 'self' {client.origin}",
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }


def choose(
    words: Mapping[str, str],
    asked: Mapping[str, str],
    latest: Iterable[Person],
    wrong: str = "",
    typed: Mapping[str, str] | None = None,
) -> str:
    """The sign-in page. `asked` is the client's request, which the form sends again; `wrong` names what was refused of
    `typed`."""
    kept = {name: asked[name] for name in ASKED if name in asked}
    hidden = "".join(f'<input type="hidden" name="{name}" value="{escape(value)}">' for name, value in kept.items())
    market = [one for one in STORY if one.tenant != STAFF]
    staff = [one for one in STORY if one.tenant == STAFF]
    people = _people(words, "market", market) + _people(words, "staff", staff) + _people(words, "latest", [*latest])
    other = urlencode({**kept, "ui_locales": words["other_locale"]})
    link = f'<a href="?{escape(other)}" hreflang="{words["other_locale"]}">{words["other"]}</a>'
    said = f'<p class="bad" role="alert">{words[wrong]}</p>' if wrong == "person_unknown" else ""
    first = f'<form method="post" action="/authorize">{hidden}{people}</form>'
    own = f'<form method="post" action="/authorize" class="own">{hidden}{_own(words, wrong, typed or {})}</form>'
    lead = f"<p>{words['lead']}</p>{said}"
    return _page(words, words["title"], f"{lead}{first}<h2>{words['own']}</h2>{own}", link)


def short(words: Mapping[str, str], what: str, client: Client) -> str:
    """A page that says one thing, `stranger` or `out`, and leads to the console."""
    to = escape(client.after_sign_out)
    return _page(words, words[what], f'<p>{words[f"{what}_do"]} <a href="{to}">{to}</a></p>')


def _page(words: Mapping[str, str], title: str, body: str, link: str = "") -> str:
    return (
        f'<!doctype html><html lang="{words["lang"]}"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head>'
        f"<body><main><header>{MARK}<h1>{title}</h1>{link}</header>{body}</main></body></html>"
    )


def _people(words: Mapping[str, str], heading: str, people: list[Person]) -> str:
    cards = "".join(f"<li>{_card(words, one)}</li>" for one in people)
    return f"<h2>{words[heading]}</h2><ul>{cards}</ul>" if people else ""


def _card(words: Mapping[str, str], one: Person) -> str:
    of = "" if one.organisation == one.name else escape(one.organisation)
    roles = ", ".join(words[role] for role in one.roles)
    return (
        f'<button class="who" name="person" value="{escape(one.subject)}"><span class="face" aria-hidden="true">'
        f'{escape(one.name[:1].upper())}</span><span class="text"><b>{escape(one.name)}</b><span>{of}</span></span>'
        f'<span class="role">{roles}</span></button>'
    )


def _own(words: Mapping[str, str], wrong: str, typed: Mapping[str, str]) -> str:
    chosen = typed.get("role", "brand")
    roles = "".join(
        f'<option value="{one}"{" selected" if one == chosen else ""}>{words[one]}</option>' for one in PARTIES
    )
    return (
        f"<p>{words['own_lead']}</p>"
        f'<label>{words["role"]}<select name="role">{roles}</select></label>{_bad(words, wrong, "role")}'
        f"{_field(words, wrong, typed, 'party', 36, ' required')}{_field(words, wrong, typed, 'name', 80, '')}"
        f'<button class="go">{words["go"]}</button>'
    )


def _field(words: Mapping[str, str], wrong: str, typed: Mapping[str, str], name: str, most: int, more: str) -> str:
    hint = escape(words.get(f"{name}_hint", ""))
    bad = _bad(words, wrong, name)
    more += f' aria-invalid="true" aria-describedby="{name}-bad"' if bad else ""
    box = (
        f'<input name="{name}" value="{escape(typed.get(name, ""))}" maxlength="{most}" placeholder="{hint}"'
        f' autocomplete="off" spellcheck="false"{more}>'
    )
    return f"<label>{words[name]}{box}</label>{bad}"


def _bad(words: Mapping[str, str], wrong: str, name: str) -> str:
    return f'<p class="bad" role="alert" id="{name}-bad">{words[wrong]}</p>' if wrong.startswith(f"{name}_") else ""
