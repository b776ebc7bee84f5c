"""Certificates, keys and authorities of a configuration: whether they can be used, in the original's words.

Files are read here and handed to the TLS library. What is wrong comes back as text with one sentence a line;
``told`` lays several out as the original does. Where the library is missing, files need only be there.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from evener.haproxy.tls_library import Keeper, Library, Pointer, library
from evener.text.record import dataclass

EXTRA: Final = frozenset({"bundle", "sctl", "ocsp", "issuer", "key"})
"""What is looked for beside a certificate unless ``ssl-load-extra-files`` says otherwise."""
BUNDLE: Final = (".rsa", ".dsa", ".ecdsa")
_BESIDE: Final = (".issuer", ".ocsp", ".sctl", ".key")
_AUTHORITIES: Final = (".pem", ".crt", ".cer", ".crl")
LOCKED: Final = "Trying to load a passphrase-protected private key without an 'ssl-passphrase-cmd' defined."
_PARAMETERS: Final = b"-----BEGIN DH PARAMETERS-----"
_MOST: Final = 64 << 20  #: bytes of one file


@dataclass(frozen=True, slots=True)
class Habits:
    """How certificates are loaded: what the global section says of it."""

    base: str = ""
    extra: frozenset[str] = EXTRA
    without_extension: bool = False
    level: int | None = None
    unlocked: bool = False  #: a command tells passphrases
    weak: bool = False  #: Diffie-Hellman parameters are of 1024 bits by default, which the library refuses


@dataclass(frozen=True, slots=True)
class Finding:
    """``wrong`` are sentences, a line each; ``alone`` is said on a line of its own before them."""

    wrong: str = ""
    alone: str = ""
    warning: bool = False
    listed: bool = False  #: a warning that tells when the certificate comes from a crt-list
    unread: str = ""  #: the file, where it could not even be read


FINE: Final = Finding()


def habits(statements: Sequence[Sequence[str]]) -> Habits:
    """From the lines of the global section."""
    said = {words[0]: words[1:] for words in statements if words}
    files = set(said.get("ssl-load-extra-files", EXTRA))
    extra = EXTRA if "all" in files else EXTRA & files
    level = "".join(said.get("ssl-security-level", ("",)))
    return Habits(
        "".join(said.get("crt-base", ())[:1]),
        frozenset(extra),
        "ssl-load-extra-del-ext" in said,
        int(level) if level in ("0", "1", "2", "3", "4", "5") else None,
        "ssl-passphrase-cmd" in said,
        said.get("tune.ssl.default-dh-param", ())[:1] == ("1024",) and "ssl-dh-param-file" not in said,
    )


def told(wrong: str) -> str:
    """One sentence as it is; several below each other."""
    lines = wrong.rstrip("\n").split("\n")
    return lines[0] if len(lines) == 1 else "".join(f"\n  {line}" for line in lines)


def contents(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read(_MOST)
    except (OSError, ValueError):
        return None


def reason_of(error: OSError | ValueError) -> str:
    return os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)


def is_folder(path: str) -> bool | None:
    """None: there is nothing. Raises nothing."""
    try:
        return stat.S_ISDIR(os.stat(path).st_mode)
    except (OSError, ValueError):
        return None


# -- a certificate with its key ---------------------------------------------------------------------


class Loaded:
    """One certificate: what was read of it. ``wrong`` is empty while all is well."""

    def __init__(self, keeper: Keeper, path: str, customs: Habits) -> None:
        self.keeper, self.path, self.customs = keeper, path, customs
        self.certificate: Pointer | None = None
        self.key: Pointer | None = None
        self.chain: list[Pointer] = []
        self.parameters = False
        self.wrong = self.alone = ""

    @property
    def known(self) -> Library:
        return self.keeper.library

    def locked(self) -> None:
        if not self.customs.unlocked:
            self.alone = LOCKED

    def pem(self) -> bool:
        """The file itself: a certificate, perhaps its key, its chain and parameters."""
        data = contents(self.path)
        if data is None:
            self.wrong += f"cannot open the file '{self.path}'.\n"
            return False
        self.key = self.keeper.key(data, self.locked)
        self.known.ERR_clear_error()
        at = data.find(_PARAMETERS)
        self.parameters = at >= 0 and self.keeper.has_parameters(data[at:])
        self.known.ERR_clear_error()
        found = self.keeper.certificates(data)
        self.certificate = next(found)
        if not self.certificate:
            reason = self.known.first_reason()
            self.wrong += f"unable to load certificate from file '{self.path}': {reason}.\n"
            return False
        self.chain = [certificate for certificate in found if certificate]
        if reason := self.known.chain_error():
            self.wrong += f"unable to load certificate chain from file '{self.path}': {reason}\n"
        return not reason

    def private_key(self, path: str) -> bool:
        """A file that holds the key alone."""
        data = contents(path)
        if data is None:
            return False
        self.known.ERR_clear_error()
        self.key = self.keeper.key(data, self.locked)
        if not self.key:
            self.wrong += f"unable to load private key from file '{path}' ({self.known.last_error()}).\n"
        return bool(self.key)

    def files(self) -> bool:
        """The file and what lies beside it."""
        if not self.pem():
            return False
        stem = self.path
        if self.customs.without_extension and stem.endswith(".crt"):
            stem = stem[: -len(".crt")]
        return self._key_beside(stem) and self.matching() and self._others(stem)

    def _key_beside(self, stem: str) -> bool:
        if self.key:
            return True
        if self.customs.unlocked and not self.alone and "key" not in self.customs.extra:
            return True
        if "key" not in self.customs.extra:
            self.wrong += f"No Private Key found in '{stem}'.\n"
            return False
        path = f"{stem}.key"
        if is_folder(path) is None:
            self.wrong += f"No Private Key found in '{path}'.\n"
            return False
        if not self.private_key(path):
            self.wrong += f" '{path}' is present but cannot be read or parsed'.\n"
            return False
        return True

    def matching(self) -> bool:
        if self.known.X509_check_private_key(self.certificate, self.key):
            return True
        self.wrong += f"inconsistencies between private key and certificate loaded '{self.path}'.\n"
        return False

    def _others(self, stem: str) -> bool:
        extra = self.customs.extra
        if "sctl" in extra and (data := contents(f"{stem}.sctl")) is not None and not is_sctl(data):
            self.wrong += f" '{stem}.sctl.sctl' is present but cannot be read or parsed'.\n"
            return False
        stapled = "ocsp" in extra and contents(f"{stem}.ocsp") is not None
        if stapled and "issuer" in extra and (data := contents(f"{stem}.issuer")) is not None:
            return self.issuer(f"{stem}.issuer", data)
        return True

    def issuer(self, path: str, data: bytes, beside: bool = True) -> bool:
        found = next(self.keeper.certificates(data))
        if not found:
            self.wrong += f"'{path}' cannot be read or parsed'.\n"
        elif beside and self.known.X509_check_issued(found, self.certificate):
            self.wrong += f" '{path}' is not an issuer'.\n"
        else:
            return True
        return False

    def usable(self, server: bool = False) -> bool:
        """Whether connections may be made with it: old and short keys are refused by the library."""
        context = self.keeper.context(self.customs.level)
        self.known.ERR_clear_error()
        where = f"into SSL Context '{self.path}'"
        if self.known.SSL_CTX_use_PrivateKey(context, self.key) <= 0:
            reason = "" if server else f": {self.known.first_reason()}"
            self.wrong += f"unable to load SSL private key {where}{reason}.\n"
            return False
        if not self.known.SSL_CTX_use_certificate(context, self.certificate):
            self.wrong += f"unable to load SSL certificate {where}: {self.known.first_reason()}.\n"
            return False
        if not self.keeper.chained(context, self.chain):
            self.wrong += f"unable to load chain certificate {where}: {self.known.first_reason()}.\n"
            return False
        return True


def is_sctl(data: bytes) -> bool:
    """A list of timestamps begins with its length, and so does each of its entries (RFC 6962)."""
    if len(data) < 4 or int.from_bytes(data[:2], "big") != len(data) - 2:
        return False
    at = 2
    while at < len(data):
        size = int.from_bytes(data[at : at + 2], "big")
        at += 2 + size
        if not size or at > len(data):
            return False
    return True


def certificate(path: str, customs: Habits, server: bool = False) -> Finding:
    """What is wrong with the certificate in a file."""
    known = library()
    if known is None:
        return FINE
    with Keeper(known) as keeper:
        loaded = Loaded(keeper, path, customs)
        if not loaded.files():
            return Finding(loaded.wrong, loaded.alone, unread=path)
        if not loaded.usable(server):
            return Finding(loaded.wrong, loaded.alone)
        if not server and unstapled(loaded):
            text = (
                f" '{path}.ocsp' is present and activates OCSP but it is impossible to compute the OCSP "
                "certificate ID (maybe the issuer could not be found)'.\n"
            )
            return Finding(text, loaded.alone, warning=True)
        if not server and customs.weak and not loaded.parameters:
            text = (
                f"unable to load default 1024 bits DH parameter for certificate '{path}'.\n"
                ", DH ciphers won't be available.\n"
            )
            return Finding(text, loaded.alone, warning=True, listed=True)
        return Finding("", loaded.alone)


def certificate_files(path: str, customs: Habits) -> str:
    """What is wrong with a certificate and its key as files, whoever uses them."""
    known = library()
    if known is None:
        return ""
    with Keeper(known) as keeper:
        loaded = Loaded(keeper, path, customs)
        loaded.files()
        return loaded.wrong


def unstapled(loaded: Loaded) -> bool:
    """An OCSP response is there, and nobody who has issued the certificate."""
    path, extra = loaded.path, loaded.customs.extra
    if "ocsp" not in extra or is_folder(f"{path}.ocsp") is None:
        return False
    if "issuer" in extra and is_folder(f"{path}.issuer") is not None:
        return False
    check = loaded.known.X509_check_issued
    return not any(check(link, loaded.certificate) == 0 for link in loaded.chain)


def of_folder(path: str) -> list[str]:
    """The files of a directory that are taken for certificates, in their order."""
    try:
        names = sorted(os.listdir(path))
    except (OSError, ValueError):
        return []
    path = path.rstrip("/") or "/"
    wanted = (name for name in names if name[:1] != "." and not name.endswith(_BESIDE))
    return [made for name in wanted if is_folder(made := f"{path}/{name}") is False]


def bundle(path: str, customs: Habits) -> list[str]:
    """The certificates of several kinds whose names begin like one that is not there."""
    if "bundle" not in customs.extra:
        return []
    return [path + kind for kind in BUNDLE if is_folder(path + kind) is not None]


# -- parts that are named one by one --------------------------------------------------------------------


def parts(named: Mapping[str, tuple[str, str]], customs: Habits) -> str:
    """What is wrong with a certificate whose parts are named: by word, (name as written, path)."""
    known = library()
    if known is None:
        return ""
    with Keeper(known) as keeper:
        loaded = Loaded(keeper, named["crt"][1], customs)
        for word, (name, path) in named.items():
            if not _part(loaded, word, path):
                return f"{loaded.wrong} '{name}' cannot be read or parsed."
        if not loaded.key:
            key_name = named.get("key", named["crt"])[0]
            return f"Private key missing in '{key_name}'" if "key" in named else ""
        return ""


def _part(loaded: Loaded, word: str, path: str) -> bool:
    if word == "crt":
        return loaded.pem()
    data = contents(path)
    if word == "key":
        return loaded.private_key(path)
    if word == "ocsp":
        if data is None:
            loaded.wrong += "Error opening OCSP response file"
        return data is not None
    if word == "issuer":
        return data is not None and loaded.issuer(path, data, beside=False)
    return data is not None and (word != "sctl" or is_sctl(data))


# -- authorities ------------------------------------------------------------------------------------------


def authority(path: str) -> str:
    """Why a file of authorities or revocations cannot be used; empty when it can."""
    try:
        os.stat(path)
    except (OSError, ValueError) as error:
        return reason_of(error)
    data = contents(path)
    known = library()
    if known is None or data is None:
        return ""
    with Keeper(known) as keeper:
        count = keeper.entries(data)
        if count is None:
            return known.first_reason()
        held = b"CERTIFICATE-----" in data or b"X509 CRL-----" in data
        return "" if count and held else "no certificate or crl found"


def authorities_of_folder(path: str) -> Iterator[tuple[str, str]]:
    """The files of a directory of authorities, each with what is wrong with it."""
    try:
        names = sorted(os.listdir(path))
    except (OSError, ValueError):
        return
    for name in names:
        if name[:1] != "." and name.endswith(_AUTHORITIES):
            yield f"{path}/{name}", authority(f"{path}/{name}")


def parameters(path: str) -> bool:
    """Whether a file holds Diffie-Hellman parameters."""
    data = contents(path)
    known = library()
    if known is None or data is None:
        return data is not None
    with Keeper(known) as keeper:
        return keeper.has_parameters(data)
