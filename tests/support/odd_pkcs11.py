"""A PKCS#11 library for tests that is SoftHSM, but for what SoftHSM never says of its tokens."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from soft_token import PIN, SOFTHSM

OPEN, PAD = "open-", "pad-"
"""How the labels begin of tokens that want no login, and of those with keys to type the PIN on."""

# In CK_TOKEN_INFO the label comes first, and `flags` follows 96 bytes of text; C_GetTokenInfo is
# the seventh function, C_Login the nineteenth (PKCS #11 v2.40, sections 3.2 and 3.6). Of the flags,
# 4 is LOGIN_REQUIRED, 0x100 PROTECTED_AUTHENTICATION_PATH, 0x10000 USER_PIN_COUNT_LOW and 0x20000
# USER_PIN_FINAL_TRY.
SOURCE = """
#include <dlfcn.h>
#include <string.h>
struct functions { unsigned char version[2]; void *function[68]; };
static struct functions odd;
static unsigned long (*plain_token_info)(unsigned long, unsigned char *);
static unsigned long (*plain_login)(unsigned long, unsigned long, char *, unsigned long);
static unsigned long token_info(unsigned long slot, unsigned char *info) {
    unsigned long answer = plain_token_info(slot, info), *flags = (unsigned long *)(info + 96);
    if (answer) return answer;
    if (*flags & 0x10000) *flags |= 0x20000;
    if (!memcmp(info, "open-", 5)) *flags &= ~4UL;
    if (!memcmp(info, "pad-", 4)) *flags |= 0x100;
    return 0;
}
static unsigned long login(unsigned long session, unsigned long user, char *pin, unsigned long n) {
    return pin ? plain_login(session, user, pin, n) : plain_login(session, user, PIN, strlen(PIN));
}
unsigned long C_GetFunctionList(struct functions **list) {
    void *library = dlopen(SOFTHSM, RTLD_NOW);
    unsigned long (*get)(struct functions **) = dlsym(library, "C_GetFunctionList");
    struct functions *plain;
    unsigned long answer = get(&plain);
    memcpy(&odd, plain, sizeof odd);
    plain_token_info = odd.function[6];
    odd.function[6] = token_info;
    plain_login = odd.function[18];
    odd.function[18] = login;
    *list = &odd;
    return answer;
}
"""


def odd_library(folder: Path) -> str:
    """Compile it there; its path.

    Its tokens say after the first wrong PIN that the next one would be the last.
    """
    if not shutil.which("gcc"):
        (pytest.fail if os.environ.get("CI") else pytest.skip)("not installed: gcc")
    library = folder / "libodd.so"
    texts = (f'-DSOFTHSM="{SOFTHSM}"', f'-DPIN="{PIN}"')
    subprocess.run(
        ["gcc", "-shared", "-fPIC", *texts, "-xc", "-", "-o", library],
        input=SOURCE.encode(),
        check=True,
    )
    return str(library)
