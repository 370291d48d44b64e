"""What a shell can complete of the command line: read from the parsers, written for each shell."""
