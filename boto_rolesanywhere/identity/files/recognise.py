"""Tells from its shape what a structure of DER or BER is.

The names are those of PEM labels (RFC 7468), so that DER and PEM go one way from here. Nothing is
decoded beyond what tells one kind from another. `foreign` names what is no DER.
"""

from __future__ import annotations

from functools import partial

from boto_rolesanywhere.certificates import der

from .pem import Block

PKCS12 = "PKCS12"  # has no PEM label
UNKNOWN = "UNKNOWN"
_OPENSSH_MAGIC = b"openssh-key-v1\0"
_BLANK = b"\0\t\n\r "
_SIGNED_DATA = "1.2.840.113549.1.7.2"
_PKCS7_ARC = "1.2.840.113549.1.7."
_TCG_KEY_ARC = "2.23.133.10.1."
# Programs also write BER: the lengths of it may be longer than DER allows, or indefinite.
_read = partial(der.read, shortest=False)
_elements = partial(der.split, shortest=False)
_OTHER_SHAPES = ("PGP ", "PARAMETERS", "ATTRIBUTE")  # parts of labels
_PIECES = der.OCTET_STRING | der.CONSTRUCTED
_TIMES = {0x17, 0x18}  # UTCTime, GeneralizedTime: only a CRL has them in the open


def recognise(data: bytes) -> tuple[Block, ...]:
    """The structures in `data` that are DER or BER, one after the other; none if it is neither.

    Blanks and NULs around them are passed over, and what comes after the last is, as OpenSSL and
    Java do, unless it looks like one that was cut short.
    """
    blocks: list[Block] = []
    at = _past_blanks(data, 0)
    try:
        while at < len(data) and data[at] == der.SEQUENCE:
            element = _read(data, at)
            blocks.append(Block(_label(element), element.raw))
            at = _past_blanks(data, at + len(element.raw))
    except der.DerError:
        return ()
    is_known = any(block.label != UNKNOWN for block in blocks)
    return tuple(blocks) if at == len(data) or is_known else ()


def by_content(block: Block) -> Block:
    """The block under the label that its content has, whatever stands in its BEGIN line.

    Programs write an encrypted key under PRIVATE KEY and PKCS #7 under CERTIFICATE.
    """
    # Encrypted as a whole, so nothing can be recognised; or what has the shape of something else.
    if block.headers or any(part in block.label for part in _OTHER_SHAPES):
        return block
    if block.der.startswith(_OPENSSH_MAGIC):
        return block._replace(label="OPENSSH PRIVATE KEY")
    found = recognise(block.der)
    return block._replace(label=found[0].label) if found and found[0].label != UNKNOWN else block


def _past_blanks(data: bytes, at: int) -> int:
    while at < len(data) and data[at] in _BLANK:
        at += 1
    return at


def _label(element: der.Element) -> str:
    try:
        fields = _elements(element.content)
        # BER may cut a string into pieces.
        tags = [der.OCTET_STRING if field.tag == _PIECES else field.tag for field in fields]
        if tags[0] == der.INTEGER:
            return _with_version(fields, tags)
        if tags[0] == der.OID:
            return _with_name(der.oid(fields[0]))
        if tags[:2] == [der.SEQUENCE, der.OCTET_STRING]:
            return "ENCRYPTED PRIVATE KEY"
        if tags == [der.SEQUENCE, der.BIT_STRING]:
            return "PUBLIC KEY"
        if tags == [der.SEQUENCE, der.SEQUENCE, der.BIT_STRING]:
            return _signed(_elements(fields[0].content))
    except (der.DerError, IndexError):
        pass
    return UNKNOWN


def _with_version(fields: tuple[der.Element, ...], tags: list[int]) -> str:
    if tags[1] == der.OCTET_STRING:
        return "EC PRIVATE KEY"
    if tags[1] == der.INTEGER:
        return {2: "RSA PUBLIC KEY", 6: "DSA PRIVATE KEY"}.get(len(tags), "RSA PRIVATE KEY")
    if tags[1:3] == [der.SEQUENCE, der.OCTET_STRING]:
        return "PRIVATE KEY"
    if tags[1] == der.SEQUENCE and der.oid(_elements(fields[1].content)[0]).startswith(_PKCS7_ARC):
        return PKCS12
    return UNKNOWN


def _with_name(name: str) -> str:
    if name == _SIGNED_DATA:
        return "PKCS7"
    return "TSS2 PRIVATE KEY" if name.startswith(_TCG_KEY_ARC) else UNKNOWN


def _signed(inner: tuple[der.Element, ...]) -> str:
    tags = [field.tag for field in inner]
    if _TIMES & set(tags):
        return "X509 CRL"
    # version, subject, key, attributes; a certificate has at least six fields.
    return "CERTIFICATE REQUEST" if len(tags) <= 4 else "CERTIFICATE"  # noqa: PLR2004  # see above
