"""Another build of the C code in place of the installed one, as scripts/sanitize asks for."""

from __future__ import annotations

import os
from pathlib import Path


def use_other_library() -> bool:
    """Load the library that ``GST_NATIVE`` names, before anything imports the installed one.

    Returns
    -------
    other
        Whether there is one.
    """
    if "GST_NATIVE" not in os.environ:
        return False
    from gst_core.references import compiled

    compiled.LIBRARY = compiled.Library(Path(os.environ["GST_NATIVE"]))
    return True
