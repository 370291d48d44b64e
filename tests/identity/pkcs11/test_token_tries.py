"""Of the few tries that a token allows, a service that starts again and again leaves the last."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from forked import in_child
from soft_token import PIN, SOFTHSM, SoftToken, soft_token

from boto_rolesanywhere.errors import PassphraseError
from boto_rolesanywhere.identity.pkcs11 import open_token_key
from boto_rolesanywhere.settings.sources import Secret

BY_THE_TOKEN = "the token refused the PIN"
KEPT_BACK = "the token refused the last PIN, and locks itself at one more wrong one"

# SoftHSM locks no PIN. This library is SoftHSM, but says after the first wrong PIN that the next
# one would be the last: of CK_TOKEN_INFO, `flags` follows 96 bytes of text; of the functions,
# C_GetTokenInfo is the seventh (PKCS #11 v2.40, sections 3.2 and 3.6).
STRICT = """
#include <dlfcn.h>
#include <string.h>
struct functions { unsigned char version[2]; void *function[68]; };
static struct functions strict;
static unsigned long (*lenient_token_info)(unsigned long, unsigned char *);
static unsigned long token_info(unsigned long slot, unsigned char *info) {
    unsigned long answer = lenient_token_info(slot, info), *flags = (unsigned long *)(info + 96);
    if (answer == 0 && *flags & 0x10000) *flags |= 0x20000;
    return answer;
}
unsigned long C_GetFunctionList(struct functions **list) {
    void *library = dlopen(SOFTHSM, RTLD_NOW);
    unsigned long (*get)(struct functions **) = dlsym(library, "C_GetFunctionList");
    struct functions *lenient;
    unsigned long answer = get(&lenient);
    memcpy(&strict, lenient, sizeof strict);
    lenient_token_info = strict.function[6];
    strict.function[6] = token_info;
    *list = &strict;
    return answer;
}
"""


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> str:
    if not shutil.which("gcc"):
        (pytest.fail if os.environ.get("CI") else pytest.skip)("not installed: gcc")
    library = tmp_path_factory.mktemp("strict") / "libstrict.so"
    subprocess.run(
        ["gcc", "-shared", "-fPIC", f'-DSOFTHSM="{SOFTHSM}"', "-xc", "-", "-o", library],
        input=STRICT.encode(),
        check=True,
    )
    return str(library)


@pytest.fixture
def token() -> Iterator[SoftToken]:
    with soft_token() as made:
        key = ec.generate_private_key(ec.SECP256R1())
        made.add_key(key, label="app", id_="01")
        made.add_public_key(key.public_key(), label="app", id_="01")
        yield made


@pytest.fixture
def marks(clean_environment: Path) -> Path:
    return clean_environment / ".cache" / "boto_rolesanywhere"


def signs(token: SoftToken, module: str, pin: str) -> bool:
    """Whether a new process can sign."""
    return in_child(lambda: _outcome(token, module, pin) is None)


def refused(token: SoftToken, module: str, pin: str, words: str) -> bool:
    """Whether a new process cannot, for a reason with these words."""
    return in_child(lambda: words in str(_outcome(token, module, pin)))


def _outcome(token: SoftToken, module: str, pin: str) -> PassphraseError | None:
    try:
        open_token_key(f"{token.uri};object=app", module=module, secret=Secret(pin)).sign(b"data")
    except PassphraseError as error:
        return error
    return None


def test_the_last_try_is_kept_back_after_a_wrong_pin(
    token: SoftToken, strict: str, marks: Path
) -> None:
    assert refused(token, strict, "9999", BY_THE_TOKEN)
    for pin in ("9999", PIN):
        assert refused(token, strict, pin, KEPT_BACK)

    (mark,) = marks.iterdir()
    assert refused(token, strict, PIN, f"remove {mark}")
    mark.unlink()
    assert signs(token, strict, PIN)


def test_a_login_from_elsewhere_ends_it(token: SoftToken, strict: str) -> None:
    assert refused(token, strict, "9999", BY_THE_TOKEN)
    token.give_right_pin()

    assert signs(token, strict, PIN)


def test_another_programs_wrong_pin_holds_nobody_up(token: SoftToken, strict: str) -> None:
    token.tool("--list-objects", pin="9999", ok=False)
    assert token.wrong_pin_was_tried()

    assert signs(token, strict, PIN)


def test_a_right_pin_is_remembered_after_a_wrong_one(
    token: SoftToken, strict: str, marks: Path
) -> None:
    assert refused(token, SOFTHSM, "9999", BY_THE_TOKEN)
    assert signs(token, SOFTHSM, PIN)
    token.tool("--list-objects", pin="9999", ok=False)

    assert signs(token, strict, PIN)
    (mark,) = marks.iterdir()
    assert mark.read_bytes() == b"boto_rolesanywhere tries 1 password taken\n"


def test_processes_that_start_at_once_try_a_wrong_pin_once(token: SoftToken, strict: str) -> None:
    children = []
    for _ in range(4):
        child = os.fork()
        if child == 0:
            code = 1
            try:
                message = str(_outcome(token, strict, "9999"))
                code = 3 if KEPT_BACK in message else 4 if BY_THE_TOKEN in message else 5
            finally:
                os._exit(code)
        children.append(child)

    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    assert sorted(codes) == [3, 3, 3, 4]


def test_a_right_pin_leaves_nothing_behind(token: SoftToken, marks: Path) -> None:
    assert signs(token, SOFTHSM, PIN)

    assert list(marks.iterdir()) == []
