"""The parameters of ``teardown``, and the path before and after the first close."""

from functools import cached_property
from typing import Literal

from netsim.fields import field
from netsim.link import DelayDistribution, Path
from netsim.scenarios import shared
from netsim.scenarios.closing import require_end
from netsim.scenarios.parameters import (
    both_directions,
    parameters,
    without_loss,
)
from netsim.scenarios.shorthands import WithLoss
from netsim.sim.world import TieBreak
from netsim.tcp.config.config import TcpConfig

Close = Literal["half-close", "close", "simultaneous", "abort", "unread"]


@parameters
class Params(WithLoss):
    """Parameters of the study of the close. ``forward`` is client to server. ValueError for a value out of range."""

    close: Close = field(
        "half-close",
        "how the connection is closed: the client sends no more but reads on (half-close), closes its socket "
        "(close) or aborts (abort), both ends close simultaneously (simultaneous), or the server closes with "
        "unread data (unread)",
    )
    loss_forward: float = shared.loss("forward", 0.1, since="the first close")
    loss_reverse: float = shared.loss("reverse", 0.1, since="the first close")
    delay_forward: float = shared.delay("forward")
    delay_reverse: float = shared.delay("reverse")
    think_time: float | DelayDistribution = field(
        0.0,
        "time from the end of the client's stream to the server's close: seconds or a distribution",
        unit="s",
        allowed=(0, 1e9),
    )
    unsent_bytes: int = field(
        0, "data that the server sends after the client's close and before its own", unit="bytes", allowed=(0, 1 << 24)
    )
    client: TcpConfig = shared.tcp("client")
    server: TcpConfig = shared.tcp("server")
    tie_break: TieBreak = shared.tie_break()

    def check_relations(self) -> None:
        require_end("client", self.client)
        require_end("server", self.server)

    @cached_property
    def clean(self) -> tuple[Path, Path]:
        """Both directions (forward, reverse) until the first close."""
        return without_loss(self.lossy)

    @cached_property
    def lossy(self) -> tuple[Path, Path]:
        """Both directions (forward, reverse) from then on."""
        return both_directions(self)
