"""``gst dataset ensembl``: proteins of a release of Ensembl."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import click
from platformdirs import user_cache_path

from gst_core.cli._dataset import DownloadProgress, making_options, naming_of, summary
from gst_core.cli._log import Log
from gst_core.cli._paths import OutputFolder, check_paths
from gst_core.dataset.divisions import DIVISIONS
from gst_core.dataset.downloads import Library
from gst_core.dataset.entry import LeftOut
from gst_core.dataset.genomes import Genome, choose_genomes
from gst_core.dataset.http import Client, Patience
from gst_core.dataset.making import Selection, compose
from gst_core.dataset.manifest import Manifest
from gst_core.dataset.release import PARTS, NameSource, Part, Release, make_parts, read_genomes
from gst_core.errors import GstError
from gst_core.files import make_folder


@click.command()
@click.option("--release", "number", type=click.IntRange(1), required=True, help="As 113.")
@click.option(
    "--division",
    type=click.Choice(list(DIVISIONS)),
    default="vertebrates",
    show_default=True,
    help="The others count their releases apart: 60 is of the year of 113.",
)
@click.option(
    "--species",
    "asked",
    multiple=True,
    help="Production name, as homo_sapiens, or taxon id. May be repeated. Default: all genomes.",
)
@click.option(
    "--names",
    type=click.Choice(["gff3", "embl", "mysql"]),
    default="gff3",
    show_default=True,
    help="Where genes' names are read: GFF3 and EMBL files, or the public databases.",
)
@click.option(
    "--server",
    help="Address or folder that holds the releases, for a mirror. Default: Ensembl's.",
)
@click.option(
    "--mysql",
    help="Address of the databases, as mysql://user@host:port. Default: Ensembl's public ones.",
)
@click.option(
    "--cache",
    type=OutputFolder(file_okay=False, path_type=Path),
    help="Folder for downloads, which are kept. Default: that of the user's cache.",
)
@click.option(
    "--connections",
    type=click.IntRange(1, 16),
    default=4,
    show_default=True,
    help="Files that are downloaded at a time.",
)
@click.option(
    "--attempts",
    type=click.IntRange(1),
    default=Patience().attempts,
    show_default=True,
    help="Attempts in a row that bring nothing before a file is given up.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(0, min_open=True),
    default=Patience().timeout,
    show_default=True,
    help="Seconds without a byte before an attempt is given up.",
)
@making_options
def ensembl(
    number: int,
    division: str,
    asked: tuple[str, ...],
    names: NameSource,
    server: str | None,
    mysql: str | None,
    cache: Path | None,
    connections: int,
    attempts: int,
    timeout: float,
    output: Path,
    min_count: int,
    clades: tuple[str, ...],
    hgnc: Path | None,
    mgi: tuple[Path, ...],
    zfin: Path | None,
    symbols: Path | None,
    quiet: bool,
) -> None:
    """Make a dataset of a release of Ensembl: the canonical protein of each named gene.

    Downloads are verified by the server's CHECKSUMS and kept; killed and started again, the
    command goes on where it was.

    \b
    gst dataset ensembl --release 113 --output ensembl113
    gst dataset ensembl --release 113 --species homo_sapiens --species danio_rerio --output two
    gst dataset ensembl --release 60 --division plants --names mysql --output plants60
    """  # noqa: D301
    check_paths()
    log = Log("gst dataset ensembl", quiet)
    naming = naming_of(hgnc, mgi, zfin, symbols)
    release = Release(DIVISIONS[division], number, names, server, mysql)
    stop = threading.Event()
    progress = DownloadProgress(log)
    client = Client(connections, Patience(attempts, timeout), stop, log.warn)
    library = Library(cache or user_cache_path("gst") / "downloads", client, progress.on_bytes)

    all_genomes, table = read_genomes(release, library)
    genomes = choose_genomes(all_genomes, asked)
    log.say(f"{len(genomes):,} of the release's {len(all_genomes):,} genomes")
    folder = make_folder(output)
    failures: list[tuple[Genome, GstError]] = []

    def on_failure(genome: Genome, error: GstError) -> None:
        failures.append((genome, error))
        log.error(str(error), genome.species)

    with progress.of(len(genomes)):
        parts = make_parts(
            release,
            genomes,
            library,
            make_folder(folder / PARTS),
            connections=connections,
            stop=stop,
            on_failure=on_failure,
            on_part=progress.on_part,
        )
    if failures:
        raise GstError(
            f"{len(failures):,} of {len(genomes):,} genomes cannot be had, "
            f"{failures[0][0].species} first ({failures[0][1].what})",
            where=release.folder,
            hint="run the same command again, which goes on where it is, or name the genomes "
            "with --species",
        )
    manifest = _manifest(release, parts)
    manifest.files.insert(0, table)
    manifest.options = {
        "division": division,
        "names": names,
        "species": list(asked),
        "min_count": min_count,
        "clades": sorted(clades),
    }
    left_out = LeftOut()
    for part in parts:
        left_out.merge(part.facts["left_out"], "")
    made = compose(
        [part.path for part in parts],
        folder,
        manifest,
        left_out,
        naming,
        Selection(min_count, frozenset(clades)),
        log.say,
    )
    shutil.rmtree(folder / PARTS, ignore_errors=True)
    click.echo(summary(made, output))


def _manifest(release: Release, parts: list[Part]) -> Manifest:
    """Say where the proteins are from."""
    manifest = Manifest("Ensembl", str(release.number))
    for part in parts:
        manifest.files += part.files
        counts = ("proteins", "canonical", "longest", "left_out")
        manifest.genomes.append(
            {
                "species": part.genome.species,
                "taxon_id": part.genome.taxon_id,
                "assembly": part.genome.assembly,
                "accession": part.genome.accession,
                "core_db": part.genome.core_db,
                **{name: part.facts[name] for name in counts},
            }
        )
    longest = sum(part.facts["longest"] for part in parts)
    canonical = sum(part.facts["canonical"] for part in parts)
    manifest.notes.append(
        f"of {canonical:,} genes the canonical protein is marked; of {longest:,}, of which nothing "
        "says which protein is canonical, the longest was taken"
    )
    if unverified := [file.name for file in manifest.files if not file.verified]:
        manifest.notes.append(
            f"{len(unverified):,} files have no published checksum, {unverified[0]} first"
        )
    return manifest
