"""A host's counters, by the names that Linux's nstat shows."""


class Counters:
    """Plain ints, incremented where the event happens. Names: net/ipv4/proc.c.

    The initial zeros are attributes of the class: a host with one connection increments only a few of them.
    """

    TcpActiveOpens: int = 0
    TcpPassiveOpens: int = 0
    TcpAttemptFails: int = 0
    TcpEstabResets: int = 0
    TcpInSegs: int = 0
    TcpOutSegs: int = 0
    TcpRetransSegs: int = 0
    TcpOutRsts: int = 0
    TcpExtTCPSynRetrans: int = 0
    TcpExtTCPTimeouts: int = 0
    TcpExtListenOverflows: int = 0
    TcpExtListenDrops: int = 0
    TcpExtTCPReqQFullDrop: int = 0
    TcpExtTCPReqQFullDoCookies: int = 0
    TcpExtSyncookiesSent: int = 0
    TcpExtSyncookiesRecv: int = 0
    TcpExtSyncookiesFailed: int = 0
    TcpExtTW: int = 0
    TcpExtTWRecycled: int = 0
    TcpExtPAWSEstab: int = 0
    TcpExtTCPChallengeACK: int = 0
    TcpExtTCPSYNChallenge: int = 0
    TcpExtTCPKeepAlive: int = 0
    TcpExtTCPAbortOnData: int = 0
    TcpExtTCPAbortOnClose: int = 0
    TcpExtTCPAbortOnTimeout: int = 0
    TcpExtTCPOFOQueue: int = 0
    TcpExtDelayedACKs: int = 0
    TcpExtTCPFastRetrans: int = 0
    TcpExtTCPLossProbes: int = 0
    TcpExtTCPFullUndo: int = 0
    TcpExtTCPPartialUndo: int = 0
    TcpExtTCPDSACKUndo: int = 0
    TcpExtTCPLossUndo: int = 0
    TcpExtTCPSpuriousRTOs: int = 0
    TcpExtPAWSActive: int = 0
    TcpExtTCPFastOpenActive: int = 0
    TcpExtTCPFastOpenPassive: int = 0
    TcpExtTCPFastOpenPassiveFail: int = 0
    TcpExtTCPFastOpenListenOverflow: int = 0
    TcpExtTCPFastOpenCookieReqd: int = 0
    TcpExtTCPAORequired: int = 0
    TcpExtTCPAOBad: int = 0
    TcpExtTCPAOGood: int = 0

    def __init__(self) -> None:
        self.TcpInSegs = self.TcpOutSegs = 0  # every host increments these: attributes of the object are faster

    def as_dict(self) -> dict[str, int]:
        """Every counter by name, zeros included."""
        return {name: getattr(self, name) for name in Counters.__annotations__}
