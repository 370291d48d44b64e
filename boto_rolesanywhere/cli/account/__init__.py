"""What the commands that work on the AWS side share."""
