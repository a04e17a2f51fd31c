"""Names of genes for datasets, from core databases on a server and in a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from gst_core.dataset import names_mysql
from gst_core.dataset.genomes import Genome
from gst_core.dataset.http import UnreachableError
from gst_core.dataset.names_mysql import read_mysql
from gst_core.errors import GstError
from tests.ensembl.mariadb import Server


def _genome(database: str) -> Genome:
    return Genome("homo_sapiens", "Human", 9606, "GRCh38", "", database, 1)


def test_a_server_and_a_file_say_the_same(
    human_mariadb: str, server: Server, human_sqlite: Path
) -> None:
    on_server = read_mysql(server.url("{database}"), _genome(human_mariadb))
    in_file = read_mysql(f"sqlite:///{human_sqlite.parent}/{{database}}.db", _genome("core"))
    assert on_server == in_file
    assert on_server.canonical
    labels = {gene: name.label for gene, name in on_server.genes.items()}
    # genes without a symbol are there as well, so that their proteins can be counted
    assert labels["ENSG00000131044"] == ""
    assert any(labels.values())
    assert all(name.source for name in on_server.genes.values() if name.label)


def test_a_server_that_is_away_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(names_mysql.time, "sleep", pauses.append)
    with pytest.raises(UnreachableError, match="port, and that the server runs; --names gff3"):
        read_mysql("mysql://anonymous@127.0.0.1:9", _genome("human_core_113_38"))
    assert len(pauses) == 5
    assert pauses[-1] <= 16


def test_what_will_not_change_is_not_asked_again(
    human_mariadb: str, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(names_mysql.time, "sleep", pytest.fail)
    with pytest.raises(GstError, match="check the database's name"):
        read_mysql(server.url("{database}"), _genome("none_core_1_1"))
    with pytest.raises(GstError, match="--mysql: holds a password"):
        read_mysql("mysql://me:secret@host", _genome("x_core_1_1"))
    with pytest.raises(GstError, match="has no protein-coding gene of the species"):
        read_mysql(
            server.url("{database}"),
            Genome("x", "", 1, "", "", human_mariadb, 77),
        )
