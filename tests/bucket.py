"""An object store in memory with fsspec's commit contract: an upload is invisible until ``commit``, as in s3fs."""

from __future__ import annotations

from typing import Any

from fsspec.spec import AbstractBufferedFile, AbstractFileSystem


class _Upload(AbstractBufferedFile):
    """A file whose parts are uploaded as they fill and become an object when they are committed."""

    DEFAULT_BLOCK_SIZE = 65_536

    def _initiate_upload(self) -> None:
        self.fs.pending[id(self)] = bytearray()

    def _upload_chunk(self, final: bool = False) -> bool:
        self.fs.pending[id(self)] += self.buffer.getvalue()
        if final and self.autocommit:
            self.commit()
        return True

    def commit(self) -> None:
        self.fs.objects[self.path] = bytes(self.fs.pending.pop(id(self)))

    def discard(self) -> None:
        self.fs.pending.pop(id(self), None)
        self.buffer = None  # as s3fs leaves it: whoever closes the file now begins a new upload

    def _fetch_range(self, start: int, end: int) -> bytes:
        return self.fs.objects[self.path][start:end]


class Bucket(AbstractFileSystem):
    """Objects by key; ``pending`` are the uploads that were begun and neither committed nor discarded."""

    protocol = "s3"
    cachable = False

    def __init__(self) -> None:
        super().__init__()
        self.objects: dict[str, bytes] = {}
        self.pending: dict[int, bytearray] = {}

    def _open(self, path: str, mode: str = "rb", **how: Any) -> _Upload:
        if mode == "rb" and path not in self.objects:
            raise FileNotFoundError(path)
        how.pop("cache_options", None)
        return _Upload(self, path, mode, size=len(self.objects.get(path, b"")), **how)

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        if path in self.objects:
            return {
                "name": path,
                "size": len(self.objects[path]),
                "type": "file",
                "ETag": str(hash(self.objects[path])),
            }
        if any(key.startswith(path.rstrip("/") + "/") for key in self.objects):
            return {"name": path, "size": 0, "type": "directory"}
        raise FileNotFoundError(path)

    def ls(self, path: str, detail: bool = True, **_: Any) -> list[Any]:
        folder = path.rstrip("/") + "/"
        below = {key[len(folder) :].partition("/")[0] for key in self.objects if key.startswith(folder)}
        if not below:
            raise FileNotFoundError(path)
        names = [folder + name for name in sorted(below)]
        return [self.info(name) for name in names] if detail else names

    def makedirs(self, path: str, exist_ok: bool = False) -> None:
        """There are no folders."""

    def cp_file(self, path1: str, path2: str, **_: Any) -> None:
        self.objects[path2] = self.objects[path1]

    def _rm(self, path: str) -> None:
        self.objects.pop(path, None)

    def rm(self, path: str, recursive: bool = False, maxdepth: int | None = None) -> None:
        gone = [key for key in self.objects if key == path or (recursive and key.startswith(path.rstrip("/") + "/"))]
        if not gone:
            raise FileNotFoundError(path)
        for key in gone:
            del self.objects[key]
