"""What AWS would make of a certificate, worked out offline."""
