"""Files that the user names."""

import tomllib
from pathlib import Path
from typing import Any

from netsim.cli.errors import UsageError


def read_toml(option: str, path: str) -> dict[str, Any]:
    """The table in a TOML file. UsageError, naming ``option`` and the file, if it cannot be read or is malformed."""
    try:
        return tomllib.loads(Path(path).read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise UsageError(f"{option} = {path!r}: cannot be read: {error.strerror}; must be a TOML file") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{option} = {path!r}: malformed: {error}; must be a TOML file") from None
