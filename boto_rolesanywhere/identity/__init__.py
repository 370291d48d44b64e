"""Who the workload is: an end-entity certificate, its chain, and a key that can sign.

How the key is held is the business of one folder each: `files`, `pkcs11`, `tpm`.
"""
