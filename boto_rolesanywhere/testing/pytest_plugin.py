"""Pytest fixtures for offline tests: a certificate authority and the emulator."""
