"""What the doctor says of files, their modes, and the key."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from examined import ISSUING, config_file, examined, named, only, written


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
