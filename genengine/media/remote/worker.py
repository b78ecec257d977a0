"""One render in a process of its own: ``python -m genengine.media.remote.worker FOLDER``.

The folder holds ``order.json`` (spec, files by asset id, cache folder). Progress goes to stderr as
``frames DONE TOTAL``; the verdict is ``outcome.json``, written whole. The end of stdin means stop: it comes when the
server cancels and also when the server dies, so no render outlives what asked for it.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

from genengine.media.compose.compiler import compile_spec
from genengine.media.errors import MediaError, RenderCancelled, SpecError, ToolMissing


def main(folder: Path) -> int:
    """Render the order in ``folder``; the exit status is 0 when ``outcome.json`` says how it ended."""
    stop = threading.Event()
    threading.Thread(target=_watch, args=(stop,), daemon=True).start()
    outcome = _render(folder, stop)
    fresh = folder / "outcome.new"
    fresh.write_text(json.dumps(outcome), encoding="utf-8")
    os.replace(fresh, folder / "outcome.json")
    return 0


def _watch(stop: threading.Event) -> None:
    """Read the descriptor itself: a buffered reader would hold a lock that the interpreter's end needs."""
    while os.read(0, 64):
        pass
    stop.set()


def _render(folder: Path, stop: threading.Event) -> dict[str, Any]:
    order = json.loads((folder / "order.json").read_text(encoding="utf-8"))
    files = {name: Path(path) for name, path in order["files"].items()}
    try:
        report = compile_spec(
            order["spec"],
            files,
            folder / "result.mp4",
            cache_dir=Path(order["cache"]),
            progress=lambda done, total: print(f"frames {done} {total}", file=sys.stderr, flush=True),
            cancelled=stop.is_set,
        )
    except RenderCancelled:
        return {"state": "cancelled"}
    except SpecError as error:
        problems = [{"path": p.path, "message": p.message, "fix": p.fix} for p in error.problems]
        fix = "Correct the spec at the paths under `problems`."
        return {"state": "failed", "code": "spec", "detail": str(error), "fix": fix, "problems": problems}
    except ToolMissing as error:
        fix = "Install the tool on the render server."
        return {"state": "failed", "code": "tool_missing", "detail": str(error), "fix": fix}
    except (MediaError, OSError, ValueError) as error:  # not MemoryError: who started this process knows its limit
        fix = "Look at the server's log; render elsewhere if it stays."
        return {"state": "failed", "code": "render", "detail": f"{type(error).__name__}: {error}"[:1000], "fix": fix}
    kept = {name: value for name, value in report.to_dict().items() if name not in ("path", "thumbnail")}
    return {"state": "done", "report": kept}


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
