"""What discovery is told from outside."""

from pathlib import Path
from typing import Annotated

from pydantic import StringConstraints

from kernel.runtime.settings import Port, Settings
from services.discovery.domain.authenticity.commands import Holds

MailUrl = Annotated[str, StringConstraints(pattern=r"^(smtp|smtps|smtp\+starttls|http|https)://[^\s/]+$")]


class DiscoverySettings(Settings):
    """Ports by default: HTTP 8101, gRPC 9101. Personal data is kept here, so master keys are needed.

    `platform_url`: where profiles of accounts are looked at. `mail_url`: the server that sends letters (`smtps://`,
    `smtp+starttls://`, `smtp://`, or `http://` of the sandbox's mailbox); `mail_from` their sender.
    """

    master_keys_file: Path
    authenticity_holds: Holds = Holds.BOTH
    """What a judgement `fraud` holds from when it is made: nothing, offers, payouts or both."""

    http_port: Port = 8101
    rpc_port: Port = 9101
    platform_url: str = "http://127.0.0.1:8110"
    mail_url: MailUrl = "http://127.0.0.1:8110"
    mail_from: str = "no-reply@example.com"
    mail_password_file: Path | None = None
    search_file: Path | None = None
    """Where a query process keeps its search index, sealed, to start from; None: each start loads the read model."""
