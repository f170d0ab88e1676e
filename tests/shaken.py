"""Look for keys in everything that an error keeps alive: frames, hidden contexts, and what hangs on their variables."""

from __future__ import annotations

import functools
import types
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

from ods_provider.core.redact import Sealed, Secret

# Secrets neither print nor pickle; what is sealed does not either. Everything else may end up in a report.
_SHUT = (Secret, Sealed, type, types.ModuleType)
_MOST = 400_000


def keys_in(error: BaseException, secrets: Iterable[str], *, ours: str = "") -> list[str]:
    """Return where the secrets can be seen from an error; ``ours`` is the file whose frames may hold them."""
    wanted = [spelled for secret in secrets for spelled in _spellings(secret)]
    found = []
    queue: list[tuple[str, Any]] = [("error", error)]
    seen: dict[int, Any] = {}
    while queue and len(seen) < _MOST:
        path, value = queue.pop()
        if id(value) in seen or isinstance(value, _SHUT):
            continue
        seen[id(value)] = value  # kept, so that no other takes its id
        if isinstance(value, (str, bytes, bytearray, memoryview)):
            text = value if isinstance(value, str) else bytes(value).decode("latin-1")
            found += [f"{path}: {text[:200]!r}" for spelled in wanted if spelled in text][:1]
            continue
        queue += [(f"{path}{name}"[-300:], inside) for name, inside in _inside(value, ours)]
    assert len(seen) < _MOST, "the walk has no end"
    return found


def _spellings(secret: str) -> set[str]:
    encoded = {b64encode(text.encode()).decode().rstrip("=") for text in (secret, f"user:{secret}", f":{secret}")}
    return {secret, quote(secret, safe=""), quote_plus(secret)} | encoded


def _inside(value: Any, ours: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, BaseException):
        yield from (
            (f".{name}", getattr(value, name)) for name in ("__cause__", "__context__", "__traceback__", "args")
        )
    if isinstance(value, types.TracebackType):
        yield ".frame", value.tb_frame
        yield ".next", value.tb_next
    elif isinstance(value, types.FrameType):
        if value.f_code.co_filename != ours and not _is_pytest(value.f_code.co_filename):
            where = f"\n{Path(value.f_code.co_filename).name}:{value.f_lineno} {value.f_code.co_name}"
            yield from ((f"{where} {name}", inside) for name, inside in value.f_locals.items())
    elif isinstance(value, (types.GeneratorType, types.CoroutineType)):
        yield ".frame", getattr(value, "gi_frame", None) or getattr(value, "cr_frame", None)
    elif isinstance(value, types.MethodType):
        yield ".self", value.__self__
        yield ".function", value.__func__
    elif isinstance(value, types.FunctionType):
        yield from ((".closure", cell.cell_contents) for cell in value.__closure__ or () if _full(cell))
        yield ".defaults", value.__defaults__
    elif isinstance(value, functools.partial):
        yield from ((".func", value.func), (".args", value.args), (".keywords", value.keywords))
    elif isinstance(value, (list, tuple, AbstractSet)):
        yield from ((f"[{at}]", inside) for at, inside in enumerate(list(value)))
    elif isinstance(value, Mapping):
        yield from ((f"[{key!r}]", inside) for key, inside in list(value.items()))
        yield from ((".key", key) for key in list(value))
    yield from ((f".{name}", inside) for name, inside in _attributes(value))


def _attributes(value: Any) -> Iterator[tuple[str, Any]]:
    yield from list(getattr(value, "__dict__", {}).items())
    for kind in type(value).__mro__:
        slots = kind.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            try:
                yield name, getattr(value, name)
            except Exception:  # not set, or it does not say
                continue


def _full(cell: Any) -> bool:
    try:
        _ = cell.cell_contents
    except ValueError:
        return False
    return True


def _is_pytest(file: str) -> bool:
    return any(f"/{name}/" in file for name in ("_pytest", "pluggy", "hypothesis"))
