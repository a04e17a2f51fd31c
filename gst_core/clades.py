"""The clade categories of Ensembl Genebuild, and the NCBI taxa that define them.

``docs/taxonomy.md`` gives the reasons.
"""

from __future__ import annotations

from typing import Final

#: The categories. The first 18 and their order are the original program's, so that
#: an index into them means the same there; new ones are only ever added at the end.
CLADES: Final = (
    "amphibians",
    "arthropods",
    "aves",
    "humans",
    "insects",
    "lepidoptera",
    "mammalia",
    "marsupials",
    "metazoa",
    "non_vertebrates",
    "plants",
    "primates",
    "protists",
    "reptiles",
    "rodentia",
    "sharks",
    "teleostei",
    "viral",
    "fungi",
    "distant_vertebrate",
)

#: Chordates far from all others: lampreys, coelacanths, lancelets and the like.
DISTANT: Final = "distant_vertebrate"

#: Clades that hold vertebrates and nothing else.
VERTEBRATE_CLADES: Final = frozenset(
    (
        "amphibians",
        "aves",
        "humans",
        "mammalia",
        "marsupials",
        "primates",
        "reptiles",
        "rodentia",
        "sharks",
        "teleostei",
    )
)

#: NCBI taxon id to category: a taxon has that of its nearest ancestor here, itself included.
CLADE_OF_TAXON: Final = {
    2759: "non_vertebrates",  # Eukaryota: what has no better place below
    4751: "fungi",
    33090: "plants",  # Viridiplantae
    2763: "plants",  # Rhodophyta
    38254: "plants",  # Glaucocystophyceae
    33630: "protists",  # Alveolata
    33634: "protists",  # Stramenopiles, oomycetes among them
    543769: "protists",  # Rhizaria
    554915: "protists",  # Amoebozoa
    33682: "protists",  # Euglenozoa
    5752: "protists",  # Heterolobosea
    556282: "protists",  # Jakobida
    207245: "protists",  # Fornicata
    5719: "protists",  # Parabasalia
    66288: "protists",  # Oxymonadida
    136087: "protists",  # Malawimonadidae
    3027: "protists",  # Cryptophyta
    2830: "protists",  # Haptophyceae
    193537: "protists",  # Centroheliozoa
    339960: "protists",  # Katablepharidophyta
    554296: "protists",  # Apusozoa
    28009: "protists",  # Choanoflagellida
    42461: "protists",  # Opisthokonta of uncertain place: Ichthyosporea, Capsaspora
    1001604: "protists",  # Nucleariidae and Fonticula, and their name now:
    2686024: "protists",  # Rotosphaerida
    127916: "protists",  # Ichthyosporea
    2687318: "protists",  # Filasterea
    2316435: "protists",  # Aphelida
    2698737: "protists",  # Sar: Stramenopiles, Alveolata and Rhizaria
    2611352: "protists",  # Discoba: Euglenozoa, Heterolobosea, Jakobida
    2611341: "protists",  # Metamonada: Fornicata, Parabasalia, Preaxostyla
    2795258: "protists",  # Malawimonadida
    2608109: "protists",  # Haptista: Haptophyta, Centroplasthelida
    2608240: "protists",  # CRuMs
    1401294: "protists",  # Breviatea
    2686027: "protists",  # Ancyromonadida
    2489521: "protists",  # Hemimastigophora
    2598132: "protists",  # Rhodelphea
    3004206: "protists",  # Provora
    33208: "metazoa",
    6656: "arthropods",
    50557: "insects",
    7088: "lepidoptera",
    7711: "distant_vertebrate",  # Chordata: what has no better place below
    7777: "sharks",  # Chondrichthyes
    7898: "teleostei",  # Actinopterygii: gar, sturgeon and bichir as well
    8292: "amphibians",
    8457: "reptiles",  # Sauropsida without Aves
    8782: "aves",
    40674: "mammalia",
    9263: "marsupials",  # Metatheria
    9989: "rodentia",
    9443: "primates",
    9605: "humans",  # Homo
    10239: "viral",
}

#: The same for the original program, which looks at strict ancestors only.
LEGACY_CLADE_OF_TAXON: Final = {
    2759: "non_vertebrates",
    33090: "plants",
    **dict.fromkeys(
        (33630, 33634, 543769, 554915, 33682, 5752, 207245, 5719, 3027, 28009), "protists"
    ),
    33208: "metazoa",
    6656: "arthropods",
    50557: "insects",
    7088: "lepidoptera",
    7777: "sharks",
    32443: "teleostei",
    8292: "amphibians",
    1294634: "reptiles",  # Crocodylia
    8504: "reptiles",  # Lepidosauria
    8459: "reptiles",  # Testudines
    8782: "aves",
    40674: "mammalia",
    9989: "rodentia",
    9443: "primates",
    9605: "humans",
}

#: Lineage of each category, in the order of :data:`CLADES`: categories within one share more
#: recent ancestors with each other than with any other category. -1: too wide a category to tell.
LINEAGE_OF_CLADE: Final = tuple(
    {
        "amphibians": 0,
        "aves": 1,
        "reptiles": 1,
        "humans": 2,
        "mammalia": 2,
        "marsupials": 2,
        "primates": 2,
        "rodentia": 2,
        "sharks": 3,
        "teleostei": 4,
        "arthropods": 5,
        "insects": 5,
        "lepidoptera": 5,
        "plants": 6,
        "fungi": 7,
        "viral": 8,
    }.get(clade, -1)
    for clade in CLADES
)

#: Where whole genomes were doubled and two genes may have one symbol: ray-finned fishes, most of
#: which are teleosts, and clawed frogs, but for the one species that was not.
DOUBLED_CLADES: Final = frozenset(("teleostei",))
DOUBLED_GENERA: Final = frozenset(("Xenopus",))
UNDOUBLED_TAXA: Final = frozenset((8364,))  # Xenopus tropicalis
