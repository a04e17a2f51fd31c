"""The Gene Symbol Transformer in one file.

A protein is read twice. Once as a bag of short words over reduced alphabets,
wide and order-free: that is what recognises a gene across species. Once as a
row of patches of 32 residues by a Transformer encoder: that is what knows where
things stand. The two, and the clade, are added into one vector, which is
compared with one vector a symbol by cosine.

Shapes: B proteins, L residues (padded), P patches, D `dimension`, W `width`,
C symbols.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gst_core.model.config import (
    BAG_PATTERNS,
    PATCH_PATTERNS,
    ModelConfig,
    WordPattern,
)
from gst_core.sequences import ALPHABET
from gst_core.sequences.reduced import residue_groups

#: In the bag a word is there or not: repeats within a protein say little of its family.
BAG_LIMIT = 1
#: Within a patch words are counted; 8 bits hold more than a patch of any sense needs.
PATCH_LIMIT = 255


class WordIndex(nn.Module):
    """Rows of the words that start at each residue.

    Parameters
    ----------
    patterns
        The kinds of words; each kind's rows follow the previous kind's.
    """

    def __init__(self, patterns: tuple[WordPattern, ...]) -> None:
        super().__init__()
        self.patterns = patterns
        for number, pattern in enumerate(patterns):
            groups = torch.tensor(residue_groups(pattern.groups, ALPHABET))
            self.register_buffer(f"groups_{number}", groups, persistent=False)

    def forward(self, codes: Tensor) -> tuple[Tensor, Tensor]:
        """Look up the words of padded residue codes.

        Parameters
        ----------
        codes
            ``(B, L)`` integer codes, 27 where padded.

        Returns
        -------
        rows
            ``(B, L, len(patterns))`` int64; 0 where there is no word.
        present
            ``(B, L, len(patterns))`` bool: false where the window meets X,
            ``*`` or the end.
        """
        codes = codes.long()
        longest = max(pattern.span for pattern in self.patterns)
        padded = F.pad(codes, (0, longest - 1), value=len(ALPHABET))
        length = codes.shape[1]
        rows, present, offset = [], [], 0
        for number, pattern in enumerate(self.patterns):
            groups: Tensor = getattr(self, f"groups_{number}")[padded]
            word = torch.zeros_like(codes)
            valid = torch.ones_like(codes, dtype=torch.bool)
            for position in pattern.positions:
                group = groups[:, position : position + length]
                word = word * len(pattern.groups) + group
                valid &= group >= 0
            rows.append(torch.where(valid, offset + word % pattern.rows, 0))
            present.append(valid)
            offset += pattern.rows
        return torch.stack(rows, -1), torch.stack(present, -1)


class EncoderLayer(nn.Module):
    """A pre-norm Transformer encoder layer.

    Parameters
    ----------
    dimension
        Width, a multiple of `heads`.
    heads
        Of the attention.
    feedforward
        Width of the hidden layer.
    """

    def __init__(self, dimension: int, heads: int, feedforward: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm_1 = nn.LayerNorm(dimension)
        self.qkv = nn.Linear(dimension, 3 * dimension)
        self.out = nn.Linear(dimension, dimension)
        self.norm_2 = nn.LayerNorm(dimension)
        self.up = nn.Linear(dimension, feedforward)
        self.down = nn.Linear(feedforward, dimension)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Attend and feed forward.

        Parameters
        ----------
        x
            ``(B, P, D)``.
        mask
            ``(B, P)`` bool, true where there is a patch.

        Returns
        -------
        x
            ``(B, P, D)``; rows that are padding hold no meaning.
        """
        b, p, d = x.shape
        qkv = self.qkv(self.norm_1(x)).view(b, p, 3, self.heads, d // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        attended = F.scaled_dot_product_attention(q, k, v, attn_mask=mask[:, None, None, :])
        x = x + self.out(attended.transpose(1, 2).reshape(b, p, d))
        x = x + self.down(F.gelu(self.up(self.norm_2(x))))
        return x


class PatchEncoder(nn.Module):
    """The Transformer over patches, pooled by attention into one vector.

    Parameters
    ----------
    config
        Shape of the network.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.words = WordIndex(PATCH_PATTERNS)
        self.table = nn.Parameter(torch.randn(config.patch_rows, config.dimension) * 0.1)
        # Where a patch stands, counted from the start and from the end of the protein.
        self.from_start = nn.Parameter(torch.randn(config.max_patches, config.dimension) * 0.1)
        self.from_end = nn.Parameter(torch.randn(config.max_patches, config.dimension) * 0.1)
        self.clade = nn.Embedding(config.num_clades + 1, config.dimension)
        self.norm_in = nn.LayerNorm(config.dimension)
        self.layers = nn.ModuleList(
            EncoderLayer(config.dimension, config.heads, config.feedforward)
            for _ in range(config.layers)
        )
        self.norm_out = nn.LayerNorm(config.dimension)
        self.query = nn.Linear(config.dimension, config.heads)
        self.project = nn.Linear(config.heads * config.dimension, config.width)
        nn.init.zeros_(self.project.weight)  # the encoder joins in as it learns
        nn.init.zeros_(self.project.bias)

    def forward(self, codes: Tensor, lengths: Tensor, clades: Tensor) -> Tensor:
        """Encode proteins.

        Parameters
        ----------
        codes
            ``(B, L)`` residue codes.
        lengths
            ``(B,)`` residues in each; the rest of a row is padding.
        clades
            ``(B,)`` clade indices.

        Returns
        -------
        encoding
            ``(B, W)``.
        """
        config = self.config
        b = len(codes)
        reach = config.patch_length * config.max_patches
        stride = config.patch_length * ((lengths + reach - 1) // reach).clamp(min=1)
        patches = ((lengths + stride - 1) // stride).clamp(min=1)
        p = int(patches.max())
        rows, present = self.words(codes)
        position = torch.arange(codes.shape[1], device=codes.device)
        patch = (position[None] // stride[:, None]).clamp(max=p - 1)
        counts = count_words(
            (patch[..., None] * config.patch_rows + rows).flatten(1),
            present.flatten(1),
            p * config.patch_rows,
            PATCH_LIMIT,
        ).view(b, p, config.patch_rows)
        # Patches of long proteins hold more words: the root bounds both length and contrast.
        x = (counts @ self.table) / (stride.float().sqrt())[:, None, None]
        index = torch.arange(p, device=codes.device)
        from_end = (patches[:, None] - 1 - index).clamp(min=0)
        x = x + self.from_start[:p] + self.from_end[from_end] + self.clade(clades)[:, None]
        x = self.norm_in(x)
        mask = index < patches[:, None]
        for layer in self.layers:
            x = layer(x, mask)
        x = self.norm_out(x)
        weights = self.query(x).masked_fill(~mask[..., None], float("-inf")).softmax(1)
        pooled = torch.einsum("bph,bpd->bhd", weights, x).flatten(1)
        encoding: Tensor = self.project(pooled)
        return encoding


class GeneSymbolTransformer(nn.Module):
    """Residues and clade in, one logit a symbol out.

    Parameters
    ----------
    config
        Shape of the network.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.words = WordIndex(BAG_PATTERNS)
        self.table = nn.Parameter(torch.randn(config.bag_rows, config.width) * 0.05)
        self.encoder = PatchEncoder(config)
        self.clade = nn.Embedding(config.num_clades + 1, config.width)
        nn.init.zeros_(self.clade.weight)
        self.dropout = nn.Dropout(config.dropout)
        self.symbols = nn.Parameter(torch.randn(config.num_symbols, config.width) * 0.05)

    def represent(self, codes: Tensor, lengths: Tensor, clades: Tensor) -> Tensor:
        """Place proteins in the space of the symbols.

        Parameters
        ----------
        codes
            ``(B, L)`` residue codes, 27 where padded.
        lengths
            ``(B,)`` residues in each.
        clades
            ``(B,)`` clade indices; `num_clades` where unknown.

        Returns
        -------
        representation
            ``(B, W)``, of unit length.
        """
        rows, present = self.words(codes)
        counts = count_words(rows.flatten(1), present.flatten(1), self.config.bag_rows, BAG_LIMIT)
        bag = unit(counts @ self.table)
        return unit(self.dropout(bag + self.encoder(codes, lengths, clades) + self.clade(clades)))

    def forward(self, codes: Tensor, lengths: Tensor, clades: Tensor) -> Tensor:
        """Score every symbol; parameters as for :meth:`represent`.

        Returns
        -------
        logits
            ``(B, C)``.
        """
        representation = self.represent(codes, lengths, clades)
        return self.config.scale * representation @ unit(self.symbols).T


def count_words(rows: Tensor, present: Tensor, total: int, limit: int) -> Tensor:
    """Count how often each row is named.

    Parameters
    ----------
    rows
        ``(B, N)`` row numbers below `total`.
    present
        ``(B, N)`` which of them count.
    total
        Number of rows.
    limit
        Larger counts are cut to this, 255 at most.

    Returns
    -------
    counts
        ``(B, total)``, at most `limit` each, so exact in bfloat16 too.
    """
    device = rows.device.type
    dtype = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else torch.float32
    counts = torch.zeros(len(rows), total, dtype=dtype, device=rows.device)
    return counts.scatter_add_(1, rows, present.to(dtype)).clamp_(max=limit)


def unit(x: Tensor) -> Tensor:
    """Scale the last axis to length one; a zero vector stays zero."""
    return F.normalize(x.float(), dim=-1, eps=1e-6)
