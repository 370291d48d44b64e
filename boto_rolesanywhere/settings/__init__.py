"""The settings: from arguments, the environment and the AWS config file."""
