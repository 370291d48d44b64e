"""Everything that can be wrong between a workload and its credentials, checked in order.

`examine` gives one `Verdict` after another, each as soon as it is known. A check is a generator: it
yields its verdicts and returns what later checks need. Each file has the checks of one subject; the
command shows the verdicts.
"""

from __future__ import annotations

from .examination import examine
from .verdict import Status, Verdict

__all__ = ["Status", "Verdict", "examine"]
