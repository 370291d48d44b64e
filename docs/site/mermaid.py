"""Pictures written as ``mermaid`` blocks, which repository pages draw too.

The reader's browser draws them with the one file of the npm package, which the site carries: no
request leaves the site. ``sphinxcontrib-mermaid`` wants Mermaid as a module, of many files.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from docutils import nodes
from docutils.parsers.rst import Directive

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_DRAW = """\
mermaid.initialize({
  startOnLoad: true,
  theme: matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "neutral",
});"""


class Mermaid(Directive):
    """The block's text as Mermaid takes it."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """One node of HTML, marked so that its page loads Mermaid."""
        picture = escape("\n".join(self.content))
        node = nodes.raw("", f'<pre class="mermaid">{picture}</pre>', format="html")
        return [node]


def load_where_drawn(
    app: Sphinx, _page: str, _template: str, context: dict[str, Any], _tree: nodes.document | None
) -> None:
    """Give the page its scripts, if it has a picture."""
    if 'class="mermaid"' in context.get("body", ""):
        app.add_js_file("mermaid.tiny.js", loading_method="defer")
        app.add_js_file(None, body=_DRAW, type="module")  # runs after what is deferred


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("mermaid", Mermaid)
    app.connect("html-page-context", load_where_drawn)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
