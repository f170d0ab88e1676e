"""pyarrow as rows are converted with it; imported by what works at rows only, never by what a DAG file imports."""

from __future__ import annotations

from typing import Any

import pyarrow  # noqa: ICN001  `pa` is what it is called from here on
import pyarrow.compute

# Its functions are made at import and its types have a parameter for everything: no type checker helps with either.
pa: Any = pyarrow
pc: Any = pyarrow.compute
Array = Any
DataType = Any
