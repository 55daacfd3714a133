"""Labels of paid content: which one is due, whether it is there, whether it can be seen.

A label is attached on every advert, so a text without it is not refused in review: the finding says what will be
attached and where, and publication without it is refused (campaigns) and looked for afterwards (live.py).
How a text is read for its label is dandelion_posts.labels; campaigns reads by the same functions.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from dandelion_posts import labels

from services.compliance.domain.findings import Content
from services.compliance.domain.text import Span

ANY = "*"
DISCLOSURE = "disclosure"
"""Kind of evidence: its phrase says what shows the label in place of the text, "platform_toggle" or "overlay"."""
TOGGLE, OVERLAY = "platform_toggle", "overlay"


@dataclass(frozen=True, slots=True)
class Label:
    """The label due for `platform` and `format` ("*" fits all) in a jurisdiction and language, and where it stands.

    `placement`: "title_start", "text_start", "platform_toggle" or "overlay", the words of common.v1.LabelPlacement.
    """

    jurisdiction: str
    language: str
    platform: str
    format: str
    label: str
    placement: str


@dataclass(frozen=True, slots=True)
class LabelLaw:
    """A jurisdiction's labels: what is attached, which wordings suffice, which were judged not enough alone."""

    attach: tuple[Label, ...]
    accepted: tuple[str, ...]
    weak: tuple[str, ...]

    def due(self, content: Content) -> Label:
        """The label with the closest fit; exact platform outweighs exact format. `attach` ends with a label for all."""
        fitting = [label for label in self.attach if _fits(label, content)]
        return max(fitting, key=lambda label: (label.platform != ANY, label.format != ANY))

    def attached(self, content: Content, day: date) -> Label:
        """The label due, where the author says that it will stand, if the law takes it there."""
        due = self.due(content)
        return replace(due, placement=place) if (place := declared(due, content, day)) else due


def declared(due: Label, content: Content, day: date) -> str:
    """The place that the submission declares for its label and that the law takes: the platform's own mark, or an overlay
    where pictures move; "" for none."""
    places = {one.phrase for one in content.evidence if one.holds(DISCLOSURE, day)}
    if TOGGLE in places and labels.toggle(due.label, content.platform, day):
        return TOGGLE
    return OVERLAY if OVERLAY in places and due.placement == OVERLAY else ""


def _fits(label: Label, content: Content) -> bool:
    return label.platform in (ANY, content.platform) and label.format in (ANY, content.format)


def find(wording: str, text: str) -> Span | None:
    """Where `text` first carries the wording as a label, in characters of `text`."""
    mark = labels.find(wording, text)
    return Span(mark.start, mark.end) if mark else None


def shows(wording: str, text: str) -> bool:
    """True when the text carries the wording as a label, at any place."""
    return labels.find(wording, text) is not None


def first_shown(wordings: Iterable[str], texts: Sequence[str]) -> str:
    """The first of the wordings that any of the texts carries, or ""."""
    return next((wording for wording in wordings if any(shows(wording, text) for text in texts)), "")


def leads(wordings: Sequence[str], title: str, text: str) -> bool:
    """True when one of the wordings is seen before the post is opened."""
    return labels.leading(wordings, title) is not None or labels.leading(wordings, text) is not None


def with_label(label: Label, title: str, text: str, day: date) -> tuple[str, str]:
    """Title and text as they are to be published: the label in front, once, unless the platform itself shows it."""
    if label.placement == TOGGLE:
        return title, text
    if label.placement == "title_start":
        return _led(label.label, title, day), text
    return title, _led(label.label, text, day)


def _led(label: str, text: str, day: date) -> str:
    """A bare Latin word takes a colon: "Ad: free shipping" is no "ad free"."""
    front = f"{label}:" if label.isascii() and label[0] != "#" else label
    return text if labels.shown(label, text, day) else f"{front} {text}"


@dataclass(frozen=True, slots=True)
class Shown:
    """What a published post shows: title, text, the platform's own mark, and the words that stand on its picture."""

    title: str
    text: str
    mark: str = ""
    overlay: str = ""


def carries(label: str, shown: Shown, day: date, placement: str = "") -> bool:
    """True when a published post carries its label, in any spelling, in its place, or the platform shows it as its own mark.

    A post that was published under the platform's mark is labelled by that mark alone: "Paid partnership" says less as text.
    """
    spellings = labels.spellings(label, day)
    if any(labels.same(spelling, shown.mark) for spelling in spellings):
        return True
    if placement == TOGGLE:
        return False
    texts = (shown.title, shown.text, shown.overlay)
    return any(labels.shown(label, text, day) for text in texts)
