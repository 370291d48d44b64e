"""How a TPM is reached, and what is said when it cannot be, or is not itself."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from software_tpm import SoftwareTpm, software_tpm

from boto_rolesanywhere.certificates.public_keys import verify_signature
from boto_rolesanywhere.errors import KeyDeviceError
from boto_rolesanywhere.identity.tpm import open_tpm_key
from boto_rolesanywhere.signing_key import SigningKey

HANDLE = "handle:0x81000101"
NOWHERE = "swtpm:host=127.0.0.1,port=1"


@pytest.fixture(scope="module")
def tpm() -> Iterator[SoftwareTpm]:
    with software_tpm() as tpm:
        tpm.persistent(0x81000101, "ecc256")
        yield tpm


@pytest.fixture(autouse=True)
def no_tcti(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TPM2TOOLS_TCTI", raising=False)


def works(key: SigningKey) -> bool:
    return verify_signature(key.public_key(), key.sign(b"data"), b"data")


def test_the_argument_beats_the_variable(tpm: SoftwareTpm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TPM2TOOLS_TCTI", NOWHERE)
    assert works(open_tpm_key(HANDLE, tcti=tpm.tcti))


def test_the_variable_beats_the_default(tpm: SoftwareTpm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TPM2TOOLS_TCTI", tpm.tcti)
    assert works(open_tpm_key(HANDLE))


@pytest.mark.parametrize("text", ["81000101", "0X0081000101", " 0x81000101"])
def test_a_handle_is_hexadecimal_with_and_without_its_prefix(tpm: SoftwareTpm, text: str) -> None:
    assert works(open_tpm_key(f"handle:{text}", tcti=tpm.tcti))


def test_blanks_around_a_tcti_do_no_harm(tpm: SoftwareTpm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TPM2TOOLS_TCTI", f" {tpm.tcti}\n")
    assert works(open_tpm_key(HANDLE))


def test_the_device_that_the_helper_reads_is_used(
    tpm: SoftwareTpm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TPM_DEVICE", "/dev/tpm7")
    assert "device:/dev/tpm7" in repr(open_tpm_key(tpm.pem("group:P-256")))
    monkeypatch.setenv("TPM2TOOLS_TCTI", tpm.tcti)
    assert works(open_tpm_key(HANDLE))


def test_a_path_is_a_device_or_a_software_tpms_socket(tpm: SoftwareTpm, tmp_path: Path) -> None:
    pem = tpm.pem("group:P-256")
    assert "TPM at device:/dev/tpm7" in repr(open_tpm_key(pem, tcti="/dev/tpm7"))
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "sock"))
        assert f"TPM at swtpm:path={tmp_path}/sock" in repr(
            open_tpm_key(pem, tcti=str(tmp_path / "sock"))
        )


def test_the_default_is_the_kernels_resource_manager(tpm: SoftwareTpm) -> None:
    key = open_tpm_key(tpm.pem("group:P-256"))
    assert repr(key) == "<TpmKey TSS2 PRIVATE KEY (TPM at device:/dev/tpmrm0)>"


@pytest.mark.parametrize(
    ("tcti", "words"),
    [
        (NOWHERE, r"no TPM answers there \(TPM return code 0xa000a\)"),
        ("device:/dev/no-such-tpm", r"no TPM answers there \(TPM return code 0xa000a\)"),
        ("device:/dev/null", r"no TPM answers there \(TPM return code 0xa000a\)"),
        ("no-such-tcti:x", r"no TCTI library of that name \(TPM return code 0xa0015\)"),
        ("swtpm:colour=blue", r"configuration is not understood \(TPM return code 0xa000b\)"),
    ],
)
def test_a_tcti_that_leads_nowhere(tpm: SoftwareTpm, tcti: str, words: str) -> None:
    with pytest.raises(KeyDeviceError, match=words) as caught:
        open_tpm_key(HANDLE, tcti=tcti)
    assert str(caught.value).startswith(f"{HANDLE} (TPM at {tcti}): ")


def test_a_tpm_that_goes_and_comes_back() -> None:
    with software_tpm() as tpm:
        key = open_tpm_key(tpm.persistent(0x81000101, "ecc256"), tcti=tpm.tcti)
        tpm.control("--stop")
        with pytest.raises(KeyDeviceError, match=r"TPM return code 0x"):
            key.sign(b"data")
        tpm.control("-i")
        with pytest.raises(KeyDeviceError, match=r"has not been started.*0x100.*tpm2_startup -c"):
            key.sign(b"data")
        tpm.run("tpm2_startup", "--clear")
        assert works(key)


def test_a_tpm_without_a_free_slot_is_waited_for(tpm: SoftwareTpm) -> None:
    pauses: list[float] = []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 2:
            tpm.flush()

    key = open_tpm_key(tpm.pem("group:P-256"), tcti=tpm.tcti, sleep=sleep)
    tpm.fill()
    assert works(key)
    assert pauses == [0.05, 0.1]


def test_but_not_for_ever(tpm: SoftwareTpm) -> None:
    pauses: list[float] = []
    key = open_tpm_key(tpm.pem("group:P-256"), tcti=tpm.tcti, sleep=pauses.append)
    tpm.fill()
    with pytest.raises(KeyDeviceError, match=r"has no free slot.*0x902.*/dev/tpmrm0"):
        key.sign(b"data")
    assert sum(pauses) == pytest.approx(1.55)
    tpm.flush()
    assert works(key)


def test_nothing_is_left_in_the_tpm_after_failures(tpm: SoftwareTpm) -> None:
    key = open_tpm_key(tpm.pem("group:P-256"), tcti=tpm.tcti)
    foreign = open_tpm_key(tpm.pem("group:P-256", "parent:0x81000001"), tcti=tpm.tcti)
    assert works(key)
    tpm.evict(0x81000001)
    for _ in range(5):
        with pytest.raises(KeyDeviceError):
            foreign.sign(b"data")
    tpm.parent(0x81000001)
    assert works(key)
    assert tpm.occupied_slots() == []


def test_no_connection_stays_open(
    tpm: SoftwareTpm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # This TCTI holds a file open for as long as the connection lives (swtpm's own holds nothing).
    record = tmp_path / "record.pcap"
    monkeypatch.setenv("TCTI_PCAP_FILE", str(record))
    key = open_tpm_key(HANDLE, tcti=f"pcap:{tpm.tcti}")
    assert works(key)
    open_files = [one.readlink() for one in Path("/proc/self/fd").iterdir() if one.is_symlink()]
    assert record.stat().st_size > 0
    assert record not in open_files


def python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_library_is_loaded_when_a_tpm_key_is() -> None:
    code = (
        "import sys, boto_rolesanywhere.identity.tpm;"
        "print([name for name in sys.modules if name.startswith(('tpm2', 'crypto'))])"
    )
    assert python(code).stdout == "[]\n"


FAIL = f"""
from boto_rolesanywhere.errors import KeyDeviceError
from boto_rolesanywhere.identity.tpm import open_tpm_key
try:
    open_tpm_key("{HANDLE}", tcti="{NOWHERE}")
except KeyDeviceError:
    print("refused")
"""


def test_the_library_says_nothing_on_standard_error() -> None:
    done = python(FAIL)
    assert (done.stdout, done.stderr) == ("refused\n", "")


def test_but_it_does_if_asked_to() -> None:
    assert "ERROR:tcti" in python(FAIL, TSS2_LOG="all+error").stderr


def test_without_the_package_the_error_says_how_to_get_it() -> None:
    code = "import sys; sys.modules['tpm2_pytss'] = None\n" + FAIL.replace(
        'print("refused")', "raise"
    )
    said = python(code).stderr.splitlines()[-1]
    assert said == (
        "boto_rolesanywhere.errors.KeyDeviceError: keys in a TPM need the package tpm2-pytss, "
        "which is not installed. Install it: pip install 'boto_rolesanywhere[tpm]'. It is compiled "
        "then; on Debian this needs: apt-get install gcc pkg-config python3-dev libtss2-dev."
    )


def test_a_library_that_cannot_be_loaded_is_told_apart(tmp_path: Path) -> None:
    package = tmp_path / "tpm2_pytss"
    package.mkdir()
    (package / "__init__.py").write_text(
        "raise ImportError('libtss2-esys.so.0: cannot open shared object file')"
    )
    code = FAIL.replace('print("refused")', "raise")
    said = python(code, PYTHONPATH=str(tmp_path)).stderr.splitlines()[-1]
    assert "tpm2-pytss cannot be loaded: libtss2-esys.so.0: cannot open shared" in said
