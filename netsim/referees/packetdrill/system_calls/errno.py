"""The errors of the TCP core under the names that system calls give them."""

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
_TEXTS = {
    "EAGAIN": "Resource temporarily unavailable",
    "ECONNABORTED": "Software caused connection abort",
    "ECONNREFUSED": "Connection refused",
    "ECONNRESET": "Connection reset by peer",
    "EPIPE": "Broken pipe",
    "ETIMEDOUT": "Connection timed out",
}
_SAME = {"EWOULDBLOCK": "EAGAIN", "EDEADLOCK": "EDEADLK", "EOPNOTSUPP": "ENOTSUP"}


def errno_of(error: Exception) -> str:
    """The symbolic error number."""
    if isinstance(error, Unreachable):
        return error.errno
    return _NAMES[type(error)] if isinstance(error, TcpError) else "EIO"


def text_of(name: str) -> str:
    """What strerror says of it, as far as scripts need it."""
    return _TEXTS.get(name, "error")


def pending(error: Exception | None) -> str | None:
    """What SO_ERROR tells of a connection that ended by ``error``: only what the peer or the network did."""
    if isinstance(error, ConnectionReset | ConnectionTimedOut | Unreachable):
        return errno_of(error)
    return None


def same(one: str, other: str) -> bool:
    """Whether two names stand for one number."""
    return _SAME.get(one, one) == _SAME.get(other, other)
