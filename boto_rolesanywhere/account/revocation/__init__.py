"""Revocation on the AWS side: lists from a CA to a trust anchor, and what was imported there."""
