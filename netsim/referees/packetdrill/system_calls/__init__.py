"""The system calls that a script makes, carried out on the sans-I/O sockets of the TCP core."""
