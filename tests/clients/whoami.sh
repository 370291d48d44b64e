#!/bin/sh
# The same as whoami.mjs, for the AWS CLI; $1 is the program. The access key is taken from what the
# CLI says of the request that it signed.
set -e
said=$("$1" sts get-caller-identity --query Account --output text --debug 2>&1)
key=$(printf '%s' "$said" | sed -n 's/.*Credential=\([A-Z0-9]*\)\/.*/\1/p' | head -n 1)
account=$(printf '%s\n' "$said" | tail -n 1)
printf '{"accessKeyId": "%s", "account": "%s"}\n' "$key" "$account"
