"""Files beside the records: ``client.automation.attachments``, ``.alternative_exports`` and ``.images``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ods_provider.client.automation.office import Office
from ods_provider.client.files import pieces
from ods_provider.core.plans.automation import hanging, lists
from ods_provider.core.plans.automation.lists import Kind

Object = dict[str, Any]
Objects = list[Object]
Sent = Callable[[int], None]


class HungFiles:
    """Files of datasets. None is exchanged: another is added under another link, and the old one deleted.

    Args:
        office: Runs the plans.
        kind: Which of them.
    """

    def __init__(self, office: Office, kind: Kind) -> None:
        self._office = office
        self._kind = kind

    def list(self, dataset: str) -> Objects:
        """Return the files of a dataset: ``[{uid, filename, mimetype, created_at}]``, with a title of exports."""
        return self._office.on(dataset, lambda uid: lists.entries(uid, self._kind))

    def get(self, dataset: str, file: str) -> Object:
        """Return what is known of one, by its uid."""
        return self._office.on(dataset, lambda uid: lists.entry(uid, self._kind, file))

    def download(self, dataset: str, file: str) -> Iterator[bytes]:
        """Yield the bytes of one as they come, published or not."""
        yield from pieces(self._office.on(dataset, lambda uid: hanging.download(uid, self._kind, file)))

    def delete(self, dataset: str, file: str) -> None:
        """Delete one."""
        self._office.on(dataset, lambda uid: lists.remove(uid, self._kind, file))

    def _add(self, dataset: str, path: Any, texts: tuple[tuple[str, str], ...], **how: Any) -> Object:
        from ods_provider.sources.uploads import upload_of

        file = upload_of(path, texts=texts, **how)
        return self._office.on(dataset, lambda uid: hanging.hung(uid, self._kind, file))


class Attachments(HungFiles):
    """Attachments of datasets.

    Args:
        office: Runs the plans.
    """

    def __init__(self, office: Office) -> None:
        super().__init__(office, "attachments")

    def add(
        self,
        dataset: str,
        path: Any,
        *,
        filename: str | None = None,
        mimetype: str | None = None,
        sent: Sent | None = None,
    ) -> Object:
        """Add a file and return ``{uid, filename, mimetype, created_at}``; arguments as of ``resources.upload``."""
        return self._add(dataset, path, (), filename=filename, mimetype=mimetype, sent=sent)


class AlternativeExports(HungFiles):
    """Files that are offered beside the exports of datasets.

    Args:
        office: Runs the plans.
    """

    def __init__(self, office: Office) -> None:
        super().__init__(office, "alternative_exports")

    def add(
        self,
        dataset: str,
        path: Any,
        *,
        title: str,
        description: str | None = None,
        filename: str | None = None,
        mimetype: str | None = None,
        sent: Sent | None = None,
    ) -> Object:
        """Offer a file under a title and return what the portal says of it; arguments as of ``resources.upload``."""
        texts: tuple[tuple[str, str], ...] = (("title", title), ("type", "uploaded_file"))
        if description is not None:
            texts += (("description", description),)
        return self._add(dataset, path, texts, filename=filename, mimetype=mimetype, sent=sent)

    def update(self, dataset: str, file: str, *, title: str | None = None, description: str | None = None) -> Object:
        """Change the title or the description of one, and return it."""
        given = {"title": title, "description": description}
        changes = {name: text for name, text in given.items() if text is not None}
        return self._office.on(dataset, lambda uid: lists.change(uid, self._kind, file, changes))


class Images:
    """Images of the portal.

    Args:
        office: Runs the plans.
    """

    def __init__(self, office: Office) -> None:
        self._office = office

    def list(self) -> Objects:
        """Return the images: ``[{url}]``, paths on the portal."""
        return self._office.run(hanging.images())

    def add(self, path: Any, *, filename: str | None = None, mimetype: str | None = None) -> Object:
        """Add an image and return ``{url}``."""
        from ods_provider.sources.uploads import upload_of

        return self._office.run(hanging.image(upload_of(path, filename=filename, mimetype=mimetype)))
