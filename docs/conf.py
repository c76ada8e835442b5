"""Sphinx builds the documents as a site: `make site`."""

from __future__ import annotations

import re
from importlib.metadata import version as installed_version

from sphinx.application import Sphinx

project = "isocost"
copyright = "the isocost authors"
release = version = installed_version("isocost")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
root_doc = "index"

# Headings get the anchors that GitHub gives them, so that one link leads to the same place here and there.
myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence"]

default_role = "literal"  # docstrings mark code with single backticks, as Markdown does
autodoc_typehints = "description"
autodoc_member_order = "bysource"
napoleon_numpy_docstring = False

html_theme = "furo"
html_title = "isocost"
html_copy_source = False
html_show_sphinx = False


def setup(app: Sphinx) -> None:
    """Lead links to CONTRIBUTING.md and CHANGELOG.md, which lie outside docs/, to the pages that include them."""
    included = {"CONTRIBUTING": "contributing", "CHANGELOG": "changes"}

    def relink(_app: Sphinx, _page: str, source: list[str]) -> None:
        source[0] = re.sub(r"\]\(\.\./(CONTRIBUTING|CHANGELOG)\.md", lambda found: f"]({included[found[1]]}.md", source[0])

    app.connect("source-read", relink)
