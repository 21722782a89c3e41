"""A stage of a GPT-like transformer under tensor, data and pipeline parallelism: the program of one training step."""

from __future__ import annotations

from simulation.workload import labels, volumes
from simulation.workload.costs import Costs
from simulation.workload.exchange import COMPUTE, Exchanges
from simulation.workload.labels import Channel, annotation, operator
from simulation.workload.layout import Place
from simulation.workload.operators import Backward, Operators
from simulation.workload.pipeline import write_pipeline
from simulation.workload.program import Program, Writer
from simulation.workload.spec import ELEMENT_BYTES, Workload

STEP_NAME = "ProfilerStep#"
ADAM_BYTES = 28
"""Moved per parameter: fp32 master, m and v read and written, gradient read, bf16 weight written."""

ADAM = (
    "void at::native::(anonymous namespace)::multi_tensor_apply_kernel"
    "<at::native::(anonymous namespace)::FusedOptimizerTensorListMetadata<4>, FusedAdamMathFunctor<float, 4, ADAMW>>"
)
NORM_KERNEL = "void at::native::(anonymous namespace)::multi_tensor_apply_kernel<LpNormFunctor<c10::BFloat16, float>>"
LOADER = "enumerate(DataLoader)#_SingleProcessDataLoaderIter.__next__"
TOKEN_BYTES, PINNED_GB_PER_S = 8, 50.0


def write_step(spec: Workload, place: Place) -> Program:
    """The program of a stage; `place` is its first rank and stands for all of them."""
    writer, costs = Writer(spec.host), Costs(spec)
    stage = TransformerStage(writer, costs, Exchanges(writer, costs, place))
    with writer.slice(annotation(STEP_NAME)):
        stage.load()
        write_pipeline(stage, stage.exchanges, spec.tokens * spec.hidden)
        stage.optimize()
        writer.sync()
    return writer.finished()


class TransformerStage:
    """The layers of one stage, and what belongs to a step beside them."""

    def __init__(self, writer: Writer, costs: Costs, exchanges: Exchanges) -> None:
        self.writer, self.costs, self.exchanges = writer, costs, exchanges
        self.spec, number = costs.spec, exchanges.place.stage
        self.is_first, self.is_last = number == 0, number == self.spec.pp - 1
        self.operators = Operators(writer, costs, exchanges, self._gradient)
        self.weights, self.parameters = volumes.weights(self.spec), volumes.parameters(self.spec, number)
        self._backwards: dict[int, list[Backward]] = {}
        self._reducing = False  # the micro-batch that completes the gradients is on its way back
        self._bucket = 0  # elements that wait for their all-reduce

    def load(self) -> None:
        """The data loader, and gradients set to None."""
        with self.writer.slice(annotation(LOADER)):
            self.writer.pause(self.spec.host.loader_us)
        with self.writer.slice(annotation("Optimizer.zero_grad#AdamW.zero_grad")):
            self.writer.pause(self.spec.host.gap_us)

    def forward(self, micro_batch: int) -> None:
        self.writer.pause(self.spec.host.gap_us)
        if self.is_first or self.is_last:
            self._copy_tokens()
        steps = self._embedding() if self.is_first else []
        for _ in range(self.spec.stage_layers):
            steps += self._layer()
        self._backwards[micro_batch] = steps + (self._head() if self.is_last else [])

    def backward(self, micro_batch: int) -> None:
        self._reducing = micro_batch == self.spec.micro_batches - 1 and self.spec.dp > 1
        with self.writer.on_autograd():
            for backward in reversed(self._backwards.pop(micro_batch)):
                backward()
            if self._reducing and self._bucket:
                self._reduce()

    def optimize(self) -> None:
        """Clip by the norm of all gradients, which the host waits for, then Adam in one kernel per layer."""
        writer, spec = self.writer, self.spec
        if spec.dp > 1:
            self.exchanges.await_(Channel.DATA)
        with writer.slice(operator("aten::_foreach_norm", (self.parameters,), ())):
            self._kernel(NORM_KERNEL, self.parameters, ELEMENT_BYTES)
        with writer.slice(operator("aten::item", (1,))), writer.slice(operator("aten::_local_scalar_dense", (1,))):
            copy = labels.copied(4, self.costs.memory_ns(2), "Memcpy DtoH (Device -> Pinned)")
            writer.launch(COMPUTE, copy, self.costs.memory_ns(2), labels.COPY)
            writer.sync(COMPUTE)
        with writer.slice(annotation("Optimizer.step#AdamW.step")):
            layers = spec.stage_layers
            rest = self.parameters - layers * self.weights.layer
            for size in [self.weights.layer] * layers + [rest] * (rest > 0):
                with writer.slice(operator("aten::_fused_adamw_", (size,), (size,), (size,), (size,))):
                    self._kernel(ADAM, size, ADAM_BYTES)

    def _embedding(self) -> list[Backward]:
        spec = self.spec
        words, elements = spec.vocabulary // spec.tp, spec.tokens * spec.hidden
        return [self.operators.embedding(words, elements, volumes.embedding(spec))]

    def _layer(self) -> list[Backward]:
        """Attention and feed-forward, each with its norm and its way round."""
        spec, ops = self.spec, self.operators
        h, elements, wide = spec.hidden, spec.tokens * spec.hidden, 4 * spec.hidden // spec.tp
        self.writer.pause(spec.host.gap_us)
        attention = [
            ops.norm(elements),
            ops.linear(h, 3 * h // spec.tp, self.weights.qkv, reduced="backward"),
            ops.attention(),
            ops.linear(h // spec.tp, h, self.weights.projection, reduced="forward"),
            ops.add(elements),
        ]
        self.writer.pause(spec.host.gap_us)
        return attention + [
            ops.norm(elements),
            ops.linear(h, wide, self.weights.up, reduced="backward"),
            ops.gelu(spec.tokens * wide),
            ops.linear(wide, h, self.weights.down, reduced="forward"),
            ops.add(elements),
        ]

    def _head(self) -> list[Backward]:
        spec, words = self.spec, self.spec.vocabulary // self.spec.tp
        return [
            self.operators.norm(spec.tokens * spec.hidden),
            self.operators.linear(spec.hidden, words, words * spec.hidden, reduced="backward"),
            self.operators.loss(words),
        ]

    def _copy_tokens(self) -> None:
        size = self.spec.tokens * TOKEN_BYTES
        takes_ns = round(self.spec.device.overhead_us * 1000 + size / PINNED_GB_PER_S)
        shape = (self.spec.micro_batch, self.spec.sequence)
        with self.writer.slice(operator("aten::to", shape)), self.writer.slice(operator("aten::copy_", shape, shape)):
            self.writer.launch(COMPUTE, labels.copied(size, takes_ns), takes_ns, labels.COPY)

    def _kernel(self, name: str, elements: int, element_bytes: int) -> None:
        label = labels.elementwise(name, elements, self.spec.device.sms)
        self.writer.launch(COMPUTE, label, self.costs.memory_ns(elements, element_bytes))

    def _gradient(self, elements: int) -> None:
        """A gradient is complete: the bucket that is full with it goes out beside the rest of backward."""
        if not self._reducing:
            return
        self._bucket += elements
        if self._bucket * ELEMENT_BYTES >= self.spec.bucket_mib * 2**20:
            self._reduce()

    def _reduce(self) -> None:
        self.exchanges.begin(Channel.DATA, self._bucket)
        self._bucket = 0
