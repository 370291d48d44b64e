"""What was asked for, as text: from arguments, environment and the AWS config file."""
