"""A local stand-in for IAM Roles Anywhere, for your tests and ours."""
