"""The claims of a genome's genes to symbols, and who gets which.

A protein alone is given to the symbol it resembles most. In a genome, two genes seldom have one
symbol, so that what a neighbour claims with better reason says something about this one. Genes and
symbols are the two sides of a graph whose edges are the candidates; belief propagation on it
(Kschischang, Frey and Loeliger 2001) gives each candidate the probability it has when all claims
are heard, and an assignment of least cost (the Hungarian method, Kuhn 1955) lets equally good
ones, as genes of one and the same protein, share the symbols among them.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Rounds of messages; changes are below 0.001 after a dozen.
_ROUNDS: Final = 50
_CONVERGED: Final = 1e-4
#: Probabilities are kept this far from 0 and 1: beyond, the network has nothing to say.
_LIMIT: Final = 1e-4


@dataclass(frozen=True, slots=True)
class Claims:
    """The candidates of a genome's genes, an element an edge of the graph.

    Attributes
    ----------
    genes, symbols
        ``(E,)``: numbers of gene and symbol, both from 0 without gaps.
    probabilities
        ``(E,)``: of the symbol, as the gene alone has it. Those of one gene sum to at most 1.
    together
        ``(E,)``: whether the symbol is one of those that share what is said of the gene's very
        protein: they are weighed against its other symbols by what they have together.
    """

    genes: NDArray[np.int64]
    symbols: NDArray[np.int64]
    probabilities: Floats
    together: NDArray[np.bool_]


def settle(claims: Claims, copies: int, penalty: float) -> tuple[Floats, NDArray[np.int64]]:
    """Hear all claims of a genome.

    Parameters
    ----------
    claims
        Of the genes.
    copies
        Genes that may have a symbol at no price: 1, or 2 where the whole genome is doubled.
    penalty
        How much less likely each further gene of a symbol is, 0 to 1: 1 and every gene stands
        alone, 0 and no symbol is ever given twice.

    Returns
    -------
    probabilities
        ``(E,)``: of each candidate, all claims heard.
    chosen
        ``(G,)``: for each gene the edge of its symbol.
    """
    ratios = _messages(claims, copies, penalty)
    weights = claims.probabilities * ratios
    number = int(claims.genes.max(initial=-1)) + 1
    alone = np.bincount(claims.genes, claims.probabilities, number)
    none = np.clip(1 - alone, 0, 1)
    total = np.bincount(claims.genes, weights, number) + none
    settled = weights / np.maximum(total, 1e-300)[claims.genes]
    return settled, _choose(claims, settled, copies, penalty)


def _messages(claims: Claims, copies: int, penalty: float) -> Floats:
    """Pass messages: what the other genes make of each claim, as a factor of its odds.

    It is 1 where no other gene claims the symbol. The odds that a gene tells a symbol are those of
    its claim without what that symbol said. The symbol answers by the number of genes it may have:
    a set S of them has the weight penalty ** max(0, |S| - copies) times the product of their odds,
    and the sum over all sets is a product of (1 + penalty x odds), but for the sets within
    `copies`.
    """
    own = np.clip(claims.probabilities, _LIMIT**2, 1 - _LIMIT)
    genes, symbols = claims.genes, claims.symbols
    number = int(genes.max(initial=-1)) + 1
    none = np.clip(1 - np.bincount(genes, own, number), _LIMIT, 1)
    ratios = np.ones_like(own)
    for _ in range(_ROUNDS):
        weighed = own * ratios
        others = (np.bincount(genes, weighed, number) + none)[genes] - weighed
        odds = own / np.maximum(others, _LIMIT)
        answer = _answers(symbols, odds, copies, penalty)
        # Half of the way at a time: rings of equal claims would swing.
        changed = np.sqrt(ratios * answer)
        done = bool(np.abs(np.log(changed / ratios)).max(initial=0) < _CONVERGED)
        ratios = changed
        if done:
            break
    return ratios


def _answers(symbols: NDArray[np.int64], odds: Floats, copies: int, penalty: float) -> Floats:
    """Weight of the sets of genes with this one to that of the sets without it."""
    if penalty >= 1:
        return np.ones_like(odds)
    q = max(penalty, 1e-9)
    logs = np.log1p(q * odds)
    # Sums over the other genes of the same symbol.
    log_product = np.maximum(np.bincount(symbols, logs)[symbols] - logs, 0)
    shrunk = np.exp(-log_product)
    one = (1 - (1 - q) * shrunk) / q
    if copies == 1:
        return np.asarray(1 / one)
    several = np.maximum(np.bincount(symbols, odds)[symbols] - odds, 0)
    two = shrunk * (1 + several) + (1 - shrunk * (1 + q * several)) / q**2
    return np.asarray(one / np.maximum(two, 1e-300))


def _choose(claims: Claims, settled: Floats, copies: int, penalty: float) -> NDArray[np.int64]:
    """Give each gene a symbol at the least cost, the sum of -log of what was settled.

    A gene may always have its first symbol as one more copy, at the price of `penalty`; what costs
    more is no candidate. That leaves small groups of genes, each settled for itself.
    """
    costs = -np.log(np.maximum(settled, 1e-12)) - _shared(claims, settled)
    order = np.lexsort((np.arange(len(costs)), costs, claims.genes))
    chosen = order[np.unique(claims.genes[order], return_index=True)[1]]
    if penalty >= 1:
        return chosen
    extra = -float(np.log(max(penalty, 1e-9)))
    wanted = np.bincount(claims.symbols[chosen], minlength=int(claims.symbols.max(initial=-1)) + 1)
    fair = costs < costs[chosen][claims.genes] + extra
    candidates: dict[int, list[int]] = defaultdict(list)
    claimants: dict[int, list[int]] = defaultdict(list)
    for edge in order[fair[order]].tolist():
        candidates[int(claims.genes[edge])].append(edge)
        claimants[int(claims.symbols[edge])].append(int(claims.genes[edge]))
    seen: set[int] = set()
    for symbol in np.flatnonzero(wanted > copies).tolist():
        group = _connected(claimants[symbol], candidates, claimants, claims.symbols, seen)
        if group:
            edges = _assign(group, candidates, claims.symbols, costs, copies, extra)
            chosen[group] = edges
    return chosen


def _shared(claims: Claims, settled: Floats) -> Floats:
    """Logarithm of what symbols have together to what the best of them has; 0 of all others."""
    shares = np.where(claims.together, settled, 0)
    number = int(claims.genes.max(initial=-1)) + 1
    best = np.zeros(number)
    np.maximum.at(best, claims.genes, shares)
    ratio = np.bincount(claims.genes, shares, number) / np.maximum(best, 1e-300)
    return np.where(claims.together, np.log(np.maximum(ratio, 1))[claims.genes], 0)


def _connected(
    start: list[int],
    candidates: dict[int, list[int]],
    claimants: dict[int, list[int]],
    symbols: NDArray[np.int64],
    seen: set[int],
) -> list[int]:
    """Genes that compete with these, directly or by others; none that were seen before."""
    group: list[int] = []
    waiting = [gene for gene in start if gene not in seen]
    while waiting:
        gene = waiting.pop()
        if gene in seen:
            continue
        seen.add(gene)
        group.append(gene)
        for edge in candidates[gene]:
            waiting.extend(claimants[int(symbols[edge])])
    return sorted(group)


def _assign(
    group: list[int],
    candidates: dict[int, list[int]],
    symbols: NDArray[np.int64],
    costs: Floats,
    copies: int,
    extra: float,
) -> list[int]:
    """Solve the assignment problem of a group: for each gene its edge."""
    columns: dict[int, int] = {}
    for gene in group:
        for edge in candidates[gene]:
            columns.setdefault(int(symbols[edge]), len(columns))
    shared = len(columns) * copies
    matrix = np.full((len(group), shared + len(group)), np.inf)
    edges: dict[tuple[int, int], int] = {}
    for row, gene in enumerate(group):
        for edge in candidates[gene]:
            first = columns[int(symbols[edge])] * copies
            matrix[row, first : first + copies] = costs[edge]
            edges.update({(row, first + copy): edge for copy in range(copies)})
        matrix[row, shared + row] = costs[candidates[gene][0]] + extra
        edges[row, shared + row] = candidates[gene][0]
    return [edges[row, column] for row, column in enumerate(_least_cost(matrix))]


def _least_cost(costs: Floats) -> list[int]:
    """Column of each row at the least sum of costs, by shortest augmenting paths with prices.

    Parameters
    ----------
    costs
        ``(n, m)`` with n <= m; infinite where a row cannot have a column. Each row must have a
        finite column of its own.
    """
    rows, columns = costs.shape
    row_price, price = np.zeros(rows), np.zeros(columns)
    owner = np.full(columns, -1)
    for row in range(rows):
        distance = np.full(columns, np.inf)
        before = np.full(columns, -1)
        done = np.zeros(columns, dtype=np.bool_)
        column, current, length = -1, row, 0.0
        visited: list[int] = []
        while current >= 0:
            reached = length + costs[current] - row_price[current] - price
            nearer = ~done & (reached < distance)
            distance[nearer], before[nearer] = reached[nearer], column
            column = int(np.where(done, np.inf, distance).argmin())
            length = float(distance[column])
            done[column] = True
            visited.append(column)
            current = int(owner[column])
        row_price[row] += length
        for passed in visited[:-1]:
            row_price[owner[passed]] += length - distance[passed]
            price[passed] -= length - distance[passed]
        while column >= 0:
            previous = int(before[column])
            owner[column] = row if previous < 0 else owner[previous]
            column = previous
    found = np.zeros(rows, dtype=np.int64)
    held = owner >= 0
    found[owner[held]] = np.flatnonzero(held)
    return [int(column) for column in found]
