"""The register of mutations: each changes an answer in one way, and says whether that can be seen.

A mutation can be *seen* where a careful client can tell the changed answer from a right one: an announced length that
does not come, JSON that is none, rows that are fewer than the portal counts. Then only an error, a wait or the right
result will do. A digit flipped within a number, another text in a cell, a name that is missing in a description: such
an answer is as good as any other, and no client can know better. Of what comes of it only the type is looked at, that
it is JSON where it must be, and that a file is the one that is told of.

Whether a damaged body can be seen depends on what it is, and on what is done with it: half of a JSON document is none;
half of a CSV is one too, and its rows must be counted; and half of a picture is for whoever looks at it to see.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from fuzzing.mutated.wire import Answer, Asked


@dataclass(frozen=True)
class Scene:
    """What a mutation may use.

    Args:
        chance: Its own source of chance.
        asked: The request that is answered.
        others: Right answers to the other requests of the same operation.
        foreign: Right answers of other operations.
        counts: Whether the operation compares its rows with what the portal counts.
        reads: Whether the operation reads what it is sent, in place of handing over its bytes.
    """

    chance: random.Random
    asked: Asked
    others: Sequence[Answer] = ()
    foreign: Sequence[Answer] = ()
    counts: bool = False
    reads: bool = True


Change = Callable[[Answer, Scene], bool | None]


@dataclass(frozen=True)
class Mutation:
    """One way in which an answer goes wrong.

    Args:
        name: What the function is called.
        change: Changes an answer in place and returns whether that can be seen; None where it has nothing to change.
        weight: How often it comes, in comparison with others.
    """

    name: str
    change: Change
    weight: float = 1.0


MUTATIONS: dict[str, Mutation] = {}


def mutation(weight: float = 1.0) -> Callable[[Change], Change]:
    """Register a function under its own name."""

    def register(change: Change) -> Change:
        MUTATIONS[change.__name__] = Mutation(change.__name__, change, weight)
        return change

    return register


def document(body: bytes) -> Any:
    """Return what a body says in JSON, or ``NotImplemented``."""
    if not body or len(body) > 2_000_000 or body[:1] not in b"{[":
        return NotImplemented
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return NotImplemented


def is_streamed(scene: Scene) -> bool:
    """Return whether the request is for rows or a file, which are not read as one document by the client itself."""
    return any(part in scene.asked.path for part in ("/exports/", "/files/", "/download", "/attachments/"))


def is_read(answer: Answer, scene: Scene) -> bool:
    """Return whether the operation itself reads this answer as one JSON document: then damage shows."""
    return document(answer.body) is not NotImplemented and (scene.reads or not is_streamed(scene))


def changed(answer: Answer, scene: Scene) -> bool:
    """Return whether rows that are missing or doubled in this body show."""
    return is_read(answer, scene) or (scene.counts and is_streamed(scene))


def pick(scene: Scene, *choices: Any) -> Any:
    return scene.chance.choice(choices)
