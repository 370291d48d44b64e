#!/bin/sh
# Computes an expected X.509 signature with openssl and coreutils, and with nothing of this package.
# Usage: make.sh KEY CERT OUT ALGORITHM [INTERMEDIATE ...]
# Writes OUT.canonical-request, OUT.string-to-sign and OUT.authorization. Only an RSA signature is
# the same each time; for EC, compare the first two files and verify the third.
set -eu
LC_ALL=C
export LC_ALL
key=$1 cert=$2 out=$3 algorithm=$4
shift 4

base64_der() { openssl x509 -in "$1" -outform DER | base64 -w0; }
sha256_hex() { sha256sum | cut -d' ' -f1; }

here=$(dirname "$0")
date=20260102T030405Z
scope=20260102/eu-west-1/rolesanywhere/aws4_request
names='content-type;host;x-amz-date;x-amz-x509'

chain=
for intermediate in "$@"; do
  chain="${chain:+$chain,}$(base64_der "$intermediate")"
done
[ -z "$chain" ] || names="$names;x-amz-x509-chain"

{
  printf 'POST\n/sessions\n\n'
  printf 'content-type:application/json\n'
  printf 'host:rolesanywhere.eu-west-1.amazonaws.com\n'
  printf 'x-amz-date:%s\n' "$date"
  printf 'x-amz-x509:%s\n' "$(base64_der "$cert")"
  [ -z "$chain" ] || printf 'x-amz-x509-chain:%s\n' "$chain"
  printf '\n%s\n%s' "$names" "$(sha256_hex < "$here/body.json")"
} > "$out.canonical-request"

printf '%s\n%s\n%s\n%s' "$algorithm" "$date" "$scope" \
  "$(sha256_hex < "$out.canonical-request")" > "$out.string-to-sign"

hex_serial=$(openssl x509 -in "$cert" -noout -serial | cut -d= -f2)
serial=$("${PYTHON:-python3}" -c "print(int('$hex_serial', 16))")
signature=$(openssl dgst -sha256 -sign "$key" "$out.string-to-sign" | od -An -v -tx1 | tr -d ' \n')
printf '%s Credential=%s/%s, SignedHeaders=%s, Signature=%s' \
  "$algorithm" "$serial" "$scope" "$names" "$signature" > "$out.authorization"
