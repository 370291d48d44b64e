"""What a certificate says, and what AWS asks of it. No files, private keys or clocks here."""
