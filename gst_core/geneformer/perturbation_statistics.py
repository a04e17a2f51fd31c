"""Statistics of perturbations, a row a perturbation, named as the reference names them.

P-values are of Wilcoxon's rank-sum test by the normal approximation, and false discovery rates
of Benjamini and Hochberg. Tables are sorted as the reference sorts them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from gst_core.errors import GstError
from gst_core.geneformer.perturbation_files import TOGETHER, TOWARDS

if TYPE_CHECKING:
    import pandas as pd

#: Perturbations below this false discovery rate are marked.
SIGNIFICANT: Final = 0.05

#: Columns of what ``geneformer perturb`` writes, and what the reference calls them.
_NAMES: Final = {"token": "Gene", "symbol": "Gene_name", "ensembl_id": "Ensembl_ID"}


def toward_goal(shifts: pd.DataFrame, goal: str, alternatives: Sequence[str] = ()) -> pd.DataFrame:
    """Test whether a perturbation moves cells towards a state more than others do.

    Parameters
    ----------
    shifts
        A row for each perturbation of each cell, as ``geneformer perturb`` has them.
    goal, alternatives
        States.

    Returns
    -------
    table
        ``Shift_to_goal_end`` and ``Shift_to_alt_end_STATE`` are means over cells; p-values of
        the shifts of one perturbation against those of all, where there is more than one.
    """
    names = {goal: ("goal_end", "Goal_end", "")}
    names |= {state: ("alt_end", "Alt_end", f"_{state}") for state in alternatives}
    own = _Groups.of(shifts)
    table = own.names
    several = len(table) > 1
    tests = {}
    for state, (mean, test, suffix) in names.items():
        values = shifts[TOWARDS + state]
        table[f"Shift_to_{mean}{suffix}"] = own.means(values)
        if several:
            tests[test, suffix] = against_all(values.to_numpy(), own.codes)
    for (test, suffix), p in tests.items():
        table[f"{test}_vs_random_pval{suffix}"] = p
    for (test, suffix), p in tests.items():
        table[f"{test}_FDR{suffix}"] = _false_discovery_rate(p)
    table["N_Detections"] = own.sizes
    order = ["Shift_to_goal_end"]
    if several:
        table["Sig"] = (table["Goal_end_FDR"] < SIGNIFICANT).astype(int)
        order = ["Sig", "Shift_to_goal_end", "Goal_end_FDR"]
    ascending = [name.endswith("FDR") for name in order]
    return table.sort_values(order, ascending=ascending, kind="stable", ignore_index=True)


def against_null(shifts: pd.DataFrame, null: pd.DataFrame) -> pd.DataFrame:
    """Test whether a perturbation moves these cells otherwise than other cells.

    Parameters
    ----------
    shifts, null
        Of the cells in question, and of those to compare with, such as random ones.

    Returns
    -------
    table
        Means of the cells' cosines, their difference, p-value and false discovery rate; p is 1 of
        a perturbation that one of the two does not have.
    """
    from scipy.stats import ranksums

    own = _Groups.of(shifts)
    table = own.names
    others = {str(token): rows for token, rows in null.groupby("token", observed=True)["cosine"]}
    rows = []
    for code, values in shifts["cosine"].groupby(own.codes):
        other = others.get(table["Gene"][code], np.empty(0))
        p = ranksums(values, other).pvalue if len(other) else 1.0
        mean = np.mean(other) if len(other) else np.nan
        rows.append((values.mean(), mean, values.mean() - mean, p, len(values), len(other)))
    test, null_mean, difference, p, n, n_null = map(np.array, zip(*rows, strict=True))
    table["Test_avg_shift"] = test
    table["Null_avg_shift"] = null_mean
    table["Test_vs_null_avg_shift"] = difference
    table["Test_vs_null_pval"] = p
    table["Test_vs_null_FDR"] = _false_discovery_rate(p)
    table["N_Detections_test"] = n
    table["N_Detections_null"] = n_null
    table["Sig"] = (table["Test_vs_null_FDR"] < SIGNIFICANT).astype(int)
    return table.sort_values(
        ["Sig", "Test_vs_null_avg_shift", "Test_vs_null_FDR"],
        ascending=[False, False, True],
        kind="stable",
        ignore_index=True,
    )


def mixture(shifts: pd.DataFrame) -> pd.DataFrame:
    """Tell perturbations with impact from those without by a mixture of two normals.

    The mixture is fitted to the mean cosine of each perturbation. The component with impact is
    the one of the lower mean; a mean beyond both is of the nearer one. Cells should be of one
    kind.

    Returns
    -------
    table
        ``Impact_component`` is 1 where the mean is of the component with impact;
        ``Impact_component_percent`` says that of single cells.

    Raises
    ------
    GstError
        If there are fewer than two perturbations.
    """
    own = _Groups.of(shifts)
    table = own.names
    cosines = shifts["cosine"]
    table["Test_avg_shift"] = own.means(cosines)
    impact = impact_of(table["Test_avg_shift"].to_numpy())
    table["Impact_component"] = impact(table["Test_avg_shift"].to_numpy()).astype(int)
    table["Impact_component_percent"] = 100 * own.means(impact(cosines.to_numpy()))
    table["N_Detections"] = own.sizes
    return table.sort_values(
        ["Impact_component", "Test_avg_shift"],
        ascending=[False, True],
        kind="stable",
        ignore_index=True,
    )


def aggregate(shifts: pd.DataFrame) -> pd.DataFrame:
    """Summarise the cosines of each perturbation over cells: mean, spread, number."""
    own = _Groups.of(shifts)
    table = own.names
    grouped = shifts["cosine"].groupby(own.codes)
    table["Cosine_sim_mean"] = grouped.mean().to_numpy()
    table["Cosine_sim_stdev"] = grouped.std(ddof=0).to_numpy()
    table["Cosine_sim_median"] = grouped.median().to_numpy()
    table["N_Detections"] = own.sizes
    return table.sort_values("Cosine_sim_mean", kind="stable", ignore_index=True)


def cooperation(shifts: pd.DataFrame) -> pd.DataFrame:
    """Compare what two genes do together with the sum of what each does, in the same cells.

    Returns
    -------
    table
        A row a pair, means over the cells that have pair and singles.
        ``Combo_minus_sum_shift`` below 0: together they move the cell further than the sum of
        both; p-value by Wilcoxon's signed-rank test, 1 of fewer than two cells.

    Raises
    ------
    GstError
        If no pair was perturbed.
    """
    import pandas as pd
    from scipy.stats import wilcoxon

    tokens = shifts["token"].astype(str)
    is_pair = tokens.str.count(f"\\{TOGETHER}") == 1
    if not is_pair.any():
        raise GstError(
            "no two genes were perturbed together and each alone",
            hint="perturb with --pairs or --anchor",
        )
    single = pd.Series(
        shifts["cosine"].to_numpy(), index=pd.MultiIndex.from_arrays([shifts["cell"], tokens])
    )[~is_pair.to_numpy()]
    pairs = shifts[is_pair]
    first, second = tokens[is_pair].str.split(TOGETHER, n=1, expand=True).to_numpy().T
    alone = [
        single.reindex(pd.MultiIndex.from_arrays([pairs["cell"], own])).to_numpy()
        for own in (first, second)
    ]
    there = np.isfinite(alone[0]) & np.isfinite(alone[1])
    if not there.any():
        raise GstError(
            "pairs were perturbed, and their genes not each alone",
            hint="perturb with --pairs or --anchor",
        )
    pairs, alone = pairs[there], [own[there] for own in alone]
    own = _Groups.of(pairs)
    table = own.names
    both = pairs["cosine"].to_numpy()
    total = alone[0] + alone[1] - 1  # 1 - ((1 - a) + (1 - b))
    for name, values in (
        ("Anchor_shift", alone[0]),
        ("Test_token_shift", alone[1]),
        ("Sum_of_indiv_shifts", total),
        ("Combo_shift", both),
        ("Combo_minus_sum_shift", both - total),
    ):
        table[name] = own.means(values)
    excess = pd.Series(both - total).groupby(own.codes)
    p = np.array([wilcoxon(e).pvalue if len(e) > 1 and e.any() else 1.0 for _, e in excess])
    table["Combo_vs_sum_pval"] = p
    table["Combo_vs_sum_FDR"] = _false_discovery_rate(p)
    table["N_Detections"] = own.sizes
    table["Sig"] = (table["Combo_vs_sum_FDR"] < SIGNIFICANT).astype(int)
    return table.sort_values("Combo_minus_sum_shift", kind="stable", ignore_index=True)


def gene_shifts(genes: pd.DataFrame, shifts: pd.DataFrame) -> pd.DataFrame:
    """List how each affected gene was shifted, the cells' own shifts first.

    Parameters
    ----------
    genes
        A row for each pair of perturbed and affected gene, as ``geneformer perturb`` has them.
    shifts
        Those of cells.
    """
    import pandas as pd

    cells = aggregate(shifts)
    top = pd.DataFrame(
        {
            "Perturbed": cells["Gene"],
            "Gene_name": cells["Gene_name"],
            "Ensembl_ID": cells["Ensembl_ID"],
            "Affected": "cell_emb",
            "Affected_gene_name": "",
            "Affected_Ensembl_ID": "",
            "Cosine_sim_mean": cells["Cosine_sim_mean"],
            "Cosine_sim_stdev": cells["Cosine_sim_stdev"],
            "N_Detections": cells["N_Detections"],
        }
    )
    rest = genes.sort_values("cosine_mean", kind="stable")
    names = ["token", "symbol", "ensembl_id"]
    names += ["affected_token", "affected_symbol", "affected_ensembl_id"]
    names += ["cosine_mean", "cosine_stdev", "cells"]
    rest = rest[names].set_axis(list(top.columns), axis=1)
    return pd.concat([top, rest.astype({"Affected": str})], ignore_index=True)


def against_all(values: NDArray[np.float64], codes: NDArray[np.int64]) -> NDArray[np.float64]:
    """P-value of each group of values against all of them together, that group included.

    The same as ``scipy.stats.ranksums(values, values[codes == g])`` for each group, which sorts
    everything once a group.

    Parameters
    ----------
    values
        ``(n,)``.
    codes
        ``(n,)``: group of each, from 0.

    Returns
    -------
    p
        ``(groups,)``.
    """
    import pandas as pd
    from scipy.stats import norm

    ordered = np.sort(values)
    below = np.searchsorted(ordered, values, "left")
    equal = np.searchsorted(ordered, values, "right") - below
    within = pd.Series(values).groupby(codes).rank().to_numpy()
    sizes = np.bincount(codes)
    ranks = np.bincount(codes, below + equal / 2 + within)
    n = len(values)
    total = n + sizes
    observed = total * (total + 1) / 2 - ranks
    expected = n * (total + 1) / 2
    spread = np.sqrt(n * sizes * (total + 1) / 12)
    return np.asarray(2 * norm.sf(np.abs((observed - expected) / spread)))


def impact_of(means: NDArray[np.float64]) -> Any:
    """Fit the mixture; gives a function from cosines to whether they are of the one with impact."""
    from sklearn.mixture import GaussianMixture

    if len(means) < 2:
        raise GstError(
            "a mixture of two components needs two perturbations or more",
            hint="perturb all genes, or take --mode aggregate_data",
        )
    fitted = GaussianMixture(n_components=2, random_state=0).fit(means[:, None])
    impact = int(np.argmin(fitted.means_[:, 0]))
    low, high = np.sort(fitted.means_[:, 0])

    def decide(values: NDArray[np.float64]) -> NDArray[np.bool_]:
        predicted = fitted.predict(values[:, None]) == impact
        return np.asarray(np.where(values < low, True, np.where(values > high, False, predicted)))

    return decide


@dataclass(frozen=True, slots=True)
class _Groups:
    """Rows of a table by what was perturbed.

    Attributes
    ----------
    codes
        ``(n,)``: group of each row.
    sizes
        ``(groups,)``.
    names
        Token, symbol and Ensembl id of each group.
    """

    codes: NDArray[np.int64]
    sizes: NDArray[np.int64]
    names: pd.DataFrame

    @classmethod
    def of(cls, shifts: pd.DataFrame) -> _Groups:
        import pandas as pd

        codes, tokens = pd.factorize(shifts["token"].astype(str).to_numpy(), sort=True)
        _, first = np.unique(codes, return_index=True)
        names = shifts.iloc[first][list(_NAMES)].astype(str).rename(columns=_NAMES)
        sizes = np.bincount(codes, minlength=len(tokens))
        return cls(codes, sizes, names.reset_index(drop=True))

    def means(self, values: Any) -> NDArray[np.float64]:
        """Average ``(n,)`` values: ``(groups,)`` means."""
        sums = np.bincount(self.codes, np.asarray(values), minlength=len(self.sizes))
        return np.asarray(sums / self.sizes)


def _false_discovery_rate(p: NDArray[np.float64]) -> NDArray[np.float64]:
    from scipy.stats import false_discovery_control

    return np.asarray(false_discovery_control(p))
