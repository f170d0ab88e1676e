"""An Airflow that is too old is named, in place of the first import that fails."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ods_provider.hooks.required import require_airflow


@pytest.mark.parametrize("version", ["2.10.5", "2.11.0", "3.0.6", "3.1.3"])
def test_an_older_one_is_refused_with_what_to_do(version: str) -> None:
    with pytest.raises(
        RuntimeError, match=rf"needs Apache Airflow 3\.2 or later, and {version} is installed"
    ) as caught:
        require_airflow(version)
    assert f"and {version} is installed" in str(caught.value)
    assert "pip install 'apache-airflow>=3.2'" in str(caught.value)


@pytest.mark.parametrize("version", ["3.2.0", "3.3.2", "3.10.0", "4.0.0", "3.2.0rc1"])
def test_a_newer_one_is_not(version: str) -> None:
    require_airflow(version)


@pytest.mark.parametrize("module", ["hooks.ods", "operators.download", "sensors.dataset", "triggers.wait"])
def test_it_is_the_first_thing_that_each_import_says(module: str, tmp_path: Path) -> None:
    # As far as it goes, which is not to anything that Airflow 3 brought.
    (tmp_path / "airflow").mkdir()
    (tmp_path / "airflow" / "__init__.py").write_text('__version__ = "2.10.5"\n')
    ran = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import ods_provider.{module}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stderr.splitlines()[-1].startswith("RuntimeError: ods-provider needs Apache Airflow 3.2 or later")
