"""Which extra of GST a Python package belongs to that is not installed."""

from __future__ import annotations

from typing import Final

from gst_core.errors import GstError

#: Modules by the extra of ``pyproject.toml`` that brings them, the smallest extra first.
_EXTRAS: Final = {
    "cpu": {"onnxruntime"},
    "ensembl": {"ensembl", "pymysql", "sqlalchemy"},
    "train": {"matplotlib", "ml_dtypes", "onnx", "pyarrow", "safetensors", "torch", "urllib3"},
    "geneformer": {
        *(
            "anndata",
            "array_api_compat",
            "datasets",
            "h5py",
            "optuna",
            "pandas",
            "pyarrow",
            "scanpy",
            "scipy",
        ),
        *("sklearn", "transformers", "umap", "zarr"),
    },
}


def is_ours(error: ModuleNotFoundError) -> bool:
    """Whether the module that is missing is one of GST's: a defect, not a missing extra."""
    return (error.name or "").partition(".")[0] in ("", "gst_core")


def missing_package(error: ModuleNotFoundError, program: str) -> GstError:
    """Say which package a command needs, and how to get it.

    Parameters
    ----------
    error
        What the import raised.
    program
        The program, or program and command, that needs the package.
    """
    package = (error.name or "").partition(".")[0]
    extras = [extra for extra, modules in _EXTRAS.items() if package in modules]
    # torch and others are in both: that of the program is the one to install
    extra = "geneformer" if program.startswith("geneformer") and extras else next(iter(extras), "")
    hint = (
        f"install GST with its extra: pip install 'gst-core[{extra}]', "
        f"in a clone: .venv/bin/pip install -e '.[{extra}]'"
        if extra
        else "install GST again, with all that it needs"
    )
    return GstError(
        f"'{program}' needs the Python package '{package}', which is not installed", hint=hint
    )
