"""Geneformer from Python: load a network once, embed AnnData."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

import numpy as np
from numpy.typing import NDArray

from gst_core.errors import GstError
from gst_core.geneformer.backends import Device, Encoder, Layer, open_encoder
from gst_core.geneformer.counts import of_anndata
from gst_core.geneformer.dataset import Tokens
from gst_core.geneformer.embedding import Mode, embed_cells, embed_genes
from gst_core.geneformer.resources import Resources
from gst_core.geneformer.tokenizing import prepare

if TYPE_CHECKING:
    import pandas as pd
    from anndata import AnnData

    from gst_core.geneformer.attention import Source

#: Where embeddings of cells go in `obsm`.
OBSM_KEY = "X_geneformer"


class Geneformer:
    """A network and the dictionary that fits it; :meth:`load` is the way in.

    Parameters
    ----------
    encoder
        The network.
    resources
        The dictionary.

    Examples
    --------
    >>> from gst_core.geneformer import Geneformer
    >>> model = Geneformer.load("Geneformer/gf-12L-104M-i4096")
    >>> model.embed(adata)
    >>> adata.obsm["X_geneformer"]
    """

    def __init__(self, encoder: Encoder, resources: Resources) -> None:
        resources.require_size(encoder.config.vocabulary)
        of = encoder.dictionary
        if of is not None and of.digest != resources.digest:
            raise GstError(
                f"the network was exported with a dictionary of {of.model_version} that has other "
                f"genes, tokens or medians than this one of {resources.model_version}",
                hint="give the --resources it was exported with, or export it again",
            )
        self.encoder = encoder
        self.resources = resources

    @classmethod
    def load(
        cls,
        checkpoint: str | Path,
        *,
        device: Device = "auto",
        threads: int | None = None,
        model_version: Literal["V1", "V2"] | None = None,
        resources: str | Path | None = None,
        bf16: bool = False,
    ) -> Self:
        """Load a checkpoint folder, or an ``.onnx`` file of ``geneformer export``.

        Parameters
        ----------
        checkpoint
            The folder or file.
        device
            ``auto``, ``cpu``, ``cuda`` or ``mps``.
        threads
            On the CPU; all that the process may use without it.
        model_version
            Of the dictionary; without it, the one of as many tokens as the network has.
        resources
            Folder of the dictionaries that ``geneformer setup`` made.
        bf16
            Compute matrix products in bfloat16: on a GPU faster, and less exact.

        Raises
        ------
        GstError
            If anything of this is missing or does not fit.
        """
        encoder = open_encoder(Path(checkpoint), device, threads, bf16=bf16)
        folder = Path(resources) if resources is not None else None
        if model_version is not None:
            return cls(encoder, Resources.load(model_version, folder))
        return cls(encoder, Resources.fitting(encoder.config.vocabulary, folder))

    @property
    def special(self) -> list[int]:
        """Tokens that are no genes: none in V1, ``<cls>`` and ``<eos>`` in V2."""
        return self.resources.special_tokens

    def tokenize(
        self, adata: AnnData, *, layer: str | None = None, gene_column: str | None = None
    ) -> Tokens:
        """Encode cells as ranked genes, as many as the network reads; all cells, in their order.

        Parameters
        ----------
        adata
            Raw counts.
        layer
            Where they are, if not in ``X``.
        gene_column
            Column of `var` with Ensembl ids or symbols, if not where they are looked for.

        Raises
        ------
        GstError
            If the counts are not raw, or no gene is known.
        """
        positions = self.encoder.config.positions
        opened = prepare(of_anndata(adata, layer), self.resources, gene_column, positions)
        parts = [opened.tokenizer.tokenize(rows) for _, rows in opened.counts.chunks()]
        return Tokens.joined(parts)

    def embed(
        self,
        adata: AnnData,
        *,
        embedding: Mode = "cell",
        layer: Layer = -1,
        counts_layer: str | None = None,
        gene_column: str | None = None,
        key_added: str = OBSM_KEY,
        copy: bool = False,
    ) -> AnnData | pd.DataFrame | None:
        """Embed cells, or the genes over all cells.

        Parameters
        ----------
        adata
            Raw counts; changed in place unless `copy`.
        embedding
            ``cell`` (mean of the genes), ``cls`` (V2), or ``gene``.
        layer
            -1: second to last of the network's; 0: last.
        counts_layer, gene_column
            As for :meth:`tokenize`.
        key_added
            Key of `obsm`.
        copy
            Give a changed copy back.

        Returns
        -------
        result
            None, or the copy, with the embeddings ``(cells, D)`` in `obsm`; of ``gene`` a
            DataFrame, a row a gene. Cells without any gene of the vocabulary are NaN.
        """
        tokens = self.tokenize(adata, layer=counts_layer, gene_column=gene_column)
        if embedding == "gene":
            import pandas as pd

            found = embed_genes(self.encoder, tokens, layer=layer, special=self.special)
            return pd.DataFrame(found.vectors, index=self.names_of(found.tokens)[0])
        result = adata.copy() if copy else adata
        result.obsm[key_added] = embed_cells(
            self.encoder, tokens, mode=embedding, layer=layer, special=self.special
        )
        return result if copy else None

    def attention(
        self,
        adata: AnnData,
        *,
        layers: Sequence[int] | None = None,
        source: Source = "all",
        counts_layer: str | None = None,
        gene_column: str | None = None,
    ) -> pd.DataFrame:
        """Average the attention that genes receive over cells.

        Parameters
        ----------
        adata
            Raw counts.
        layers
            Which of the network's, counted from 0; all by default.
        source
            ``all``: the sum of what a cell's tokens give, 1 on average. ``cls``: what ``<cls>``
            gives, on the same scale.
        counts_layer, gene_column
            As for :meth:`tokenize`.

        Returns
        -------
        table
            A row a gene, by Ensembl id, and one each of ``<cls>`` and ``<eos>``; ``symbol``,
            ``cells``, then ``layer0_head0`` and so on.

        Raises
        ------
        GstError
            If the network is an ONNX file, or as for :meth:`tokenize`.
        """
        import pandas as pd

        from gst_core.geneformer.attention import attention_of_genes, chosen_layers, column_names

        tokens = self.tokenize(adata, layer=counts_layer, gene_column=gene_column)
        found = attention_of_genes(
            self.encoder, tokens, layers=layers, source=source, special=self.special
        )
        ids, symbols = self.names_of(found.tokens)
        names = column_names(chosen_layers(self.encoder, layers), self.encoder.config.heads)
        table = pd.DataFrame(found.weights.reshape(len(ids), -1), index=ids, columns=names)
        table.insert(0, "cells", found.cells)
        table.insert(0, "symbol", symbols)
        return table

    def names_of(self, tokens: NDArray[np.int64]) -> tuple[NDArray[np.str_], NDArray[np.str_]]:
        """Ensembl ids and symbols of tokens; ``<cls>`` and the like, and no symbol, of others."""
        resources = self.resources
        positions = resources.position_of_token[tokens]
        ids = np.array(resources.gene_ids[positions], dtype="U32")
        symbols = np.array(resources.symbols[positions], dtype="U64")
        symbols[positions < 0] = ""
        for name in ("pad", "mask", "cls", "eos"):
            ids[tokens == getattr(resources, f"{name}_token")] = f"<{name}>"
        return ids, symbols

    def __repr__(self) -> str:
        c = self.encoder.config
        return (
            f"Geneformer({self.resources.model_version}, {c.layers} layers of {c.width}, "
            f"{c.parameters:,} weights, on {self.encoder.device})"
        )
