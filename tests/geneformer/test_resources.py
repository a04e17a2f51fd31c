"""The dictionaries: names to tokens, and the file they are kept in."""

from __future__ import annotations

import dataclasses
import pickle
from pathlib import Path

import numpy as np
import pytest

from gst_core.errors import GstError
from gst_core.geneformer.resources import Resources, normalised, resources_file


def test_names_lead_to_genes(tiny_resources: Resources) -> None:
    names = [
        "ENSG00000000003",
        "ensg00000000003.12",
        "ENSG00000000003.12_PAR_Y",
        " gene3 ",
        "ALIAS0",
        "ENSG00000000999",
        "NOTOKEN",
        "nothing",
        "",
        "zzz",
        "Ünknown",
    ]
    assert tiny_resources.index_of(names).tolist() == [3, 3, 3, 3, 0, 1, -1, -1, -1, -1, -1]
    ids = tiny_resources.ensembl_of(["NOTOKEN", "nothing", "gene3"]).tolist()
    assert ids == ["ENSG00000000500", "", "ENSG00000000003"]
    assert tiny_resources.index_of([]).tolist() == []
    assert tiny_resources.tokens_of(["Gene0", "ENSG00000000029.1"]).tolist() == [4, 33]
    with pytest.raises(GstError, match="no token of Geneformer V2 for: nothing"):
        tiny_resources.tokens_of(["GENE1", "nothing"])
    assert tiny_resources.symbol_of(7) == "Gene7"
    assert tiny_resources.vocabulary_size == 34
    assert tiny_resources.position_of_token[[0, 3, 4, 33]].tolist() == [-1, -1, 0, 29]


def test_a_point_in_a_symbol_is_no_version() -> None:
    assert normalised("dJ965G21.2") == "DJ965G21.2"
    assert normalised("ENSMUSG00000000001.4") == "ENSMUSG00000000001"


def test_the_file_keeps_everything(tiny_resources: Resources, tmp_path: Path) -> None:
    tiny_resources.save(resources_file("V2", tmp_path))
    loaded = Resources.load("V2", tmp_path)
    for field in dataclasses.fields(Resources):
        kept, first = getattr(loaded, field.name), getattr(tiny_resources, field.name)
        if isinstance(first, np.ndarray):
            assert kept.dtype == first.dtype, field.name
            assert np.array_equal(kept, first), field.name
        else:
            assert kept == first, field.name


@pytest.mark.parametrize("place", [0, 20, 60, -1])
def test_a_damaged_file_is_noticed(tiny_resources: Resources, tmp_path: Path, place: int) -> None:
    path = resources_file("V2", tmp_path)
    tiny_resources.save(path)
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)
    with pytest.raises(GstError, match=r"damaged .* geneformer setup --from DIR"):
        Resources.load("V2", tmp_path)


def test_a_missing_file_says_what_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_resources: Resources
) -> None:
    with pytest.raises(GstError, match=r"no dictionary of Geneformer V1 .* setup --from DIR"):
        Resources.load("V1", tmp_path)
    monkeypatch.setenv("GENEFORMER_DATA", str(tmp_path))
    tiny_resources.save(resources_file("V2"))
    assert len(Resources.load().gene_ids) == 30


@pytest.mark.parametrize(
    ("tokens", "medians", "said"),
    [
        ({"<pad>": 0, "A": 1}, {"A": 1.0}, "has no <mask>"),
        ({"<pad>": 0, "<mask>": 1, "A": 1}, {"A": 1.0}, "must differ"),
        ({"<pad>": 0, "<mask>": 1, "A": 2}, {}, "no positive median of A"),
        ({"<pad>": 0, "<mask>": 1, "A": 2}, {"A": float("nan")}, "no positive median of A"),
        ({"<pad>": 0, "<mask>": 1, "A": 40_000}, {"A": 1.0}, "32,767"),
    ],
)
def test_dictionaries_must_fit(
    tokens: dict[str, int], medians: dict[str, float], said: str
) -> None:
    with pytest.raises(GstError, match=said):
        Resources.build("V1", tokens, medians)


@pytest.mark.parametrize(
    ("version", "folder", "suffix", "genes"),
    [("V1", "v1_30M", "gc30M", 25_424), ("V2", "v2_gc104M", "gc104M", 20_271)],
)
def test_official_dictionaries_are_kept_whole(
    geneformer_data: Path,
    resources_folder: Path,
    version: str,
    folder: str,
    suffix: str,
    genes: int,
) -> None:
    def official(name: str) -> dict[str, object]:
        # Trusted: these very files lie beside the project, and serve as the truth here.
        path = geneformer_data / folder / f"{name}_{suffix}.pkl"
        content: dict[str, object] = pickle.loads(path.read_bytes())
        return content

    resources = Resources.load(version, resources_folder)
    tokens, medians = official("token_dictionary"), official("gene_median_dictionary")
    mapping, symbols = official("ensembl_mapping_dict"), official("gene_name_id_dict")
    symbols.pop("", None)  # V1 has one gene of that name
    assert len(resources.gene_ids) == genes
    assert [tokens[gene] for gene in resources.gene_ids] == resources.token_ids.tolist()
    assert [medians[gene] for gene in resources.gene_ids] == resources.medians.tolist()
    assert resources.vocabulary_size == len(tokens)
    leads = resources.ensembl_of(list(mapping))
    assert leads.tolist() == list(mapping.values())
    named = resources.ensembl_of(list(symbols))
    assert named.tolist() == list(symbols.values())
    assert resources.cls_token == (None if version == "V1" else 2)
    assert resources.max_length == {"V1": 2048, "V2": 4096}[version]
