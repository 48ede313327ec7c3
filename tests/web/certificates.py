"""A certificate authority of our own, and files with what it has signed."""

import ssl
from pathlib import Path
from typing import NamedTuple

import trustme


class Files(NamedTuple):
    """PEM files, as the settings want them."""

    chain: Path
    key: Path

    @property
    def settings(self) -> dict[str, object]:
        return {"tls-certificate": self.chain, "tls-key": self.key}


class Authority:
    """Signs certificates for loopback."""

    def __init__(self, folder: Path) -> None:
        self.cafile = folder / "ca.pem"
        self._ca = trustme.CA()
        self._ca.cert_pem.write_to_path(self.cafile)

    def sign(self, folder: Path, *names: str) -> Files:
        """Write a new certificate and its key, over those that may be there."""
        certificate = self._ca.issue_cert(*(names or ("localhost", "127.0.0.1")))
        files = Files(folder / "server.pem", folder / "server.key")
        files.chain.write_bytes(b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
        certificate.private_key_pem.write_to_path(files.key)
        return files

    def context(self) -> ssl.SSLContext:
        """A peer that trusts this authority alone."""
        return ssl.create_default_context(cafile=str(self.cafile))
