"""Write files so that whatever happens one whole file is there: the old one or the new one."""

import os
from pathlib import Path
from uuid import uuid4

from symgrad.errors import DataError


def replace(target: str | os.PathLike[str], content: bytes | str) -> Path:
    """Write beside the target, flush to disk, then move over it in one step.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     replace(Path(folder) / "a.txt", "new").read_text()
    'new'
    """
    path = Path(target)
    if not path.parent.is_dir():
        raise DataError(
            f"there is no folder {path.parent}", hint=f"make it, then write {path.name}"
        )
    data = content.encode() if isinstance(content, str) else content
    part = path.with_name(f".{path.name[:200]}.{uuid4().hex}.part")
    try:
        with open(part, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    if os.name == "posix":  # elsewhere a folder cannot be opened
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    return path
