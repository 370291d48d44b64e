"""The page on CI runners: a certificate for the runner, and its workflows, run on this machine."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import sys
from collections.abc import Iterator
from typing import Final

import boto3
import pytest
from boto3.resources.base import ServiceResource
from installed import AWS_CLI, NODE_MODULES, PROGRAMS, require
from pages import Reader, blocks, text_of

PAGE: Final = "ci-runners.md"
PAGE_OF_THE_SITE: Final = b"<p>It was built."


@pytest.fixture
def runner(reader: Reader, moto_url: str) -> Reader:
    """A runner with what the page gives it, and with a project in a folder of it."""
    pki = reader.folder / "etc" / "pki"
    pki.mkdir(parents=True)
    request, issue, configure = blocks(PAGE, "runner")
    reader.type(request.replace("/etc/pki", str(pki)))
    shutil.copy(pki / "runner-1.csr", reader.folder)
    reader.type(f'boto-rolesanywhere ca init --name "CI CA"\n{issue}')
    shutil.copy(reader.folder / "runner-1.pem", pki)
    reader.type(configure.replace("/etc/pki", str(pki)))
    shutil.copy(reader.folder / ".boto-rolesanywhere" / "ca" / "trust-anchor.pem", reader.folder)
    reader.trust("trust-anchor.pem")
    (profile,) = (block for block in blocks(PAGE) if "[profile ci]" in block)
    reader.type(profile)

    require((AWS_CLI / "bin" / "aws").exists(), "the AWS CLI")
    reader.install("aws", AWS_CLI / "bin" / "aws")
    reader.install("pip", sys.executable, "-m", "pip")
    reader.variables.update(AWS_ENDPOINT_URL_S3=moto_url, AWS_ENDPOINT_URL_STS=moto_url)
    # What the workflow installs is there, and must be found there.
    reader.variables.update(PIP_NO_INDEX="1", ACT_DISABLE_VERSION_CHECK="1")
    built = reader.folder / "project" / "build"
    built.mkdir(parents=True)
    (built / "index.html").write_bytes(PAGE_OF_THE_SITE)
    return reader


@pytest.fixture
def site(moto_url: str) -> Iterator[ServiceResource]:
    bucket = boto3.resource(
        "s3", "us-east-1", endpoint_url=moto_url, aws_access_key_id="a", aws_secret_access_key="b"
    ).Bucket("site")
    bucket.create()
    yield bucket
    bucket.objects.delete()
    bucket.delete()


def workflows() -> tuple[str, str]:
    """GitHub's and GitLab's, as the page has them."""
    github, gitlab = re.findall(r"```yaml\n(.*?)```", text_of(PAGE), re.DOTALL)
    return github, gitlab


def ran_by_act(runner: Reader, workflow: str) -> str:
    """Run a workflow of GitHub Actions in the project; gives its log."""
    act = PROGRAMS / "bin" / "act"
    require(act.exists(), "act")
    folder = runner.folder / "project" / ".github" / "workflows"
    folder.mkdir(parents=True)
    (folder / "deploy.yml").write_text(workflow)
    variables = [f"{name}={value}" for name, value in runner.environment().items()]
    command = [act, "push", "--platform", "self-hosted=-self-hosted", "--no-cache-server"]
    command += [word for each in variables for word in ("--env", each)]
    log = runner.type(f"cd project; {shlex.join(map(str, command))} 2>&1")
    assert "Job succeeded" in log
    return log


def test_a_workflow_of_github_actions_deploys(runner: Reader, site: ServiceResource) -> None:
    ran_by_act(runner, workflows()[0])

    assert site.Object("index.html").get()["Body"].read() == PAGE_OF_THE_SITE
    assert runner.emulator.created > 0


def test_later_steps_have_the_variables_and_print_no_secret(runner: Reader) -> None:
    (step,) = blocks(PAGE, "github")
    later = "aws sts get-caller-identity; echo $AWS_ACCESS_KEY_ID $AWS_SECRET_ACCESS_KEY; env"
    steps = [{"run": step}, {"run": later}]

    log = ran_by_act(
        runner,
        json.dumps({"on": "push", "jobs": {"a": {"runs-on": "self-hosted", "steps": steps}}}),
    )

    assert '"Arn"' in log
    key = runner.emulator.requests[-1].access_key_id
    assert f"{key} ***\n" in log
    assert "AWS_SESSION_TOKEN=***\n" in log


def test_a_job_of_gitlab_deploys(runner: Reader, site: ServiceResource) -> None:
    program = NODE_MODULES / ".bin" / "gitlab-ci-local"
    require(program.exists() and shutil.which("rsync") is not None, "gitlab-ci-local, with rsync")
    (runner.folder / "project" / ".gitlab-ci.yml").write_text(workflows()[1])

    told = runner.type(f"cd project; {program} --force-shell-executor deploy 2>&1")

    assert "PASS" in told
    assert site.Object("index.html").get()["Body"].read() == PAGE_OF_THE_SITE
    assert runner.emulator.created > 0
