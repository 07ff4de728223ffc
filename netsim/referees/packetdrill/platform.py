"""The platform that a script runs on: a profile's TCP, with the constants and the tools of its system.

Nothing here decides what TCP does: ``TcpConfig`` does that.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from netsim.referees.packetdrill.option_layout import OptionStyle
from netsim.tcp.config.config import TcpConfig
from netsim.tcp.config.profiles import profile
from netsim.tcp.state import State

# include/net/tcp_states.h; SYN-RECEIVED of a request is TCP_NEW_SYN_RECV inside, SYN_RECV outside.
_LINUX_STATES = {
    State.ESTABLISHED: 1,
    State.SYN_SENT: 2,
    State.SYN_RECEIVED: 3,
    State.FIN_WAIT_1: 4,
    State.FIN_WAIT_2: 5,
    State.TIME_WAIT: 6,
    State.CLOSED: 7,
    State.CLOSE_WAIT: 8,
    State.LAST_ACK: 9,
    State.LISTEN: 10,
    State.CLOSING: 11,
}

# sys/netinet/tcp_fsm.h
_BSD_STATES = {
    State.CLOSED: 0,
    State.LISTEN: 1,
    State.SYN_SENT: 2,
    State.SYN_RECEIVED: 3,
    State.ESTABLISHED: 4,
    State.CLOSE_WAIT: 5,
    State.FIN_WAIT_1: 6,
    State.CLOSING: 7,
    State.LAST_ACK: 8,
    State.FIN_WAIT_2: 9,
    State.TIME_WAIT: 10,
}

# The names that include/net/tcp_states.h and the FreeBSD suite give the states.
_LINUX_NAMES = {
    State.SYN_RECEIVED: "TCP_SYN_RECV",
    State.FIN_WAIT_1: "TCP_FIN_WAIT1",
    State.FIN_WAIT_2: "TCP_FIN_WAIT2",
    State.CLOSED: "TCP_CLOSE",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """A system with its TCP.

    An event may be wrong by ``tolerance``, a share of its distance in time from the event before it. ``state_numbers``
    are those of TCP_INFO, ``nonblock`` is the value of O_NONBLOCK. ``system`` (linux or freebsd) decides which sysctl
    names and tools are known, and how system calls fail where the two differ.
    """

    config: TcpConfig
    option_style: OptionStyle
    tolerance: float
    state_numbers: Mapping[State, int]
    nonblock: int
    system: str

    def constants(self) -> dict[str, int]:
        """The constants that ``%{ }%`` code may use, with the numbers of this system."""
        names = {}
        for state, number in self.state_numbers.items():
            names[_LINUX_NAMES.get(state, f"TCP_{state.name}")] = number
            names[f"TCPI_{state.name}"] = number
        return names | {
            "TCPI_OPT_TIMESTAMPS": 1,
            "TCPI_OPT_SACK": 2,
            "TCPI_OPT_WSCALE": 4,
            "TCPI_OPT_ECN": 8,
            "TCPI_OPT_ECN_SEEN": 16,
            "TCPI_OPT_SYN_DATA": 32,
            "TCP_CA_Open": 0,
            "TCP_CA_Disorder": 1,
            "TCP_CA_CWR": 2,
            "TCP_CA_Recovery": 3,
            "TCP_CA_Loss": 4,
        }


def platform_of(name: str, symbols: Collection[str] = ()) -> Platform:
    """The platform of profile ``name``. ValueError for an unknown profile.

    The FreeBSD suite selects the standard's TIME-WAIT by the symbol STANDARD, and FreeBSD's own by the symbol FreeBSD.
    Linux starts with the window and the window scale that packetdrill's scripts assume: tcp_rmem 4096 540000 15M.
    """
    config = profile(name)
    linux = name.startswith("linux")
    if linux:
        config = config.replace(receive_buffer=65535, window_scale=8)
    freebsd = name == "freebsd"
    if freebsd and "FreeBSD" in symbols:
        config = config.replace(time_wait_checks="no-window", time_wait_reuse="sequence")
    return Platform(
        config=config,
        option_style="freebsd" if freebsd else "linux",
        tolerance=0.05 if freebsd else 0.125,
        state_numbers=MappingProxyType(_BSD_STATES if freebsd else _LINUX_STATES),
        nonblock=0x4 if freebsd else 0x800,
        system="linux" if linux else "freebsd",
    )
