"""The doctor's local checks, on real files: what is said of what is wrong, and what is skipped."""

from __future__ import annotations

import os
from base64 import encodebytes
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from boto_rolesanywhere.doctor import Verdict, examine
from boto_rolesanywhere.testing import CertificateAuthority, IssuedCertificate

ARNS = {
    "anchor": "arn:aws:rolesanywhere:eu-west-1:123456789012:trust-anchor/0aa0",
    "profile": "arn:aws:rolesanywhere:eu-west-1:123456789012:profile/0bb0",
    "role": "arn:aws:iam::123456789012:role/app",
}
ROOT = CertificateAuthority("Root")
ISSUING = ROOT.issue_intermediate("Issuing")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "pki"
    made.mkdir(mode=0o755)
    return made


def written(issued: IssuedCertificate, folder: Path, **options: str) -> dict[str, object]:
    paths = issued.write(folder, **options)
    return {"cert": str(paths.bundle), "key": str(paths.private_key), **ARNS}


def examined(arguments: dict[str, object], **options: str) -> list[Verdict]:
    return list(examine(arguments, offline=True, **options))


def named(verdicts: Iterable[Verdict], name: str) -> list[Verdict]:
    return [one for one in verdicts if one.name == name]


def only(verdicts: Iterable[Verdict], name: str) -> Verdict:
    (one,) = named(verdicts, name)
    return one


def bad(verdicts: Iterable[Verdict]) -> set[tuple[str, str]]:
    return {(one.name, one.status) for one in verdicts if one.status in {"warn", "fail"}}


def config_file(home: Path, text: str) -> Path:
    path = home / ".aws" / "config"
    path.parent.mkdir()
    path.write_text(text)
    return path


class TestConfiguration:
    def test_all_is_well(self, folder: Path) -> None:
        verdicts = examined(written(ISSUING.issue("app"), folder))

        assert bad(verdicts) == set()
        assert [one.name for one in verdicts] == [
            "configuration",
            "arns",
            "settings",
            "file",
            "file",
            "key",
            "chain",
            "trust-anchor",
            "constraints",
            "validity",
            "validity",
            "crl",
        ]
        assert {one.name for one in verdicts if one.status == "skip"} == {"trust-anchor", "crl"}

    def test_each_setting_is_shown_with_the_place_it_came_from(
        self, folder: Path, clean_environment: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        arguments = written(ISSUING.issue("app"), folder)
        file = config_file(
            clean_environment,
            f"[profile onprem]\nrolesanywhere_role_arn = {ARNS['role']}\n"
            f"rolesanywhere_certificate = {arguments['cert']}\n",
        )
        monkeypatch.setenv("AWS_PROFILE", "onprem")
        monkeypatch.setenv("AWS_ROLESANYWHERE_PROFILE_ARN", ARNS["profile"])
        given = {name: arguments[name] for name in ("key", "anchor")}

        found = only(examined(given), "configuration")

        assert found.status == "ok"
        assert f"profile 'onprem' of {file}" in found.text
        assert dict(found.details) == {
            "certificate": f"{arguments['cert']} (from rolesanywhere_certificate of profile"
            " 'onprem')",
            "private key": f"{arguments['key']} (from argument key)",
            "trust anchor ARN": f"{ARNS['anchor']} (from argument anchor)",
            "profile ARN": f"{ARNS['profile']} (from AWS_ROLESANYWHERE_PROFILE_ARN)",
            "role ARN": f"{ARNS['role']} (from rolesanywhere_role_arn of profile 'onprem')",
        }

    def test_what_stands_for_a_variable_may_be_the_secret(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        arguments = written(ISSUING.issue("app"), folder)
        monkeypatch.setenv("AWS_ROLESANYWHERE_PRIVATE_KEY_PASSPHRASE_ENV", "hunter2")

        assert "hunter2" not in str(examined(arguments))

        monkeypatch.setenv("hunter2", "as a name")
        found = only(examined(arguments), "configuration")
        assert dict(found.details)["passphrase variable"].startswith("hunter2 (from ")

    def test_nothing_is_configured(self) -> None:
        verdicts = examined({})

        found = only(verdicts, "configuration")
        assert found.status == "fail"
        assert "nothing is configured for IAM Roles Anywhere" in found.text
        assert "Set rolesanywhere_certificate, rolesanywhere_private_key" in str(found.remedy)
        assert {one.status for one in verdicts[1:]} == {"skip"}

    def test_a_credential_process_is_pointed_out(self, clean_environment: Path) -> None:
        config_file(
            clean_environment,
            "[default]\ncredential_process = boto-rolesanywhere credential-process --x y\n",
        )
        found = only(examined({}), "configuration")
        assert "runs a credential_process: give doctor the flags" in str(found.remedy)

    def test_what_is_missing_is_named_with_its_places(self) -> None:
        found = only(examined({"role": ARNS["role"]}), "configuration")

        assert found.text == "not set: certificate, trust anchor ARN, profile ARN"
        assert "argument cert, AWS_ROLESANYWHERE_CERTIFICATE or" in str(found.remedy)

    def test_unknown_keys_and_variables_are_named_with_what_was_meant(
        self, folder: Path, clean_environment: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        config_file(
            clean_environment,
            "[default]\nregion = eu-west-1\nrolesanywhere_certifcate = x\n"
            "roles_anywhere_role_arn = y\nrolesanywhere_zzzzzzzz = z\n",
        )
        monkeypatch.setenv("AWS_ROLESANYWHERE_PRIVATEKEY", "x")
        monkeypatch.setenv("AWS_ROLESANYWHERE_CACHE_DIR", "/x")

        verdicts = examined(written(ISSUING.issue("app"), folder))

        warned = [one for one in named(verdicts, "configuration") if one.status == "warn"]
        assert [(one.text.split()[0], str(one.remedy).split(",")[0]) for one in warned] == [
            ("rolesanywhere_certifcate", "Did you mean rolesanywhere_certificate?"),
            ("roles_anywhere_role_arn", "Did you mean rolesanywhere_role_arn?"),
            ("rolesanywhere_zzzzzzzz", "There are: rolesanywhere_certificate"),
            (
                "AWS_ROLESANYWHERE_PRIVATEKEY",
                "Did you mean AWS_ROLESANYWHERE_PRIVATE_KEY?",
            ),
        ]

    def test_a_profile_that_is_not_there(self, folder: Path, clean_environment: Path) -> None:
        config_file(clean_environment, "[profile onprem]\nrolesanywhere_role_arn = x\n")

        verdicts = examined(written(ISSUING.issue("app"), folder), profile_name="onpram")

        found = named(verdicts, "configuration")[0]
        assert (found.status, found.remedy) == (
            "fail",
            "Profiles with rolesanywhere_… settings: onprem.",
        )
        assert "no profile 'onpram'" in found.text
        assert only(verdicts, "key").status == "ok"

    def test_a_config_file_that_is_none(self, folder: Path, clean_environment: Path) -> None:
        config_file(clean_environment, "[default\nx")
        verdicts = examined(written(ISSUING.issue("app"), folder))
        assert ("configuration", "fail") in bad(verdicts)

    def test_no_secret_is_in_any_verdict(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        issued = ISSUING.issue("app")
        arguments = written(issued, folder, passphrase="hunter2-passphrase")
        arguments |= {
            "endpoint_url": "https://user:hunter2-password@localhost",
            "passphrase": "hunter2-passphrase",
        }
        pem = issued.private_key_pem.decode()
        monkeypatch.setenv("AWS_ROLESANYWHERE_CERTIFICATE_CHAIN", pem)
        token = {"key": "pkcs11:token=x?pin-value=hunter2-pin&module-path=/none.so"}

        said = str([examined(arguments), examined(arguments | token)])
        short = "-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----\n"
        said += str(examined(arguments | {"chain": short, "key": short}))

        assert "hunter2" not in said
        assert pem.splitlines()[1] not in said
        assert "set, not shown" in said
        assert "no endpoint's URL, or holds a password; not shown" in said


class TestSettings:
    def test_each_wrong_arn_is_said(self, folder: Path) -> None:
        arguments = written(ISSUING.issue("app"), folder) | {
            "anchor": ARNS["profile"],
            "role": "app",
        }
        verdicts = examined(arguments)

        texts = [one.text for one in named(verdicts, "arns")]
        assert len(texts) == 2
        assert "names a 'profile'" in texts[0]
        assert "'app' is not an ARN" in texts[1]
        assert only(verdicts, "settings").status == "skip"
        assert only(verdicts, "key").status == "ok"

    def test_arns_that_do_not_agree(self, folder: Path) -> None:
        other = ARNS["profile"].replace("eu-west-1", "us-east-1")
        verdicts = examined(written(ISSUING.issue("app"), folder) | {"profile": other})
        assert "in Region 'eu-west-1' and the profile in 'us-east-1'" in only(verdicts, "arns").text

    def test_a_role_of_another_account_is_doubted(self, folder: Path) -> None:
        role = ARNS["role"].replace("123456789012", "999999999999")
        verdicts = examined(written(ISSUING.issue("app"), folder) | {"role": role})
        assert bad(verdicts) == {("arns", "warn")}

    @pytest.mark.parametrize(
        ("setting", "value", "words"),
        [
            ("duration", "10", "'10' is not a session duration"),
            ("session_name", "a b", "not a role session name"),
            ("endpoint_url", "ftp://x", "not an HTTP URL"),
            ("region", "us-east-1", "goes to us-east-1, and the trust anchor is in eu-west-1"),
        ],
    )
    def test_a_wrong_option(self, folder: Path, setting: str, value: str, words: str) -> None:
        verdicts = examined(written(ISSUING.issue("app"), folder) | {setting: value})
        assert only(verdicts, "settings").status == "fail"
        assert words in only(verdicts, "settings").text


class TestFiles:
    def test_a_missing_file_and_a_swapped_one(self, folder: Path) -> None:
        arguments = written(ISSUING.issue("app"), folder)
        arguments["key"] = str(folder / "no.pem")
        verdicts = examined(arguments)

        certificate, key = named(verdicts, "file")
        assert certificate.status == "ok"
        assert certificate.text.endswith("client-bundle.pem holds 2 certificates")
        assert key.status == "fail"
        assert "there is no such file" in key.text
        assert key.to_json()["code"] == "file-missing"
        assert certificate.to_json()["code"] is None
        assert only(verdicts, "key").status == "skip"

    def test_a_file_that_is_no_pem(self, folder: Path) -> None:
        (folder / "chain.pem").write_text("hello")
        arguments = written(ISSUING.issue("app"), folder) | {"chain": str(folder / "chain.pem")}
        chain = named(examined(arguments), "file")[2]
        assert (chain.status, "neither PEM nor DER" in chain.text) == ("fail", True)

    @pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
    def test_a_key_that_others_may_touch(self, folder: Path, mode: int) -> None:
        arguments = written(ISSUING.issue("app"), folder)
        Path(str(arguments["key"])).chmod(mode)

        certificate, key = named(examined(arguments), "file")

        assert certificate.status == "ok"
        assert key.status == "warn"
        assert f"(mode {mode:04o})" in key.text
        assert key.remedy == f"Run `chmod 600 {arguments['key']}`."

    @pytest.mark.parametrize(("mode", "status"), [(0o777, "warn"), (0o775, "warn"), (0o755, "ok")])
    def test_a_folder_in_which_others_may_write(self, folder: Path, mode: int, status: str) -> None:
        arguments = written(ISSUING.issue("app"), folder)
        folder.chmod(mode)

        key = named(examined(arguments), "file")[1]

        assert key.status == status
        assert (f"chmod go-w {folder}" in str(key.remedy)) == (status == "warn")

    @pytest.mark.skipif(
        os.name != "posix" or os.geteuid() != 0, reason="only root gives files away"
    )
    def test_a_key_of_another_user(self, folder: Path) -> None:
        arguments = written(ISSUING.issue("app"), folder)
        os.chown(str(arguments["key"]), 54321, -1)
        key = named(examined(arguments), "file")[1]
        assert key.status == "warn"
        assert "belongs to another user (54321)" in key.text

    def test_a_link_is_followed_to_the_file_it_names(self, folder: Path) -> None:
        arguments = written(ISSUING.issue("app"), folder)
        real = Path(str(arguments["key"]))
        real.chmod(0o644)
        link = folder / "link.pem"
        link.symlink_to(real)

        key = named(examined(arguments | {"key": str(link)}), "file")[1]

        assert ("is a link to", str(real)) in key.details
        assert str(key.remedy) == f"Run `chmod 600 {real}`."

    def test_a_passphrase_file(self, folder: Path, clean_environment: Path) -> None:
        secret = folder / "secret"
        secret.write_text("hunter2\n")
        secret.chmod(0o644)
        config_file(
            clean_environment,
            f"[default]\nrolesanywhere_private_key_passphrase_file = {secret}\n",
        )
        arguments = written(ISSUING.issue("app"), folder, passphrase="hunter2")

        verdicts = examined(arguments)
        assert only(verdicts, "key").status == "ok"
        assert f"chmod 600 {secret}" in str(named(verdicts, "file")[2].remedy)

        secret.unlink()
        verdicts = examined(arguments)
        assert "No such file" in named(verdicts, "file")[2].text
        assert only(verdicts, "key").status == "fail"


class TestKey:
    def test_a_key_of_another_certificate(self, folder: Path) -> None:
        verdicts = examined(written(ISSUING.issue("app", flaws=("wrong-key",)), folder))
        assert "does not belong to the certificate" in only(verdicts, "key").text
        assert {one.name for one in verdicts if one.status == "skip"} >= {
            "chain",
            "constraints",
            "validity",
        }

    def test_a_missing_and_a_wrong_passphrase(self, folder: Path) -> None:
        arguments = written(ISSUING.issue("app"), folder, passphrase="right")
        for secret in ({}, {"passphrase": "wrong"}):
            found = only(examined(arguments | secret), "key")
            assert found.status == "fail"
            assert "passphrase" in found.text
        found = only(examined(arguments | {"passphrase": "right"}), "key")
        assert found.text == "EC P-256, belongs to CN=app, and its signature verifies"

    def test_a_key_that_signs_wrongly(self, folder: Path) -> None:
        issued = ISSUING.issue("app")

        class Liar:
            def public_key(self) -> object:
                return issued.certificate.public_key()

            def sign(self, data: bytes) -> bytes:
                return data[:1] * 70

        arguments = written(issued, folder) | {"key": Liar()}
        assert "does not verify with its certificate" in only(examined(arguments), "key").text

    def test_a_key_that_the_caller_made_is_the_callers_to_close(self, folder: Path) -> None:
        issued = ISSUING.issue("app")

        class Own:
            closed = 0

            def public_key(self) -> object:
                return issued.certificate.public_key()

            def sign(self, data: bytes) -> bytes:
                from boto_rolesanywhere.identity.files.software_key import SoftwareKey

                return SoftwareKey(issued.private_key).sign(data)

            def close(self) -> None:
                self.closed += 1

        own = Own()
        assert only(examined(written(issued, folder) | {"key": own}), "key").status == "ok"
        assert own.closed == 0


class TestChain:
    def test_what_is_sent_and_what_is_left_out(self, folder: Path) -> None:
        issued = ISSUING.issue("app")
        stranger = CertificateAuthority("Other").issue_intermediate("Stranger")
        bundle = folder / "chain.pem"
        bundle.write_bytes(
            ROOT.certificate_pem + stranger.certificate_pem + ISSUING.certificate_pem
        )
        arguments = written(issued, folder) | {"chain": str(bundle)}

        found = only(examined(arguments), "chain")

        assert found.status == "warn"
        assert "CN=Stranger is not part of the chain and is not sent" in found.text
        assert found.details == (
            ("sent 1", "CN=Issuing"),
            ("left out", "CN=Root (self-signed: AWS has its own copy)"),
        )

    def test_a_trust_anchor_that_aws_would_not_take(self, folder: Path) -> None:
        tomorrow = datetime.now(timezone.utc) + timedelta(days=1)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Poor")])
        key = ec.generate_private_key(ec.SECP256R1())
        poor = (
            x509.CertificateBuilder(name, name, key.public_key(), 1)
            .not_valid_before(tomorrow)
            .not_valid_after(tomorrow + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, SHA256())
        )
        anchor = folder / "anchor.pem"
        weak = ROOT.issue_intermediate("Weak", flaws=("sha1",)).certificate_pem
        anchor.write_bytes(poor.public_bytes(Encoding.PEM) + weak)
        arguments = written(ISSUING.issue("app"), folder)

        found = only(examined(arguments, trust_anchor_certificate=str(anchor)), "trust-anchor")

        assert found.status == "fail"
        assert "CN=Poor may not sign certificates (keyUsage lacks keyCertSign)" in found.text
        assert "CN=Weak was signed with SHA-1" in found.text
        assert "CN=Weak may not" not in found.text
        assert f"CN=Poor is valid from {tomorrow:%Y-%m-%d} on" in found.text

    def test_an_end_entity_that_issued_another(self, folder: Path) -> None:
        first = ISSUING.issue("first")
        own = CertificateAuthority.from_pem(
            first.certificate_pem + ISSUING.certificate_pem, first.private_key_pem
        )

        found = only(examined(written(own.issue("second"), folder)), "chain")

        assert found.status == "fail"
        assert "CN=first is not a CA" in found.text

    def test_an_issuer_that_cannot_be_read(self, folder: Path) -> None:
        issued = ISSUING.issue("app")
        broken = issued.certificate.public_bytes(Encoding.DER).replace(b"Issuing", b"\xff" * 7)
        pem = encodebytes(broken).decode()
        (folder / "odd.pem").write_text(
            f"-----BEGIN CERTIFICATE-----\n{pem}-----END CERTIFICATE-----\n"
            + issued.private_key_pem.decode()
        )

        found = only(examined({**ARNS, "cert": str(folder / "odd.pem")}), "chain")

        assert "the issuer, CN=\xff\xff\xff" in found.text

    def test_a_chain_that_is_too_long(self, folder: Path) -> None:
        authority = ROOT
        for number in range(6):
            authority = authority.issue_intermediate(f"Level {number}")
        verdicts = examined(written(authority.issue("app"), folder))
        assert "has 6 intermediates" in only(verdicts, "chain").text

    @pytest.mark.parametrize("authority", [ROOT, ISSUING])
    def test_it_ends_at_the_trust_anchor(
        self, folder: Path, authority: CertificateAuthority
    ) -> None:
        anchor, _ = authority.write(folder)
        found = only(
            examined(written(ISSUING.issue("app"), folder), trust_anchor_certificate=str(anchor)),
            "trust-anchor",
        )
        assert found.status == "ok"
        assert found.text.startswith("the chain ends at CN=")

    def test_it_ends_somewhere_else(self, folder: Path) -> None:
        anchor, _ = CertificateAuthority("Other").write(folder)
        found = only(
            examined(written(ISSUING.issue("app"), folder), trust_anchor_certificate=str(anchor)),
            "trust-anchor",
        )
        assert found.status == "fail"
        assert (
            "the chain does not end at the trust anchor: CN=Issuing was issued by CN=Root"
            in found.text
        )

    def test_a_ca_of_the_same_name_with_another_key(self, folder: Path) -> None:
        anchor, _ = CertificateAuthority("Root").write(folder)
        found = only(
            examined(written(ISSUING.issue("app"), folder), trust_anchor_certificate=str(anchor)),
            "trust-anchor",
        )
        assert "names the trust anchor as its issuer, but another key signed it" in found.text

    def test_an_anchor_that_can_be_none(self, folder: Path) -> None:
        arguments = written(ROOT.issue("app"), folder)
        past = datetime.now(timezone.utc) - timedelta(days=10)
        old = CertificateAuthority("Old", not_before=past - timedelta(days=9), not_after=past)
        bundle = folder / "anchors.pem"
        bundle.write_bytes(
            old.certificate_pem + ROOT.issue("leaf").certificate_pem + ROOT.certificate_pem
        )
        found = only(examined(arguments, trust_anchor_certificate=str(bundle)), "trust-anchor")
        assert found.status == "fail"
        assert f"CN=Old expired on {past:%Y-%m-%d}" in found.text
        assert "CN=leaf is not a CA certificate" in found.text
        assert "it holds 3 certificates" in found.text

    def test_an_anchor_file_without_a_certificate(self, folder: Path) -> None:
        arguments = written(ROOT.issue("app"), folder)
        key = str(arguments["key"])
        found = only(examined(arguments, trust_anchor_certificate=key), "trust-anchor")
        assert "it holds 1 private key and no certificate" in found.text

    def test_an_anchor_file_that_is_not_there(self, folder: Path) -> None:
        arguments = written(ROOT.issue("app"), folder)
        given = str(folder / "none.pem")
        found = only(examined(arguments, trust_anchor_certificate=given), "trust-anchor")
        assert f"{given}: there is no such file; expected the trust anchor" in found.text


class TestCertificate:
    @pytest.mark.parametrize(
        ("flaw", "words"),
        [
            ("ca", "it is a CA's"),
            ("no-digital-signature", "lacks digitalSignature"),
            ("no-key-usage", "has no keyUsage"),
            ("sha1", "signed it with SHA-1"),
            ("v1", "X.509 v1"),
            ("empty-subject", "its subject is empty"),
        ],
    )
    def test_what_aws_would_refuse(self, folder: Path, flaw: str, words: str) -> None:
        verdicts = examined(written(ROOT.issue("app", flaws=(flaw,)), folder))
        found = named(verdicts, "constraints")
        assert {one.status for one in found} == {"fail"}
        assert any(words in one.text for one in found)
        assert only(verdicts, "key").status == "ok"

    def test_an_expired_certificate_is_a_matter_of_validity_alone(self, folder: Path) -> None:
        verdicts = examined(written(ROOT.issue("app", flaws=("expired",)), folder))
        assert bad(verdicts) == {("validity", "fail")}
        assert "it expired 1 day ago" in only(verdicts, "validity").text

    def test_a_certificate_of_the_future(self, folder: Path) -> None:
        verdicts = examined(written(ROOT.issue("app", flaws=("not-yet-valid",)), folder))
        assert bad(verdicts) == {("validity", "fail")}
        assert "is not valid for another" in only(verdicts, "validity").text

    def test_an_expired_intermediate(self, folder: Path) -> None:
        old = ROOT.issue_intermediate("Old", flaws=("expired",))
        found = named(examined(written(old.issue("app"), folder)), "validity")
        assert [one.status for one in found] == ["ok", "fail"]
        assert found[1].text.startswith("CN=Old: until")

    @pytest.mark.parametrize(
        ("life", "left", "status"),
        [
            (timedelta(days=365), timedelta(days=31), "ok"),
            (timedelta(days=365), timedelta(days=29), "warn"),
            (timedelta(days=30), timedelta(days=11), "ok"),
            (timedelta(days=30), timedelta(days=9), "warn"),
            (timedelta(hours=24), timedelta(hours=9), "ok"),
            (timedelta(hours=24), timedelta(hours=7), "warn"),
        ],
    )
    def test_it_warns_ahead_of_the_end(
        self, folder: Path, life: timedelta, left: timedelta, status: str
    ) -> None:
        end = datetime.now(timezone.utc) + left
        issued = ROOT.issue("app", not_before=end - life, not_after=end)
        assert only(examined(written(issued, folder)), "validity").status == status


class TestRevocation:
    def test_a_list_of_an_unknown_version(self, folder: Path) -> None:
        listed = x509.load_pem_x509_crl(ISSUING.crl((4711,))).public_bytes(Encoding.DER)
        version = listed.index(b"\x02\x01\x01")  # the first INTEGER: v2
        broken = listed[: version + 2] + b"\x05" + listed[version + 3 :]
        found = self.checked(ISSUING.issue("app"), folder, broken)
        assert found.status == "fail"
        assert "it is not a certificate revocation list" in found.text

    def test_a_list_of_tomorrow(self, folder: Path) -> None:
        tomorrow = datetime.now(timezone.utc) + timedelta(days=1)
        crl = ISSUING.crl((4711,), last_update=tomorrow)
        found = self.checked(ISSUING.issue("app"), folder, crl)
        assert found.status == "warn"
        assert f"it is of {tomorrow:%Y-%m-%d}, which is still to come" in found.text

    def checked(
        self, issued: IssuedCertificate, folder: Path, crl: bytes, **options: str
    ) -> Verdict:
        (folder / "list").write_bytes(crl)
        arguments = written(issued, folder)
        return only(examined(arguments, crl=str(folder / "list"), **options), "crl")

    def test_a_list_that_is_not_there(self, folder: Path) -> None:
        arguments = written(ISSUING.issue("app"), folder)
        found = only(examined(arguments, crl=str(folder / "none")), "crl")
        assert "there is no such file; expected the revocation list" in found.text

    def test_a_certificate_that_is_not_in_it(self, folder: Path) -> None:
        found = self.checked(ISSUING.issue("app"), folder, ISSUING.crl((4711,)))
        assert found.status == "ok"
        assert found.text == "CN=Issuing, 1 entry, the certificate is not among them"

    def test_a_revoked_certificate(self, folder: Path) -> None:
        issued = ISSUING.issue("app")
        found = self.checked(issued, folder, ISSUING.crl((issued,)))
        assert found.status == "fail"
        assert "CN=app was revoked on" in found.text
        assert f"{issued.serial_number:x}" in found.text

    def test_a_revoked_intermediate(self, folder: Path) -> None:
        anchor, _ = ROOT.write(folder)
        crl = ROOT.crl((ISSUING.certificate,))
        issued = ISSUING.issue("app")
        found = self.checked(issued, folder, crl, trust_anchor_certificate=str(anchor))
        assert "CN=Issuing was revoked on" in found.text

    def test_the_serial_number_in_another_cas_list_means_nothing(self, folder: Path) -> None:
        issued = ISSUING.issue("app")
        crl = CertificateAuthority("Other").crl((issued,))
        found = self.checked(issued, folder, crl)
        assert found.status == "warn"
        assert "issued none of the certificates" in found.text

    def test_an_expired_list(self, folder: Path) -> None:
        now = datetime.now(timezone.utc)
        crl = ISSUING.crl(
            (1,), last_update=now - timedelta(days=9), next_update=now - timedelta(days=2)
        )
        found = self.checked(ISSUING.issue("app"), folder, crl)
        assert found.status == "warn"
        assert f"a newer one was due on {now - timedelta(days=2):%Y-%m-%d}" in found.text

    def test_an_empty_list(self, folder: Path) -> None:
        found = self.checked(ISSUING.issue("app"), folder, ISSUING.crl())
        assert found.status == "warn"
        assert "AWS refuses to import an empty list" in found.text

    def test_der(self, folder: Path) -> None:
        der = x509.load_pem_x509_crl(ISSUING.crl((1,))).public_bytes(Encoding.DER)
        found = self.checked(ISSUING.issue("app"), folder, der)
        assert (found.status, "it is DER, and ImportCrl takes PEM" in found.text) == ("warn", True)
        assert "openssl crl -inform DER" in str(found.remedy)

    def test_a_list_signed_by_another_key(self, folder: Path) -> None:
        found = self.checked(
            ISSUING.issue("app"), folder, CertificateAuthority("Issuing").crl((1,))
        )
        assert found.status == "warn"
        assert "its signature does not verify" in found.text

    def test_a_list_whose_issuer_is_not_at_hand(self, folder: Path) -> None:
        found = self.checked(ROOT.issue("app"), folder, ROOT.crl((1,)))
        assert found.status == "warn"
        assert "its issuer's certificate is not here" in found.text

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (b"hello", "it is not a certificate revocation list"),
            (ROOT.certificate_pem, "it holds 0 blocks 'X509 CRL'"),
            (ROOT.crl((1,)) * 2, "it holds 2 blocks 'X509 CRL'"),
            (b"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n", "it is not a cert"),
            (b"-----BEGIN X509 CRL-----\nAAAA\n", "cut short"),
            (b"", "it is empty"),
        ],
    )
    def test_what_is_no_list(self, folder: Path, content: bytes, words: str) -> None:
        found = self.checked(ROOT.issue("app"), folder, content)
        assert found.status == "fail"
        assert words in found.text
