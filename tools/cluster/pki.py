"""Certificates and keys of the cluster, good for a month, and the kubeconfig files that hold them."""

import datetime
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tools.cluster.place import API, API_SERVICE, FOLDER, NODE, NODE_ADDRESS, kubeconfig

VALID = datetime.timedelta(days=30)
PKI = FOLDER / "pki"
USERS = {
    "admin": ("admin", "system:masters"),
    "controller-manager": ("system:kube-controller-manager", "system:kube-controller-manager"),
    "scheduler": ("system:kube-scheduler", "system:kube-scheduler"),
    "kubelet": (f"system:node:{NODE}", "system:nodes"),
    "proxy": ("system:kube-proxy", "system:node-proxier"),
}
"""Who speaks with the API: (user, group) by the name of the file."""
SERVED = {
    "apiserver": ("kubernetes", "kubernetes.default", "kubernetes.default.svc", "localhost",
                  "127.0.0.1", NODE_ADDRESS, API_SERVICE),
    "kubelet": (NODE, NODE_ADDRESS),
}  # fmt: skip
"""Names and addresses that a server's certificate is good for."""


@dataclass(frozen=True, slots=True)
class Authority:
    """Signs everything of one cluster."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @classmethod
    def new(cls) -> "Authority":
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name("kubernetes", "dandelion")
        built = _builder(name, name, key).add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        return cls(key, built.sign(key, hashes.SHA256()))

    def issue(self, user: str, group: str, served: Sequence[str]) -> tuple[bytes, bytes]:
        """(certificate, key) in PEM, for a client and, with names or addresses, for a server."""
        key = ec.generate_private_key(ec.SECP256R1())
        uses = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH])
        built = _builder(_name(user, group), self.certificate.subject, key).add_extension(uses, critical=False)
        if served:
            built = built.add_extension(x509.SubjectAlternativeName([_alternative(one) for one in served]), False)
        return pem(built.sign(self.key, hashes.SHA256())), _private(key)


def make() -> None:
    """Everything into the folder, anew."""
    PKI.mkdir(mode=0o700)
    authority = Authority.new()
    _write(PKI / "ca.crt", pem(authority.certificate))
    _write(PKI / "ca.key", _private(authority.key))
    for name, (user, group) in {**USERS, "apiserver": ("kube-apiserver", "kubernetes")}.items():
        certificate, key = authority.issue(user, group, SERVED.get(name, ()))
        _write(PKI / f"{name}.crt", certificate)
        _write(PKI / f"{name}.key", key)
    accounts = ec.generate_private_key(ec.SECP256R1())
    _write(PKI / "accounts.key", _private(accounts))
    _write(PKI / "accounts.pub", accounts.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo))  # fmt: skip
    for name in USERS:
        _write(kubeconfig(name), yaml.safe_dump(_kubeconfig(name)).encode())


def pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    plain = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, plain)


def _name(user: str, group: str) -> x509.Name:
    attributes = (NameOID.ORGANIZATION_NAME, group), (NameOID.COMMON_NAME, user)
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in attributes])


def _alternative(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    made = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
    made = made.serial_number(x509.random_serial_number())
    # an hour back, as clocks of node and caller may differ
    return made.not_valid_before(now - datetime.timedelta(hours=1)).not_valid_after(now + VALID)


def _kubeconfig(name: str) -> dict[str, object]:
    cluster = {"server": API, "certificate-authority": str(PKI / "ca.crt")}
    user = {"client-certificate": str(PKI / f"{name}.crt"), "client-key": str(PKI / f"{name}.key")}
    context = {"cluster": NODE, "user": name}
    return {
        "apiVersion": "v1", "kind": "Config", "current-context": NODE,
        "clusters": [{"name": NODE, "cluster": cluster}],
        "users": [{"name": name, "user": user}],
        "contexts": [{"name": NODE, "context": context}],
    }  # fmt: skip


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    path.chmod(0o600)
