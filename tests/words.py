"""The words that this project does not use, and a search for them: `python -m tests.words netsim README.md`.

Each entry names the standard term (of RFC 9293, ip-sysctl, nstat, Wireshark or a statistics textbook) and what must not
stand in its place in help, docstrings, comments, figures, README or notebooks.
"""

import ast
import io
import json
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

BANNED: dict[str, tuple[str, ...]] = {
    # Protocol
    "data, payload, bytes": (
        r"(?<!--)(?<!segment )(?<!plain )(?<!RFC's )(?<!in )(?<!as )(?<!a )\btexts?\b(?! (?:ladder|file|form|editor))",
    ),
    "retransmitted": (
        r"\bsent again\b",
        r"\bsends? (?:it |them )?again\b",
        r"\brepeat(?:s|ed) (?:its |the |a )?(?:SYN|FIN)",
    ),
    "loss recovery": (r"\brepairs?\b", r"\brepairing\b"),
    "times out, aborts": (r"\bg[ia]ves? up\b", r"\bgiv(?:en|ing) up\b"),
    "timer, expires": (r"\balarms?\b", r"\bringing\b", r"\brings?\b", r"\brang\b"),
    "SYN-RECEIVED entry": (r"\bhalf-open (?:records?|entr(?:y|ies)|places?)\b",),
    "evicts, is evicted": (r"\bdriven out\b", r"\bdrives? out\b", r"\bmakes? room\b"),
    "the handshake's final ACK": (r"\bthird segment\b",),
    "immediate ACK": (r"\bgo(?:es)? at once\b", r"\bACK at once\b"),
    "piggybacked on": (r"\btakes? along\b", r"\brides? (?:along|on)\b"),
    "orphaned connection": (r"\buser is gone\b", r"\bforsaken\b", r"\buser has gone\b"),
    "reordered": (r"\bovertak\w+",),
    "delayed": (r"\bheld back\b", r"\bhold(?:s|ing)? back\b"),
    "delayed duplicate": (r"\blate cop(?:y|ies)\b",),
    "in each direction": (r"\b(?:both|each|either|one|no) ways?\b(?! (?:to|of|in which))",),
    "reports, is notified": (
        r"\bhears? of\b",
        r"\bheard of\b",
        r"\b(?:is|are|was|be) told\b",
        r"\btells? (?:of|the user|the socket)\b",
    ),
    "spoofed; off-path attacker": (
        r"\banother's name\b",
        r"\bsomebody else's name\b",
        r"\bsees? (?:nothing|no answers?)\b",
        r"\bhears? no answers?\b",
    ),
    "loss-free period; chunk": (r"\bstretch(?:es)?\b",),
    # Simulation and statistics
    "distribution; congestion control": (r"\blaws?\b(?! of (?:large|total))",),
    "observer": (r"\bwitness(?:es)?\b",),
    "simultaneous events, tie-breaking": (r"\b(?:at|of) one instant\b", r"\bties?\b(?!-break)"),
    "500 runs per point": (r"\bn = [\d,]+ a point\b", r"\bruns? a point\b"),
    "95 % intervals (Clopper-Pearson)": (r"\bintervals? by\b",),
    "probability": (r"\bchances?\b",),
    "n, minimum, maximum, never ends": (
        r"\bso many\b",
        r"\bgreatest\b",
        r"\bfor ever\b",
        r"\bthe least\b",
        r"\bat the most\b",
    ),
    "without an attack": (r"\b(?:in|for) peace\b",),
    "lifetime of a SYN-RECEIVED entry": (r"\b(?:one hold|(?:two|dozens of) holds|holds of)\b",),
    "surviving endpoint, failed endpoint, failure": (r"\bsurvivors?\b", r"\bvictims?\b", r"\baccidents?\b"),
    "dashed: exact": (r"\bdashes\b",),
    # Archaic or compressed phrasing
    "a plain sentence with a named subject": (
        r"\bwhoever\b",
        r"\bnobody else\b",
        r"\bby the door\b",
        r"\bwithout a word\b",
        r"\bfor nothing\b",
        r"\blooks? on\b",
    ),
}
"""The standard term: what must not stand in its place."""

_PATTERNS = [(re.compile(p, re.IGNORECASE), instead) for instead, patterns in BANNED.items() for p in patterns]


def violations(text: str) -> Iterator[tuple[str, str]]:
    """Each banned wording in `text` with the term that stands there instead; code between backquotes is left out."""
    prose = re.sub(r"`[^`]*`", "` `", text)
    prose = re.sub(r"\s+", " ", prose)
    for pattern, instead in _PATTERNS:
        for found in pattern.finditer(prose):
            start, end = max(0, found.start() - 40), found.end() + 40
            yield f"...{prose[start:end]}...", instead


def prose_of(path: Path) -> Iterator[tuple[int, str]]:
    """The prose of a file with its line: comments and strings of Python, cells of a notebook, or the whole."""
    source = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        comment, first, last = "", 0, -2
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.COMMENT:
                if token.start[0] != last + 1 and comment:
                    yield first, comment
                    comment = ""
                first = first if comment else token.start[0]
                comment, last = f"{comment} {token.string.lstrip('# ')}".strip(), token.start[0]
        if comment:
            yield first, comment
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
                yield node.lineno, node.value
    elif path.suffix == ".ipynb":
        for number, cell in enumerate(json.loads(source)["cells"]):
            yield number, "".join(cell["source"])
    else:
        fence = False
        for number, line in enumerate(source.splitlines(), start=1):
            fence ^= line.startswith("```")
            if not fence:
                yield number, line


def files(*places: str) -> Iterator[Path]:
    """The files with prose below these places."""
    for place in map(Path, places):
        yield from (
            sorted(p for p in place.rglob("*") if p.suffix in (".py", ".md", ".ipynb")) if place.is_dir() else [place]
        )


def main(*places: str) -> int:
    """Print every finding; 1 if there is any."""
    count = 0
    for path in files(*places):
        for line, prose in prose_of(path):
            for found, instead in violations(prose):
                print(f"{path}:{line}: {found}  ->  {instead}")
                count += 1
    print(f"{count} findings")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
