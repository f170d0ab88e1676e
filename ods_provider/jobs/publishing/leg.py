"""One leg of a publication: from what is confirmed to the end, to a wait, or to the way back."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict
from functools import cached_property
from typing import Any

from ods_provider.core.automation import is_busy
from ods_provider.core.errors import OdsMismatch, OdsPublicationFailed, OdsQueryError, OdsResponseError
from ods_provider.core.events import Noticed, StepDone
from ods_provider.core.narrate import size
from ods_provider.core.outcome import Wait
from ods_provider.core.plans.automation import resources
from ods_provider.core.plans.automation.paging import every
from ods_provider.core.plans.automation.permitted import permitted
from ods_provider.core.plans.automation.publications import APART_S
from ods_provider.core.plans.automation.status import Status
from ods_provider.core.schema import Dataset
from ods_provider.jobs.context import JobContext
from ods_provider.jobs.publishing.content import About, Content
from ods_provider.jobs.publishing.deadline import busy, free
from ods_provider.jobs.publishing.equal import Left, left_of
from ods_provider.jobs.publishing.extractors import expect_known
from ods_provider.jobs.publishing.orders import Ended, Order
from ods_provider.jobs.publishing.pointing import chosen, file_of, reading, taken
from ods_provider.jobs.publishing.progress import Progress
from ods_provider.jobs.publishing.remembered import Remembered
from ods_provider.jobs.publishing.restoring import Failure, Restoring, kept_of
from ods_provider.jobs.publishing.showing import Check, Proof, Unread, looked
from ods_provider.jobs.publishing.telling import failure_of, outcome_of, plan_of
from ods_provider.jobs.publishing.wanted import Wanted

Object = dict[str, Any]


class Leg:
    """What is left to do.

    Args:
        ctx: The job's.
        wanted: What is asked.
        progress: What earlier legs confirmed.
        dataset: The dataset, as the Automation API tells it.
        made: The content, where the dataset was made for it just now.
    """

    def __init__(
        self, ctx: JobContext, wanted: Wanted, progress: Progress, dataset: Object, made: Content | None = None
    ) -> None:
        self._ctx, self._wanted, self._progress, self._dataset = ctx, wanted, progress, dataset
        self._uid = str(dataset["uid"])
        self._id = str(dataset.get("dataset_id") or wanted.dataset_id)
        self._made = made is not None
        if made is not None:
            self._content = made  # it is read

    def go(self) -> Any:
        """Do it, and return the Outcome, a wait, or that there is nothing to do."""
        try:
            return self._gone()
        finally:
            # Kept by ``cached_property`` where it was needed.
            if "_content" in vars(self):
                self._content.close()

    def _gone(self) -> Any:
        if self._progress.get("failed"):
            # Of whatever file: first what is public is made good.
            return self._restoring.run()
        there = self._there
        if not self._at_work:
            done = self._progress.get("done")
            state = self._wanted.state(self._content.about.sha256)
            found = None if self._wanted.dry_run else self._remembered.still(state, there, done)
            if found is not None:
                return found
            if self._wanted.dry_run or done or self._progress.get("state") != state:
                expect_known(self._ctx, self._wanted, self._content.about.kind, self._resource)
                so_far = f"{self._id} was made, and holds nothing" if self._made else "Nothing was changed"
                told = self._ctx.client.run(permitted(self._uid, self._id, so_far=so_far))
                begun = self._begun(state, told)
                if self._wanted.dry_run:
                    return plan_of(self._ctx, self._wanted, self._id, self._resource, begun)
                self._progress.only(**begun)
        return self._published()

    def _published(self) -> Any:
        try:
            if not self._progress.get("file"):
                self._upload()
            if not self._progress.get("pointed"):
                self._point()
        except OdsQueryError as error:
            if not is_busy(error):
                raise
            said, where = f"{self._id} is at something else, and takes no change", f"publication of {self._id}"
            return busy(self._ctx, self._progress, self._wanted.timeout_s, said, where=where)
        free(self._progress)
        if not self._progress.get("order"):
            self._look()
        order = Order(self._ctx, self._progress, "order", self._uid, self._id, "publish", self._wanted.timeout_s)
        ended = order.run()
        if isinstance(ended, Wait):
            return ended
        failure = failure_of(ended, self._wanted.max_errors)
        proof = failure or self._proven(ended)
        if isinstance(proof, Wait):
            return proof
        if isinstance(proof, str):
            failed = Failure(proof, ended.public, self._wanted.restore, ended.since)
            self._progress.put(failed=asdict(failed))
            return self._restoring.run()
        self._expect_own()
        told = outcome_of(self._ctx, self._wanted, self._progress, self._id, ended, proof)
        result = self._remembered.told(told, str(self._progress.get("state")))
        self._progress.only(done=result)
        return result

    # What there is

    @cached_property
    def _there(self) -> Sequence[Object]:
        return self._ctx.client.run(resources.resources(self._uid))

    @property
    def _resource(self) -> Object | None:
        return chosen(self._there, self._progress.get("resource") or self._wanted.resource, dataset_id=self._id)

    @property
    def _at_work(self) -> bool:
        """Whether an earlier leg uploaded this very file: then it need not be read again."""
        mark = self._mark
        known = not self._progress.get("done") and self._progress.get("file")
        return bool(known) and mark is not None and self._progress.get("mark") == mark and not self._wanted.dry_run

    @cached_property
    def _mark(self) -> str | None:
        return self._wanted.given({}).mark(self._ctx)

    @cached_property
    def _content(self) -> Content:
        return self._wanted.read(self._ctx, self._resource)

    @property
    def _about(self) -> About:
        return About(**self._progress.get("content"))

    @cached_property
    def _remembered(self) -> Remembered:
        return Remembered(self._ctx, self._wanted, self._uid, self._id)

    @property
    def _restoring(self) -> Restoring:
        return Restoring(self._ctx, self._progress, self._uid, self._id)

    # Step by step

    def _begun(self, state: str, told: Status) -> dict[str, Any]:
        """Return what a publication begins with: the content, and what stands.

        Raises:
            OdsIncomplete: The content holds too few rows.
        """
        about, resource = self._content.about, self._resource
        seen = looked(self._ctx, self._id) if self._dataset.get("is_published") else None
        now = None if isinstance(seen, Unread) else seen
        others = len(self._there) > (resource is not None)
        stood = None if others else self._remembered.rows(self._there)
        self._wanted.expect_enough(about.rows, stood if stood is not None else now.rows if now and not others else None)
        before = {"resource": kept_of(resource), "published": bool(self._dataset.get("is_published"))}
        unfinished = self._progress.get("before") if not self._progress.get("done") else None
        if unfinished and file_of(resource) and self._progress.get("file") == file_of(resource):
            # A run that died left its file there, which was never public: what is gone back to is what was before it.
            before["resource"] = unfinished["resource"]
        begun: dict[str, Any] = {
            "state": state,
            "mark": self._mark,
            "content": asdict(about),
            "before": before,
            "others": others,
        }
        if isinstance(seen, Unread) and (seen.refused or self._is_old(told)):
            begun["unread"] = f"Explore shows this key nothing of {self._id} ({seen.said}): its rows are not counted"
            if self._wanted.max_drop is not None and stood is None:
                begun["unread"] += ", nor held against max_drop"
            self._ctx.emit(Noticed(begun["unread"]))
        return begun | ({"made": True} if self._made else {})

    def _is_old(self, told: Status) -> bool:
        """Return whether what was published last would show by now."""
        return told.ready and (told.seconds_old is None or told.seconds_old + APART_S >= self._wanted.lag_s)

    def _look(self) -> None:
        """Keep what Explore shows before the order."""
        if not self._progress.get("unread"):
            now = looked(self._ctx, self._id)
            self._progress.put(stands=None if isinstance(now, Unread) else now.as_dict())

    def _upload(self) -> None:
        content, began = self._content, time.monotonic()

        def sent(done: int) -> None:
            self._ctx.check()
            self._ctx.progress(done, content.about.size_bytes, "bytes")

        made = self._ctx.client.run(resources.upload(self._uid, content.upload(sent)))
        self._progress.put(file=str(made["uid"]))
        told = size(content.about.size_bytes)
        self._ctx.emit(StepDone("Uploaded", content.about.rows, time.monotonic() - began, told))

    def _point(self) -> None:
        resource, file_uid, run = self._resource, str(self._progress.get("file")), self._ctx.client.run
        how: Object = {"datasource": resources.file_source(file_uid)} | run(
            reading(
                self._uid,
                self._about,
                resource,
                file_uid=file_uid,
                extractor=self._wanted.extractor,
                params=self._wanted.params,
            )
        )
        if resource is None:
            title = self._wanted.resource or self._about.filename
            resource = run(resources.create(self._uid, {"title": title, **how}))
        elif file_of(resource) != file_uid or any(resource.get(name) != how[name] for name in ("type", "params")):
            resource = {**run(resources.update(self._uid, str(resource["uid"]), how)), "uid": resource["uid"]}
        # As the portal calls the file there: what it calls it later is held against this.
        self._progress.put(resource=str(resource["uid"]), reads=file_of(resource), pointed=True)

    # The verdict

    def _proven(self, ended: Ended) -> Proof | Wait | str:
        check = Check(
            self._ctx,
            self._id,
            self._about.rows,
            self._left,
            others=bool(self._progress.get("others")),
            processed=self._has_processors(),
            before=(self._progress.get("stands") or {}).get("processed"),
            unread=self._progress.get("unread"),
            lag_s=self._wanted.lag_s,
        )
        try:
            return check.run(ended)
        except OdsMismatch:
            if not ended.own:
                # Somebody else's run was taken for this one's: the next try gives an order of its own.
                self._progress.put(order=None)
            raise

    def _expect_own(self) -> None:
        """Look whether the resource reads this file still: as many rows may be those of another one.

        Raises:
            OdsPublicationFailed: Somebody else changed it while it was published.
        """
        file = self._progress.get("reads")
        if file is None:
            return
        others = taken(self._ctx.client.run(resources.resources(self._uid)), str(self._progress.get("resource")), file)
        if others:
            self._progress.forget()
            raise OdsPublicationFailed(
                f"{others} while this file was published: whose rows are public, nobody can tell",
                where=f"publication of {self._id}",
                advice="Nothing was undone. Look who else publishes it, and run it again",
            )

    def _left(self, dataset: Dataset) -> Left:
        return left_of(self._content.records(), dataset, check=self._ctx.check)

    def _has_processors(self) -> bool:
        try:
            return bool(self._ctx.client.run(every("datasets", self._uid, "processors")))
        except OdsResponseError as error:
            if error.transient:
                raise
            return True  # who may not see them cannot vouch for the number of rows
