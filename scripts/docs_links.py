"""What ``mkdocs`` asks before it renders a page of ``docs``."""

from __future__ import annotations

import re
from typing import Any

#: A link to a file of the repository that is no document: the site does not have it.
_OUTSIDE = re.compile(r"\[([^\]]+)\]\(\.\./[^)]+\)")


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Leave the words of links that lead out of the documents."""
    return _OUTSIDE.sub(r"\1", markdown)
