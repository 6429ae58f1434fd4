"""Who may ask: tokens, the keys of the object store, and what a browser must not do on its own."""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import json
import secrets
import time
from typing import TYPE_CHECKING, Any

from hep_tables_coffea.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Gate", "loopback"]

#: How long an access token is valid [s].
VALID = 3600


def loopback(host: str) -> str:
    """The address to listen on, if it is one of this machine alone.

    Raises `UsageError` for any other: who can reach the endpoint can read files and use processors.
    """
    if host == "localhost":
        return "127.0.0.1"
    try:
        if ipaddress.ip_address(host).is_loopback:
            return host
    except ValueError:
        pass
    msg = f"a local endpoint does not listen on {host!r}: whoever reaches it runs programs and reads files as you"
    raise UsageError(msg, hint="host='127.0.0.1'; for another machine, forward the port with ssh -L")


def is_local_name(host: str) -> bool:
    """Whether the Host header of a request means this machine. A name that a stranger's page resolves to it does not."""
    name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
    try:
        return name == "localhost" or ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False


class Gate:
    """The secrets of one endpoint."""

    def __init__(self, refresh_token: str | None) -> None:
        self.refresh_token = refresh_token
        self.access_key, self.secret_key = secrets.token_hex(16), secrets.token_hex(16)
        self._signing = secrets.token_bytes(32)

    def token(self, now: float | None = None) -> str:
        """A signed access token that says until when it is valid."""
        issued = int(time.time() if now is None else now)
        parts = ({"alg": "HS256", "typ": "JWT"}, {"iat": issued, "exp": issued + VALID, "sub": "local"})
        text = ".".join(_encoded(json.dumps(part).encode()) for part in parts)
        return f"{text}.{self._signature(text)}"

    def refreshes(self, header: str) -> bool:
        """Whether a header carries the refresh token."""
        return hmac.compare_digest(_bearer(header).encode(), (self.refresh_token or "").encode())

    def admits(self, header: str) -> bool:
        """Whether a request with this Authorization header may go on."""
        if self.refresh_token is None:
            return True
        text, _, signature = _bearer(header).rpartition(".")
        if not text or not hmac.compare_digest(signature.encode(), self._signature(text).encode()):
            return False
        claims: dict[str, Any] = json.loads(_decoded(text.partition(".")[2]))
        return bool(claims["exp"] > time.time())

    def has_key(self, header: str, query: Mapping[str, str]) -> bool:
        """Whether a request to the object store was made with the keys that the status of a request gives.

        Nobody else knows the access key, so the signature made with the secret one is not computed again.
        """
        credential = query.get("X-Amz-Credential", "").partition("/")[0] or query.get("AWSAccessKeyId", "")
        return f"={self.access_key}/" in header or hmac.compare_digest(credential.encode(), self.access_key.encode())

    def _signature(self, text: str) -> str:
        return _encoded(hmac.digest(self._signing, text.encode(), hashlib.sha256))


def _bearer(header: str) -> str:
    word, _, token = header.partition(" ")
    return token.strip() if word.lower() == "bearer" else ""


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
