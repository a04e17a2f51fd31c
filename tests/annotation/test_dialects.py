"""Annotations in the manner of many programs: proteins out, names in, all else untouched."""

from __future__ import annotations

import gzip
import shutil
import subprocess
from pathlib import Path

import gffutils
import pytest
from Bio import SeqIO
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from gst_core.annotation import read_annotation, translate_genes
from gst_core.annotation.lines import attributes_of, dialect_of
from gst_core.cli.assign import assign
from tests.annotation import made

KNOWN = Path("tests/data/known_proteins.fa")


@pytest.fixture(scope="module")
def genes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[made.Made], dict[str, str]]:
    """A genome around known proteins, its genes, and the symbol of each protein."""
    records = list(SeqIO.parse(KNOWN, "fasta"))[:10]
    symbols = {str(r.seq): r.description.split("GN=")[1] for r in records}
    genome, genes = made.make_genome(list(symbols))
    path = tmp_path_factory.mktemp("genome") / "genome.fa"
    path.write_text(made.fasta(genome))
    return path, genes, symbols


@pytest.mark.parametrize("dialect", made.DIALECTS)
def test_names_go_into_the_lines_of_genes_and_nowhere_else(
    dialect: str, genes: tuple[Path, list[made.Made], dict[str, str]], tmp_path: Path
) -> None:
    genome, models, symbols = genes
    gtf = made.DIALECTS[dialect][1]
    source = tmp_path / ("a.gtf" if gtf else "a.gff3")
    source.write_text(made.annotation(dialect, models))
    target = tmp_path / f"named{source.suffix}"
    result = CliRunner().invoke(
        assign,
        [
            *("--gff3", str(source), "--genome", str(genome), "--clade", "humans"),
            *("--output", str(target), "--quiet"),
        ],
    )
    assert result.exit_code == 0, result.output
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([source.name, target.name])

    before = source.read_text().splitlines()
    after = target.read_text().splitlines()
    assert len(before) == len(after)
    named = {}
    for old, new in zip(before, after, strict=True):
        assert new.split("\t")[:8] == old.split("\t")[:8]
        if old == new:
            continue
        kind = "gtf" if gtf else "gff3"
        had = attributes_of(old.split("\t")[8].encode(), kind)
        has = attributes_of(new.split("\t")[8].encode(), kind)
        assert {k: has[k] for k in had if k not in {"Name", "gene"}} == {
            k: v for k, v in had.items() if k not in {"Name", "gene"}
        }
        start = int(new.split("\t")[3])
        model = next(
            m for m in models if m.region == new.split("\t")[0] and m.start <= start <= m.end
        )
        named[model.number] = has["gene_name" if gtf else "Name"]
    expected = {m.number: [symbols[m.protein]] for m in models}
    assert {n: s for n, s in named.items() if s != expected[n]} == {}
    assert len(named) >= len(models) - 1
    assert {names[0] for names in named.values()} <= _names_by_gffutils(target, dialect)


@pytest.mark.parametrize("dialect", [d for d in made.DIALECTS if d != "cds_alone"])
def test_gffread_translates_the_same(
    dialect: str, genes: tuple[Path, list[made.Made], dict[str, str]], tmp_path: Path
) -> None:
    if shutil.which("gffread") is None:
        pytest.skip("gffread is not installed")
    genome, models, _ = genes
    source = tmp_path / "a.gff"
    source.write_text(made.annotation(dialect, models))
    subprocess.run(
        ["gffread", source, "-g", genome, "-y", tmp_path / "theirs.fa"],
        check=True,
        capture_output=True,
    )
    theirs = [str(r.seq).rstrip(".") for r in SeqIO.parse(tmp_path / "theirs.fa", "fasta")]
    ours = [protein for _, protein in translate_genes(read_annotation(source), genome)]
    assert sorted(ours) == sorted(theirs) == sorted(m.protein for m in models)


def _names_by_gffutils(path: Path, dialect: str) -> set[str]:
    """Let an independent reader look for the names."""
    database = gffutils.create_db(
        str(path),
        ":memory:",
        merge_strategy="create_unique",
        disable_infer_genes=True,
        disable_infer_transcripts=True,
    )
    key = "gene_name" if made.DIALECTS[dialect][1] else "Name"
    return {
        value for feature in database.all_features() for value in feature.attributes.get(key, [])
    }


@settings(max_examples=25, deadline=None)
@given(
    proteins=st.lists(
        st.text("ACDEFGHIKLMNPQRSTVWY", min_size=1, max_size=60), min_size=1, max_size=4
    ),
    dialect=st.sampled_from(sorted(made.DIALECTS)),
    seed=st.integers(0, 10_000),
    introns=st.integers(0, 5),
    crlf=st.booleans(),
    packed=st.booleans(),
)
def test_any_gene_of_any_dialect_is_translated(
    proteins: list[str], dialect: str, seed: int, introns: int, crlf: bool, packed: bool
) -> None:
    import tempfile

    proteins = ["M" + p for p in proteins]
    genome, models = made.make_genome(proteins, seed, introns=introns)
    with tempfile.TemporaryDirectory() as folder:
        source, fasta = Path(folder, "a.gff"), Path(folder, "g.fa")
        text = made.annotation(dialect, models)
        source.write_bytes(text.replace("\n", "\r\n" if crlf else "\n").encode())
        bases = made.fasta(genome, width=seed % 70 + 1).encode()
        fasta.write_bytes(gzip.compress(bases) if packed else bases)
        assert dialect_of(source) == ("gtf" if made.DIALECTS[dialect][1] else "gff3")
        found = translate_genes(read_annotation(source), fasta)
        assert [protein for _, protein in found] == [model.protein for model in models]
