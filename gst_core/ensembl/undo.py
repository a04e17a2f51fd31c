"""What a load must remember of a gene so that it can be taken back exactly.

Usually nothing: a gene without a symbol has ``NULL`` where the load writes, and
its cross-reference is new. Where that is not so, the few facts go into the
``linkage_annotation`` of the gene's ``object_xref``, a row of our own that
leaves with the rest.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace

#: width of ``object_xref.linkage_annotation``
WIDTH = 255


@dataclass(frozen=True, slots=True)
class Undo:
    """State of a gene before its symbol was loaded.

    Attributes
    ----------
    description
        ``gene.description``; None for ``NULL``.
    display_xref_id
        ``gene.display_xref_id``; None for ``NULL``. Old databases hold a 0 that
        means the same.
    reused_xref
        Whether the ``xref`` was there already and has to stay.
    """

    description: str | None = None
    display_xref_id: int | None = None
    reused_xref: bool = False

    @property
    def fits(self) -> bool:
        """Whether there is room for it, even if the cross-reference turns out to be reused."""
        if self.description is None:
            return True
        return len(replace(self, reused_xref=True).to_annotation() or "") <= WIDTH

    def to_annotation(self) -> str | None:
        """Return the text to store; None if there is nothing to remember."""
        if self == _NOTHING:
            return None
        facts = {
            name: value
            for name, value in asdict(self).items()
            if value is not None and value is not False
        }
        return json.dumps(facts, separators=(",", ":"), ensure_ascii=False)

    @classmethod
    def from_annotation(cls, text: str | None) -> Undo:
        """Read what :meth:`to_annotation` wrote; anything else says nothing."""
        try:
            return cls(**json.loads(text or "{}"))
        except (ValueError, TypeError):
            return cls()


_NOTHING = Undo()
