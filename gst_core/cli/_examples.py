"""An example for the help of each command that has none in its own words."""

from __future__ import annotations

from typing import Final

_DATABASE: Final = "--url mysql://ensro@server:3306/sus_scrofa_core_110_111"

#: By the command as it is called.
EXAMPLES: Final[dict[str, tuple[str, ...]]] = {
    "gst calibrate": (
        "gst calibrate runs/first --proteins proteins.fa.gz --symbols symbols.tsv --output c.json",
    ),
    "gst compare": (
        "gst compare --assignments_csv pig_symbols.csv --known_symbols known_symbols.tsv",
        "gst compare --assignments_csv pig_symbols.csv --known_symbols sqlite:///pig.db",
    ),
    "gst completion": (
        "gst completion bash > ~/.local/share/bash-completion/completions/gst",
        "source <(gst completion zsh)",
    ),
    "gst db check": (f"gst db check {_DATABASE}",),
    "gst db create": ("gst db create --from sus_scrofa_core_110_111/ --url sqlite:///pig.db",),
    "gst db dump": (f"gst db dump {_DATABASE} --output proteins.fa",),
    "gst db load": (
        f"gst db load {_DATABASE} --symbol_assignments pig_symbols.csv --dry_run",
        "GST_DB_PASSWORD=... gst db load --url sqlite:///pig.db --symbol_assignments pig.tsv",
    ),
    "gst db unload": ("gst db unload --url sqlite:///pig.db",),
    "gst demo": ("gst demo --output demo",),
    "gst evaluate": ("gst evaluate --assemblies assemblies.tsv --output evaluation --plot",),
    "gst export": ("gst export runs/first --calibration c.json --output model.onnx",),
    "gst filter": (
        "gst filter --symbol_assignments pig_symbols.csv --threshold 0.9",
        "gst filter --symbol_assignments pig.tsv --symbol_assignments cow.tsv --output kept/",
    ),
    "gst import": ("gst import original.ckpt --output original.onnx",),
    "gst page": ("gst page --output site && python -m http.server --directory site",),
    "gst report": ("gst report pig.tsv cow.tsv --output report.html",),
    "geneformer check": ("geneformer check counts.h5ad",),
    "geneformer compare": (
        "geneformer compare embedded.h5ad --label cell_type --batch donor --output compare.json",
    ),
    "geneformer demo": ("geneformer demo --output geneformer_demo",),
    "geneformer export": ("geneformer export --checkpoint Geneformer-V2-104M --output v2.onnx",),
    "geneformer setup": ("geneformer setup --from Geneformer/geneformer",),
}


def epilogue(path: str) -> str | None:
    """Give the last part of a command's help: its examples, a line each."""
    lines = EXAMPLES.get(path)
    if lines is None:
        return None
    title = "Example" if len(lines) == 1 else "Examples"
    return "\n".join(["\b", f"{title}:", *(f"  {line}" for line in lines)])
