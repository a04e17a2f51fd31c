"""Fixtures of the tests of Geneformer."""

from __future__ import annotations

from pathlib import Path

import pytest

from gst_core.geneformer.official import set_up
from gst_core.geneformer.resources import Resources, resources_file


@pytest.fixture(scope="session")
def geneformer_data(shared_data: Path) -> Path:
    """Return the folder of the official dictionaries and golden files; skip without it."""
    folder = shared_data / "geneformer"
    if not folder.is_dir():
        pytest.skip(f"no Geneformer data at {folder}")
    return folder


@pytest.fixture(scope="session")
def singlecell_data(shared_data: Path) -> Path:
    """Return the folder of single-cell sets; skip without it."""
    folder = shared_data / "singlecell"
    if not folder.is_dir():
        pytest.skip(f"no single-cell data at {folder}")
    return folder


@pytest.fixture(scope="session")
def resources_folder(geneformer_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the dictionaries of both versions, made from the official files."""
    folder = tmp_path_factory.mktemp("resources")
    set_up(geneformer_data, folder)
    return folder


@pytest.fixture(scope="session")
def resources_v1(resources_folder: Path) -> Resources:
    """Return the dictionary of V1."""
    return Resources.load("V1", resources_folder)


@pytest.fixture(scope="session")
def resources_v2(resources_folder: Path) -> Resources:
    """Return the dictionary of V2."""
    return Resources.load("V2", resources_folder)


@pytest.fixture(scope="session")
def tiny_resources() -> Resources:
    """Return a dictionary of V2's kind with 30 genes GENE0 to GENE29, medians 1 to 30."""
    ids = [f"ENSG{number:011d}" for number in range(30)]
    tokens = {"<pad>": 0, "<mask>": 1, "<cls>": 2, "<eos>": 3}
    tokens |= {gene: number + 4 for number, gene in enumerate(ids)}
    mapping = {f"GENE{number}": gene for number, gene in enumerate(ids)}
    mapping |= {"ALIAS0": ids[0], "ENSG00000000999": ids[1], "NOTOKEN": "ENSG00000000500"}
    return Resources.build(
        "V2",
        tokens,
        {gene: float(number + 1) for number, gene in enumerate(ids)},
        mapping,
        {f"Gene{number}": gene for number, gene in enumerate(ids)},
    )


@pytest.fixture(scope="session")
def labelled_files(tmp_path_factory: pytest.TempPathFactory, tiny_resources: Resources) -> Path:
    """Return a folder with a tiny network, its dictionary, 120 labelled cells and 30 new ones."""
    import torch

    from gst_core.geneformer.config import NetworkConfig
    from gst_core.geneformer.network import MaskedLanguageModel
    from gst_core.geneformer.weights import save_checkpoint

    from .classification_cells import cells_of

    folder = tmp_path_factory.mktemp("classify")
    tiny_resources.save(resources_file("V2", folder))
    torch.manual_seed(0)
    config = NetworkConfig(
        34, 16, 2, 2, 32, 40, hidden_dropout=0.0, attention_dropout=0.0, initializer_range=0.2
    )
    save_checkpoint(MaskedLanguageModel(config), folder / "network")
    cells_of(120, 1).write_h5ad(folder / "cells.h5ad")
    cells_of(30, 2).write_h5ad(folder / "new.h5ad")
    return folder
