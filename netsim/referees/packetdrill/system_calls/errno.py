"""The errors of the TCP core by the names of their error numbers (errno), such as ECONNRESET."""

from netsim.tcp.errors import (
    BrokenPipe,
    ConnectionAborted,
    ConnectionAlreadyExists,
    ConnectionClosing,
    ConnectionDoesNotExist,
    ConnectionRefused,
    ConnectionReset,
    ConnectionTimedOut,
    InsufficientResources,
    RemoteSocketUnspecified,
    TcpError,
    Unreachable,
)

_NAMES: dict[type[TcpError], str] = {
    BrokenPipe: "EPIPE",
    ConnectionAborted: "ECONNABORTED",
    ConnectionAlreadyExists: "EADDRINUSE",
    ConnectionClosing: "EPIPE",
    ConnectionDoesNotExist: "ENOTCONN",
    ConnectionRefused: "ECONNREFUSED",
    ConnectionReset: "ECONNRESET",
    ConnectionTimedOut: "ETIMEDOUT",
    InsufficientResources: "EADDRNOTAVAIL",
    RemoteSocketUnspecified: "EDESTADDRREQ",
}
_STRERROR = {
    "EAGAIN": "Resource temporarily unavailable",
    "ECONNABORTED": "Software caused connection abort",
    "ECONNREFUSED": "Connection refused",
    "ECONNRESET": "Connection reset by peer",
    "EPIPE": "Broken pipe",
    "ETIMEDOUT": "Connection timed out",
}
_SYNONYMS = {"EWOULDBLOCK": "EAGAIN", "EDEADLOCK": "EDEADLK", "EOPNOTSUPP": "ENOTSUP"}


def errno_of(error: Exception) -> str:
    """The name of the error number that a system call fails with; EIO for what is not an error of TCP."""
    if isinstance(error, Unreachable):
        return error.errno
    return _NAMES[type(error)] if isinstance(error, TcpError) else "EIO"


def strerror(name: str) -> str:
    """The message that strerror(3) gives for an error number, as far as scripts need it."""
    return _STRERROR.get(name, "error")


def so_error(error: Exception | None) -> str | None:
    """SO_ERROR of a connection that ended by ``error``: only what the peer or the network did is reported."""
    if isinstance(error, ConnectionReset | ConnectionTimedOut | Unreachable):
        return errno_of(error)
    return None


def same_error(one: str, other: str) -> bool:
    """Whether two names stand for the same number."""
    return _SYNONYMS.get(one, one) == _SYNONYMS.get(other, other)
