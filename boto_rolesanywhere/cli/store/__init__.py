"""Choosing a certificate by its names from a folder or file of many, as the helper does."""
