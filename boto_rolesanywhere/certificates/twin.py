"""Makes of a certificate with slips of encoding one that `cryptography` reads.

Each slip is put right in the twin and named in words; an extension that cannot be put right is left
out of it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from . import der
from .reading import KNOWN_CRITICAL, quietly
from .twin_values import Mender, elements, only, used_bits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import TypeAlias

    from cryptography import x509

    Builder: TypeAlias = Callable[[Sequence[bytes]], x509.Certificate]

_FIELDS: Final = ("serial number", "signature algorithm", "issuer", "validity", "subject", "key")
_VERSION, _EXTENSIONS = 0xA0, 0xA3
_NO_UNUSED_BITS: Final = b"\0"
_READ_VERSIONS: Final = (0, 2)  # X.509 counts from v1 = 0
_BASIC_CONSTRAINTS, _KEY_USAGE, _ALTERNATIVE_NAMES = "2.5.29.19", "2.5.29.15", "2.5.29.17"
_KEY_AGREEMENT: Final = 0x08
_NAMES: Final = {
    "2.5.29.14": "subjectKeyIdentifier",
    _KEY_USAGE: "keyUsage",
    _ALTERNATIVE_NAMES: "subjectAltName",
    "2.5.29.18": "issuerAltName",
    _BASIC_CONSTRAINTS: "basicConstraints",
    "2.5.29.30": "nameConstraints",
    "2.5.29.31": "cRLDistributionPoints",
    "2.5.29.32": "certificatePolicies",
    "2.5.29.35": "authorityKeyIdentifier",
    "2.5.29.37": "extKeyUsage",
    "1.3.6.1.5.5.7.1.1": "authorityInfoAccess",
}
_LIBRARYS_FIELD: Final = re.compile(r"TbsCertificate::(\w+)")  # in its errors
_LIBRARYS_NAMES: Final = {"spki": "key", "signature_alg": "signature algorithm"}


def make(encoded: bytes) -> tuple[bytes, x509.Certificate, tuple[str, ...]]:
    """The twin of the certificate `encoded`.

    Returns:
        The original's part over which the issuer made its signature; the twin; and what is odd,
        each as a clause about the certificate.

    Raises:
        ValueError: its encoding is damaged. The message says in a clause which field is.
    """
    try:
        signed, algorithm, signature = elements(only(encoded).content)
        fields = elements(signed.expect(der.SEQUENCE).content)
        bits = used_bits(only(der.from_ber(signature.raw)).expect(der.BIT_STRING).content)[1:]
    except ValueError:
        raise ValueError("its structure is not that of a certificate") from None
    mender = _TwinMender()
    if any(each.raw != der.sequence(each.content) for each in (only(encoded), signed)):
        mender.note("its structure", "a length that is not in its shortest form")
    right_bits = der.encode(der.BIT_STRING, _NO_UNUSED_BITS + bits)
    if signature.raw != right_bits:
        mender.note("its signature", "bits that are not written as DER asks")
    outside = (mender.field("signature algorithm", algorithm), right_bits)
    version = mender.version(fields)
    inside, extensions = mender.fields(fields[len(version) :])

    def certificate(kept: Sequence[bytes]) -> x509.Certificate:
        holder = [der.encode(_EXTENSIONS, der.sequence(*kept))] if kept else []
        # The library reads no version 3 without extensions.
        form = version if kept else []
        return _load(der.sequence(der.sequence(*form, *inside, *holder), *outside))

    try:
        certificate(())
    except ValueError as error:
        raise ValueError(_damaged(str(error))) from None
    kept = [*mender.extensions(extensions, certificate)]
    return signed.raw, certificate(kept), tuple(mender.slips)


class _TwinMender(Mender):
    """Puts the fields and the extensions of a certificate right."""

    def version(self, fields: Sequence[der.Element]) -> list[bytes]:
        """The version, if the first field is one; empty bytes for the default."""
        if not fields or fields[0].tag != _VERSION:
            return []
        number = only(fields[0].content).expect(der.INTEGER).content
        version = int.from_bytes(number, "big", signed=True)
        if version not in _READ_VERSIONS:
            raise ValueError(f"its version is {version + 1}, and AWS takes version 3 alone")
        right = der.encode(_VERSION, der.encode(der.INTEGER, bytes((version,))))
        if not version or fields[0].raw != right:
            self.note("its version", "a form that DER does not allow")
        return [right if version else b""]

    def fields(self, fields: Sequence[der.Element]) -> tuple[list[bytes], list[der.Element]]:
        """The six fields that every certificate has, put right; and the extensions as they are."""
        if len(fields) < len(_FIELDS):
            raise ValueError("its structure is not that of a certificate: fields are missing")
        rest = [each for each in fields[len(_FIELDS) :] if each.tag == _EXTENSIONS]
        try:
            extensions = [
                each for holder in rest for each in elements(elements(holder.content)[0].content)
            ]
        except (ValueError, IndexError):
            raise ValueError("its extensions are damaged") from None
        return [*map(self.field, _FIELDS, fields)], extensions

    def field(self, name: str, element: der.Element) -> bytes:
        """One of the fields that every certificate has."""
        mend = {
            "signature algorithm": self.algorithm,
            "issuer": self.name,
            "subject": self.name,
            "key": self.public_key,
        }
        try:
            return mend.get(name, self.normal)(f"its {name}", element)
        except (ValueError, IndexError):
            raise ValueError(f"its {name} is damaged") from None

    def extensions(self, found: list[der.Element], certificate: Builder) -> Iterator[bytes]:
        """Those that can be read, put right where they must be."""
        seen = set()
        for extension in found:
            try:
                oid, *critical, value = elements(extension.content)
                name = der.oid(oid)
                octets = only(der.from_ber(value.raw)).expect(der.OCTET_STRING)
            except ValueError:
                raise ValueError("one of its extensions is damaged") from None
            title = f"its extension {_NAMES.get(name, name)}"
            if octets.raw != value.raw or extension.raw != der.sequence(extension.content):
                self.note(title, "a form that DER does not allow")
            if name in seen:
                self.slips.append(f"{title} stands in it twice, and only the first is read")
                continue
            seen.add(name)
            flag = self._critical(title, critical)
            if flag and name not in KNOWN_CRITICAL:
                self.slips.append(f"{title} is critical, and who does not know it must refuse it")
            head = self.normal(title, oid) + flag
            yield from self._value(title, name, head, octets.content, certificate)

    def _critical(self, title: str, critical: list[der.Element]) -> bytes:
        if not critical:
            return b""
        if critical[0].tag != der.BOOLEAN:
            raise ValueError(f"{title} is damaged")
        if not any(critical[0].content):
            self.note(title, "critical FALSE written out, which DER leaves out")
            return b""
        return self.normal(title, critical[0])

    def _value(
        self, title: str, name: str, head: bytes, value: bytes, certificate: Builder
    ) -> Iterator[bytes]:
        def readable(candidate: bytes) -> bytes | None:
            extension = der.sequence(head, der.encode(der.OCTET_STRING, candidate))
            try:
                _ = quietly(lambda: certificate((extension,)).extensions)
            except ValueError:
                return None
            return extension

        if (plain := readable(value)) is not None:
            yield plain
            return
        noted = len(self.slips)
        try:
            mended = readable(self._mended_value(title, name, value, readable))
        except ValueError:
            mended = None
        if mended is not None:
            yield mended
            return
        del self.slips[noted:]
        self.slips.append(f"{title} cannot be read and is passed over here")

    def _mended_value(
        self, title: str, name: str, value: bytes, readable: Callable[[bytes], bytes | None]
    ) -> bytes:
        element = der.read(value, shortest=False)  # OpenSSL passes over bytes behind it
        if len(element.raw) < len(value):
            self.note(title, "something behind its value")
        if name == _BASIC_CONSTRAINTS:
            children = elements(element.content)
            if children and children[0].tag == der.BOOLEAN and not any(children[0].content):
                self.note(title, "CA FALSE written out, which DER leaves out")
                return der.sequence(*(self.normal(title, each) for each in children[1:]))
        if name == _KEY_USAGE:
            content = only(self.normal(title, element)).expect(der.BIT_STRING).content
            self.note(title, "bits that are not written as DER asks")
            # RFC 5280, section 4.2.1.3: the ninth bit, decipherOnly, is for keyAgreement alone.
            agrees = content[1:2] and content[1] & _KEY_AGREEMENT
            right = b"\0" + (content[1:3] if agrees else content[1:2])
            return der.encode(der.BIT_STRING, right)
        if name == _ALTERNATIVE_NAMES:
            entries = [self.general_name(title, each) for each in elements(element.content)]
            kept = [each for each in entries if readable(der.sequence(each))]
            if len(kept) < len(entries):
                self.note(title, "a name of a kind or form that cannot be read")
            return der.sequence(*kept)
        return self.normal(title, element)


def _damaged(reason: str) -> str:
    """The library's reason as a clause."""
    found = _LIBRARYS_FIELD.search(reason)
    if found is None:
        return "one of its fields holds a value of the wrong type"
    field = _LIBRARYS_NAMES.get(found[1], found[1].replace("_", " "))
    return f"its {field} holds a value of the wrong type"


def _load(encoded: bytes) -> x509.Certificate:
    from cryptography import x509

    certificate = quietly(lambda: x509.load_der_x509_certificate(encoded))
    _ = quietly(lambda: (certificate.subject, certificate.issuer))
    return certificate
