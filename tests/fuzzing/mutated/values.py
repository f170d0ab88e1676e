"""JSON that is still JSON (or nearly), with values, names and counts that no portal would send."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from fuzzing.mutated.mutations import Scene, changed, document, is_read, is_streamed, mutation, pick
from fuzzing.mutated.wire import Answer

_DEEP = 20_000
_RAW = (
    *(
        "null",
        "true",
        "false",
        "-1",
        "0",
        "1",
        "NaN",
        "Infinity",
        "-Infinity",
        "1e400",
        "-0.0",
        "1.5",
        "9223372036854775808",
    ),
    *(
        "9" * 400,
        "9" * 5000,
        "1e-400",
        "[]",
        "{}",
        '""',
        '"\\ud800"',
        '"\\u0000"',
        '"\\u001b[2J\\u202e"',
        '"null"',
        '"1e400"',
    ),
    *(
        '"²"',
        '[[[["x"]]]]',
        '{"": ""}',
        '"2026-13-45T99:99:99Z"',
        '"0001-01-01T00:00:00+14:00"',
        '"9999-12-31T23:59:59-14:00"',
    ),
    *(
        "[null]",
        '[{"name": null}]',
        '"https://[::1"',
        '"javascript:x"',
        '"//127.0.0.1:1/x"',
        '"../../../etc/passwd"',
        '{"lat": "x"}',
    ),
    *(
        '{"url": "https://[::1", "filename": "\\ud800/../x"}',
        '{"type": "Feature", "geometry": null}',
        "202401011200",
        "-62135596801",
    ),
)
_LONG = (
    "[" * _DEEP + "]" * _DEEP,
    '{"a":' * _DEEP + "1" + "}" * _DEEP,
    '"' + "x" * 1_000_000 + '"',
    '"' + "a." * 30_000 + '"',
)
_MARK = "\u0001{}\u0001"
_MOST_PLACES = 5000


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every container and the name or number of each value in it, the outer ones first."""
    queue, given = [value], 0
    while queue and given < _MOST_PLACES:
        inside = queue.pop(0)
        pairs = inside.items() if isinstance(inside, dict) else enumerate(inside)
        for name, each in pairs:
            given += 1
            yield inside, name
            if isinstance(each, (dict, list)):
                queue.append(each)


def _place(found: Any, scene: Scene) -> tuple[Any, Any] | None:
    """Return a place, the outer ones more often: there is what is read first."""
    places = list(_places(found)) if isinstance(found, (dict, list)) else []
    if not places:
        return None
    return places[int(len(places) * scene.chance.random() ** pick(scene, 1, 3, 6))]


class _Edit:
    """A body taken apart for an edit: the whole document, or one line of JSON lines."""

    def __init__(self, answer: Answer, scene: Scene) -> None:
        self._answer = answer
        self._around = (b"", b"")
        self._raw: list[str] = []
        self.found = document(answer.body)
        if self.found is NotImplemented and answer.body[:1] == b"{":
            lines = answer.body.split(b"\n")
            at = scene.chance.randrange(len(lines))
            self.found = document(lines[at])
            self._around = (b"\n".join([*lines[:at], b""]), b"\n".join([b"", *lines[at + 1 :]]))

    def raw(self, text: str) -> str:
        """Return a value that stands for any text until it is written."""
        self._raw.append(text)
        return _MARK.format(len(self._raw))

    def write(self) -> None:
        text = json.dumps(self.found, ensure_ascii=False)
        for number, raw in enumerate(self._raw, start=1):
            text = text.replace(json.dumps(_MARK.format(number)), raw)
        before, behind = self._around
        self._answer.body = before + text.encode("utf-8", "surrogatepass") + behind


@mutation(6)
def a_value_of_another_type(answer: Answer, scene: Scene) -> bool | None:
    edit = _Edit(answer, scene)
    for _ in range(scene.chance.choice((1, 1, 1, 4))):
        place = _place(edit.found, scene)
        if place is None:
            return None
        inside, name = place
        inside[name] = edit.raw(pick(scene, *(_LONG if scene.chance.random() < 0.05 else _RAW)))
    edit.write()
    return False


@mutation(2)
def the_whole_of_another_type(answer: Answer, scene: Scene) -> bool | None:
    if document(answer.body) is NotImplemented:
        return None
    answer.body = pick(scene, *_RAW, *_LONG).encode()
    return False


@mutation(2)
def a_name_dropped(answer: Answer, scene: Scene) -> bool | None:
    edit = _Edit(answer, scene)
    place = _place(edit.found, scene)
    if place is None:
        return None
    inside, name = place
    del inside[name]
    edit.write()
    return False


@mutation()
def a_name_changed(answer: Answer, scene: Scene) -> bool | None:
    edit = _Edit(answer, scene)
    place = _place(edit.found, scene)
    if place is None or not isinstance(place[0], dict):
        return None
    inside, name = place
    other = pick(scene, name.upper(), f"{name} ", "", "\ud800", "x" * 5000, "\x1b[2J", *list(inside))
    inside[other] = inside.pop(name)
    edit.write()
    return False


@mutation()
def a_name_doubled(answer: Answer, scene: Scene) -> bool | None:
    edit = _Edit(answer, scene)
    place = _place(edit.found, scene)
    if place is None or not isinstance(place[0], dict):
        return None
    inside, name = place
    again = json.dumps(name, ensure_ascii=False)
    inside[name] = edit.raw(f"{json.dumps(inside[name], ensure_ascii=False)}, {again}: {pick(scene, *_RAW)}")
    edit.write()
    return False


@mutation(3)
def a_count_that_lies(answer: Answer, scene: Scene) -> bool | None:
    edit = _Edit(answer, scene)
    if not isinstance(edit.found, dict):
        return None
    counts = (each for each in ("total_count", "nhits", "records_count") if type(edit.found.get(each)) is int)
    name = next(counts, None)
    if name is None:
        return None
    true = edit.found[name]
    lie = pick(scene, 0, -1, 1, true + 1, true - 1, true * 2 + 3, 10**12, float(true), str(true))
    edit.found[name] = lie
    edit.write()
    # A count that is asked for alone may be any.
    return lie == true if "limit=0" in scene.asked.target or "rows=0" in scene.asked.target else scene.counts


@mutation(2)
def a_row_lost_or_doubled(answer: Answer, scene: Scene) -> bool | None:
    edit = _Edit(answer, scene)
    found = edit.found
    rows = found.get("results", found.get("records")) if isinstance(found, dict) else found
    if not isinstance(rows, list) or not rows:
        return None
    visible = scene.counts and (is_read(answer, scene) or changed(answer, scene))
    at = scene.chance.randrange(len(rows))
    how = pick(scene, "lost", "doubled", "null", "in the place of another")
    if how == "lost":
        del rows[at]
    elif how == "doubled":
        rows.insert(at, rows[at])
    elif how == "null":
        rows[at] = pick(scene, None, [], "x", 5)
    else:
        rows[at] = rows[at - 1]
        # Where nothing but values tells rows apart, equal ones may be two.
        visible = False
    edit.write()
    return visible


@mutation()
def a_line_lost_or_doubled(answer: Answer, scene: Scene) -> bool | None:
    """Of CSV or JSON lines, each of which is a whole row."""
    if not is_streamed(scene) or answer.body.count(b"\n") < 3 or b'"\n' in answer.body:
        return None
    lines = answer.body.splitlines(keepends=True)
    at = scene.chance.randrange(1, len(lines))
    how = pick(scene, "lost", "doubled", "blank", "half")
    if how == "lost":
        del lines[at]
    elif how == "doubled":
        lines.insert(at, lines[at])
    elif how == "blank":
        lines.insert(at, b"\n")
    else:
        lines[at] = lines[at][: len(lines[at]) // 2] + b"\n"
    answer.body = b"".join(lines)
    return scene.counts and how in ("lost", "doubled")
