"""How much of something may go: a share of it in percent, or a number."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from ods_provider.core.errors import OdsConfigError
from ods_provider.core.given import is_given, shown


@dataclass(frozen=True, slots=True)
class Share:
    """A bound: ``percent`` of what there is, or ``number`` whatever there is; one of them is None."""

    percent: Decimal | None = None
    number: int | None = None

    def allows(self, part: int, whole: int) -> bool:
        """Return whether so many of all are within the bound."""
        return part <= self.number if self.number is not None else part * 100 <= (self.percent or 0) * whole

    @property
    def all(self) -> bool:
        """Whether it lets everything go."""
        return self.percent is not None and self.percent >= 100

    def __str__(self) -> str:
        return f"{self.number}" if self.number is not None else f"{(self.percent or Decimal(0)).normalize():f}%"


def share(name: str, value: Any, default: str) -> Share:
    """Return ``value`` as a share, ``default`` when it is not given.

    Args:
        name: The argument's.
        value: ``"10%"``, ``"0.5%"``, or a number of things.
        default: In the same spelling.

    Raises:
        OdsConfigError: It is neither; the message names the argument.
    """
    said = str(value if is_given(value) else default).strip()
    try:
        if said.endswith("%"):
            percent = Decimal(said[:-1].strip())
            if 0 <= percent <= 100:  # a comparison with NaN is an error of decimals
                return Share(percent=percent)
        elif (number := int(said)) >= 0:
            return Share(number=number)
    except (ValueError, InvalidOperation):
        pass
    raise OdsConfigError(
        f"{name}={shown(value)} is neither a share nor a number",
        where=f"argument {name}",
        advice="Pass 0% to 100%, such as 10%, or how many at most",
    )
