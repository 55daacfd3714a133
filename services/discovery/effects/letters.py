"""Sends codes to addresses."""

from typing import Any

from kernel.core.clock import system_clock
from kernel.core.events import Delivered
from kernel.core.ids import derived_id, split_stream
from kernel.host.app import App
from kernel.processors.processes import Effect
from services.discovery.domain.contact.contact import RecordUndelivered
from services.discovery.domain.contact.events import MailCodeAsked
from services.discovery.effects.told import meta, opened
from services.discovery.ports.mail import Letter, Mail


def sending_codes(app: App, mail: Mail) -> Effect:
    """A code that has run out, or was erased, is not sent."""

    async def perform(incoming: Delivered[Any]) -> None:
        asked: MailCodeAsked = incoming.event
        creator_id = split_stream(incoming.stream)[1]
        (address, code), _ = await opened(app, creator_id, "address", "address_code")
        if not address or not code or system_clock() >= asked.expires_at:
            return
        refused = await mail.send(_letter(derived_id("letter", incoming.id), address, code))
        if refused:
            command = RecordUndelivered(asked.code_revision, refused)
            await app.writer.execute(incoming.stream, command, meta(incoming, "undelivered"))

    return Effect("send-codes", (MailCodeAsked,), perform)


def _letter(letter_id: str, address: str, code: str) -> Letter:
    """In both languages: a letter is read wherever it arrives."""
    text = (
        f"{code}\n\nType this code on your contact page within 30 minutes. If you did not ask for it, do nothing.\n"
        f"请在 30 分钟内在您的联系方式页面输入此验证码。如果不是您本人操作，请忽略此邮件。\n"
    )
    return Letter(letter_id, address, f"{code} · Dandelion", text)
