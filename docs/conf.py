"""The site of the Markdown pages: furo's theme, and what `site/` adds while Sphinx reads them.

The pages are written for a plain repository page; what only a site can show (docstrings, the
options of each command, the sidebar) is added here and is in no file. ``scripts/docs`` builds it.
"""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path[:0] = [str(ROOT), str(HERE / "site")]  # the package, and the extensions

from boto_rolesanywhere._version import __version__  # noqa: E402  # on the path since above

project = "boto_rolesanywhere"
author = f"the authors of {project}"
version = release = __version__
project_copyright = f"{author}, Apache-2.0"

# Sphinx reads the repository from its root, so that links between its folders lead on.
root_doc = "docs/README"
include_patterns = [
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "README.md",
    "SECURITY.md",
    "TROUBLESHOOTING.md",
    "docs/*.md",
    "examples/README.md",
]
exclude_patterns = [".*", "boto_rolesanywhere", "build", "tests"]

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "additions",
    "mermaid",
]
myst_enable_extensions = ["deflist"]
myst_heading_anchors = 4
myst_fence_as_directive = ["mermaid"]

# As the docstrings are written: Google's sections, and single backticks around code.
default_role = "code"
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
add_module_names = False
python_maximum_signature_line_length = 80
napoleon_google_docstring = True
napoleon_numpy_docstring = False

html_theme = "furo"
html_title = f"boto_rolesanywhere {release}"
html_extra_path = ["site/index.html"]  # leads from the site's top to docs/README
html_static_path = ["site/static", "../.cache/docs/node/node_modules/@mermaid-js/tiny/dist"]
html_css_files = ["site.css"]
html_copy_source = False
html_theme_options = {"navigation_with_keys": True}
pygments_style = "default"
