"""Reads the files of a recording: the packets of ``NAME.packets.csv``, calls and states of ``NAME.states.csv``."""

import csv
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from netsim.referees.recordings.exchange import Exchange, Ports, RawPacket, is_error, other
from netsim.referees.recordings.scenario import CLIENT, ENDS, SERVER, RecordingError
from netsim.tcp.segment import ACK, FIN, PSH, RST, SYN

_PACKETS: Final = ("t_send", "t_recv", "dir", "event", "sport", "dport", "flags", "seq_rel", "ack_rel", "len", "opts")
_STATES: Final = ("t", "end", "kind", "what")
_SENDERS: Final = {"c2s": CLIENT, "s2c": SERVER}
_FLAGS: Final = {"S": SYN, "F": FIN, "R": RST, "P": PSH, "A": ACK}
_EVENTS: Final = ("PASS", "DUP", "DROP_SCRIPT")
_VALUED: Final = ("mss", "ws")  # the options whose values are compared; of the others only the presence

_CONNECT: Final = re.compile(r"connect\(\) (ok|E[A-Z]+)")
_ACCEPT: Final = re.compile(r"accept\(\)( in child)?")
_BYTES: Final = re.compile(r"recv(?:\(\d+\))?(?: ->)? (\d+)B")
_END_OF_STREAM: Final = re.compile(r"recv(?:\(\d+\))?(?: ->)? EOF(?: after \d+B)?")
_FAILED: Final = re.compile(r"(accept|bind|recv|send|shutdown)(?:\(\d*B?\))?(?: ->)? (E[A-Z]+)")
_MOVE: Final = re.compile(r"(?:\S+:? )?(\S+) -> (\S+)")


def read_recording(folder: Path, name: str) -> Exchange:
    """What was recorded of scenario ``name``. RecordingError if a file is missing or malformed."""
    exchange = Exchange()
    moments: list[tuple[float, str, RawPacket | bool]] = []  # a packet was sent, or whether an error came
    for packet in _packets(folder / f"{name}.packets.csv"):
        moments.append((packet.time, packet.sender, packet))
        moments += [(arrival, other(packet.sender), False) for arrival in packet.arrivals]
    moments += _states(folder / f"{name}.states.csv", exchange)
    last: dict[str, float] = {}
    for time, end, what in sorted(moments, key=lambda moment: moment[0]):
        since = time - last.get(end, time)
        if isinstance(what, RawPacket):
            exchange.packets.append(replace(what, since=since))
        elif what:
            exchange.error_delays[end].append(since)
        last[end] = time
    return exchange


def _rows(path: Path, fields: tuple[str, ...]) -> Iterator[tuple[str, Mapping[str, str]]]:
    """The place and the content of each row. RecordingError unless the header has ``fields``."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            missing = [name for name in fields if name not in (reader.fieldnames or ())]
            if missing:
                raise RecordingError(f"{path}: header: must have the columns {', '.join(fields)}; no {missing[0]}")
            for number, row in enumerate(reader, 2):
                yield f"{path}:{number}", {key: value or "" for key, value in row.items() if isinstance(key, str)}
    except OSError as error:
        raise RecordingError(f"{path}: {error.strerror or error}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise RecordingError(f"{path}: not CSV: {error}") from None


def _packets(path: Path) -> list[RawPacket]:
    """The packets in the order of sending, each with the arrivals of its copies."""
    packets: list[RawPacket] = []
    for where, row in _rows(path, _PACKETS):
        packet = _packet(where, row)
        if row["event"] != "DUP":
            packets.append(packet)
            continue
        original = next((i for i in range(len(packets) - 1, -1, -1) if _same(packets[i], packet)), None)
        if original is None:
            raise RecordingError(f"{where}: DUP: there is no such packet before it")
        arrivals = packets[original].arrivals + packet.arrivals
        packets[original] = replace(packets[original], arrivals=arrivals)
    return sorted(packets, key=lambda packet: packet.time)


def _same(one: RawPacket, copy: RawPacket) -> bool:
    return replace(one, arrivals=copy.arrivals) == copy


def _packet(where: str, row: Mapping[str, str]) -> RawPacket:
    flags = 0
    for letter in row["flags"]:
        if letter not in _FLAGS:
            raise RecordingError(f"{where}: flags = {row['flags']!r}: must be letters of {', '.join(_FLAGS)}")
        flags |= _FLAGS[letter]
    if row["dir"] not in _SENDERS:
        raise RecordingError(f"{where}: dir = {row['dir']!r}: must be one of {', '.join(_SENDERS)}")
    if row["event"] not in _EVENTS:
        raise RecordingError(f"{where}: event = {row['event']!r}: must be one of {', '.join(_EVENTS)}")
    ports: Ports = (_whole(where, row, "sport"), _whole(where, row, "dport"))
    arrived = row["event"] != "DROP_SCRIPT"
    return RawPacket(
        time=_number(where, row, "t_send"),
        sender=_SENDERS[row["dir"]],
        ports=ports,
        flags=flags,
        seq=_whole(where, row, "seq_rel"),
        ack=_whole(where, row, "ack_rel") if flags & ACK else 0,
        length=_whole(where, row, "len"),
        options=tuple(_option(word) for word in row["opts"].split(";") if word),
        arrivals=(_number(where, row, "t_recv"),) if arrived else (),
        since=0.0,
    )


def _option(word: str) -> str:
    kind = word.partition("=")[0]
    return word if kind in _VALUED else kind


def _states(path: Path, exchange: Exchange) -> Iterator[tuple[float, str, bool]]:
    """When and where applications acted, and whether an error came; ``exchange`` gets the results and states."""
    for where, row in _rows(path, _STATES):
        time, end, what = _number(where, row, "t"), row["end"], row["what"]
        if end not in ENDS:
            raise RecordingError(f"{where}: end = {end!r}: must be one of {', '.join(ENDS)}")
        if row["kind"] == "state":
            move = _MOVE.fullmatch(what)
            if move is None:
                raise RecordingError(f"{where}: what = {what!r}: must be OLD -> NEW")
            if move[1] != "?":
                exchange.states[end].append(move[2])
        elif row["kind"] == "app":
            result = _result(what)
            if result is not None:
                exchange.result(end, result)
            yield time, end, result is not None and is_error(result)
        else:
            raise RecordingError(f"{where}: kind = {row['kind']!r}: must be state or app")


def _result(what: str) -> str | None:
    """What a call returned, in comparable form; None for a line that has no result."""
    if match := _CONNECT.fullmatch(what):
        return f"connect {match[1]}"
    if _ACCEPT.fullmatch(what):
        return "accept"
    if match := _BYTES.fullmatch(what):
        return f"{match[1]} bytes"
    if _END_OF_STREAM.fullmatch(what):
        return "EOF"
    if match := _FAILED.fullmatch(what):
        return f"{match[1]} {match[2]}"
    return None


def _number(where: str, row: Mapping[str, str], name: str) -> float:
    try:
        value = float(row[name])
    except ValueError:
        value = math.inf
    if not math.isfinite(value):
        raise RecordingError(f"{where}: {name} = {row[name]!r}: must be a number of seconds")
    return value


def _whole(where: str, row: Mapping[str, str], name: str) -> int:
    value = row[name]
    if not re.fullmatch(r"-?\d{1,10}", value):
        raise RecordingError(f"{where}: {name} = {value!r}: must be an integer")
    return int(value)
