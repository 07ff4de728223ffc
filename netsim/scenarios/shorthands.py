"""The shorthands of a scenario's ``Params``, for editors and type checkers.

``Params(loss=0.1)`` sets ``loss_forward`` and ``loss_reverse``. ``netsim.scenarios.names`` says which fields each
shorthand stands for, and the decorator ``parameters`` accepts those that fit its fields. A type checker does
not see that; so a ``Params`` has the class from here as its base that declares its shorthands. At run time these bases
are all ``object``.
"""

from dataclasses import InitVar
from typing import TYPE_CHECKING

from netsim.link import DelayDistribution
from netsim.scenarios.parameters import parameters

if TYPE_CHECKING:

    @parameters
    class WithProfiles:
        """``profile`` sets the TCP of both ends."""

        profile: InitVar[str] = "rfc9293"
        client_profile: InitVar[str] = "rfc9293"
        server_profile: InitVar[str] = "rfc9293"

    @parameters
    class WithDelay(WithProfiles):
        """``delay`` or ``rtt`` also sets the delay of both directions."""

        delay: InitVar[float | str] = 0.0
        rtt: InitVar[float | str] = 0.0

    @parameters
    class WithLoss(WithDelay):
        """``loss`` also sets the loss probability of both directions."""

        loss: InitVar[float | str] = 0.0

    @parameters
    class WithDistribution(WithProfiles):
        """As ``WithLoss``; the delay may be a distribution."""

        loss: InitVar[float | str] = 0.0
        delay: InitVar[float | str | DelayDistribution] = 0.0
        rtt: InitVar[float | str] = 0.0
else:
    WithProfiles = WithDelay = WithLoss = WithDistribution = object
