"""Records that are small are encoded together; nobody can tell from the batches."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from ods_provider.core.batches import batches
from ods_provider.core.errors import OdsConfigError


@pytest.mark.parametrize("seed", range(20))
def test_records_that_are_encoded_together_fill_the_same_batches_as_one_by_one(seed: int) -> None:
    dice = random.Random(seed)
    records: list[Any] = [
        {
            "n": dice.randrange(10**6),
            "text": "ü" * dice.choice((1, 5, 40, 200)),
            "x": dice.choice((None, 0.5, [1], True)),
        }
        for _ in range(500)
    ]
    together, alone = (list(batches(records, batch_bytes=1_000, most_ahead=most)) for most in (64, 1))
    assert together == alone
    assert [row for batch in together for row in json.loads(batch.body)] == records


@pytest.mark.parametrize("wrong", [float("nan"), 2**64, "\ud83d", b"x", object()])
def test_a_bad_record_among_those_encoded_together_is_named_by_its_number(wrong: object) -> None:
    records: list[Any] = [{"a": number} for number in range(200)]
    records[137] = {"a": wrong}
    with pytest.raises(OdsConfigError, match=r"record 142\b") as caught:
        list(batches(records, first_row=5))
    assert "field a" in str(caught.value)
