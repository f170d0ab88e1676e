from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ods_provider.sinks.names import name_apart, safe_name, unique_names


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("photo.jpg", "photo.jpg"),
        ("../../etc/passwd", "etc_passwd"),
        ("..", "file"),
        ("", "file"),
        (None, "file"),
        (".hidden", "hidden"),
        ("a/b\\c:d*e?.png", "a_b_c_d_e_.png"),
        ("Sehenswürdigkeit №1.png", "Sehenswürdigkeit №1.png"),
        ("CON.txt", "_CON.txt"),
        ("line\nbreak.txt", "line_break.txt"),
        ("trailing. ", "trailing"),
        ("///", "file"),
        ("cut \ud83d.jpg", "cut _.jpg"),
        ("-rf", "rf"),
        ("--help.txt", "help.txt"),
        ("- .-_x", "x"),
        ("photo\u202egpj.exe", "photo_gpj.exe"),
        ("\u2066a\u2069.txt", "a_.txt"),
        ("\ufeffa\u200b\u061cb\u00ad.txt", "a__b_.txt"),
        ("a\x85b\x9bc.txt", "a_b_c.txt"),
        ("a\u2028b\u2029c", "a_b_c"),
        ("می\u200cخواهم.pdf", "می\u200cخواهم.pdf"),
    ],
)
def test_names_become_safe_and_stay_readable(name: str | None, safe: str) -> None:
    assert safe_name(name) == safe


@given(st.text(max_size=400))
def test_every_name_is_one_file_in_its_folder(name: str) -> None:
    safe = safe_name(name)
    assert Path("/folder", safe).parent == Path("/folder")
    assert os.path.normpath(f"/folder/{safe}") == f"/folder/{safe}"
    assert 0 < len(safe.encode()) <= 180
    assert not safe.startswith((".", "-"))
    assert all(unicodedata.category(char) not in ("Cc", "Cs", "Zl", "Zp") for char in safe)
    assert safe_name(safe) == safe


def test_a_long_name_keeps_its_ending() -> None:
    safe = safe_name("城" * 200 + ".parquet")
    assert safe.endswith(".parquet")
    assert len(safe.encode()) <= 180


@given(st.lists(st.sampled_from(["a.png", "A.png", "a-2.png", "b", "b-2", "ß", "SS"]), max_size=12))
def test_repeated_names_are_numbered_whatever_their_case(names: list[str]) -> None:
    made = unique_names(names)
    assert len({name.casefold() for name in made}) == len(made) == len(names)


@pytest.mark.parametrize("known", [True, False])
def test_keys_have_a_name_each_on_a_filesystem_that_knows_no_capitals_too(known: bool) -> None:
    keys = ["A/B", "A_B", "a_b", "fr", "FR", "<36kVA", ">36kVA", "x" * 300, "x" * 301, "é", "e\u0301", " é", "ü", "Ü"]
    made = [name_apart(key, keys if known else None) for key in keys]
    assert len({name.casefold() for name in made}) == len(keys)
    assert name_apart("FR", ["FR", "DE"]) == "FR"
    assert all(len(name.encode()) <= 180 and safe_name(name) == name for name in made)


def test_many_files_of_one_name_take_no_time_to_number() -> None:
    made = unique_names(["photo.jpg"] * 20_000)
    assert made[-1] == "photo-20000.jpg"
    assert len(set(made)) == 20_000
