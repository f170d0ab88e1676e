"""Which answers of an operation are changed, when, and how: drawn beforehand, so that it is the same when repeated."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from fuzzing.mutated import bodies, heads, values  # noqa: F401  importing them registers what they hold
from fuzzing.mutated.mutations import MUTATIONS, Mutation, Scene, changed
from fuzzing.mutated.operations import Operation
from fuzzing.mutated.wire import Answer, Answers, Asked
from ods_provider.core.redact import Secret

_WHEN: dict[str, Callable[[int], bool]] = {
    "every time": lambda turn: True,
    "once": lambda turn: turn == 0,
    "the second time": lambda turn: turn == 1,
    "from the second time on": lambda turn: turn > 0,
}
_OFTEN = (6, 2, 1, 1)
_DRAWN = 6
EVERYTHING = "every request"


@dataclass(frozen=True)
class Baseline:
    """What an operation asks, what the portal answers, and what comes of it, when nothing is changed."""

    of: Operation
    grant: Secret
    asked: dict[str, Asked]
    answers: dict[str, Answer]
    right: Any = None

    def scene(self, key: str, chance: random.Random, foreign: Sequence[Answer]) -> Scene:
        others = [each for other, each in self.answers.items() if other != key]
        return Scene(chance, self.asked[key], others, foreign, self.of.counts, self.of.reads)


@dataclass(frozen=True)
class Blow:
    """One change that is to be made: to which request, when, and how."""

    key: str
    when: str
    mutation: Mutation
    seed: str

    def falls(self, asked: Asked, turn: int) -> bool:
        return self.key in (asked.key, EVERYTHING) and _WHEN[self.when](turn)

    def __str__(self) -> str:
        return f"{self.mutation.name} {self.when} for {self.key[:160]}"


@dataclass
class Struck:
    """What was changed, and whether all of it can be seen."""

    names: set[str] = field(default_factory=set)
    visible: bool = True


def blow(baseline: Baseline, chance: random.Random, seed: str, foreign: Sequence[Answer]) -> Blow:
    """Draw a change that fits the answer: where there is nothing to change in one way, it is changed in another."""
    key = chance.choice(list(baseline.answers))
    when = chance.choices(list(_WHEN), weights=_OFTEN)[0]
    every = list(MUTATIONS.values())
    drawn = chance.choices(every, weights=[each.weight for each in every], k=_DRAWN)

    def fits(mutation: Mutation) -> bool:
        scene = baseline.scene(key, random.Random(seed), foreign)
        return mutation.change(baseline.answers[key].copy(), scene) is not None

    wide = chance.random() < 0.1
    return Blow(EVERYTHING if wide else key, when, next(filter(fits, drawn), drawn[0]), seed)


def striking(
    baseline: Baseline, blows: Sequence[Blow], foreign: Sequence[Answer], fetch: Answers, struck: Struck
) -> Answers:
    """Return what answers as the portal did, but for the blows; ``struck`` learns which of them fell."""
    turns: Counter[str] = Counter()
    lock = threading.Lock()

    def answers(asked: Asked) -> Answer:
        kept = baseline.answers.get(asked.key)
        if kept is None:
            return fetch(asked)
        answer = kept.copy()
        with lock:
            turn = turns[asked.key]
            turns[asked.key] += 1
            # Two of one kind may undo each other in what can be seen: a row that is lost, and another that is doubled.
            kinds = {each.mutation.name: each for each in blows if each.falls(asked, turn)}
            for each in kinds.values():
                scene = baseline.scene(asked.key, random.Random(each.seed), foreign)
                seen = each.mutation.change(answer, scene)
                if seen is None:
                    continue
                # Two blows together may cut what nothing marks the end of.
                unmarked = answer.most_bytes is not None and answer.length not in ("right", "chunked")
                believed = each.mutation.name in baseline.of.believes
                # What is left of a body that is too long stands before the next answer, where connections go on.
                answer.closes |= each.mutation.name != "a_length_that_is_too_short"
                struck.names.add(each.mutation.name)
                # A refusal or a redirect without a body becomes an empty file that is as good as any.
                granted = kept.status >= 300 and (answer.status < 300 or answer.line is not None)
                struck.visible &= seen and not (believed or granted) and (not unmarked or changed(kept, scene))
        return answer

    return answers
