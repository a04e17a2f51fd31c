"""New species simulated: nothing of what is hidden may show, and the answers must be right."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from gst_core.clades import CLADES, LINEAGE_OF_CLADE
from gst_core.references.evidence import COUNT, Evidence, EvidenceFinder
from gst_core.training import simulation as module
from gst_core.training.proteins import LabelledProtein
from gst_core.training.references import choose, gather
from gst_core.training.simulation import Simulated, Simulation, joined
from tests.relatives import evolved, family_proteins, labelled, random_protein

SPECIES = (
    "Homo sapiens", "Mus musculus", "Mus caroli", "Rattus norvegicus", "Gallus gallus",
    "Danio rerio", "Salmo salar",
)  # fmt: skip


class Spy(EvidenceFinder):
    """Keeps what it was asked, and what it answered."""

    hidden: list[np.ndarray]
    found: list[Evidence]

    def find(self, proteins, clades, hidden=None) -> Evidence:
        found = super().find(proteins, clades, hidden)
        self.hidden += hidden
        self.found.append(found)
        return found


class Setting:
    """A simulation of proteins, one after the other, and what it was made of."""

    def __init__(
        self, proteins: Sequence[LabelledProtein], families: Sequence[int] | None = None
    ) -> None:
        self.proteins = proteins
        self.symbols = sorted({protein.symbol for protein in proteins})
        self.classes = np.array([self.symbols.index(p.symbol) for p in proteins], dtype=np.int32)
        chosen = choose(proteins, self.classes)
        counts = np.bincount(self.classes)
        self.finder = Spy(gather(proteins, self.classes, chosen), counts)
        self.finder.hidden, self.finder.found = [], []
        self.chosen = chosen
        same = np.arange(len(self.symbols)) if families is None else np.array(families)
        self.simulation = Simulation(self.finder, proteins, self.classes, chosen, same)
        self.groups = {
            "genus": [p.taxon.genus for p in proteins],
            "clade": [p.taxon.clade for p in proteins],
            "lineage": [LINEAGE_OF_CLADE[CLADES.index(p.taxon.clade)] for p in proteins],
        }

    def run(self, rows: np.ndarray | None = None, **how) -> Simulated:
        every = np.arange(len(self.proteins)) if rows is None else rows
        return joined(list(self.simulation.run(every, **how)))

    @property
    def evidence(self) -> Evidence:
        fields = ("classes", "references", "numbers", "queries")
        return Evidence(
            *(
                np.concatenate([getattr(part, name) for part in self.finder.found])
                for name in fields
            )
        )


@pytest.fixture
def setting() -> Setting:
    return Setting(family_proteins(15, SPECIES))


def only(monkeypatch: pytest.MonkeyPatch, way: str, shuffled: float = 0) -> None:
    monkeypatch.setattr(module, "HIDING", {way: 1.0})
    monkeypatch.setattr(module, "SHUFFLED", shuffled)


@pytest.mark.parametrize("way", ["genus", "clade", "lineage", "symbol"])
def test_nothing_hidden_is_found_or_counted(monkeypatch, setting, way):
    only(monkeypatch, way)
    data = setting.run()
    found = setting.evidence
    assert found.present.any()
    group = setting.groups["genus" if way == "symbol" else way]
    genera = setting.groups["genus"]
    for row, hidden in enumerate(setting.finder.hidden):
        kept = found.references[row][found.present[row]]
        assert not hidden[kept].any()
        for at, reference in enumerate(kept.tolist()):
            source = int(setting.chosen[reference])
            symbol = int(found.classes[row, at])
            assert genera[source] != genera[row]
            assert group[source] != group[row]
            visible = sum(
                own == symbol and there != group[row]
                for own, there in zip(setting.classes.tolist(), group, strict=True)
            )
            assert found.numbers[row, at, COUNT] == visible
        if way == "symbol":
            assert setting.classes[row] not in found.classes[row]
    assert data.as_new.all() == (way == "genus")
    assert (data.answers > 0).any() == (way != "symbol")


def test_a_lineage_is_hidden_only_where_another_has_the_symbol(monkeypatch):
    only(monkeypatch, "lineage")
    setting = Setting(family_proteins(10, ("Homo sapiens", "Mus musculus")))
    data = setting.run()
    assert (data.answers > 0).all()
    assert data.as_new.all()


def test_answers_are_the_places_of_the_right_symbols(setting):
    data = setting.run()
    found = setting.evidence
    np.testing.assert_array_equal(data.present, found.present)
    for row, answer in enumerate(data.answers.tolist()):
        own = setting.classes[row]
        if answer:
            assert found.classes[row, answer - 1] == own
    unanswered = data.answers == 0
    assert 0 < unanswered.mean() < 0.3  # shuffled, or their symbol hidden
    assert data.genera.tolist() == setting.groups["genus"]


def test_no_symbol_is_right_for_a_shuffled_protein(monkeypatch, setting):
    only(monkeypatch, "genus", shuffled=1)
    data = setting.run()
    assert (data.answers == 0).all()
    assert not data.as_new.any()


@pytest.mark.parametrize("copies", [True, False])
def test_a_copy_is_right_where_the_own_symbol_is_not_known(monkeypatch, copies):
    only(monkeypatch, "genus")
    rng = np.random.default_rng(0)
    ancestor = random_protein(rng, 150)
    proteins = [
        labelled(evolved(rng, ancestor, 0.1), symbol, species)
        for symbol, species in (("HBA1", "Homo sapiens"), ("HBA2", "Gallus gallus"))
    ]
    proteins += family_proteins(3, SPECIES)
    setting = Setting(proteins, families=[0, 1, 2, 3, 3] if copies else [0, 1, 2, 3, 4])
    assert setting.symbols[3:] == ["HBA1", "HBA2"]
    data = setting.run(np.array([0, 1]))
    assert (setting.evidence.classes[:, 0] == [4, 3]).all()
    assert data.answers.tolist() == ([1, 1] if copies else [0, 0])


def test_the_same_seed_gives_the_same(setting):
    one = setting.run(seed=3)
    two = setting.run(seed=3, workers=2)
    other = setting.run(seed=4)
    for field in ("features", "present", "answers", "genera", "as_new"):
        np.testing.assert_array_equal(getattr(one, field), getattr(two, field))
    assert (one.as_new != other.as_new).any()


def test_few_of_those_that_cannot_be_named_are_drawn():
    rng = np.random.default_rng(0)
    proteins = family_proteins(20, SPECIES)
    alone = [labelled(random_protein(rng, 60), f"ODD{n}", "Mus musculus") for n in range(100)]
    # Two species, but one genus: a new genus cannot know it.
    alone += [labelled(random_protein(rng, 60), "ODD0", "Mus caroli")]
    simulation = Setting([*proteins, *alone]).simulation
    rows = simulation.sample()
    assert set(range(140)) <= set(rows.tolist())
    assert (rows >= 140).sum() == int(140 * module.UNNAMEABLE / (1 - module.UNNAMEABLE))
    assert rows.tolist() == sorted(set(rows.tolist()))
    assert len(simulation.sample(50)) == 50
    np.testing.assert_array_equal(simulation.sample(50, seed=2), simulation.sample(50, seed=2))
    assert set(simulation.sample(50, seed=2)) != set(simulation.sample(50, seed=3))
