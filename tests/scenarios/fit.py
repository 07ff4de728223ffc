"""Whether what was counted fits what theory expects."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy import stats


def p_value(seen: Counter[Any], distribution: Mapping[Any, float]) -> float:
    """Chi-square of what was seen against the probabilities of all atoms; those of less than five runs are pooled."""
    impossible = {atom for atom in seen if distribution.get(atom, 0.0) == 0.0}
    assert not impossible, f"the theory knows nothing of {impossible}"
    n = seen.total()
    large = [(seen[atom], n * p) for atom, p in distribution.items() if n * p >= 5]
    rest = n - sum(s for s, _ in large), n - sum(e for _, e in large)
    if rest[1] > 1e-6:
        large.append(rest)
    observed, expected = np.array(large).T
    return float(stats.chisquare(observed, expected * observed.sum() / expected.sum()).pvalue)
