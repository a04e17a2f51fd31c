"""Read the zip archives that ``torch.save`` writes, without torch and without trust."""

from __future__ import annotations

import contextlib
import io
import struct
import zipfile
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from gst_core.errors import GstError
from gst_core.legacy.pickle_machine import PickleMachine, RefusedError, Storage, Tensor

#: Largest pickle read. The production checkpoint's, with 30,688 symbols and
#: their descriptions, is under 10 MB.
MAX_PICKLE_BYTES = 32 * 2**20

#: Largest directory of an archive; an entry takes some 100 bytes there, in memory 700.
_MAX_DIRECTORY_BYTES = 4 * 2**20

#: Bytes read at a time from the storage of a large tensor.
_CHUNK = 2**22

#: What a damaged or made-up archive or pickle makes Python's own readers raise.
_DAMAGE = (
    EOFError,
    LookupError,
    NotImplementedError,
    OverflowError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
    zipfile.BadZipFile,
)


#: Types of values as the archive stores them. numpy has no bfloat16: the upper half of a float32.
_STORED_AS = {"float32": "<f4", "float16": "<f2", "bfloat16": "<u2", "int64": "<i8"}


@contextlib.contextmanager
def _reporting(path: Path, maker: str) -> Iterator[None]:
    """Say in one line what is wrong with a checkpoint."""
    try:
        yield
    except RefusedError as error:
        raise GstError(
            f"the checkpoint holds {error}, which no checkpoint of {maker} has; nothing in "
            "it was run",
            where=str(path),
            hint=f"give a checkpoint that {maker} wrote",
        ) from error
    except _DAMAGE as error:
        raise GstError(
            f"is not a whole PyTorch checkpoint ({str(error) or type(error).__name__})",
            where=str(path),
            hint=f"it may be truncated: copy it again, or give a checkpoint that {maker} wrote",
        ) from error


class _Directory(io.FileIO):
    """An archive of which only the directory is read, and no more of it than is reasonable."""

    def read(self, size: int | None = -1, /) -> bytes:
        """Read as files do, but for sizes that a directory of an archive has."""
        if size is not None and size > _MAX_DIRECTORY_BYTES:
            raise RefusedError(f"a directory of more than {_MAX_DIRECTORY_BYTES:,} bytes")
        return super().read(size) or b""


class TorchArchive:
    """A zip archive as ``torch.save`` writes it.

    Parameters
    ----------
    path
        The checkpoint. It is opened anew for each reading.
    dtypes
        What the values of its tensors may be: of float32, float16, bfloat16 and int64.
    maker
        The program whose checkpoint it should be, for errors.

    Attributes
    ----------
    content
        What the pickle describes: plain containers, :class:`StandIn` and :class:`Tensor`.

    Raises
    ------
    GstError
        If it is no such archive, or holds what it should not.
    OSError
        If it cannot be read.
    """

    def __init__(
        self,
        path: Path,
        dtypes: Collection[str] = ("float32",),
        maker: str = "the original Gene Symbol Transformer",
    ) -> None:
        self.path = path
        self._maker = maker
        with self._reporting(), _Directory(path) as directory, zipfile.ZipFile(directory) as listed:
            self._prefix = self._check(listed)
            folder = f"{self._prefix}data/"
            storages = {
                entry.filename.removeprefix(folder): entry.file_size
                for entry in listed.infolist()
                if entry.filename.startswith(folder)
            }
        with self._reporting(), zipfile.ZipFile(path) as archive:
            program = archive.read(f"{self._prefix}data.pkl")
            self.content = PickleMachine(storages, dtypes).run(program)

    def _reporting(self) -> contextlib.AbstractContextManager[None]:
        return _reporting(self.path, self._maker)

    def _check(self, archive: zipfile.ZipFile) -> str:
        """Check the archive's directory; returns the folder that all entries lie in."""
        entries = archive.infolist()
        pickles = [entry.filename for entry in entries if entry.filename.endswith("/data.pkl")]
        if len(pickles) != 1:
            raise RefusedError(f"{len(pickles)} files named data.pkl in place of one")
        # torch.save compresses nothing, so an archive can hold no more than it weighs.
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
            raise RefusedError("compressed entries")
        if sum(entry.file_size for entry in entries) > self.path.stat().st_size:
            raise RefusedError("entries that overlap")
        if len({entry.filename for entry in entries}) != len(entries):
            raise RefusedError("two entries of one name")
        if archive.getinfo(pickles[0]).file_size > MAX_PICKLE_BYTES:
            raise RefusedError(f"a pickle of more than {MAX_PICKLE_BYTES:,} bytes")
        prefix = pickles[0].removesuffix("data.pkl")
        byteorder = f"{prefix}byteorder"
        if byteorder in archive.namelist():
            with archive.open(byteorder) as file:
                if file.read(len(b"little") + 1) != b"little":
                    raise RefusedError("big-endian numbers")
        return prefix

    @contextlib.contextmanager
    def _open(self, storage: Storage) -> Iterator[IO[bytes]]:
        name = f"{self._prefix}data/{storage.key}"
        with zipfile.ZipFile(self.path) as archive, archive.open(name) as file:
            yield file
            # The end of an entry is where its checksum is compared.
            while file.read(_CHUNK):
                pass

    def read(self, tensor: Tensor) -> NDArray[np.float32]:
        """Read a tensor's values, those of 16 bits as float32.

        Raises
        ------
        GstError
            If its storage is missing from the archive, is damaged, or is not as long
            as it says.
        """
        with self._reporting(), self._open(tensor.storage) as file:
            stored = np.frombuffer(file.read(), dtype=_STORED_AS[tensor.storage.dtype])
            values = stored[tensor.offset :]
            strides = tuple(values.itemsize * step for step in tensor.stride)
            # Safe: the reach of shape and stride was checked when the tensor was described.
            view = np.lib.stride_tricks.as_strided(values, tensor.shape, strides, writeable=False)
            if tensor.storage.dtype == "bfloat16":
                return (view.astype("<u4") << 16).view(np.float32)
            return np.ascontiguousarray(view, dtype=np.float32)

    def read_rows(self, tensor: Tensor) -> Iterator[NDArray[np.float32]]:
        """Read a matrix a few rows at a time, so that it is never whole in memory.

        Errors as for :meth:`read`.
        """
        rows, width = tensor.shape
        if tensor.stride != (width, 1) or tensor.storage.dtype != "float32":
            yield self.read(tensor)
            return
        step = max(1, _CHUNK // (4 * width))
        with self._reporting(), self._open(tensor.storage) as file:
            file.seek(4 * tensor.offset)
            for start in range(0, rows, step):
                data = file.read(4 * width * min(step, rows - start))
                yield np.frombuffer(data, dtype="<f4").reshape(-1, width)
