"""The system calls of a script, carried out on the sockets of the TCP core (``netsim.tcp.socket``).

``process`` holds what the script's process has open, and reads arguments. A module for each topic stands above it:
``connections`` (socket to close), ``transfers`` (write and read), ``socket_options``, ``readiness`` (poll and epoll),
``error_queue`` and ``files``. ``calls`` has the table of all calls and starts one.
"""
