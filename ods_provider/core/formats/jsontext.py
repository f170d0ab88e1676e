"""Count the objects of a JSON array or a GeoJSON as they pass, without building them.

Strings are cut out by splitting at quotes, everything but brackets is dropped, both at C speed; only the brackets are
walked one by one.
"""

from __future__ import annotations

from typing import IO

from ods_provider.core.formats.check import Verified, broken

_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_CLOSES = {"]": "[", "}": "{"}
_PASSES = 6  # more than any geometry is deep; deeper nests are walked, or they would cost a pass for each level


class JsonCheck:
    """Counts the objects that open directly below ``parents``.

    Args:
        parents: ``"["`` counts the elements of a top array, ``"{["`` those of an array inside the top object (the
            features of a FeatureCollection), None counts nothing and only checks that all brackets close.
    """

    random_access = False

    def __init__(self, parents: str | None) -> None:
        self._parents = parents
        self.verified: Verified = "counted" if parents else "container"
        self._stack: list[str] = []
        self._rows = 0
        self._seen = False
        self._in_string = False
        self._carry = b""

    def feed(self, data: bytes) -> None:
        """Take the next piece; escapes that straddle two pieces are put together first."""
        data = self._carry + data
        # An odd run of backslashes at the end belongs to the next byte.
        run = len(data) - len(data.rstrip(b"\\"))
        self._carry = data[len(data) - 1 :] if run % 2 else b""
        if self._carry:
            data = data[:-1]
        if b"\\" in data:
            data = data.replace(b"\\\\", b"").replace(b'\\"', b"")
        parts = data.split(b'"')
        outside = b"".join(parts[1::2] if self._in_string else parts[::2])
        self._in_string ^= len(parts) % 2 == 0
        self._walk(outside.translate(None, _NOT_BRACKETS))

    def _walk(self, brackets: bytes) -> None:
        if not brackets:
            return
        self._seen = True
        # Coordinates are nests of arrays: the closed ones hold no object and vanish in C, not in this loop.
        for _ in range(_PASSES):
            brackets = brackets.replace(b"[]", b"")
        stack, depth = self._stack, len(self._parents or "")
        for mark in brackets.decode("ascii"):
            if mark in "[{":
                if mark == "{" and depth and len(stack) == depth and "".join(stack) == self._parents:
                    self._rows += 1
                stack.append(mark)
            elif not stack or stack.pop() != _CLOSES[mark]:
                broken("the JSON closes a bracket that is not open")

    def finish(self, file: IO[bytes] | None) -> int | None:
        """Return the number of objects."""
        if self._in_string or self._stack or not self._seen:
            broken("the JSON ends before its last bracket is closed")
        return self._rows if self._parents else None
