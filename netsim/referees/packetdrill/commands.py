"""Shell commands in back-quotes: recognised by their pattern and carried out on the model. Nothing is ever executed.

A setting of ``sysctl`` holds for sockets that are opened later, or immediately if hosts read it at each segment.
"""

import re
from functools import lru_cache

from netsim.referees.packetdrill.host_under_test import HostUnderTest
from netsim.referees.packetdrill.language.script import Command
from netsim.referees.packetdrill.system_calls.process import Process
from netsim.referees.packetdrill.verdict import Failure, Unsupported
from netsim.tcp import user_calls
from netsim.tcp.config.config import TcpConfig
from netsim.tcp.config.sysctl import FREEBSD, LINUX, LIVE, setting
from netsim.tcp.state import State

# sys/netinet/tcp_fsm.h, tcpstates
_BSD_STATES = {
    "CLOSED": State.CLOSED,
    "LISTEN": State.LISTEN,
    "SYN_SENT": State.SYN_SENT,
    "SYN_RCVD": State.SYN_RECEIVED,
    "ESTABLISHED": State.ESTABLISHED,
    "CLOSE_WAIT": State.CLOSE_WAIT,
    "FIN_WAIT_1": State.FIN_WAIT_1,
    "CLOSING": State.CLOSING,
    "LAST_ACK": State.LAST_ACK,
    "FIN_WAIT_2": State.FIN_WAIT_2,
    "TIME_WAIT": State.TIME_WAIT,
}

_REDIRECTION = re.compile(r"(?: ?(?:[12]?> ?/dev/null|2>&1))*$")
_SETTING = r"[\w./]+=(?:\"[^\"]*\"|'[^']*'|[^\s\"']\S*)"
_SYSCTL = re.compile(rf"sysctl(?: -[wq]+)*((?: {_SETTING})+)")
_PROC = re.compile(rf"(?:\S*/)?set_sysctls\.py((?: {_SETTING})+)")
_PAIR = re.compile(r"([\w./]+)=(\"[^\"]*\"|'[^']*'|[^\s\"']\S*)")
_DEFAULTS = re.compile(r"(?:(?:\.\.?/)*common/|\./)?defaults\.sh")
_SLEEP = re.compile(r"sleep (\d{1,6}(?:\.\d{1,6})?)")
_MUTE = re.compile(r"tc qdisc (?:add|replace) dev \S+ root pfifo limit 0")
_UNMUTE = re.compile(r"tc qdisc (?:del dev \S+ root(?: pfifo)?|(?:add|replace) dev \S+ root pfifo)")
_NO_EFFECT = re.compile(
    r"true|:|sync|ip tcp_metrics flush all|/tmp/sysctl_restore_\S+\.sh"
    r"|ethtool -K \S+(?: (?:tso|gso|gro|tx|rx|sg|lro) (?:on|off))+"
)
_REMOVE = re.compile(r"(?:/bin/)?rm(?: -f)? (/tmp/\S+)")
_ZEROS = re.compile(r"(?:/bin/)?dd bs=(\d{1,6}) count=(\d{1,6}) if=/dev/zero of=(/tmp/\S+)(?: status=none)?")
_NSTAT = re.compile(r"nstat(?: -[nasrz]+)*")
_COUNTER = re.compile(r"nstat(?: -[asz]+)* ?\| ?grep (?:-\w )?(\w+) ?\| ?grep -q [\"'] ?(\d+) ?[\"']")
_SOCKSTAT = re.compile(
    r"sockstat((?: -4| -6| -P tcp| -s| -p \d{1,5})*)((?: ?\| ?grep packetdrill?)?) ?\| ?grep -c (\w+) ?\| ?grep (\d+)"
)
_TCPDROP = re.compile(r"tcpdrop -s TIME_WAIT")


def run_command(command: Command, process: Process) -> None:
    """Do what ``command`` would do. Failure if it would exit with an error, Unsupported if it is not known."""
    for simple in re.split(r"&&|;|\n", command.source):
        words = _REDIRECTION.sub("", " ".join(simple.split()))
        if words and not words.startswith("#"):
            _run_simple(words, command.line, process)


def _run_simple(words: str, line: int, process: Process) -> None:
    host = process.host
    linux = host.platform.system == "linux"
    if linux and _DEFAULTS.fullmatch(words):
        # packetdrill's file enables Fast Open for every listener, the kernel's only for those that ask for it
        settings = {"fastopen": "0x70403" if "common/" in words else "0x3", "slow_start_after_idle": "0"}
        for name, value in (settings | {"ecn": "0", "syn_retries": "5"}).items():
            _sysctl(f"net.ipv4.tcp_{name}", value, line, host)
        return
    if _NO_EFFECT.fullmatch(words):
        return
    if match := _SYSCTL.fullmatch(words) or _PROC.fullmatch(words):
        for name, value in _PAIR.findall(match[1]):
            _sysctl(name.removeprefix("/proc/sys/").replace("/", "."), value.strip("\"'"), line, host)
    elif match := _SOCKSTAT.fullmatch(words):
        _sockstat(match, line, process)
    elif _TCPDROP.fullmatch(words):
        for tcb in list(host.stack.connections.values()):
            if tcb.state is State.TIME_WAIT:
                user_calls.abort(tcb, host.now)
                host.perform(host.stack.finish(tcb))
        host.settle()
    elif match := _SLEEP.fullmatch(words):
        host.advance(host.now + round(float(match[1]) * 1e9))
    elif _MUTE.fullmatch(words):
        host.muted = True
    elif _UNMUTE.fullmatch(words):
        host.muted = False
    elif match := _REMOVE.fullmatch(words):
        process.files.pop(match[1], None)
    elif match := _ZEROS.fullmatch(words):
        process.files[match[3]] = int(match[1]) * int(match[2])  # it exists in the model only
    elif linux and (match := _COUNTER.fullmatch(words)):
        _nstat(match[1], int(match[2]), line, process)
    elif linux and _NSTAT.fullmatch(words):
        process.counters = host.stack.counters.as_dict()
    else:
        raise Unsupported(line, f"the command {words}")


def _nstat(name: str, wanted: int, line: int, process: Process) -> None:
    """nstat reports what was counted since its last call; it does not list a counter that has not changed."""
    counters = process.host.stack.counters.as_dict()
    if name not in counters:
        raise Unsupported(line, f"nstat with the counter {name}")
    count = counters[name] - process.counters.get(name, 0)
    process.counters = counters
    if count != wanted or not count:
        raise Failure(line, f"nstat: {name} differs", str(wanted), str(count))


@lru_cache(maxsize=1024)
def _set(config: TcpConfig, name: str, value: str, own: TcpConfig) -> TcpConfig:
    """``setting`` with a cache: scripts of a suite have the same settings, and checking a TcpConfig takes long."""
    return setting(config, name, value, own=own)


def _sysctl(name: str, value: str, line: int, host: HostUnderTest) -> None:
    linux = host.platform.system == "linux"
    if linux and name.startswith(("net.inet.", "kern.ipc.")):
        return  # settings of the other system, in scripts that are written for both
    known = LINUX if linux else FREEBSD
    if name not in known:
        raise Unsupported(line, f"sysctl {name}={value}")
    if name == "net.ipv4.tcp_fastopen":
        host.fast_open_client = not re.fullmatch(r"0|0x\w*[02468aceACE]|\d*[02468]", value)
    try:
        host.configure(lambda config: _set(config, name, value, host.platform.config), live=name in LIVE)
    except ValueError as error:
        raise Unsupported(line, f"sysctl {error}") from None


def _sockstat(match: re.Match[str], line: int, process: Process) -> None:
    """``grep -c`` counts the sockets in a state; ``grep N`` succeeds if the count contains the digits N."""
    name, wanted = match[3], match[4]
    if name not in _BSD_STATES:
        raise Unsupported(line, f"sockstat with the state {name}")
    state = _BSD_STATES[name]
    port = re.search(r"-p (\d+)", match[1])
    if match[2]:
        sockets = list(process.descriptors.values())
        count = sum(s.state is state and (port is None or s.port == int(port[1])) for s in sockets)
    else:
        stack = process.host.stack
        ports = [(t.four_tuple.sport, t.four_tuple.dport) for t in stack.connections.values() if t.state is state]
        ports += [(p, 0) for p in stack.listeners if state is State.LISTEN]
        count = sum(port is None or int(port[1]) in pair for pair in ports)
    if wanted not in str(count):
        raise Failure(line, f"sockstat: the number of sockets in {name} differs", wanted, str(count))
