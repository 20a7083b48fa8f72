"""The documentation tells what the code does."""

import re
from pathlib import Path

import pytest

from config.handbook import pages
from publishing import platforms

HERE = Path(__file__).resolve().parents[2]
MARKDOWN = [HERE / "README.md", HERE / "CHANGELOG.md", *sorted((HERE / "docs").glob("*.md"))]


@pytest.mark.parametrize("name", sorted(pages()))
def test_a_page_drawn_from_tables_is_up_to_date(name):
    assert (HERE / "docs" / name).read_text() == pages()[name], "run: manage.py write_docs"


def test_the_matrix_says_of_every_platform_how_it_is_once_only_and_what_it_was_tried_against():
    for key in platforms.TABLE:
        platform = platforms.platform(key)
        [row] = [
            line for line in pages()["platforms.md"].splitlines()
            if line.startswith(f"| [{platform.label}](")
        ]  # fmt: skip
        assert f"| {platform.capabilities.once.value.replace('_', '-')} |" in row
        tried = platform.capabilities.tried_against or "not tried against the real service"
        assert row.endswith(f"| {tried} |")


@pytest.mark.parametrize("page", MARKDOWN, ids=lambda page: page.name)
def test_every_link_to_a_file_leads_somewhere(page):
    for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), target


def test_every_setting_is_documented():
    settings = (HERE / "config/settings.py").read_text()
    documented = (HERE / "docs/settings.md").read_text()
    read = set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', settings))
    assert {name for name in read if f"`{name}`" not in documented} == set()


def test_every_make_target_that_the_readme_names_exists():
    makefile = (HERE / "Makefile").read_text()
    for target in set(re.findall(r"`make ([a-z-]+)`", (HERE / "README.md").read_text())):
        assert re.search(rf"^{target}:", makefile, re.M), target


@pytest.mark.parametrize("page", MARKDOWN, ids=lambda page: page.name)
def test_no_page_holds_the_marks_of_an_unfinished_merge(page):
    assert not re.search(r"^(<{7} |={7}$|>{7} )", page.read_text(), re.M)
