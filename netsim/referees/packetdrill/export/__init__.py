"""A simulated exchange written as a packetdrill script."""
