"""The same gene or protein under an id with a version and one without."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection


def without_version(stable_id: str) -> str | None:
    """Give an id without its version, the digits after its last dot; None where it has none."""
    base, _, version = stable_id.rpartition(".")
    return base if base and version.isascii() and version.isdigit() else None


def match_ids(ids: Collection[str], known: Collection[str]) -> dict[str, str]:
    """Find for each id the known one that means the same.

    A version is taken off an id only where the id as it is has no counterpart:
    ``evm.model.chr1.1`` and ``evm.model.chr1.2`` are two genes, not versions of one.

    Parameters
    ----------
    ids
        The ids to look up.
    known
        The ids to find them among.

    Returns
    -------
    matches
        Id to known id, for those that have one; none where several would do.
    """
    known = set(known)
    matches = {stable_id: stable_id for stable_id in ids if stable_id in known}
    by_base: defaultdict[str, list[str]] = defaultdict(list)
    for name in known - matches.keys():
        if base := without_version(name):
            by_base[base].append(name)
    for stable_id in ids:
        if stable_id in matches:
            continue
        base = without_version(stable_id)
        if base in known:
            matches[stable_id] = base
            continue
        others = by_base.get(stable_id) or by_base.get(base or "", [])
        if len(others) == 1:
            matches[stable_id] = others[0]
    return matches
