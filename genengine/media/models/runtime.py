"""Sessions of onnxruntime: made on first use, once a process and model, with one thread each.

One thread keeps a worker within its share of the machine and the sums in one order: the same picture gives the same
numbers on every run.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any

from genengine.media.models.registry import HOW_TO_GET, ModelMissing, locate

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_sessions: dict[tuple[int, str], Any] = {}
_lock = threading.Lock()


def run_model(key: str, tensor: NDArray[np.float32]) -> NDArray[np.float32]:
    """The model's first output for one input tensor. Raises ``ModelMissing``."""
    session = _session(key)
    name = session.get_inputs()[0].name
    result: NDArray[np.float32] = session.run([session.get_outputs()[0].name], {name: tensor})[0]
    return result


def _session(key: str) -> Any:
    path = locate(key)
    mine = (os.getpid(), key)  # a forked worker must not use its parent's threads
    with _lock:
        if mine not in _sessions:
            _sessions[mine] = _open(str(path))
        return _sessions[mine]


def _open(path: str) -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise ModelMissing(f"onnxruntime does not load ({error}). {HOW_TO_GET}") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # a worker lives for days and looks at a picture now and then
    options.use_deterministic_compute = True
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
