"""The AWS side: trust anchor, role and profile, made and removed by an administrator."""
