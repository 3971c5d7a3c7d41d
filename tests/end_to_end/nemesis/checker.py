"""Which promises a history breaks: a pure function of it.

Values are unique, and whoever was acknowledged knows the offset. So each promise is a look-up or a
sort, and nothing has to be searched.
"""

from nemesis.cluster_checks import CLUSTER_CHECKS
from nemesis.facts import Facts
from nemesis.record_checks import RECORD_CHECKS


def check(history):
    """[Violation], of all entries of a history (history.py says what they are)."""
    facts = Facts(history)
    return [found for one in (*RECORD_CHECKS, *CLUSTER_CHECKS) for found in one(facts)]
