"""Build the site of docs/: `make docs`. Without network, strict; it ends with 1 when a link leads nowhere.

Pages link to files of the project as they lie there, so that they can be read in a checkout. On the site each such file
is a page of its own: Markdown as it is, code in a block.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
IMAGES = DOCS / "images"
PAGES = ROOT / "build" / "pages"
CONFIG = ROOT / "zensical.toml"
SITE = ROOT / "build" / "site"
# Zensical keeps what it has built beside its configuration, in a folder that has a namesake in the project.
STAGED = ROOT / "build" / CONFIG.name
_BESIDE = ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")  # pages of the site's list that lie elsewhere
_LINK = re.compile(r"(\]\()([^)#:\s]+)((?:#[^)\s]*)?\))")
_LANGUAGES = {".py": "python", ".sh": "sh", ".cfg": "ini", ".toml": "toml", ".txt": "text"}


def main() -> int:
    """Build the site and return the exit code."""
    shutil.rmtree(PAGES, ignore_errors=True)
    _Pages().write()
    STAGED.write_text(
        CONFIG.read_text(encoding="utf-8").replace('"build/', '"').replace('["."]', '[".."]'), encoding="utf-8"
    )
    command = [Path(sys.executable).parent / "zensical", "build", "--strict", "--clean", "--config-file", STAGED]
    built = subprocess.run(command, cwd=ROOT, check=False)  # noqa: S603  ours, beside this Python
    if built.returncode:
        return built.returncode
    (SITE / "llms.txt").write_text(_for_machines(), encoding="utf-8")
    unlisted = [
        page for page in DOCS.rglob("*.md") if f'"{page.relative_to(DOCS)}"' not in CONFIG.read_text(encoding="utf-8")
    ]
    for page in unlisted:
        print(f"{page.relative_to(ROOT)}: not in the list of {CONFIG.name}", file=sys.stderr)
    lost = sorted(set(_lost()))
    for page, link in lost:
        print(f"{page}: {link} leads nowhere", file=sys.stderr)
    print(f"{sum(1 for _ in SITE.rglob('*.html'))} pages in {SITE.relative_to(ROOT)}")
    return 1 if lost or unlisted else 0


class _Pages:
    """The pages of the site, made of those of docs/ and of the files that they link to."""

    def __init__(self) -> None:
        self._todo: list[Path] = [*sorted(DOCS.rglob("*.md")), *(ROOT / name for name in _BESIDE)]
        self._made: set[Path] = set()

    def write(self) -> None:
        """Write all of them, and the pictures as they are."""
        shutil.copytree(IMAGES, PAGES / IMAGES.name)
        while self._todo:
            source = self._todo.pop()
            if source in self._made:
                continue
            self._made.add(source)
            target = PAGES / self._place(source)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(self._text(source), encoding="utf-8")

    def _text(self, source: Path) -> str:
        text = source.read_text(encoding="utf-8")
        if source.suffix != ".md":
            name = source.relative_to(ROOT)
            return f"# {name.name}\n\n`{name}`\n\n~~~~{_LANGUAGES.get(source.suffix, 'text')}\n{text}\n~~~~\n"
        return _LINK.sub(lambda found: found[1] + self._link(source, found[2]) + found[3], text)

    def _link(self, source: Path, link: str) -> str:
        target = (source.parent / link).resolve()
        if target.is_dir():
            # The files of a folder stand on no page of their own.
            target /= "README.md"
        if not target.is_file() or not target.is_relative_to(ROOT):
            return link  # told when the site is read through
        if not target.is_relative_to(IMAGES):
            self._todo.append(target)
        return os.path.relpath(self._place(target), self._place(source).parent)

    def _place(self, source: Path) -> Path:
        if source.is_relative_to(IMAGES) or (source.is_relative_to(DOCS) and source.suffix == ".md"):
            return source.relative_to(DOCS)
        named = Path("project") / source.relative_to(ROOT)
        # A page called README or index would take the place of its folder's.
        return named.with_suffix(".md") if source.suffix == ".md" else named.with_name(f"{named.name}.md")


class _Links(HTMLParser):
    """What a page links to, and what can be linked to in it."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take note of a tag."""
        given = dict(attrs)
        self.anchors |= {name for name in (given.get("id"), given.get("name")) if name}
        self.links += [link for link in (given.get("href"), given.get("src")) if link]


def _lost() -> Iterator[tuple[str, str]]:
    read: dict[Path, _Links] = {}
    for page in SITE.rglob("*.html"):
        read[page] = _Links()
        read[page].feed(page.read_text(encoding="utf-8"))
    for page, found in read.items():
        for link in found.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc or page.name == "404.html":
                continue  # elsewhere: not looked at, since it is built without network
            target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            target = target / "index.html" if target.is_dir() else target
            there = read.get(target)
            if not target.exists() or (
                parts.fragment and there and unquote(parts.fragment) not in there.anchors | {"__skip"}
            ):
                yield str(page.relative_to(SITE)), link


def _for_machines() -> str:
    """Return the index of the site for language models, as llmstxt.org describes it."""
    lines = ["# ods-provider", "", "> " + _first_sentence(DOCS / "index.md"), "", "## Pages", ""]
    for page in sorted(DOCS.rglob("*.md")):
        title = page.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")
        place = page.relative_to(DOCS).with_suffix("")
        address = "" if str(place) == "index" else f"{place.parent if place.name == 'index' else place}/"
        lines.append(f"- [{title}]({_site_url()}{address}): {_first_sentence(page)}")
    return "\n".join(lines) + "\n"


def _first_sentence(page: Path) -> str:
    text = page.read_text(encoding="utf-8")
    told = next((part for part in text.split("\n\n")[1:] if part[:1].isalpha() or part[:1] in "*`["), "")
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", " ".join(told.split())).replace("**", "")
    return plain.partition(". ")[0].rstrip(".:") + "."


def _site_url() -> str:
    found = re.search(r'^site_url = "(.*)"$', CONFIG.read_text(encoding="utf-8"), re.MULTILINE)
    assert found is not None
    return found[1]


if __name__ == "__main__":
    raise SystemExit(main())
