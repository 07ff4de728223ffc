"""What the caller did wrong, or what became of the connection, in the words of RFC 9293 3.10."""


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
    """SEND or CLOSE after CLOSE; RECEIVE after all was received and the peer has closed (EPIPE)."""

    text = "connection closing"


class RemoteSocketUnspecified(TcpError):
    """SEND on a connection in LISTEN whose remote socket is not known (EDESTADDRREQ)."""

    text = "remote socket unspecified"


class InsufficientResources(TcpError):
    """No free port, or no room for the data (EADDRNOTAVAIL, ENOBUFS)."""

    text = "insufficient resources"


class ConnectionRefused(TcpError):
    """A RST answered the SYN (ECONNREFUSED)."""

    text = "connection refused"


class ConnectionReset(TcpError):
    """A RST ended an open connection (ECONNRESET)."""

    text = "connection reset"


class ConnectionAborted(TcpError):
    """The local user aborted the connection (ECONNABORTED)."""

    text = "connection aborted"


class ConnectionTimedOut(TcpError):
    """The user timeout, R2 or the last keep-alive probe ran out (ETIMEDOUT)."""

    text = "connection aborted due to user timeout"
