"""How this portal behaves where portals differ, where nobody knows, and where a test wants it worse.

Source: Automation API v1.0, the parts that are guesses or seen in two spellings.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

CHOICES: dict[str, tuple[str, ...]] = {
    "envelope": ("new", "old"),
    "taken_dataset_id": ("allow", "alter", "refuse"),
    "page_above_most": ("clamp", "refuse"),
    "template": ("default", "asset"),
    "slash": ("both", "redirect"),
}
DURATIONS = ("queued_s", "processing_s", "deleting_s", "aborting_s", "saving_version_s")


@dataclass
class Switches:
    """The switches, each as it stands at the start.

    Attributes:
        queued_s, processing_s, deleting_s, aborting_s, saving_version_s: How long a dataset stays in each status at
            least; None: until it is stepped.
        at_once: How many datasets are processed at the same time; the others stay queued.
        stale_idle: How often the status before is told once more after an order was accepted.
        explore_lag_s: How long Explore shows the old state after a publication ended.
        envelope: Spelling of errors: as Automation v1 says, or as its ancestor did and portals still do.
        refuse_busy_edits: Whether changes are refused while a dataset is busy.
        security_needs_publish: Whether a changed visibility shows at the next publication only.
        most_rows: Rows of a dataset at most, which leads to ``limit_reached``; None sets no limit.
        most_file_bytes: Largest upload.
        most_page: Largest page.
        page_above_most: What becomes of a call that asks for a larger one.
        default_page: Size of a page unless asked.
        total_count_as_text: Whether ``total_count`` is a text.
        null_is_published: Whether a status says null instead of whether the dataset is published.
        next_elsewhere: Host and port that ``next`` names in place of this portal's; None: this portal's.
        unknown_keys: Whether objects hold a key that no description knows.
        upload_status: Status of an accepted upload.
        counts_in_quota: Whether these calls count in the portal's quota.
        template: Name of the standard template.
        taken_dataset_id: What a new dataset with the id of another one becomes.
        refuse_empty_values: Whether metadata of a new dataset may not be empty.
        keeps_custom_on_create: Whether a new dataset keeps the custom metadata it was made with.
        value_overrides: Whether a value without a flag overrides a harvested one.
        typed_by_rows: How many rows decide of the types of fields.
        most_records_errors: How many errors of records a status lists at most.
        slash: Whether an address without its slash is answered, or redirected.
        since_in_seconds: Whether ``since`` is told without parts of a second, as recorded bodies tell it.
        masks_push_key: Whether a resource shows the beginning of its push key only; portals show it whole.
        status_to_editors: Whether a status is told to who may edit a dataset and not publish it; else it is refused.
    """

    queued_s: float | None = 0.0
    processing_s: float | None = 0.0
    deleting_s: float | None = 0.0
    aborting_s: float | None = 0.0
    saving_version_s: float | None = 0.0
    at_once: int = 8
    stale_idle: int = 0
    explore_lag_s: float = 0.0
    envelope: str = "new"
    refuse_busy_edits: bool = False
    security_needs_publish: bool = True
    most_rows: int | None = None
    most_file_bytes: int = 240_000_000
    most_page: int = 1000
    default_page: int = 20
    page_above_most: str = "clamp"
    total_count_as_text: bool = False
    null_is_published: bool = False
    next_elsewhere: str | None = None
    unknown_keys: bool = False
    upload_status: int = 201
    counts_in_quota: bool = False
    template: str = "default"
    taken_dataset_id: str = "allow"
    refuse_empty_values: bool = False
    keeps_custom_on_create: bool = True
    value_overrides: bool = True
    typed_by_rows: int = 1000
    most_records_errors: int = 1000
    slash: str = "both"
    since_in_seconds: bool = False
    masks_push_key: bool = False
    status_to_editors: bool = False

    def set(self, **given: Any) -> dict[str, Any]:
        """Change switches and return them all.

        Raises:
            ValueError: There is no such switch, or it takes no such value.
        """
        start = asdict(Switches())
        for name, value in given.items():
            if name not in start:
                raise ValueError(f"no switch {name!r}; there are {', '.join(start)}")
            if name in CHOICES and value not in CHOICES[name]:
                raise ValueError(f"{name} is one of {', '.join(CHOICES[name])}, not {value!r}")
            if not _fits(name, value, start[name]):
                raise ValueError(f"{name} cannot be {value!r}; at the start it is {start[name]!r}")
        for name, value in given.items():
            setattr(self, name, value)
        return asdict(self)

    def reset(self) -> None:
        """Put all switches as they stand at the start."""
        for each in fields(self):
            setattr(self, each.name, each.default)


def _fits(name: str, value: Any, start: Any) -> bool:
    if name in DURATIONS or name == "most_rows":
        return value is None or (isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0)
    if start is None:
        return value is None or isinstance(value, str)
    if isinstance(start, bool) or isinstance(value, bool):
        return isinstance(start, bool) and isinstance(value, bool)
    if isinstance(start, (int, float)):
        return isinstance(value, (int, float)) and value >= 0
    return isinstance(value, type(start))
