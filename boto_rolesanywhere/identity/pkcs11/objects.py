"""The keys on a token: which private key a URI means, and what its public key is.

Objects are only looked up and read here; nothing is signed, and no PIN is known. All of it runs
within `TokenAccess.run`.
"""

from __future__ import annotations

import re
import struct
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from pkcs11.constants import Attribute, ObjectClass
from pkcs11.exceptions import AttributeSensitive, AttributeTypeInvalid, FunctionFailed
from pkcs11.types import SignMixin

from boto_rolesanywhere.certificates.odd import load_certificate
from boto_rolesanywhere.certificates.reading import readable_public_key
from boto_rolesanywhere.errors import KeyDeviceError

from .errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
    from pkcs11.types import Object, Session

    from .uri import ObjectType, Pkcs11Uri

_CLASSES: Final = {
    "private": ObjectClass.PRIVATE_KEY,
    "cert": ObjectClass.CERTIFICATE,
    "public": ObjectClass.PUBLIC_KEY,
}
# By CKA_EC_PARAMS: the DER of the curve's name (RFC 5480 section 2.1.1.1).
_CURVES: Final[dict[bytes, ec.EllipticCurve]] = {
    bytes.fromhex("06082a8648ce3d030107"): ec.SECP256R1(),
    bytes.fromhex("06052b81040022"): ec.SECP384R1(),
    bytes.fromhex("06052b81040023"): ec.SECP521R1(),
}
_NAME_ONE: Final = "Name one private key by object= (its label) or id= in the URI."
_LISTED: Final = 20  # an HSM may hold thousands


def matching_keys(session: Session, uri: Pkcs11Uri) -> list[Object]:
    """The private keys that `uri` may mean: by themselves, their certificate or public key."""
    named = partial(find_objects, session, label=uri.object, id_=uri.id)
    keys = named("private") if uri.type in (None, "private") else []
    for twin_type in ("cert", "public"):
        if not keys and uri.type in (None, twin_type):
            keys = _keys_of(session, named(twin_type))
    return keys


def uri_of(found: Object, uri: Pkcs11Uri, type_: ObjectType) -> Pkcs11Uri:
    """The URI of this object alone, on the token that `uri` names."""
    label, id_ = read(found, Attribute.LABEL) or None, read(found, Attribute.ID) or None
    return replace(uri, object=label, id=id_, type=type_)


def uris_of_keys(session: Session, uri: Pkcs11Uri) -> list[Pkcs11Uri]:
    """A URI for each private key that `uri` may mean and that may sign."""
    keys = [key for key in matching_keys(session, uri) if isinstance(key, SignMixin)]
    named = [uri_of(key, uri, "private") for key in keys]
    return [each for each in named if each.object or each.id]


def find_private_keys(
    session: Session, uri: Pkcs11Uri, wanted: Sequence[PublicKeyTypes]
) -> list[SignMixin]:
    """The private keys that `uri` means and that may sign; of several those that may be wanted.

    The URI may name the key, its certificate or its public key. For the latter two, the private key
    has the same CKA_ID, else the same label, else the same public key.

    Raises:
        NotFoundError: no key matches. Its error lists what the token holds.
        KeyDeviceError: no matching key may sign.
    """
    keys = matching_keys(session, uri)
    signing = [key for key in keys if isinstance(key, SignMixin)]
    if not keys:
        raise NotFoundError(
            f"no private key on the token matches; {_holdings(session)}",
            code="token-object-missing",
            where=str(uri),
            remedy=_NAME_ONE + _id_in_hexadecimal(uri),
        )
    if not signing:
        raise KeyDeviceError(
            f"the private key may not sign (its CKA_SIGN is false); {_holdings(session)}",
            code="token-key-unusable",
            where=str(uri),
            remedy=_NAME_ONE,
        )
    if len(signing) == 1:
        return signing
    return [key for key in signing if _may_be_one_of(session, key, wanted)] or signing


def _id_in_hexadecimal(uri: Pkcs11Uri) -> str:
    """What to write for id=01, as other tools print it, which are the two bytes 30 and 31."""
    text = (uri.id or b"").decode("latin-1")
    if not re.fullmatch(r"(?:[0-9A-Fa-f]{2})+", text):
        return ""
    written = "".join(f"%{byte:02x}" for byte in bytes.fromhex(text))
    return f" The id that other tools print as {text} is written id={written}."


def several_keys(session: Session, uri: Pkcs11Uri, number: int) -> KeyDeviceError:
    """The error if nothing decides which key is meant."""
    return KeyDeviceError(
        f"{number} private keys on the token match; {_holdings(session)}",
        code="token-ambiguous",
        where=str(uri),
        remedy=_NAME_ONE,
    )


def _may_be_one_of(session: Session, key: Object, wanted: Sequence[PublicKeyTypes]) -> bool:
    return any(public in wanted for public in _possible_public_keys(session, key))


def shows_public_key(session: Session, wanted: Sequence[PublicKeyTypes]) -> bool:
    """Whether a certificate or public key that can be seen has one of these keys."""
    return any(
        _twin_public_key(twin) in wanted
        for type_ in ("public", "cert")
        for twin in find_objects(session, type_)
    )


def find_public_keys(session: Session, private: Object) -> list[PublicKeyTypes]:
    """The public key of `private`; several where the token leaves open which it is, or none.

    It comes from the private key's own attributes if they suffice, else from the public keys and
    certificates with the same CKA_ID or label. Several are possible only for EC, if certificates of
    an earlier key have the same name.
    """
    keys: list[PublicKeyTypes] = []
    for key in _possible_public_keys(session, private):
        if key not in keys:
            keys.append(key)
    return keys


def fitting_keys(private: Object, wanted: Iterable[PublicKeyTypes]) -> list[PublicKeyTypes]:
    """Those of `wanted` that may be the public key of `private`, as far as that can be read."""
    modulus, parameters = read(private, Attribute.MODULUS), read(private, Attribute.EC_PARAMS)
    return [key for key in wanted if may_fit(key, modulus, parameters)]


def no_public_key(uri: Pkcs11Uri) -> KeyDeviceError:
    """The error for a private key whose public key cannot be found."""
    return KeyDeviceError(
        "the private key has no public key that can be used: it is neither RSA nor EC on P-256, "
        "P-384 or P-521, or the token holds neither its public key nor its certificate",
        code="token-key-unusable",
        where=str(uri),
        remedy="Use such a key, and write its public key or certificate to the token under the "
        "same id.",
    )


def read(item: Object, attribute: Attribute) -> Any:  # noqa: ANN401  # python-pkcs11's type
    """An attribute; None where the object has none, or the token gives none that can be read."""
    try:
        return item[attribute]
    except (
        AttributeTypeInvalid,
        AttributeSensitive,
        FunctionFailed,  # python-pkcs11's word for "unavailable"
        ValueError,  # text that is not UTF-8, a vendor's key type
        struct.error,  # a value of another length than the type has
        IndexError,
    ):
        return None


def find_objects(
    session: Session,
    type_: str | None = None,
    *,
    label: str | None = None,
    id_: bytes | None = None,
) -> list[Object]:
    """All objects, or those of a class, with this label and CKA_ID where given."""
    class_ = _CLASSES[type_] if type_ else None
    wanted = {Attribute.CLASS: class_, Attribute.LABEL: label, Attribute.ID: id_}
    template = {name: value for name, value in wanted.items() if value is not None}
    # To the end, always: a search left open would be ended by the garbage collector, outside the
    # lock.
    return list(session.get_objects(template))


def _keys_of(session: Session, twins: Iterable[Object]) -> list[Object]:
    """The private keys of these certificates or public keys, each once."""
    keys: dict[int | None, Object] = {}
    for twin in twins:
        keys.update((key.handle, key) for key in _keys_of_one(session, twin))
    return list(keys.values())


def _keys_of_one(session: Session, twin: Object) -> list[Object]:
    id_, label = read(twin, Attribute.ID), read(twin, Attribute.LABEL)
    keys = find_objects(session, "private", id_=id_) if id_ else []
    if not keys and label:
        keys = find_objects(session, "private", label=label)
    if len(keys) == 1:
        return keys
    public = _twin_public_key(twin)
    return [
        key
        for key in keys or find_objects(session, "private")
        if public is not None and public in _possible_public_keys(session, key)
    ]


def _possible_public_keys(session: Session, private: Object) -> Iterator[PublicKeyTypes]:
    own = _own_public_key(private)
    if own is not None:
        yield own
        return
    modulus, parameters = read(private, Attribute.MODULUS), read(private, Attribute.EC_PARAMS)
    for twin in _twins(session, private):
        key = _twin_public_key(twin)
        if key is not None and may_fit(key, modulus, parameters):
            yield key


def _twins(session: Session, private: Object) -> Iterator[Object]:
    """The public keys and certificates that may be `private`'s, the likeliest first."""
    id_, label = read(private, Attribute.ID), read(private, Attribute.LABEL)
    for type_ in ("public", "cert"):
        if id_:
            yield from find_objects(session, type_, id_=id_)
    for type_ in ("public", "cert"):
        if label:
            yield from find_objects(session, type_, label=label)


def _own_public_key(private: Object) -> PublicKeyTypes | None:
    return rsa_key(
        read(private, Attribute.MODULUS), read(private, Attribute.PUBLIC_EXPONENT)
    ) or ec_key(read(private, Attribute.EC_PARAMS), read(private, Attribute.EC_POINT))


def _twin_public_key(twin: Object) -> PublicKeyTypes | None:
    if read(twin, Attribute.CLASS) == ObjectClass.CERTIFICATE:
        return certificate_key(read(twin, Attribute.VALUE))
    return _own_public_key(twin)


def _holdings(session: Session) -> str:
    kinds = (("private keys", "private"), ("certificates", "cert"))
    listed = (f"{words} {_list(find_objects(session, type_))}" for words, type_ in kinds)
    return f"it holds {' and '.join(listed)}"


def _list(objects: list[Object]) -> str:
    described = [
        f"{read(key, Attribute.LABEL)!r} (id {(read(key, Attribute.ID) or b'').hex() or 'none'})"
        for key in objects[:_LISTED]
    ]
    if len(objects) > _LISTED:
        described.append(f"{len(objects) - _LISTED} more")
    return ", ".join(described) or "(none)"


def rsa_key(modulus: bytes | None, exponent: bytes | None) -> PublicKeyTypes | None:
    """From CKA_MODULUS and CKA_PUBLIC_EXPONENT, both big-endian."""
    if not modulus or not exponent:
        return None
    numbers = rsa.RSAPublicNumbers(int.from_bytes(exponent, "big"), int.from_bytes(modulus, "big"))
    try:
        return numbers.public_key()
    except ValueError:
        return None


def ec_key(parameters: bytes | None, point: bytes | None) -> PublicKeyTypes | None:
    """From CKA_EC_PARAMS and CKA_EC_POINT.

    The point is a DER OCTET STRING (PKCS #11 v2.40, section 2.3.3); some tokens give its content.
    """
    curve = _CURVES.get(parameters or b"")
    if curve is None or not point:
        return None
    size = (curve.key_size + 7) // 8  # of a coordinate
    try:
        # 04 and both coordinates (SEC 1, section 2.3.3), whatever header stands before them.
        return ec.EllipticCurvePublicKey.from_encoded_point(curve, point[-(1 + 2 * size) :])
    except ValueError:
        return None


def certificate_key(value: bytes | None) -> PublicKeyTypes | None:
    """From a certificate's CKA_VALUE, its DER."""
    certificate = certificate_in(value)
    return readable_public_key(certificate) if certificate else None


def certificate_in(value: bytes | None) -> x509.Certificate | None:
    """The certificate in a CKA_VALUE; None if there is none that can be read."""
    try:
        return load_certificate(value) if value else None
    except ValueError:
        return None


def may_fit(key: PublicKeyTypes, modulus: bytes | None, parameters: bytes | None) -> bool:
    """Whether `key` may be the public key of a private key with this modulus or these parameters.

    For RSA that settles it; for EC only the curve is compared.
    """
    if isinstance(key, rsa.RSAPublicKey):
        return parameters is None and (
            modulus is None or key.public_numbers().n == int.from_bytes(modulus, "big")
        )
    if isinstance(key, ec.EllipticCurvePublicKey):
        curve = _CURVES.get(parameters or b"")
        fits = parameters is None or (curve is not None and key.curve.name == curve.name)
        return modulus is None and fits
    return False
