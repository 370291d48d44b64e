"""Calls of the emulator's control plane by boto3's own client, and how they are refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.client import Config
from botocore.exceptions import ClientError

from boto_rolesanywhere.testing import CertificateAuthority, Emulator

ROLE = "arn:aws:iam::123456789012:role/app1"


Administrator = Any


def client(emulator: Emulator, secret: str = "any", **options: object) -> Administrator:
    return boto3.client(
        "rolesanywhere",
        endpoint_url=emulator.endpoint_url,
        region_name=emulator.region,
        aws_access_key_id="AKIDADMIN",
        aws_secret_access_key=secret,
        config=Config(retries={"total_max_attempts": 1}, **options),
    )


def bundle(ca: CertificateAuthority) -> dict[str, object]:
    data = {"x509CertificateData": ca.certificate_pem.decode()}
    return {"sourceType": "CERTIFICATE_BUNDLE", "sourceData": data}


def refusal(call: Callable[..., object], **parameters: object) -> tuple[int, str]:
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    answer = caught.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"]


INVALID, MISSING = (400, "ValidationException"), (404, "ResourceNotFoundException")


NOBODY = "01234567-89ab-cdef-0123-456789abcdef"
