"""Certificates and keys in files of every format."""
