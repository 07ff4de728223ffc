"""Configurations that cannot work as they seem to be meant: one sentence each, with what holds instead."""

from netsim.tcp.config.config import TcpConfig


def listener_cautions(config: TcpConfig, backlog: int) -> tuple[str, ...]:
    """What a listener of this configuration and backlog does otherwise than one would think."""
    said = []
    if backlog > config.somaxconn:
        said.append(
            f"backlog = {backlog} is above somaxconn = {config.somaxconn}: the listener gets {config.somaxconn}"
        )
    if config.syn_cookies == "off":
        return tuple(said)
    if config.syn_cookie_key == "":
        said.append("syn_cookie_key is empty: without a secret anybody can compute a cookie, and forged ACKs are taken")
    if config.syn_cookies == "on-overflow":
        if config.syncache_hashsize is not None:
            said.append("syn_cookies = on-overflow beside a SYN cache: it never overflows, so no cookie is sent")
        elif config.syn_queue_full != "drop":
            queue = config.syn_queue_full
            said.append(f"syn_cookies = on-overflow beside {queue}: the queue never overflows, so no cookie is sent")
    return tuple(said)
