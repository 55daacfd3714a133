"""Letters by SMTP, against a server of the test: taken, refused for good, later; and none without TLS where TLS is asked for."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from kernel.core.faults import Unavailable
from services.discovery.ports.mail import Letter, SmtpMail, message_of

LETTER = Letter("018f", "mei@example.com", "123456 · Dandelion", "123456\n验证码\n")


@asynccontextmanager
async def server(recipient: str) -> AsyncIterator[tuple[int, list[str]]]:
    """An SMTP server that answers RCPT with `recipient`, and what it was sent."""
    heard: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 test\r\n")
        while line := (await reader.readline()).decode().strip():
            heard.append(line)
            verb = line.split(" ")[0].split(":")[0].upper()
            if verb == "DATA":
                writer.write(b"354 go on\r\n")
                heard.append((await reader.readuntil(b"\r\n.\r\n")).decode())
            answer = {"RCPT": recipient, "QUIT": "221 bye"}.get(verb, "250 ok")
            writer.write(f"{answer}\r\n".encode())
            if verb == "QUIT":
                break
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with listening:
        yield listening.sockets[0].getsockname()[1], heard


async def test_a_letter_is_taken_with_its_id_and_its_code() -> None:
    async with server("250 ok") as (port, heard):
        assert await SmtpMail(f"smtp://127.0.0.1:{port}", "no-reply@example.com").send(LETTER) == ""
    data = next(one for one in heard if "Message-ID" in one)
    assert "<018f@dandelion>" in data
    assert "To: mei@example.com" in data


@pytest.mark.parametrize("answer", ["550 no such user", "553 not here"])
async def test_a_refusal_for_good_is_a_verdict(answer: str) -> None:
    async with server(answer) as (port, _):
        assert await SmtpMail(f"smtp://127.0.0.1:{port}", "a@example.com").send(LETTER) == "mail.address_refused"


async def test_a_busy_server_and_none_are_for_later() -> None:
    async with server("450 later") as (port, _):
        with pytest.raises(Unavailable, match=r"mail\.answer"):
            await SmtpMail(f"smtp://127.0.0.1:{port}", "a@example.com").send(LETTER)
    with pytest.raises(Unavailable, match=r"mail\.unreachable"):
        await SmtpMail(f"smtp://127.0.0.1:{port}", "a@example.com").send(LETTER)


async def test_where_tls_is_asked_for_nothing_is_sent_without_it() -> None:
    async with server("250 ok") as (port, heard):
        with pytest.raises(Unavailable, match=r"mail\.unreachable"):
            await SmtpMail(f"smtp+starttls://127.0.0.1:{port}", "a@example.com").send(LETTER)
    assert not [one for one in heard if one.startswith(("MAIL", "RCPT", "AUTH"))]


def test_no_address_adds_a_header() -> None:
    with pytest.raises(ValueError, match=r"[Hh]eader|linefeed"):
        message_of(Letter("1", "a@example.com\r\nBcc: b@example.com", "s", "t"), "x@example.com")
