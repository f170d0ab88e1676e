"""Ten thousand operations on answers that were changed, ``ODS_FUZZ_OPERATIONS`` of the seed ``ODS_FUZZ_SEED``."""

import os

from fuzzing import mutated
from fuzzing.mutated import striking  # noqa: F401  importing it registers all mutations
from fuzzing.mutated.mutations import MUTATIONS

OPERATIONS = int(os.environ.get("ODS_FUZZ_OPERATIONS") or 10_000)
SIDE_BY_SIDE = 2


def test_what_was_changed_becomes_an_error_a_wait_or_the_right_result() -> None:
    sessions = [mutated.start(operations=OPERATIONS, first=number, step=SIDE_BY_SIDE) for number in range(SIDE_BY_SIDE)]
    found = mutated.expect_whole(*sessions)
    assert OPERATIONS < 5_000 or not set(MUTATIONS) - set(found)
