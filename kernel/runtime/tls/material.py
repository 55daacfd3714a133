"""TLS of the edges: certificate, key and the clients' authority, from files that are read again when they change.

A new connection meets what the files held when it began; open connections go on. Files that do not fit each other, as in the
middle of a rotation, leave those of before in use.
"""

import logging
import ssl
import threading
from dataclasses import dataclass
from pathlib import Path

from kernel.core.faults import Internal
from kernel.runtime import telemetry

logger = logging.getLogger(__name__)
Stamp = tuple[tuple[int, int, int], ...]


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Files in PEM: the certificate with its chain, its key, and the authority whose certificates clients must have.

    Without `client_ca` a client needs no certificate."""

    certificate: Path
    key: Path
    client_ca: Path | None = None

    def stamp(self) -> Stamp:
        """What changes with any of the files: inode, time and size, also behind the links of a mounted Secret."""
        found = [file.stat() for file in (self.certificate, self.key, self.client_ca) if file is not None]
        return tuple((one.st_ino, one.st_mtime_ns, one.st_size) for one in found)


@dataclass(frozen=True, slots=True)
class Material:
    """What the files held at one moment, and the TLS context made of it."""

    stamp: Stamp
    certificate: bytes
    key: bytes
    client_ca: bytes | None
    context: ssl.SSLContext


class EdgeTls:
    """TLS of one process's edges. Both edges share it; gRPC asks from threads of its own."""

    def __init__(self, files: TlsFiles) -> None:
        """Raises Internal `tls.unreadable` for files that are missing, or that do not fit each other."""
        self._files, self._lock = files, threading.Lock()
        self._refused: Stamp = ()
        try:
            self._material = _read(files)
        except (OSError, ValueError) as error:
            raise Internal("tls.unreadable", certificate=str(files.certificate), why=type(error).__name__) from error

    @property
    def asks_clients(self) -> bool:
        """Whether a client needs a certificate."""
        return self._files.client_ca is not None

    def material(self) -> Material:
        """What the files hold now; what they held before, where they cannot be read or do not fit each other."""
        with self._lock:
            try:
                stamp = self._files.stamp()
                if stamp not in (self._material.stamp, self._refused):
                    self._material = _read(self._files)
                    logger.info("certificate of the edges read again")
            except (OSError, ValueError) as error:
                self._refuse(error)
            return self._material

    def _refuse(self, error: Exception) -> None:
        telemetry.count("tls_reloads_refused_total")
        logger.error("certificate of the edges not read again: the one of before stays in use", exc_info=error)
        try:
            self._refused = self._files.stamp()
        except OSError:  # a file is away for a moment: the next connection looks again
            self._refused = ()


def _read(files: TlsFiles) -> Material:
    """Raises OSError (ssl.SSLError is one) or ValueError."""
    stamp = files.stamp()
    client_ca = files.client_ca.read_bytes() if files.client_ca else None
    made = Material(
        stamp, files.certificate.read_bytes(), files.key.read_bytes(), client_ca, _context(files, client_ca)
    )
    if files.stamp() != stamp:
        raise ValueError("the files changed while they were read")
    return made


def _context(files: TlsFiles, client_ca: bytes | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
    context.set_alpn_protocols(["http/1.1"])
    context.load_cert_chain(files.certificate, files.key)
    if client_ca is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=client_ca.decode("ascii"))
    return context
