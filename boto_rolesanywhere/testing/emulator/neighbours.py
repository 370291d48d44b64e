"""The services beside the emulator that it asks: AWS Private CA and IAM. For example moto."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from boto_rolesanywhere.errors import ConfigurationError

from .resources import Role

if TYPE_CHECKING:
    from collections.abc import Callable


def private_cas_at(endpoint: str, region: str) -> Callable[[str], str | None]:
    """Asks AWS Private CA at `endpoint` for the certificate of a CA, by its ARN."""
    client = _client("acm-pca", endpoint, region)

    def certificate(arn: str) -> str | None:
        answer = _answer(client.get_certificate_authority_certificate, CertificateAuthorityArn=arn)
        return str(answer["Certificate"]) if answer else None

    return certificate


def roles_at(endpoint: str, region: str) -> Callable[[str], Role | None]:
    """Asks IAM at `endpoint` for a role, by its ARN: its trust policy and its longest session."""
    client = _client("iam", endpoint, region)

    def role(arn: str) -> Role | None:
        answer = _answer(client.get_role, RoleName=arn.rpartition("/")[2])
        found: dict[str, Any] = answer["Role"] if answer else {}
        if found.get("Arn") != arn:  # GetRole goes by the name alone; the path is a part of the ARN
            return None
        return Role(
            arn=arn,
            max_session_duration=found.get("MaxSessionDuration", 3600),
            trust_policy=found["AssumeRolePolicyDocument"],
        )

    return role


def _client(service: Literal["acm-pca", "iam"], endpoint: str, region: str) -> Any:  # noqa: ANN401  # of either service
    import boto3
    from botocore.client import Config

    # The emulator answers nobody meanwhile, so it does not wait for long.
    brief = Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 1})
    try:
        return boto3.client(
            service,
            endpoint_url=endpoint,
            region_name=region,
            aws_access_key_id="emulator",
            aws_secret_access_key="emulator",  # noqa: S106  # of no account
            config=brief,
        )
    except ValueError:
        raise ConfigurationError(
            f"{service} cannot be asked at this address",
            code="emulator-options",
            where=endpoint,
            expected="a URL such as http://127.0.0.1:5000",
        ) from None


def _answer(operation: Callable[..., Any], **parameters: str) -> dict[str, Any] | None:
    """The answer; None if there is none: what is asked for does not exist, or nobody answers."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        answer: dict[str, Any] = operation(**parameters)
    except (BotoCoreError, ClientError):
        return None
    return answer
