"""What a creator may consent to: dated data. A text that changes gets a new version; who agreed to another is asked anew."""

from dataclasses import dataclass
from types import MappingProxyType

from kernel.core.faults import Invalid


@dataclass(frozen=True, slots=True)
class Purpose:
    """`version` is the day from which the texts hold; the texts are what the creator agrees to, word by word."""

    name: str
    version: str
    english: str
    chinese: str


CONTACT_SHOWN = "contact_shown"
_PURPOSES = (
    Purpose(
        CONTACT_SHOWN,
        "2026-12-01",
        "Brands and agencies that are signed in may open my mail address, one person at a time. Each opening says for what,"
        " and I see who opened it and when.",
        "已登录的品牌和代理机构可以逐人查看我的邮箱地址。每次查看都会写明用途，我能看到谁在何时查看过。",
    ),
    Purpose(
        "invitations_by_mail",
        "2026-12-01",
        "The platform may write to my mail address when a brand invites me or an offer is about to expire.",
        "品牌邀请我或报价即将到期时，平台可以给我的邮箱发信。",
    ),
    Purpose(
        "analytics",
        "2026-12-01",
        "The platform may use my figures to train and check its models of reach, matching and authenticity.",
        "平台可以使用我的数据来训练和检验曝光预测、匹配和真实性模型。",
    ),
)
PURPOSES = MappingProxyType({one.name: one for one in _PURPOSES})


def purpose_of(name: str) -> Purpose:
    """Raises Invalid `consent.purpose_unknown`."""
    found = PURPOSES.get(name)
    if found is None:
        raise Invalid("consent.purpose_unknown", field="purpose", known=", ".join(PURPOSES))
    return found
