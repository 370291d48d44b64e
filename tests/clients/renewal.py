"""The same as renewal.mjs, for boto3."""

import boto3

client = boto3.client("sts")
for _ in range(3):
    client.get_caller_identity()
