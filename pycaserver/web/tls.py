"""Certificate: what https and wss are served with."""

from ssl import OP_NO_RENEGOTIATION, PROTOCOL_TLS_SERVER, SSLContext, SSLError, TLSVersion
from typing import NamedTuple


class Certificate(NamedTuple):
    """Two PEM files: the certificate with its chain, and its key."""

    chain: str
    key: str

    def context(self) -> SSLContext:
        """TLS 1.2 and later with this certificate; OSError with a sentence if it cannot be used."""
        for setting, file in (("server.tls_certificate", self.chain), ("server.tls_key", self.key)):
            _check_readable(setting, file)
        context = SSLContext(PROTOCOL_TLS_SERVER)
        context.minimum_version = TLSVersion.TLSv1_2
        context.options |= OP_NO_RENEGOTIATION  # a peer could make us work as often as it likes
        context.set_alpn_protocols(["http/1.1"])
        try:
            context.load_cert_chain(self.chain, self.key, password=_refuse_password)
        except SSLError as error:
            why = (error.reason or "no certificate and key in PEM").lower().replace("_", " ")
            raise OSError(f"server.tls_certificate {self.chain} with server.tls_key {self.key}: {why}") from None
        return context


def _check_readable(setting: str, file: str) -> None:
    """OpenSSL would not say which of the files it could not read."""
    try:
        with open(file, "rb"):
            pass
    except OSError as error:
        raise OSError(f"{setting} {file!r}: {error.strerror}") from None


def _refuse_password() -> str:
    """OpenSSL would ask at the terminal, and wait."""
    raise OSError("server.tls_key: the key has a password; there is nobody to ask")
