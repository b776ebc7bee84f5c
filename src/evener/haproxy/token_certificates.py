"""Certificates with whose keys web tokens are verified and opened: what ``crt-store`` sections have loaded.

Decides under which name a certificate is found, and whether it may be used (its ``jwt`` option). Files are
read when the configuration is: later they may be out of reach.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from evener.text.record import dataclass

if TYPE_CHECKING:
    from evener.haproxy.jwk import ContentKey
    from evener.haproxy.libcrypto import PrivateKey, PublicKey

_LONGEST: Final = 1 << 20


@dataclass(slots=True)
class TokenCertificate:
    """``usable``: its ``jwt`` option is on."""

    usable: bool
    public: PublicKey | None
    private: PrivateKey | None

    @property
    def opening(self) -> ContentKey | None:
        """What finds the keys of contents with the private key."""
        from evener.haproxy.jwk import opening_elliptic, opening_rsa

        if self.private is None:
            return None
        return opening_elliptic(self.private) if self.private.is_ec else opening_rsa(self.private)


_certificates: dict[bytes, TokenCertificate] = {}


def keep(name: str, certificate: str, key: str, usable: bool) -> None:
    """Load one, by the files of its certificate and its key."""
    from evener.haproxy.libcrypto import private_pem, public_key

    text = _contents(certificate)
    public = public_key(text, certificate=True)
    private = private_pem(_contents(key) if key else text)
    _certificates[name.encode("utf-8", "surrogateescape")] = TokenCertificate(usable, public, private)


def _contents(path: str) -> bytes:
    try:
        with open(path, "rb") as opened:
            return opened.read(_LONGEST)
    except (OSError, ValueError):
        return b""


def certificate_of(name: bytes) -> TokenCertificate | None:
    return _certificates.get(name)


def permit(name: bytes, usable: bool) -> bool:
    """Switch the option of one that is loaded; False: there is none."""
    found = _certificates.get(name)
    if found is not None:
        found.usable = usable
    return found is not None


def usable_names() -> list[str]:
    """In the order of their bytes."""
    names = sorted(name for name, one in _certificates.items() if one.usable)
    return [name.decode("utf-8", "surrogateescape") for name in names]


def forget() -> None:
    """Another configuration is read."""
    _certificates.clear()
