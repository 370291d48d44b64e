"""What was read of an identity's sources: when it is the same, and that it shows no secret."""

from __future__ import annotations

from pathlib import Path

from opened import NOW, signs

from boto_rolesanywhere.identity.material import read_sources
from boto_rolesanywhere.identity.opening import build_identity
from boto_rolesanywhere.settings.sources import IdentitySources


def test_material_is_equal_as_long_as_no_byte_changes(paths: IdentitySources) -> None:
    first = read_sources(paths)
    certificate, key = Path(str(paths.certificate)), Path(str(paths.private_key))
    certificate.write_bytes(certificate.read_bytes())
    key.chmod(0o644)
    assert read_sources(paths) == first
    assert hash(read_sources(paths)) == hash(first)
    key.write_bytes(key.read_bytes() + b"\n")
    assert read_sources(paths) != first


def test_an_identity_is_built_of_what_was_read_not_of_what_is_there_now(
    paths: IdentitySources,
) -> None:
    material = read_sources(paths)
    Path(str(paths.private_key)).unlink()
    assert signs(build_identity(material, paths, now=NOW))


def test_material_does_not_show_what_it_holds(paths: IdentitySources) -> None:
    assert repr(read_sources(paths)) == (
        f"<Material from {paths.certificate}, {paths.private_key}>"
    )
    uri = "pkcs11:token=t;object=o?pin-value=2468"
    shown = repr(read_sources(IdentitySources(certificate=uri)))
    assert shown == "<Material from the PKCS#11 token>"
    key = Path(str(paths.private_key)).read_bytes()
    material = read_sources(IdentitySources(certificate=key, private_key=key))
    assert "PRIVATE KEY" not in f"{material!r} {material.certificate!r} {material.private_key!r}"
