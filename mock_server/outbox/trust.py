"""Whose certificates are trusted where webhooks go to https."""

from __future__ import annotations

import ssl


class Trust:
    """The system's authorities, or those of SSL_CERT_FILE or SSL_CERT_DIR; and those of a file."""

    def __init__(self, authorities: str = "", *, insecure: bool = False) -> None:
        """`authorities` is a PEM file; `insecure` takes any certificate.

        ValueError, in one line, where the file cannot be read or has no certificates.
        """
        self._authorities = authorities
        self._insecure = insecure
        if authorities:
            _add(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), authorities)

    def context(self) -> ssl.SSLContext:
        """A new context; OSError where what the environment names cannot be read."""
        import httpx2  # with the first webhook to https

        context = httpx2.create_ssl_context(verify=not self._insecure)
        if self._authorities and not self._insecure:
            _add(context, self._authorities)
        return context


def _add(context: ssl.SSLContext, file: str) -> None:
    try:
        context.load_verify_locations(file)
    except ssl.SSLError:
        raise ValueError(f"webhook_ca: {file} has no certificates in PEM form") from None
    except OSError as error:
        raise ValueError(f"webhook_ca: cannot read {file}: {error.strerror}") from None
