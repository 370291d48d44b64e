"""The same as whoami.mjs, for an unchanged boto3: its own credential chain, and a call with it."""

from __future__ import annotations

import json

import boto3

session = boto3.Session()
credentials = session.get_credentials().get_frozen_credentials()
account = session.client("sts").get_caller_identity()["Account"]
print(json.dumps({"accessKeyId": credentials.access_key, "account": account}))
