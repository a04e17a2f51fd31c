"""A small dictionary, network and cells of a cow, for tests of modules and pipeline.

``python -m tests.geneformer.made_cells`` writes them to tests/config/made_cells. Their genes are
those of 30 proteins of the bundled sample, so that a real run leads from proteins to tokens; names
and Ensembl ids are HGNC's (CC0). Medians, weights and counts mean nothing.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

FOLDER = Path(__file__).resolve().parents[1] / "config/made_cells"

#: Protein of the cow in UniProt, symbol and Ensembl id of the human gene.
GENES = """
A2VDT4 OVOL1 ENSG00000172818
A3KMV1 SHKBP1 ENSG00000160410
A6H730 ACP3 ENSG00000014257
A6QLJ8 PTER ENSG00000165983
A7E305 ZSWIM8 ENSG00000214655
E1BDF2 SHARPIN ENSG00000179526
E1BE10 PLD6 ENSG00000179598
E1BPX4 MCM8 ENSG00000125885
F1MBP6 KLHL3 ENSG00000146021
O18920 ANGPT1 ENSG00000154188
P03892 MT-ND2 ENSG00000198763
P10036 POU1F1 ENSG00000064835
P10462 S100A2 ENSG00000196754
P12344 GOT2 ENSG00000125166
P13384 IGFBP2 ENSG00000115457
P34942 NDUFA10 ENSG00000130414
P68265 GLTP ENSG00000139433
Q06600 LTA ENSG00000226979
Q08DF2 RNF112 ENSG00000128482
Q08DJ8 HSF1 ENSG00000185122
Q0III3 DYNC1I2 ENSG00000077380
Q0P5F7 PIP4K2C ENSG00000166908
Q0P5H8 HERPUD2 ENSG00000122557
Q0P5J8 STRIP1 ENSG00000143093
Q0VCH6 SLC25A40 ENSG00000075303
Q0VD32 CREBL2 ENSG00000111269
Q148C3 LY6D ENSG00000167656
Q17QJ5 TSPAN5 ENSG00000168785
Q1JP61 KDM8 ENSG00000155666
Q1JQD4 GIPC2 ENSG00000137960
"""
CELLS = 24


def write(folder: Path = FOLDER) -> None:
    """Write dictionary, network, counts by protein and the symbols of the proteins."""
    import torch

    from gst_core.geneformer.config import NetworkConfig
    from gst_core.geneformer.network import MaskedLanguageModel
    from gst_core.geneformer.resources import Resources, resources_file
    from gst_core.geneformer.weights import save_checkpoint

    proteins, symbols, ids = zip(*(line.split() for line in GENES.split("\n") if line), strict=True)
    (folder / "dictionaries").mkdir(parents=True, exist_ok=True)
    tokens = {"<pad>": 0, "<mask>": 1, "<cls>": 2, "<eos>": 3}
    Resources.build(
        "V2",
        tokens | {gene: number for number, gene in enumerate(ids, 4)},
        {gene: 1.0 + number / 10 for number, gene in enumerate(ids)},
        dict(zip(symbols, ids, strict=True)),
        dict(zip(symbols, ids, strict=True)),
    ).save(resources_file("V2", folder / "dictionaries"))

    torch.manual_seed(0)
    config = NetworkConfig(
        34, 16, 2, 2, 32, 40, hidden_dropout=0.0, attention_dropout=0.0, initializer_range=0.2
    )
    save_checkpoint(MaskedLanguageModel(config), folder / "network")

    # Two kinds of cells, each with its half of the genes foremost.
    rng = np.random.default_rng(0)
    rates = np.full((CELLS, len(proteins)), 0.3)
    rates[: CELLS // 2, : len(proteins) // 2] = 4
    rates[CELLS // 2 :, len(proteins) // 2 :] = 4
    counts = rng.poisson(rates)
    matrix = folder / "counts"
    matrix.mkdir(exist_ok=True)
    (matrix / "genes.tsv").write_text("".join(f"{name}\t{name}\n" for name in proteins))
    (matrix / "barcodes.tsv").write_text("".join(f"cell{number:02}\n" for number in range(CELLS)))
    places = [f"{gene + 1} {cell + 1} {counts[cell, gene]}" for cell, gene in np.argwhere(counts)]
    head = "%%MatrixMarket matrix coordinate integer general"
    size = f"{len(proteins)} {CELLS} {len(places)}"
    (matrix / "matrix.mtx").write_text("\n".join([head, size, *places]) + "\n")

    rows = [f"{p}\t{s}\t0.9900\t\tHGNC Symbol" for p, s in zip(proteins, symbols, strict=True)]
    header = "stable_id\tsymbol\tprobability\tdescription\tsource"
    (folder / "cow.tsv").write_text("\n".join([header, *rows]) + "\n")


if __name__ == "__main__":
    write()
