"""What every figure that an experiment writes must say, read from the metadata of its PNG."""

import re
from pathlib import Path

from PIL import Image

LONGEST_TITLE = 90
RUNS = re.compile(r"^[\d,]+ runs? per |^One run")
JUDGED = re.compile(r"interval|^One run")


def unclear(folder: Path) -> list[str]:
    """Each figure whose title is too long, or whose footer does not name runs, interval or seed; and what it says."""
    complaints = []
    for path in sorted(folder.glob("*.png")):
        with Image.open(path) as image:
            title, footer = str(image.info["Title"]), str(image.info["Description"])
        if not 10 < len(title) <= LONGEST_TITLE:
            complaints.append(f"{path.stem}: {len(title)} characters: {title}")
        if not (RUNS.search(footer) and JUDGED.search(footer) and "seed" in footer):
            complaints.append(f"{path.stem}: {footer}")
    return complaints
