"""Errors: a call that was wrong, or the reason why a connection ended, in the words of RFC 9293 3.10."""


class TcpError(Exception):
    """A user call could not be carried out, or the connection ended. The message is the RFC's."""

    text = "error"

    def __init__(self, detail: str = "") -> None:
        super().__init__(*([detail] if detail else []))  # as given: SimPy and pickle build copies from these

    def __str__(self) -> str:
        return ": ".join([self.text, *map(str, self.args)])


class ConnectionAlreadyExists(TcpError):
    """OPEN of a four-tuple, or of a local socket, that is in use (EADDRINUSE, EISCONN)."""

    text = "connection already exists"


class ConnectionDoesNotExist(TcpError):
    """A call other than OPEN on a connection that is CLOSED (ENOTCONN)."""

    text = "connection does not exist"


class ConnectionClosing(TcpError):
    """SEND or CLOSE after CLOSE; a call on a listener that was closed (EPIPE).

    RECEIVE after the peer has closed returns empty bytes instead, as sockets do.
    """

    text = "connection closing"


class RemoteSocketUnspecified(TcpError):
    """SEND on a connection in LISTEN whose remote socket is not known (EDESTADDRREQ)."""

    text = "remote socket unspecified"


class InsufficientResources(TcpError):
    """No free port, or no room for the data (EADDRNOTAVAIL, ENOBUFS)."""

    text = "insufficient resources"


class ConnectionReset(TcpError):
    """A RST has ended the connection (ECONNRESET)."""

    text = "connection reset"


class ConnectionRefused(ConnectionReset):
    """A RST answered the SYN: "connection reset" in 3.10.7.3, "connection refused" in 3.10.7.4 (ECONNREFUSED)."""

    text = "connection refused"


class BrokenPipe(ConnectionReset):
    """A RST came after the peer's FIN (EPIPE): net/ipv4/tcp_input.c, tcp_reset."""

    text = "connection reset after the peer had closed"


class ConnectionAborted(ConnectionReset):
    """The local user aborted the connection; outstanding calls are "reset" (3.10.5; ECONNABORTED)."""

    text = "connection aborted"


class Unreachable(TcpError):
    """An ICMP error says that segments do not reach the peer; ``errno`` is the error number that hosts report."""

    text = "destination unreachable"

    @property
    def errno(self) -> str:
        """The symbol of the error number; EHOSTUNREACH if none was given."""
        return str(self.args[0]) if self.args else "EHOSTUNREACH"


class ConnectionTimedOut(TcpError):
    """The user timeout, R2 or the keep-alive limit has ended the connection (ETIMEDOUT)."""

    text = "connection aborted due to user timeout"
