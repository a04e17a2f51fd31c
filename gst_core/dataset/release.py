"""A release of Ensembl, genome by genome: files fetched, names read, proteins laid by."""

from __future__ import annotations

import hashlib
import itertools
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal

from gst_core.dataset.divisions import Division
from gst_core.dataset.downloads import Fetched, Library
from gst_core.dataset.genomes import Genome, parse_genomes
from gst_core.dataset.http import NotThereError, UnreachableError
from gst_core.dataset.manifest import SourceFile
from gst_core.dataset.names import GeneNames
from gst_core.dataset.names_embl import read_embl
from gst_core.dataset.names_gff3 import read_gff3
from gst_core.dataset.peptides import Read, read_peptides
from gst_core.dataset.table import TableWriter
from gst_core.errors import GstError
from gst_core.files import atomic_write

NameSource = Literal["gff3", "embl", "mysql"]
PARTS: Final = ".parts"
#: Raised where the same files would give other rows than before.
_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Release:
    """What is asked of Ensembl.

    Attributes
    ----------
    division
        Part of Ensembl.
    number
        The release, as the division counts.
    names
        Which files or databases say what genes are called.
    server, mysql
        Other addresses than the division's own.
    """

    division: Division
    number: int
    names: NameSource = "gff3"
    server: str | None = None
    mysql: str | None = None

    @property
    def folder(self) -> str:
        """Address of the release's folder."""
        return self.division.folder(self.number, self.server)


@dataclass(frozen=True, slots=True)
class Part:
    """The proteins of a genome.

    Attributes
    ----------
    genome
        Whose they are.
    path
        Their table.
    facts
        Files, and counts of what was left out and how canonical proteins were found.
    """

    genome: Genome
    path: Path
    facts: dict[str, Any]

    @property
    def files(self) -> list[SourceFile]:
        """What was read."""
        return [SourceFile(**own) for own in self.facts["files"]]


def read_genomes(release: Release, library: Library) -> tuple[list[Genome], SourceFile]:
    """Read which genomes a release has.

    Raises
    ------
    GstError
        If the table cannot be fetched or read.
    """
    url = f"{release.folder}/{release.division.species_table}"
    path = library.fetch(url)
    genomes = parse_genomes(path.read_text(encoding="utf-8", errors="replace"), url)
    source = SourceFile.of(path)
    source.url = url
    return genomes, source


@dataclass(frozen=True, slots=True)
class _Files:
    """The files of a genome."""

    peptides: Fetched
    names: tuple[Fetched, ...]

    @property
    def sources(self) -> list[SourceFile]:
        return [self.peptides.source, *(own.source for own in self.names)]


def make_parts(
    release: Release,
    genomes: Sequence[Genome],
    library: Library,
    folder: Path,
    *,
    connections: int,
    stop: threading.Event,
    on_failure: Callable[[Genome, GstError], None],
    on_part: Callable[[Part], None],
) -> list[Part]:
    """Fetch the files of genomes, several at a time, and lay their proteins by.

    A genome that was done before, from the same files, is not read again.

    Parameters
    ----------
    release, genomes
        What is asked for.
    library
        Fetches and keeps files.
    folder
        Where tables are laid by.
    connections
        How many genomes are fetched at a time.
    stop
        Set where this ends early, so that downloads end too.
    on_failure
        Called with a genome that cannot be had, and why; the others go on.
    on_part
        Called with each genome that is done.

    Returns
    -------
    parts
        In the order of the genomes; those that failed are missing.

    Raises
    ------
    UnreachableError
        If a server cannot be reached.
    """
    parts: dict[str, Part] = {}
    pool = ThreadPoolExecutor(connections)
    try:
        for genome, result in _as_they_come(
            pool, genomes, lambda genome: _fetched(release, genome, library), 2 * connections
        ):
            try:
                part = _part(release, genome, result.result(), folder)
            except UnreachableError:
                raise  # the other genomes would be asked for in vain, one after the other
            except GstError as error:
                on_failure(genome, error)
                continue
            parts[genome.species] = part
            on_part(part)
    except BaseException:
        stop.set()
        # not waited for: a thread may be in the midst of a read that brings nothing
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()
    return [parts[genome.species] for genome in genomes if genome.species in parts]


Job = tuple[_Files, GeneNames | None]


def _as_they_come(
    pool: ThreadPoolExecutor,
    genomes: Sequence[Genome],
    fetch: Callable[[Genome], Job],
    ahead: int,
) -> Iterator[tuple[Genome, Future[Job]]]:
    """Run jobs, `ahead` of them at a time, and give each with its genome once it is done."""
    left = iter(genomes)
    waiting: dict[Future[Job], Genome] = {}
    while True:
        for genome in itertools.islice(left, ahead - len(waiting)):
            waiting[pool.submit(fetch, genome)] = genome
        if not waiting:
            return
        done, _ = wait(waiting, return_when=FIRST_COMPLETED)
        for future in done:
            yield waiting.pop(future), future


def _fetched(release: Release, genome: Genome, library: Library) -> Job:
    """Fetch all that is needed of a genome."""
    base, stem = release.folder, genome.file_stem
    assembly = genome.assembly.replace(" ", "_")
    peptides = _fetch_one(
        library,
        f"{base}/fasta/{genome.folder}/pep",
        lambda name: name.startswith(f"{stem}.") and name.endswith(".pep.all.fa.gz"),
        f"{stem}.{assembly}.pep.all.fa.gz",
    )
    if release.names == "gff3":
        end = f".{release.number}.gff3.gz"
        gff3 = _fetch_one(
            library,
            f"{base}/gff3/{genome.folder}",
            lambda name: name.startswith(f"{stem}.") and name.endswith(end),
            f"{stem}.{assembly}{end}",
        )
        return _Files(peptides, (gff3,)), None
    if release.names == "embl":
        return _Files(peptides, _fetch_embl(library, f"{base}/embl/{genome.folder}")), None
    from gst_core.dataset.names_mysql import read_mysql

    mysql = release.mysql or release.division.mysql
    return _Files(peptides, ()), read_mysql(mysql, genome)


def _fetch_one(
    library: Library, folder: str, fits: Callable[[str], bool], otherwise: str
) -> Fetched:
    """Fetch a file of a folder whose name CHECKSUMS tells: not all are as the assembly's."""
    names = sorted(name for name in library.checksums(folder) or () if fits(name))
    return library.fetch_verified(folder, min(names, key=len) if names else otherwise)


def _fetch_embl(library: Library, folder: str) -> tuple[Fetched, ...]:
    names = sorted(name for name in library.checksums(folder) or () if name.endswith(".dat.gz"))
    if not names:
        raise NotThereError(
            "nothing tells which EMBL files there are",
            where=folder,
            hint="take --names gff3 or --names mysql",
        )
    return tuple(library.fetch_verified(folder, name) for name in names)


def _part(release: Release, genome: Genome, job: Job, folder: Path) -> Part:
    """Read a genome's proteins into a table, unless that was done before."""
    files, names = job
    path = folder / f"{genome.species}.parquet"
    fingerprint = _fingerprint(release, genome, files.sources, names)
    facts_path = path.with_suffix(".json")
    try:
        facts = json.loads(facts_path.read_text(encoding="utf-8"))
        if facts["fingerprint"] == fingerprint and path.is_file():
            return Part(genome, path, facts)
    except (OSError, ValueError, KeyError, TypeError):
        pass
    if names is None:
        paths = [own.path for own in files.names]
        names = read_gff3(paths[0]) if release.names == "gff3" else read_embl(paths)
    read = Read()
    with TableWriter(path) as writer:
        for entry in read_peptides(files.peptides.path, genome, names, read):
            writer.add(entry)
    facts = {
        "fingerprint": fingerprint,
        "files": [asdict(own) for own in files.sources],
        "proteins": writer.rows,
        "left_out": dict(read.left_out.most_common()),
        "canonical": read.marked,
        "longest": read.longest,
    }
    # last, for it says that the table is whole
    with atomic_write(facts_path) as file:
        json.dump(facts, file)
    return Part(genome, path, facts)


def _fingerprint(
    release: Release, genome: Genome, files: Sequence[SourceFile], names: GeneNames | None
) -> str:
    """Tell whether a table was made of the same files in the same way."""
    database = sorted(map(repr, names.genes.items())) if names is not None else []
    content = [
        _VERSION,
        release.names,
        asdict(genome),
        [(own.name, own.size, own.checksum) for own in files],
        database,
        sorted(names.canonical) if names is not None else [],
    ]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()
