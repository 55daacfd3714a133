"""Letters to creators, by SMTP or into the sandbox's mailbox. A letter is sent, refused for good (a code), or later."""

import asyncio
import smtplib
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Protocol
from urllib.parse import SplitResult, urlsplit

import httpx

from kernel.core.faults import Unavailable

TIMEOUT_S = 8.0
"""Of a step; a letter takes some of them, and the effect's own limit is above."""
PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
REFUSED = "mail.address_refused"


@dataclass(frozen=True, slots=True)
class Letter:
    """One letter to one address; `id` is the same for each try, so that a mailbox shows it once."""

    id: str
    to: str = field(repr=False)
    subject: str
    text: str = field(repr=False)


class Mail(Protocol):
    """Sends letters."""

    async def send(self, letter: Letter) -> str:
        """ "" once the server took the letter, or the code of a refusal for good; raises Unavailable for later."""
        ...


@dataclass(frozen=True, slots=True)
class SmtpMail:
    """By SMTP in a thread: `smtps://` speaks TLS from the first byte, `smtp+starttls://` refuses to go on without it,
    `smtp://` is for a server of this machine. Certificates are verified.

    A user in the address signs in with the password of the file, which is read for each letter.
    """

    url: str
    sender: str
    password_file: Path | None = None
    trusted: ssl.SSLContext | None = None

    async def send(self, letter: Letter) -> str:
        try:
            return await asyncio.to_thread(self._send, letter)
        except smtplib.SMTPRecipientsRefused as error:
            return _final(max(code for code, _ in error.recipients.values()))
        except smtplib.SMTPDataError as error:
            return _final(error.smtp_code)
        except (OSError, smtplib.SMTPException) as error:
            raise Unavailable("mail.unreachable", why=type(error).__name__) from error

    def _send(self, letter: Letter) -> str:
        at = urlsplit(self.url)
        with self._connected(at) as server:
            if at.username:
                server.login(at.username, self.password_file.read_text().strip() if self.password_file else "")
            server.send_message(message_of(letter, self.sender))
        return ""

    def _connected(self, at: SplitResult) -> smtplib.SMTP:
        host, port = at.hostname or "", at.port or PORTS[at.scheme]
        context = self.trusted or ssl.create_default_context()
        if at.scheme == "smtps":
            return smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_S, context=context)
        server = smtplib.SMTP(host, port, timeout=TIMEOUT_S)
        if at.scheme == "smtp+starttls":
            try:
                server.starttls(context=context)
            except BaseException:
                server.close()
                raise
        return server


def _final(code: int) -> str:
    """RFC 5321: 5yz is a refusal for good, 4yz one for now."""
    if code >= 500:
        return REFUSED
    raise Unavailable("mail.answer", status=code)


def message_of(letter: Letter, sender: str) -> EmailMessage:
    """Raises ValueError for an address or a subject that would add a header."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, letter.to, letter.subject
    message["Message-ID"] = f"<{letter.id}@dandelion>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text)
    return message


class SandboxMail:
    """Into the sandbox's mailbox: `PUT <url>/mailbox/letters/{id}`; 4xx is a refusal for good."""

    def __init__(self, url: str, client: httpx.AsyncClient | None = None) -> None:
        self._client = client or httpx.AsyncClient(base_url=url, timeout=TIMEOUT_S, follow_redirects=False)

    async def send(self, letter: Letter) -> str:
        body = {"to": letter.to, "subject": letter.subject, "text": letter.text}
        try:
            answer = await self._client.put(f"/mailbox/letters/{letter.id}", json=body)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unavailable("mail.unreachable", why=type(error).__name__) from error
        if answer.status_code >= 500 or answer.status_code == 429:
            raise Unavailable("mail.answer", status=answer.status_code)
        return "" if answer.is_success else REFUSED


def mail_of(url: str, sender: str, password_file: Path | None) -> Mail:
    """By the scheme of the address."""
    return SandboxMail(url) if url.startswith("http") else SmtpMail(url, sender, password_file)
