"""Make the pictures of docs/images anew: `make pictures`, which runs the browser tests that see them.

Those tests keep a picture of all that they look at; here the ones that pages show are taken, with as few colours as a
page of text needs. The first word of the name of a picture says whose page it is (`airflow-log`): those of others are
made in other environments, and are left as they are.

Usage: python docs/tools/pictures.py FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image

IMAGES = Path(__file__).resolve().parents[1] / "images"
COLOURS = 256


def main(folder: Path) -> int:
    """Take what the pages show from ``folder`` and return the exit code."""
    made = {path.name for path in folder.glob("*.png")}
    whose = {_whose(name) for name in made}
    wanted = [path for path in sorted(IMAGES.glob("*.png")) if _whose(path.name) in whose]
    lacking = [path.name for path in wanted if path.name not in made]
    for name in lacking:
        print(f"{name}: no browser test made it", file=sys.stderr)
    for path in wanted:
        if path.name in made:
            seen = Image.open(folder / path.name).convert("RGB")
            # The way that keeps rare colours: the green and the red of a state are few pixels.
            seen.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(path, optimize=True)
            print(f"{path.name}: {path.stat().st_size / 1000:.0f} KB")
    return 1 if lacking or not wanted else 0


def _whose(name: str) -> str:
    return name.partition("-")[0]


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
