"""New species simulated: nothing of what is hidden may show, and the answers must be right."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from gst_core.clades import CLADES, LINEAGE_OF_CLADE
from gst_core.references.evidence import COUNT, COVERAGE, KIN, UNKNOWN, Evidence, EvidenceFinder
from gst_core.references.scopes import Scopes
from gst_core.training import simulation as module
from gst_core.training.proteins import LabelledProtein
from gst_core.training.simulation import Labelled, Simulated, Simulation, folds, joined
from tests.relatives import evolved, family_proteins, labelled, random_protein

SPECIES = (
    "Homo sapiens", "Mus musculus", "Mus caroli", "Rattus norvegicus", "Gallus gallus",
    "Danio rerio", "Salmo salar",
)  # fmt: skip


class Spy(EvidenceFinder):
    """Keeps what it was asked, and what it answered."""

    def __init__(self, references, counts, workers=1) -> None:
        super().__init__(references, counts, workers)
        self.hidden: list[np.ndarray] = []
        self.found: list[Evidence] = []

    def find(self, proteins, clades, hidden=None, given=None) -> Evidence:
        found = super().find(proteins, clades, hidden, given)
        self.hidden += hidden
        self.found.append(found)
        return found


class Setting:
    """A simulation that asks for the proteins of one genus, and what it was made of."""

    def __init__(
        self,
        proteins: Sequence[LabelledProtein],
        families: Sequence[int] | None = None,
        genus: str = "Mus",
        workers: int = 1,
    ) -> None:
        self.proteins = proteins
        self.symbols = sorted({protein.symbol for protein in proteins})
        self.classes = np.array([self.symbols.index(p.symbol) for p in proteins], dtype=np.int32)
        self.asked = np.array([p.taxon.genus == genus for p in proteins])
        same = np.arange(len(self.symbols)) if families is None else np.array(families)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, "EvidenceFinder", Spy)
            known = Labelled(proteins, self.classes, same, Scopes({}, np.arange(len(same))))
            self.simulation = Simulation(known, self.asked, workers)
        self.finder: Spy = self.simulation._finder
        self.of = {p.accession: p for p in proteins}
        self.lineages = [LINEAGE_OF_CLADE[CLADES.index(p.taxon.clade)] for p in proteins]

    @property
    def rows(self) -> np.ndarray:
        return np.flatnonzero(self.asked)

    def run(self, seed: int = 1) -> Simulated:
        return joined(list(self.simulation.run(self.rows, seed)))

    @property
    def evidence(self) -> Evidence:
        fields = ("classes", "references", "numbers", "queries")
        parts = self.finder.found
        return Evidence(*(np.concatenate([getattr(p, name) for p in parts]) for name in fields))


@pytest.fixture
def setting() -> Setting:
    return Setting(family_proteins(15, SPECIES))


def only(monkeypatch: pytest.MonkeyPatch, way: str, shuffled: float = 0) -> None:
    monkeypatch.setattr(module, "HIDING", {way: 1.0})
    monkeypatch.setattr(module, "SHUFFLED", shuffled)


@pytest.mark.parametrize("way", ["nothing", "lineage", "symbol"])
def test_nothing_hidden_is_found_or_counted(monkeypatch, setting, way):
    only(monkeypatch, way)
    data = setting.run()
    found = setting.evidence
    assert found.present.any()
    for row, protein in enumerate(setting.rows.tolist()):
        for at in np.flatnonzero(found.present[row]).tolist():
            accession = setting.finder.references.accessions[found.references[row, at]]
            source = setting.of[accession]
            lineage = LINEAGE_OF_CLADE[CLADES.index(source.taxon.clade)]
            symbol = int(found.classes[row, at])
            assert source.taxon.genus != "Mus"
            assert way != "lineage" or lineage != setting.lineages[protein]
            visible = sum(
                own == symbol
                and not asked
                and (way != "lineage" or of != setting.lineages[protein])
                for own, asked, of in zip(
                    setting.classes.tolist(), setting.asked.tolist(), setting.lineages, strict=True
                )
            )
            assert found.numbers[row, at, COUNT] == visible
        if way == "symbol":
            assert setting.classes[protein] not in found.classes[row]
    assert data.as_new.all() == (way == "nothing")
    assert (data.answers > 0).any() == (way != "symbol")


def test_of_a_thin_lineage_some_genera_stay_and_are_counted(monkeypatch):
    only(monkeypatch, "thin")
    mammals = (
        "Homo sapiens", "Rattus norvegicus", "Rattus rattus", "Bos taurus", "Sus scrofa",
        "Equus caballus", "Canis lupus", "Felis catus", "Ovis aries",
    )  # fmt: skip
    setting = Setting(family_proteins(40, ("Mus musculus", "Gallus gallus", *mammals)))
    data = setting.run()
    found, references = setting.evidence, setting.finder.references
    of = [setting.of[accession] for accession in references.accessions]
    genera = np.array([protein.taxon.genus for protein in of])
    birds = genera == "Gallus"
    numbers = []
    for row, hidden in enumerate(setting.finder.hidden):
        gone = set(genera[hidden].tolist())
        assert (np.isin(genera, list(gone)) == hidden).all()
        assert not hidden[birds].any()
        visible = int((~hidden & ~birds).sum())
        assert found.queries[row, COVERAGE] in (visible, UNKNOWN)
        numbers.append(visible)
        for at in np.flatnonzero(found.present[row]).tolist():
            known = [
                protein
                for protein, own in zip(setting.proteins, setting.classes.tolist(), strict=True)
                if own == found.classes[row, at] and protein.taxon.genus not in {"Mus", *gone}
            ]
            assert found.numbers[row, at, COUNT] == len(known)
    whole = int((~birds).sum())
    assert 0 in numbers
    assert max(numbers) > whole / 2
    assert len(set(numbers)) > 4
    # As many below the geometric mean of one and all as above it.
    few = (np.array(numbers) <= np.sqrt(whole)).mean()
    assert 0.3 < few < 0.7
    assert not data.as_new.any()
    assert (data.answers > 0).all()


def test_a_protein_without_a_species_has_neither_kin_nor_coverage(monkeypatch, setting):
    monkeypatch.setattr(module, "UNTOLD", 0.5)
    setting.run()
    found = setting.evidence
    told = found.queries[:, COVERAGE] != UNKNOWN
    assert 0.2 < told.mean() < 0.8
    assert (found.numbers[~told][..., KIN] == 0).all()
    assert (found.numbers[told][found.present[told]][..., KIN] != 0).all()


@pytest.mark.parametrize("way", ["lineage", "thin"])
def test_a_lineage_is_hidden_only_where_another_has_the_symbol(monkeypatch, way):
    only(monkeypatch, way)
    setting = Setting(family_proteins(10, ("Homo sapiens", "Mus musculus")))
    data = setting.run()
    assert (data.answers > 0).all()
    assert data.as_new.all()


def test_answers_are_the_places_of_the_right_symbols(monkeypatch, setting):
    monkeypatch.setattr(module, "SHUFFLED", 0)
    data = setting.run()
    found = setting.evidence
    np.testing.assert_array_equal(data.present, found.present)
    for row, answer in enumerate(data.answers.tolist()):
        own = setting.classes[setting.rows[row]]
        assert (found.classes[row] == own).any() == (answer > 0)
        assert not answer or found.classes[row, answer - 1] == own
    assert (data.answers > 0).mean() > 0.7
    assert set(data.genera.tolist()) == {"Mus"}


def test_no_symbol_is_right_for_a_shuffled_protein(monkeypatch, setting):
    only(monkeypatch, "nothing", shuffled=1)
    data = setting.run()
    assert (data.answers == 0).all()
    assert not data.as_new.any()


@pytest.mark.parametrize("copies", [True, False])
def test_a_copy_is_right_where_the_own_symbol_is_not_known(monkeypatch, copies):
    only(monkeypatch, "nothing")
    rng = np.random.default_rng(0)
    ancestor = random_protein(rng, 150)
    proteins = [
        labelled(evolved(rng, ancestor, 0.1), symbol, species)
        for symbol, species in (("HBA1", "Mus musculus"), ("HBA2", "Gallus gallus"))
    ]
    proteins += family_proteins(3, ("Homo sapiens", "Danio rerio"), seed=9)
    setting = Setting(proteins, families=[0, 1, 2, 3, 3] if copies else [0, 1, 2, 3, 4])
    assert setting.symbols[3:] == ["HBA1", "HBA2"]
    data = setting.run()
    assert setting.evidence.classes[:, 0].tolist() == [4]
    assert data.answers.tolist() == ([1] if copies else [0])


def test_the_same_seed_gives_the_same():
    proteins = family_proteins(60, SPECIES)
    one = Setting(proteins).run(seed=3)
    two = Setting(proteins, workers=2).run(seed=3)
    other = Setting(proteins).run(seed=4)
    for field in ("features", "present", "answers", "genera", "as_new"):
        np.testing.assert_array_equal(getattr(one, field), getattr(two, field))
    assert (one.as_new != other.as_new).any()


def test_few_of_those_that_cannot_be_named_are_drawn():
    rng = np.random.default_rng(0)
    proteins = family_proteins(60, SPECIES)
    alone = [labelled(random_protein(rng, 60), f"ODD{n}", "Mus musculus") for n in range(100)]
    setting = Setting([*proteins, *alone])
    simulation = setting.simulation
    nameable = {row for row in setting.rows.tolist() if row < len(proteins)}
    rows = simulation.sample()
    assert nameable <= set(rows.tolist())
    share = module.UNNAMEABLE / (1 - module.UNNAMEABLE)
    assert (rows >= len(proteins)).sum() == int(len(nameable) * share)
    assert rows.tolist() == sorted(set(rows.tolist()))
    assert len(simulation.sample(50)) == 50
    np.testing.assert_array_equal(simulation.sample(50, seed=2), simulation.sample(50, seed=2))
    assert set(simulation.sample(50, seed=2)) != set(simulation.sample(50, seed=3))


def test_some_are_named_again_and_those_of_small_lineages_oftener():
    mammals = ("Homo sapiens", "Mus musculus", "Rattus norvegicus", "Bos taurus")
    proteins = family_proteins(40, (*mammals, "Danio rerio"))
    # Nobody else has these: nothing would be left of them.
    alone = family_proteins(10, ("Danio rerio",), seed=5)
    alone = [labelled(p.codes, f"ALONE{n}", "Danio rerio") for n, p in enumerate(alone)]
    of_fishes = Setting([*proteins, *alone], genus="Danio")
    rows = of_fishes.rows
    again = of_fishes.simulation.again(rows, 12)
    assert len(rows) == 50
    assert len(again) == 12
    assert set(again.tolist()) <= {row for row in rows.tolist() if row < len(proteins)}
    for genus, times in (("Danio", 3), ("Mus", 1)):
        setting = Setting([*proteins, *alone], genus=genus)
        again = setting.simulation.again(setting.rows, 999)
        numbers = np.bincount(again, minlength=len(setting.proteins))
        able = setting.asked & (np.arange(len(setting.proteins)) < len(proteins))
        assert (numbers == np.where(able, times, 0)).all()
        data = joined(list(setting.simulation.run_thin(again)))
        assert len(data.answers) == len(again)
        assert not data.as_new.any()


def test_folds_keep_genera_together_and_are_of_like_size():
    proteins = family_proteins(20, SPECIES)
    fold = folds(proteins)
    of = {}
    for protein, number in zip(proteins, fold.tolist(), strict=True):
        assert of.setdefault(protein.taxon.genus, number) == number
    assert set(fold.tolist()) == set(range(module.FOLDS))  # six genera
    assert np.bincount(fold).max() == 40  # the two species of Mus
    two = [p for p in proteins if p.taxon.genus in ("Mus", "Homo")]
    assert set(folds(two).tolist()) == {0, 1}
