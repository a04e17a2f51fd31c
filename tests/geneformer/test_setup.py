"""``geneformer setup``: official files found, verified, and read without running them."""

from __future__ import annotations

import http.server
import os
import pickle
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from gst_core.cli.geneformer.main import geneformer
from gst_core.errors import GstError
from gst_core.geneformer import official
from gst_core.geneformer.resources import Resources
from gst_core.legacy.dictionaries import DictionaryMachine, read_dictionary
from gst_core.legacy.pickle_machine import RefusedError


def run(*arguments: object) -> Result:
    return CliRunner().invoke(geneformer, ["setup", *map(str, arguments)])


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**31), 2**31 - 1) | st.floats(allow_nan=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
    max_leaves=20,
)  # fmt: skip


@settings(max_examples=40)
@given(content=st.dictionaries(st.text(), PLAIN), protocol=st.integers(2, 5))
def test_plain_containers_are_read(content: dict[str, object], protocol: int) -> None:
    assert DictionaryMachine().run(pickle.dumps(content, protocol)) == content


@pytest.mark.parametrize("code", ["i1", "<i2", ">i4", "i8", "u1", "u2", ">u8", "f2", "f4", ">f8"])
@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_numpy_scalars_become_numbers(code: str, protocol: int) -> None:
    values = np.array([1, 100, 7], code)
    content = {str(n): value for n, value in enumerate(values)}
    made = DictionaryMachine().run(pickle.dumps(content, protocol))
    assert made == content
    assert {type(value) for value in made.values()} <= {int, float}


class Command:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch /tmp/was-run",)


@pytest.mark.parametrize(
    "content",
    [
        Command(),
        np.zeros(3),
        np.dtype("O"),
        {"a": np.str_("x")},
        {1, 2},
        np.datetime64("2020"),
        len,
    ],
)
def test_anything_else_is_refused(content: object, tmp_path: Path) -> None:
    with pytest.raises((RefusedError, GstError)):
        read_dictionary_of({"a": content}, tmp_path)


def read_dictionary_of(content: object, folder: Path) -> object:
    path = folder / "token_dictionary_gc104M.pkl"
    path.write_bytes(pickle.dumps(content))
    return read_dictionary(path)


def test_an_object_scalar_is_refused() -> None:
    evil = (
        b"cnumpy.core.multiarray\nscalar\n(cnumpy\ndtype\n(X\x02\x00\x00\x00O8\x89\x88tRC\x01xtR."
    )
    with pytest.raises(RefusedError, match="no plain number"):
        DictionaryMachine().run(evil)


def test_damaged_pickles_are_named(tmp_path: Path) -> None:
    path = tmp_path / "x.pkl"
    path.write_bytes(pickle.dumps({"a": 1, "b": [2.5]})[:-4])
    with pytest.raises(GstError, match=r"x\.pkl: is not a whole pickle"):
        read_dictionary(path)
    path.write_bytes(pickle.dumps([1]))
    with pytest.raises(GstError, match="no dictionary of names"):
        read_dictionary(path)


def test_both_versions_at_any_depth(geneformer_data: Path, tmp_path: Path) -> None:
    """Whatever the names are: the checksum says what a file is."""
    deep = tmp_path / "a" / "b c"
    deep.mkdir(parents=True)
    for path in (geneformer_data / "v2_gc104M").glob("*.pkl"):
        shutil.copyfile(path, deep / path.name.replace("gc104M", "gc95M"))
    shutil.copyfile(next((geneformer_data / "v2_gc104M").glob("tok*")), tmp_path / "mine.pkl")
    result = run("--from", tmp_path, "--resources", tmp_path / "made")
    assert result.exit_code == 0, result.output
    assert "20,271 genes with a token, 173,697 names" in result.stderr
    made = Resources.load("V2", tmp_path / "made")
    assert any("gc95M" in name for name in made.sources)
    assert not (tmp_path / "made" / "geneformer_V1.dictionary").exists()


def test_what_is_not_official_is_refused(tmp_path: Path) -> None:
    def said(*arguments: object) -> str:
        result = run("--from", tmp_path, "--resources", tmp_path / "made", *arguments)
        assert result.exit_code == 1
        assert isinstance(result.exception, GstError)
        assert not (tmp_path / "made").exists()
        return str(result.exception)

    assert "none of Geneformer's official files" in said()
    tokens = {"<pad>": 0, "<mask>": 1, "<cls>": 2, "<eos>": 3, "ENSG00000000001": 4}
    path = tmp_path / "token_dictionary_gc104M.pkl"
    path.write_bytes(pickle.dumps(tokens))
    assert "is not the official file of Geneformer V2: its SHA-256 is" in said()
    assert "gene_median_dictionary_gc104M.pkl is missing" in said("--unverified")
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:67c4\n")
    assert "git lfs pull" in said()
    for role in ("token", "gene_median"):
        path = tmp_path / f"{role}_dictionary_gc104M.pkl"
        path.write_bytes(pickle.dumps({"<pad>": "zero"}))
    (tmp_path / "ensembl_mapping_dict_gc104M.pkl").write_bytes(pickle.dumps({"a": "b"}))
    assert "values are not what" in said("--unverified")


def test_own_dictionaries_need_a_word(tmp_path: Path) -> None:
    tokens = {"<pad>": 0, "<mask>": 1, "ENSG00000000001": 2}
    for name, content in (
        ("token_dictionary", tokens),
        ("gene_median_dictionary", {"ENSG00000000001": np.float64(2.5)}),
        ("gene_name_id_dict", {"one": "ENSG00000000001"}),
    ):
        (tmp_path / f"{name}.pkl").write_bytes(pickle.dumps(content))
    result = run("--from", tmp_path, "--unverified", "--resources", tmp_path / "made")
    assert result.exit_code == 0, result.output
    made = Resources.load("V1", tmp_path / "made")
    assert made.medians.tolist() == [2.5]
    assert made.index_of(["ONE", "ensg00000000001.3"]).tolist() == [0, 0]


def test_usage() -> None:
    assert run().exit_code == 2
    assert run("--model_version", "V1", "--from", ".").exit_code == 2
    assert run("--from", "/no/such/folder").exit_code == 1


@pytest.fixture
def publisher(geneformer_data: Path, tmp_path: Path) -> Iterator[str]:
    """Serve V2's files as the authors' site does."""
    site = tmp_path / "site"
    shutil.copytree(geneformer_data / "v2_gc104M", site)

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args: object, **kwargs: object) -> None:
            super().__init__(*args, directory=str(site), **kwargs)  # type: ignore[arg-type]

        def log_message(self, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_download(publisher: str, tmp_path: Path) -> None:
    target = tmp_path / "official"
    target.mkdir()
    official.download(["V2"], target, publisher)
    assert set(official.find(target)) == {"V2"}
    site = tmp_path / "site"
    (site / "ensembl_mapping_dict_gc104M.pkl").write_bytes(b"changed")
    official.download(["V2"], target, publisher)  # what is there and right is not asked for again
    (target / "ensembl_mapping_dict_gc104M.pkl").unlink()
    with pytest.raises(GstError, match="no longer the official file"):
        official.download(["V2"], target, publisher)
    with pytest.raises(GstError, match=r"cannot download: .*geneformer setup --from DIR"):
        official.download(["V1"], target, publisher)
