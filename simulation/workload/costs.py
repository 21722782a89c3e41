"""How long device work takes: a roofline for kernels, alpha-beta for transfers. Integer nanoseconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from simulation.workload.devices import Link
from simulation.workload.spec import ELEMENT_BYTES, Workload


@dataclass(frozen=True)
class Costs:
    """The cost model of one workload's device."""

    spec: Workload

    def kernel_ns(self, flops: float, size_bytes: float) -> int:
        """The longer of computing and moving, plus the kernel's own overhead."""
        device = self.spec.device
        compute_ns = flops / (device.tflops * 1000 * device.gemm_efficiency)
        memory_ns = size_bytes / (device.memory_gb_per_s * device.memory_efficiency)
        return round(device.overhead_us * 1000 + max(compute_ns, memory_ns))

    def gemm_ns(self, m: int, n: int, k: int) -> int:
        return self.kernel_ns(2 * m * n * k, ELEMENT_BYTES * (m * k + k * n + m * n))

    def memory_ns(self, elements: int, element_bytes: float = ELEMENT_BYTES) -> int:
        """A kernel that only moves data: `elements` in and out together."""
        return self.kernel_ns(0, elements * element_bytes)

    def attention_ns(self, passes: float) -> int:
        """Causal attention over a rank's heads; `passes` is 1 forward, 2.5 backward."""
        spec = self.spec
        width = spec.hidden // spec.tp
        return self.kernel_ns(
            passes * 2 * spec.tokens * spec.sequence * width, passes * 4 * spec.tokens * width * ELEMENT_BYTES
        )

    def all_reduce_ns(self, size_bytes: int, ranks: Sequence[int]) -> int:
        """Bus factor 2(n-1)/n, as nccl-tests count it."""
        return self._transfer_ns(size_bytes * 2 * (len(ranks) - 1) / len(ranks), self.spec.device.all_reduce, ranks)

    def send_ns(self, size_bytes: int, ranks: Sequence[int]) -> int:
        return self._transfer_ns(size_bytes, self.spec.device.send_recv, ranks)

    def _transfer_ns(self, bus_bytes: float, inside: Link, ranks: Sequence[int]) -> int:
        nodes = {rank // self.spec.device.per_node for rank in ranks}
        link = inside if len(nodes) == 1 else self.spec.device.network
        moving_ns = bus_bytes / link.gb_per_s if link.gb_per_s else 0
        return round(link.alpha_us * 1000 + moving_ns)
