"""Certificates with slips of encoding, signed over the slip: made by hand, DER by DER."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from boto_rolesanywhere.certificates import der

KEY = ec.generate_private_key(ec.SECP256R1())
CA_KEY = ec.generate_private_key(ec.SECP256R1())
NAME = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "app1")])
BASIC, USAGE, NAMES = "0603551d13", "0603551d0f", "0603551d11"
FALSE, ODD_TRUE = b"\1\1\0", b"\1\1\1"
CA_NAME = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "CA")])


def tlv(tag: int, *parts: bytes) -> bytes:
    return der.encode(tag, b"".join(parts))


def certificate(*, ca: bool = False) -> x509.Certificate:
    now = datetime.now(timezone.utc).replace(microsecond=0)
    usage = dict.fromkeys(
        (
            *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment"),
            *("key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
        ),
        False,
    )
    usage["key_cert_sign" if ca else "digital_signature"] = True
    return (
        x509.CertificateBuilder()
        .subject_name(CA_NAME if ca else NAME)
        .issuer_name(CA_NAME)
        .public_key((CA_KEY if ca else KEY).public_key())
        .serial_number(5)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca, None), critical=True)
        .add_extension(x509.KeyUsage(**usage), critical=True)
        .sign(CA_KEY, SHA256())
    )


PLAIN = certificate()
TBS, ALGORITHM, _ = der.read_only(PLAIN.public_bytes(Encoding.DER)).children()
FIELDS = [field.raw for field in TBS.children()]
(_extensions,) = TBS.children()[-1].children()
BASIC_CONSTRAINTS, KEY_USAGE = (extension.raw for extension in _extensions.children())


def signed(fields: list[bytes], algorithm: bytes = ALGORITHM.raw) -> bytes:
    tbs = tlv(0x30, *fields)
    signature = CA_KEY.sign(tbs, ec.ECDSA(SHA256()))
    return tlv(0x30, tbs, algorithm, tlv(3, b"\0", signature))


def with_field(number: int, value: bytes) -> bytes:
    return signed([*FIELDS[:number], value, *FIELDS[number + 1 :]])


def with_extensions(*extensions: bytes) -> bytes:
    return with_field(7, tlv(0xA3, tlv(0x30, *extensions)))


def extension(oid: str, critical: bytes, value: bytes) -> bytes:
    return tlv(0x30, bytes.fromhex(oid), critical, tlv(4, value))


def subject(tag: int, text: bytes) -> bytes:
    name = tlv(0x30, tlv(0x31, tlv(0x30, bytes.fromhex("0603550403"), tlv(tag, text))))
    return with_field(5, name)


def validity(tag: int, form: str, end: str = "") -> bytes:
    start, until = (PLAIN.not_valid_before_utc, PLAIN.not_valid_after_utc)
    times = (tlv(tag, f"{time:{form}}{end}".encode()) for time in (start, until))
    return with_field(4, tlv(0x30, *times))


_NULL_ALGORITHM = tlv(0x30, bytes.fromhex("06082a8648ce3d0403020500"))
_ODD_ALGORITHM = tlv(0x30, bytes.fromhex("06082a8648ce3d040302020101"))
NAME_DER = FIELDS[5]
EXTENSIONS = (BASIC_CONSTRAINTS, KEY_USAGE)

# Name → the certificate, and how the slip is named.
SLIPS = {
    "critical FALSE": (
        with_extensions(extension(BASIC, FALSE, b"\x30\0"), KEY_USAGE),
        "its extension basicConstraints has critical FALSE written out, which DER leaves out",
    ),
    "critical TRUE as 01": (
        with_extensions(BASIC_CONSTRAINTS, extension(USAGE, ODD_TRUE, bytes.fromhex("03020780"))),
        "its extension keyUsage has a TRUE that is not written as DER asks",
    ),
    "padded serial number": (
        with_field(1, bytes.fromhex("02020005")),
        "its serial number has a number with more octets than it needs",
    ),
    "a time without seconds": (
        validity(0x17, "%y%m%d%H%M", "Z"),
        "its validity has a time that is not written as RFC 5280 asks",
    ),
    "a time with an offset": (
        validity(0x17, "%y%m%d%H%M%S", "+0000"),
        "its validity has a time that is not written as RFC 5280 asks",
    ),
    "a time with a fraction": (
        validity(0x18, "%Y%m%d%H%M%S", ".5Z"),
        "its validity has a time that is not written as RFC 5280 asks",
    ),
    "NULL for ECDSA": (
        signed([*FIELDS[:2], _NULL_ALGORITHM, *FIELDS[3:]], _NULL_ALGORITHM),
        "its signature algorithm has a parameter NULL, where ECDSA has none",
    ),
    "* in a PrintableString": (
        subject(0x13, b"*.example"),
        "its subject has characters that its string type, PrintableString, lacks",
    ),
    "an RDN in another order": (
        with_field(
            5,
            tlv(
                0x30,
                tlv(
                    0x31,
                    tlv(0x30, bytes.fromhex("0603550403"), tlv(0x0C, b"zz")),
                    tlv(0x30, bytes.fromhex("0603550403"), tlv(0x0C, b"a")),
                ),
            ),
        ),
        "its subject has values in another order than DER's",
    ),
}
SLIPS |= {
    "a length in a long form": (
        with_field(5, b"\x30\x82" + len(NAME_DER[2:]).to_bytes(2, "big") + NAME_DER[2:]),
        "its subject has a length that is not in its shortest form",
    ),
    "an indefinite length": (
        with_field(4, b"\x30\x80" + FIELDS[4][2:] + b"\0\0"),
        "its validity has a length that is not in its shortest form",
    ),
    "a number behind ECDSA": (
        signed([*FIELDS[:2], _ODD_ALGORITHM, *FIELDS[3:]], _ODD_ALGORITHM),
        "its signature algorithm has parameters that do not belong to it",
    ),
    "an extension's value in pieces": (
        with_extensions(
            BASIC_CONSTRAINTS,
            tlv(0x30, bytes.fromhex(USAGE), tlv(0x24, tlv(4, b"\3\2"), tlv(4, b"\7\x80"))),
        ),
        "its extension keyUsage has a form that DER does not allow",
    ),
}
# Those that `cryptography` loads, but whose names or extensions it then cannot read.
UNREADABLE = {
    "Latin-1 in a T61String": (
        subject(0x14, "M\xfcller".encode("latin-1")),
        "its subject has Latin-1 in a string type whose characters are others",
    ),
    "CA FALSE": (
        with_extensions(extension(BASIC, b"", bytes.fromhex("3003010100")), KEY_USAGE),
        "its extension basicConstraints has CA FALSE written out, which DER leaves out",
    ),
    "a GraphicString": (
        subject(0x19, b"app1"),
        "its subject has a string type that is not one of names",
    ),
    "a string in pieces": (
        subject(0x2C, tlv(0x0C, b"ap") + tlv(0x0C, b"p1")),
        "its subject has a string in pieces, which DER does not allow",
    ),
    "a SEQUENCE in a name": (
        subject(0x30, tlv(0x0C, b"app1")),
        "its subject has a value that is no text",
    ),
    "an empty part": (
        with_field(5, tlv(0x30, tlv(0x31), NAME_DER[2:])),
        "its subject has a part without a value",
    ),
    "a value twice in one part": (
        with_field(5, tlv(0x30, tlv(0x31, *[NAME_DER[4:]] * 2))),
        "its subject has the same value twice in one part",
    ),
    "decipherOnly alone": (
        with_extensions(BASIC_CONSTRAINTS, extension(USAGE, b"\1\1\xff", b"\3\3\7\x80\x80")),
        "its extension keyUsage has bits that are not written as DER asks",
    ),
    "something behind a value": (
        with_extensions(extension(BASIC, b"", b"\x30\0\0\0"), KEY_USAGE),
        "its extension basicConstraints has something behind its value",
    ),
    "a feature without a name": (
        with_extensions(*EXTENSIONS, extension("06082b06010505070118", b"", b"\x30\3\2\1\x63")),
        "its extension 1.3.6.1.5.5.7.1.24 cannot be read and is passed over here",
    ),
    "an extension twice": (
        with_extensions(*EXTENSIONS, KEY_USAGE),
        "its extension keyUsage stands in it twice, and only the first is read",
    ),
    "an address of 5 bytes": (
        with_extensions(
            *EXTENSIONS, extension(NAMES, b"", tlv(0x30, tlv(0x82, b"a.b"), tlv(0x87, b"12345")))
        ),
        "its extension subjectAltName has a name of a kind or form that cannot be read",
    ),
    "an X.400 address": (
        with_extensions(*EXTENSIONS, extension(NAMES, b"", tlv(0x30, tlv(0xA3, b"")))),
        "its extension subjectAltName has a name of a kind or form that cannot be read",
    ),
}
