"""Where records come from: ``client.automation.resources``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ods_provider.client.automation.office import Office
from ods_provider.client.files import pieces
from ods_provider.core.forgetting import forgets
from ods_provider.core.plans.automation import lists, resources
from ods_provider.core.redact import Secret

Object = dict[str, Any]
Objects = list[Object]


class Resources:
    """Resources of datasets, their files and their push keys. What is changed shows at the next publication.

    Credentials of sources are sent and never shown: in what these methods return they are ``***`` or None, and sent
    back so they stay as they were.

    Args:
        office: Runs the plans.
    """

    def __init__(self, office: Office) -> None:
        self._office = office

    def list(self, dataset: str) -> Objects:
        """Return the resources of a dataset in their order; the first defines the schema."""
        return self._office.on(dataset, resources.resources)

    def get(self, dataset: str, resource: str) -> Object:
        """Return one resource: ``{uid, type, title, params, datasource, …}``."""
        return self._office.on(dataset, lambda uid: resources.resource(uid, resource))

    @forgets
    def create(self, dataset: str, resource: Mapping[str, Any]) -> Object:
        """Add a resource after the others and return it.

        Args:
            dataset: Which.
            resource: ``{"type": "csvfile", "title": …, "params": {…}, "datasource": {…}}``; of an uploaded file the
                datasource is ``{"type": "uploaded_file", "file": {"uid": …}}``.
        """
        return self._office.on(dataset, lambda uid: resources.create(uid, resource))

    @forgets
    def update(self, dataset: str, resource: str, **changes: Any) -> Object:
        """Change ``type``, ``title``, ``params`` or ``datasource`` of a resource and keep the rest; return it."""
        return self._office.on(dataset, lambda uid: resources.update(uid, resource, changes))

    def delete(self, dataset: str, resource: str) -> None:
        """Delete a resource. To exchange its source, update it: nothing is without data in between."""
        self._office.on(dataset, lambda uid: resources.delete(uid, resource))

    def upload(
        self,
        dataset: str,
        path: Any,
        *,
        filename: str | None = None,
        mimetype: str | None = None,
        sent: Callable[[int], None] | None = None,
    ) -> Object:
        """Upload a file, in memory that does not grow with it, and return ``{uid, filename, mimetype, created_at}``.

        Nothing uses it until a resource names its uid, which may differ from its name. An upload that breaks off begins
        anew.

        Args:
            dataset: Whose files it joins.
            path: A path, an fsspec URL (``s3://bucket/key``), or an object with ``fs`` and ``path``.
            filename: What it is called there; its own name unless told.
            mimetype: What it is; told by its ending unless given.
            sent: Hears how many bytes are on their way.
        """
        from ods_provider.sources.uploads import upload_of

        file = upload_of(path, filename=filename, mimetype=mimetype, sent=sent)
        return self._office.on(dataset, lambda uid: resources.upload(uid, file))

    def uploaded(self, dataset: str, file: str) -> Object:
        """Return what is known of an uploaded file, by its uid: ``{uid, filename, mimetype, created_at}``."""
        return self._office.on(dataset, lambda uid: resources.uploaded(uid, file))

    def download(self, dataset: str, file: str) -> Iterator[bytes]:
        """Yield the bytes of an uploaded file as they come."""
        yield from pieces(self._office.on(dataset, lambda uid: resources.uploaded_content(uid, file)))

    def extractors(self) -> Objects:
        """Return the extractors that the portal knows: ``[{type, label, parameters}]``."""
        return self._office.run(lists.extractor_types())

    @forgets
    def preview(self, dataset: str, resource: str | Mapping[str, Any]) -> Object:
        """Return ``{fields, records}`` that a resource would give, made or not, up to twenty records."""
        return self._office.on(dataset, lambda uid: resources.preview(uid, resource))

    @forgets
    def guess_extractors(self, dataset: str, source: str | Mapping[str, Any]) -> Objects:
        """Return the extractors that may read a source, the best first.

        Args:
            dataset: Which.
            source: The uid of a resource, or a datasource.
        """
        return self._office.on(dataset, lambda uid: resources.guessed_extractors(uid, source))

    @forgets
    def guess_params(self, dataset: str, source: str | Mapping[str, Any]) -> Object:
        """Return ``{extractor, params}`` that fit a source best; ``source`` as for ``guess_extractors``."""
        return self._office.on(dataset, lambda uid: resources.guessed_params(uid, source))

    def clean_cache(self, dataset: str, resource: str) -> None:
        """Have the next publication fetch the source whether or not it says that it changed."""
        self._office.on(dataset, lambda uid: resources.clean_cache(uid, resource))

    def enable(self, dataset: str, resource: str) -> Object:
        """Have a realtime resource take pushes."""
        return self._office.on(dataset, lambda uid: resources.enabled(uid, resource, on=True))

    def disable(self, dataset: str, resource: str) -> Object:
        """Have a realtime resource refuse pushes."""
        return self._office.on(dataset, lambda uid: resources.enabled(uid, resource, on=False))

    def push_key(self, dataset: str, resource: str) -> Secret:
        """Return the push key of a realtime resource: it prints as ``***``, ``reveal()`` gives it.

        Raises:
            OdsConfigError: It is no realtime resource, or the portal does not show the key.
        """
        return self._office.on(dataset, lambda uid: resources.push_key(uid, resource))

    def renew_push_key(self, dataset: str, resource: str) -> Secret:
        """Give a realtime resource a new push key and return it; the old one ends at once."""
        return self._office.on(dataset, lambda uid: resources.renewed_push_key(uid, resource))

    def recover(self, dataset: str, resource: str) -> Object:
        """Bring back the records that a realtime resource of a published dataset keeps."""
        return self._office.on(dataset, lambda uid: resources.recovered(uid, resource))

    def drop_recovered(self, dataset: str, resource: str) -> Object:
        """Drop the records that a realtime resource of a published dataset keeps for a recovery."""
        return self._office.on(dataset, lambda uid: resources.recovered(uid, resource, drop=True))
