"""The Python API: load a model once, name any number of genomes."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gst_core.assignment import Assignment, Evidence
from gst_core.clades import DOUBLED_CLADES, DOUBLED_GENERA, UNDOUBLED_TAXA
from gst_core.errors import GstError, no_choice
from gst_core.inference.engine import Engine
from gst_core.inference.frames import Library, frame_of
from gst_core.inference.legacy import LegacyEngine
from gst_core.inference.one_to_one import name_together
from gst_core.inference.references import ReferenceEngine
from gst_core.inference.session import DEVICES, Device, default_model, open_session, read_metadata
from gst_core.inference.stream import Observer, assign
from gst_core.inference.transformer import TransformerEngine
from gst_core.processors import available_threads
from gst_core.references.evidence import CANDIDATES
from gst_core.sequences import Protein, ReadStatistics, proteins_from, read_proteins
from gst_core.styles import STYLES, Style, styled
from gst_core.taxonomy import resolve
from gst_core.vocabulary import Symbol

_ENGINES: dict[str | None, type[ReferenceEngine] | type[TransformerEngine] | type[LegacyEngine]] = {
    engine.format: engine for engine in (ReferenceEngine, TransformerEngine, LegacyEngine)
}


@dataclass(frozen=True, slots=True)
class Species:
    """What a model is told of the species.

    Attributes
    ----------
    clade
        One of the model's clade categories; ``None``: it runs without one.
    note
        One sentence on how it was found.
    taxon_id, scientific_name
        Of the NCBI taxon that answered; ``None`` and empty where a clade, or
        nothing, was given.
    doubled
        Whether genomes were doubled there, so that genes come in pairs of one symbol.
    warning
        Why there is no clade, where a species was given and is not known.
    genus
        Of the taxon, where it has one.
    """

    clade: str | None
    note: str
    taxon_id: int | None = None
    scientific_name: str = ""
    doubled: bool = False
    warning: str = ""
    genus: str | None = None


class GeneNamer:
    """A loaded model.

    Parameters
    ----------
    checkpoint
        A ``.onnx`` file, or a ``.ckpt`` of the original; the embedded model without it.
    device
        ``"auto"``, ``"cpu"`` or ``"cuda"``; ``"cuda"`` is an error where CUDA
        cannot run. ``"auto"`` takes the CPU for a model of references, most of whose work is
        done there anyway, and for a network CUDA where it runs.
    threads
        CPU threads; all that the process may use without it.

    Raises
    ------
    GstError
        If the model cannot be opened or run on the device, or there is no such device.

    Examples
    --------
    >>> from gst_core import GeneNamer
    >>> namer = GeneNamer()
    >>> for a in namer.assign("proteins.fa", scientific_name="Sus scrofa"):
    ...     print(a.stable_id, a.symbol, a.probability)
    """

    def __init__(
        self,
        checkpoint: str | Path | None = None,
        *,
        device: Device = "auto",
        threads: int | None = None,
    ) -> None:
        if device not in DEVICES:
            raise no_choice(device, "device", DEVICES)
        if threads is not None and threads < 1:
            raise GstError(f"{threads} threads", where="threads", hint="give 1 or more, or none")
        self.path = default_model() if checkpoint is None else Path(checkpoint)
        model = self.path if checkpoint is None else _as_onnx(self.path)
        self.threads = threads or available_threads()
        self.metadata = read_metadata(model)
        kind = self.metadata["gst.format"]
        if kind not in _ENGINES:
            raise GstError(
                f"model format {kind!r} is not known",
                where=str(self.path),
                hint="make one with gst build or gst export",
            )
        if device == "auto" and not _ENGINES[kind].works_on_device:
            device = "cpu"  # where CUDA would take longer to start than a genome to be named
        # One thread a run and several runs at once: nothing waits for its slowest operator.
        session, provider = open_session(model, device, threads=1)
        self.engine: Engine = _ENGINES[kind](session, provider, self.threads)

    def __repr__(self) -> str:
        """Show the model and what runs it."""
        return (
            f"GeneNamer({self.engine.name} {self.engine.version}, "
            f"{len(self.engine.vocabulary):,} symbols, {self.provider}, {self.threads} threads)"
        )

    @property
    def provider(self) -> str:
        """What really runs the model: ``cpu`` or ``cuda``."""
        return self.engine.provider

    def fact(self, key: str) -> Any:
        """Read a JSON fact of the model's metadata; None where it is absent."""
        text = self.metadata.get(f"gst.{key}")
        return None if text is None else json.loads(text)

    def species(
        self,
        scientific_name: str | None = None,
        taxon_id: int | None = None,
        clade: str | None = None,
        *,
        strict: bool = False,
    ) -> Species:
        """Find the model's clade category: that of `clade`, or of the id, or of the name.

        An id that is not known, for it may be newer than the table, leaves it to the name.
        A species that is not known costs the model one of its two inputs, not the user the
        result: it runs without a clade, and `warning` says so.

        Raises
        ------
        GstError
            If the model has no such clade; if the name or id is unknown and it is `strict`.
        """
        if clade:
            clade = clade.strip().lower()
            if clade not in self.engine.clades:
                raise GstError(
                    f"the model has no clade '{clade}'",
                    hint=f"use one of {', '.join(sorted(self.engine.clades))}",
                )
            return Species(clade, f"clade {clade}, as given", doubled=clade in DOUBLED_CLADES)
        given = [query for query in (taxon_id, scientific_name or None) if query is not None]
        if not given:
            return Species(None, "no species given: the model runs without a clade")
        for query in given:
            try:
                taxon = resolve(query)
                break
            except GstError as error:
                if strict:
                    raise
                unknown = error
        else:
            return Species(
                None, f"species '{query}': the model runs without a clade", warning=str(unknown)
            )
        found = self.engine.clade_of(taxon.taxon_id)
        note = taxon.note
        if found is None:
            note += "; the model runs without a clade"
        elif found != taxon.clade:
            note += f", which this model takes as {found}"
        doubled = found in DOUBLED_CLADES or (
            taxon.genus in DOUBLED_GENERA and taxon.taxon_id not in UNDOUBLED_TAXA
        )
        return Species(
            found, note, taxon.taxon_id, taxon.scientific_name, doubled, genus=taxon.genus
        )

    @property
    def core_genes(self) -> dict[str, str]:
        """The core gene that each symbol speaks for, by the symbol's case-folded form.

        Core genes are those that nearly every species of the model's kind has; a copy's symbol
        speaks for its gene. Empty where the model does not tell.
        """
        return self.engine.core_genes

    def require_evidence(self) -> None:
        """Make sure that the model can say what speaks for its symbols.

        Raises
        ------
        GstError
            If it has no references.
        """
        if not self.engine.gives_evidence:
            raise GstError(
                f"the model {self.engine.name} has no references",
                where="evidence",
                hint="ask for evidence of a model made with gst build, as the embedded one",
            )

    def assign(
        self,
        source: Any,
        *,
        scientific_name: str | None = None,
        taxon_id: int | None = None,
        clade: str | None = None,
        found: Species | None = None,
        top_k: int = 1,
        evidence: bool = False,
        one_to_one: bool = False,
        gene_of: Mapping[str, str] | None = None,
        symbol_style: Style = "source",
        strict: bool = False,
        statistics: ReadStatistics | None = None,
        progress: bool = False,
        observe: Observer | None = None,
    ) -> Iterator[Assignment]:
        """Name proteins, in their order, as a stream.

        Parameters
        ----------
        source
            Path of a FASTA file (plain, gzip, bgzip or zstd), ``"-"`` for
            standard input, a binary file, or an iterable of ``(id, sequence)``
            pairs or Biopython ``SeqRecord`` objects, a mapping of ids to sequences, or one
            ``SeqRecord``.
        scientific_name, taxon_id, clade
            The species; all may be left out. A clade decides, else the id, else the name.
        found
            In place of these, what :meth:`species` found.
        top_k
            Candidates for each protein; fewer where the model has no more.
        evidence
            Say which reference speaks for the best symbol.
        one_to_one
            Name all genes of the source together, so that each symbol has one gene; the results
            come when the last protein is read. Two genes may share a symbol where genomes were
            doubled (:data:`~gst_core.clades.DOUBLED_CLADES`).
        gene_of
            Gene of each protein, by its id, for `one_to_one`; without an entry the FASTA header
            says (:func:`~gst_core.sequences.genes.gene_of`).
        symbol_style
            Case of the symbols; see :mod:`gst_core.styles`.
        strict
            Raise an error where odd input would be mended, or the species is not known.
        statistics
            Counts of what was read and mended, filled in as the stream is used.
        progress
            Show how far it is, on a terminal or in a notebook.
        observe
            Called with each protein and what it is named, before genes are settled together.

        Yields
        ------
        assignment
            One for each protein.

        Raises
        ------
        GstError
            For an unknown clade, an unknown species if `strict`, input that is not
            protein FASTA, an option that there is not, or a model without references that is
            asked for evidence.
        """
        if top_k < 1:
            raise GstError(f"{top_k} candidates a protein", where="top_k", hint="ask for 1 or more")
        if symbol_style not in STYLES:
            raise no_choice(symbol_style, "symbol_style", STYLES)
        if evidence:
            self.require_evidence()
        if found is None:
            found = self.species(scientific_name, taxon_id, clade, strict=strict)
            if found.warning:
                warnings.warn(f"{found.warning} ({found.note})", stacklevel=2)
        if isinstance(source, (str, Path)) or hasattr(source, "read"):
            read: Any = read_proteins
        else:
            read, source = proteins_from, _iterable(source)
        original = self.engine.reads_as_original
        proteins = read(source, strict=strict, statistics=statistics, original=original)
        if statistics is not None and self.engine.longest is not None:
            proteins = _counting_cuts(proteins, self.engine.longest, statistics)
        busy = self.provider == "cuda" and self.engine.works_on_device
        workers = 1 if busy else self.threads

        def named(proteins: Iterable[Protein]) -> Iterator[Assignment]:
            # All that there are: 4 of the 12 genes of histone H4 would never be given with 8.
            wanted = max(top_k, CANDIDATES) if one_to_one else top_k
            return assign(
                self.engine,
                proteins,
                clade=found.clade,
                genus=found.genus,
                top_k=wanted,
                evidence=evidence,
                workers=workers,
                observe=observe,
            )

        if one_to_one:
            assignments = self._together(proteins, named, found, evidence, gene_of or {})
        else:
            assignments = named(proteins)
        if symbol_style != "source":
            assignments = styled(assignments, found.clade, symbol_style)
        return _with_progress(assignments) if progress else assignments

    def to_frame(
        self,
        source: Any,
        *,
        library: Library = "pandas",
        top_k: int = 1,
        evidence: bool = False,
        **options: Any,
    ) -> Any:
        """Name proteins, and give the result as a data frame.

        Parameters
        ----------
        source
            As for :meth:`assign`.
        library
            ``"pandas"`` or ``"polars"``, which has to be installed.
        top_k, evidence, **options
            As for :meth:`assign`.

        Returns
        -------
        frame
            One row a protein; the columns of the result table, with types of their own, and
            ``accession``, ``gene`` and ``length``.

        Raises
        ------
        GstError
            As for :meth:`assign`, and if the library is not installed.

        Examples
        --------
        >>> frame = GeneNamer().to_frame("proteins.fa", scientific_name="Sus scrofa")
        >>> frame[frame.probability >= 0.9].symbol.value_counts()
        """
        assignments = self.assign(source, top_k=top_k, evidence=evidence, **options)
        return frame_of(assignments, library, top_k=top_k, evidence=evidence)

    def _together(
        self,
        proteins: Iterable[Protein],
        named: Callable[[Iterable[Protein]], Iterator[Assignment]],
        species: Species,
        evidence: bool,
        gene_of: Mapping[str, str],
    ) -> Iterator[Assignment]:
        """Name all genes at once."""
        kept: list[bytes] = []

        def read() -> Iterator[Protein]:
            for protein in proteins:
                if evidence:
                    kept.append(protein.residues)
                gene = gene_of.get(protein.stable_id)
                yield replace(protein, gene=gene) if gene else protein

        def show(number: int, symbol: Symbol) -> Evidence | None:
            return self.engine.evidence_for(kept[number], species.clade, symbol, species.genus)

        return name_together(
            named(read()), copies=2 if species.doubled else 1, evidence=show if evidence else None
        )


def _with_progress(assignments: Iterator[Assignment]) -> Iterator[Assignment]:
    """Show how many have passed; Rich knows terminals from notebooks."""
    from rich.progress import track

    yield from track(assignments, description="proteins named", transient=True)


def _as_onnx(path: Path) -> Path:
    """Give the file itself, or what a checkpoint of the original is imported as."""
    # Only here, for its import would delay every start.
    from gst_core.legacy.importing import import_checkpoint, is_checkpoint

    return import_checkpoint(path) if is_checkpoint(path) else path


def _counting_cuts(
    proteins: Iterable[Protein], longest: int, statistics: ReadStatistics
) -> Iterator[Protein]:
    """Count the proteins that a model does not look at to their ends."""
    statistics.cut_at = longest
    for protein in proteins:
        if len(protein.residues) > longest:
            statistics.first_cut = statistics.first_cut or protein.stable_id
            statistics.cut += 1
        yield protein


def _iterable(source: Any) -> Iterable[Any]:
    if not isinstance(source, Iterable):
        raise GstError(
            f"cannot read proteins from {type(source).__name__}",
            hint="give a path, a binary file, or (id, sequence) pairs",
        )
    return source
