"""Proportional rate reduction, by RFC 6937's pseudocode worked by hand: segments of 1000 bytes."""

from netsim.tcp.recovery.prr import Prr


def test_the_rate_falls_in_proportion_while_the_pipe_exceeds_ssthresh() -> None:
    """From 20 segments to 14: ceil(delivered * 14 / 20) are sent in all."""
    prr = Prr(recover_fs=20_000, start=0, una=0)
    sent, counts = 0, []
    for delivered in range(1, 7):
        pipe = 19_000 - delivered * 1000 + sent  # one is lost
        window = prr.update(0, delivered * 1000, 1000, pipe, sent, 14_000, 1000)
        counts.append((window - pipe) // 1000)
        sent += max(window - pipe, 0)
    assert counts == [1, 1, 1, 0, 1, 1]  # in all 1, 2, 3, 3, 4, 5: ceil(.7, 1.4, 2.1, 2.8, 3.5, 4.2)


def test_below_ssthresh_what_is_delivered_is_replaced() -> None:
    """Ten of twenty are lost: 6 are in flight after the fourth was delivered, of 14. One is sent for each."""
    prr = Prr(recover_fs=20_000, start=0, una=0, prr_delivered=3000, lost=10_000)
    assert prr.update(0, 4000, 7000, 9000, 0, 14_000, 1000) == 9000 + 4000  # 4 delivered, none sent, room for 5
    prr.retransmitted = 4000
    assert prr.update(0, 5000, 6000, 12_000, 0, 14_000, 1000) == 13_000  # the fifth, replaced


def test_an_ack_that_advances_without_a_new_loss_sends_one_more() -> None:
    prr = Prr(recover_fs=10_000, start=0, una=0, prr_delivered=3000, lost=1000, retransmitted=1000)
    assert prr.update(1000, 3000, 0, 4000, 2000, 7000, 1000) == 4000 + 2000
    prr = Prr(recover_fs=10_000, start=0, una=0, prr_delivered=3000, lost=1000, retransmitted=1000)
    assert prr.update(1000, 3000, 1000, 4000, 2000, 7000, 1000) == 4000 + 1000  # another one is lost
