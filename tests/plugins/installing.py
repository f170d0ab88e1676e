"""Real distributions in a folder: what pip would leave behind, without pip."""

from pathlib import Path
from textwrap import dedent


def install(folder: Path, distribution: str, entry_points: dict[str, str], **modules: str) -> None:
    """Put a distribution with plugin entry points and its modules into ``folder``, which belongs on ``sys.path``."""
    info = folder / f"{distribution.replace('-', '_')}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
    points = "\n".join(f"{name} = {target}" for name, target in entry_points.items())
    (info / "entry_points.txt").write_text(f"[ods_provider]\n{points}\n")
    for name, text in modules.items():
        (folder / f"{name}.py").write_text(dedent(text))
