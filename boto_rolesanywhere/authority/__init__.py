"""A certificate authority of one's own: keys, certificates, records, revocation lists.

`testing.CertificateAuthority` stands on the same parts.
"""
