"""Who the workload is: an end-entity certificate, its chain, and a key that can sign.

One folder for each kind of key: `files`, `pkcs11`, `tpm`.
"""
