"""The operators of a transformer: what each launches forward, and what autograd runs for it backward."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from simulation.workload import labels
from simulation.workload.costs import Costs
from simulation.workload.exchange import COMPUTE, Exchanges
from simulation.workload.labels import Channel, Label, Shape, operator
from simulation.workload.program import NOTHING, Writer

FORWARD_GEMM = "nvjet_tst_128x128_64x6_2x1_v_bz_TNT"
DATA_GEMM = "nvjet_tst_128x128_64x6_2x1_v_bz_NNT"
WEIGHT_GEMM = "nvjet_tst_128x128_64x6_2x1_v_bz_NTN"
FLASH = "void pytorch_flash::flash_fwd_kernel<Flash_fwd_kernel_traits<128, 128, 64, 4>, true>(Flash_fwd_params)"
FLASH_BACKWARD = (
    "void pytorch_flash::flash_bwd_dq_dk_dv_loop_seqk_parallel_kernel"
    "<Flash_bwd_kernel_traits<128, 64, 128, 8>, true>(Flash_bwd_params)"
)
NORM = "void at::native::(anonymous namespace)::vectorized_layer_norm_kernel<c10::BFloat16, float>"
NORM_BACKWARD = "void at::native::(anonymous namespace)::layer_norm_grad_input_kernel_vectorized<c10::BFloat16, float>"
NORM_WEIGHTS = "void at::native::(anonymous namespace)::GammaBetaBackwardCUDAKernel<c10::BFloat16, float>"
ADD = "void at::native::vectorized_elementwise_kernel<4, at::native::CUDAFunctor_add<c10::BFloat16>>"
GELU = "void at::native::vectorized_elementwise_kernel<4, at::native::GeluCUDAKernelImpl>"
GELU_BACKWARD = "void at::native::vectorized_elementwise_kernel<4, at::native::GeluBackwardCUDAKernelImpl>"
INDEX = "void at::native::(anonymous namespace)::indexSelectLargeIndex<c10::BFloat16, long, unsigned int, 2, 2, -2>"
INDEX_BACKWARD = "void at::native::(anonymous namespace)::compute_grad_weight<c10::BFloat16, long>"
SOFTMAX = "void at::native::(anonymous namespace)::cunn_SoftMaxForward<8, c10::BFloat16, float, float>"
SOFTMAX_BACKWARD = "void at::native::(anonymous namespace)::cunn_SoftMaxBackward<8, c10::BFloat16, float, float>"
NLL = "void at::native::(anonymous namespace)::nll_loss_forward_reduce_cuda_kernel_2d<c10::BFloat16, float, long>"
NLL_BACKWARD = "void at::native::(anonymous namespace)::nll_loss_backward_reduce_cuda_kernel_2d<c10::BFloat16, long>"

Backward = Callable[[], None]
"""Writes the backward of an operator that was written before."""


@dataclass(frozen=True)
class Operators:
    """Writes operators of one stage. Each returns its backward; `gradient` is told of finished gradients."""

    writer: Writer
    costs: Costs
    exchanges: Exchanges
    gradient: Callable[[int], None]

    def norm(self, elements: int) -> Backward:
        width, shape = self.costs.spec.hidden, self._activations
        sequence = self.writer.next_sequence()
        with self._nested(("aten::layer_norm", "aten::native_layer_norm"), (shape, (width,), (width,)), sequence):
            self._moves(NORM, 2 * elements)

        def backward() -> None:
            with self._backward_of("NativeLayerNormBackward0", sequence, 2 * width):
                with self.writer.slice(operator("aten::native_layer_norm_backward", shape, shape, (width,))):
                    self._moves(NORM_BACKWARD, 3 * elements)
                    self._moves(NORM_WEIGHTS, 2 * elements)

        return backward

    def linear(self, inputs: int, outputs: int, weights: int, reduced: str = "") -> Backward:
        """`reduced`: where tensor parallelism sums up: "forward" if the inputs are shared out, else "backward"."""
        rows, writer = self.costs.spec.tokens, self.writer
        x, weight, y = (rows, inputs), (outputs, inputs), (rows, outputs)
        sequence = writer.next_sequence()
        with writer.slice(operator("aten::linear", x, weight, (outputs,))):
            self._transposed(weight)
            with writer.slice(operator("aten::addmm", (outputs,), x, weight[::-1], (), ()), sequence):
                self._gemm(FORWARD_GEMM, rows, outputs, inputs)
        if reduced == "forward":
            self.exchanges.tensor_parallel(rows * outputs)

        def backward() -> None:
            shared = reduced == "backward" and self.costs.spec.tp > 1
            with self._backward_of("AddmmBackward0", sequence, weights):
                self._transposed(weight)
                with writer.slice(operator("aten::mm", y, weight)):
                    self._gemm(DATA_GEMM, rows, inputs, outputs)
                if shared:
                    self.exchanges.begin(Channel.TENSOR, rows * inputs)
                self._transposed(y)
                with writer.slice(operator("aten::mm", y[::-1], x)):
                    self._gemm(WEIGHT_GEMM, outputs, inputs, rows)
                if shared:
                    self.exchanges.await_(Channel.TENSOR)

        return backward

    def attention(self) -> Backward:
        spec, writer = self.costs.spec, self.writer
        heads, depth = spec.heads // spec.tp, spec.hidden // spec.heads
        shape = (spec.micro_batch, heads, spec.sequence, depth)
        names = (
            "aten::scaled_dot_product_attention",
            "aten::_scaled_dot_product_flash_attention",
            "aten::_flash_attention_forward",
        )
        sequence, elements = writer.next_sequence(), spec.tokens * spec.hidden // spec.tp
        with self._nested(names, (shape,) * 3, sequence):
            writer.launch(COMPUTE, self._elementwise(FLASH, elements), self.costs.attention_ns(1))

        def backward() -> None:
            with self._backward_of("ScaledDotProductFlashAttentionBackward0", sequence):
                with writer.slice(operator("aten::_scaled_dot_product_flash_attention_backward", *(shape,) * 6)):
                    writer.launch(COMPUTE, self._elementwise(FLASH_BACKWARD, elements), self.costs.attention_ns(2.5))

        return backward

    def add(self, elements: int) -> Backward:
        """A residual connection; its gradient goes both ways as it is, and is added up where they meet."""
        sequence = self.writer.next_sequence()
        with self.writer.slice(operator("aten::add", self._activations, self._activations, ()), sequence):
            self._moves(ADD, 3 * elements)

        def backward() -> None:
            with self._backward_of("AddBackward0", sequence):
                with self.writer.slice(operator("aten::add_", self._activations, self._activations, ())):
                    self._moves(ADD, 3 * elements)

        return backward

    def gelu(self, elements: int) -> Backward:
        width = elements // self.costs.spec.tokens
        shape, sequence = (self.costs.spec.tokens, width), self.writer.next_sequence()
        with self.writer.slice(operator("aten::gelu", shape), sequence):
            self._moves(GELU, 2 * elements)

        def backward() -> None:
            with self._backward_of("GeluBackward0", sequence):
                with self.writer.slice(operator("aten::gelu_backward", shape, shape)):
                    self._moves(GELU_BACKWARD, 3 * elements)

        return backward

    def embedding(self, words: int, elements: int, weights: int) -> Backward:
        spec, sequence = self.costs.spec, self.writer.next_sequence()
        tokens = (spec.micro_batch, spec.sequence)
        with self.writer.slice(operator("aten::embedding", (words, spec.hidden), tokens), sequence):
            with self.writer.slice(operator("aten::index_select", (words, spec.hidden), (), (spec.tokens,))):
                self._moves(INDEX, 2 * elements)
        self.exchanges.tensor_parallel(elements)

        def backward() -> None:
            with self._backward_of("EmbeddingBackward0", sequence, weights):
                with self.writer.slice(operator("aten::embedding_dense_backward", self._activations, tokens)):
                    self._moves(INDEX_BACKWARD, 2 * elements)

        return backward

    def loss(self, words: int) -> Backward:
        """Cross entropy over a rank's share of the words; the sums over ranks are left out, they are a few bytes."""
        spec, writer = self.costs.spec, self.writer
        logits, softmax, nll = (spec.tokens, words), writer.next_sequence(), writer.next_sequence()
        elements = spec.tokens * words
        with writer.slice(operator("aten::cross_entropy_loss", logits, (spec.tokens,))):
            with self._nested(("aten::log_softmax", "aten::_log_softmax"), (logits,), softmax):
                self._moves(SOFTMAX, 2 * elements)
            with self._nested(("aten::nll_loss_nd", "aten::nll_loss_forward"), (logits, (spec.tokens,)), nll):
                self._moves(NLL, 2 * spec.tokens)

        def backward() -> None:
            with self._backward_of("NllLossBackward0", nll):
                with writer.slice(operator("aten::nll_loss_backward", (1,), logits)):
                    self._moves(NLL_BACKWARD, 2 * spec.tokens)
            with self._backward_of("LogSoftmaxBackward0", softmax):
                with writer.slice(operator("aten::_log_softmax_backward_data", logits, logits)):
                    self._moves(SOFTMAX_BACKWARD, 3 * elements)

        return backward

    @property
    def _activations(self) -> Shape:
        spec = self.costs.spec
        return (spec.micro_batch, spec.sequence, spec.hidden)

    @contextmanager
    def _nested(self, names: tuple[str, ...], shapes: tuple[Shape, ...], sequence: int) -> Iterator[None]:
        """Operators that call one another; the outermost is what autograd sees."""
        with ExitStack() as stack:
            for depth, name in enumerate(names):
                stack.enter_context(self.writer.slice(operator(name, *shapes), NOTHING if depth else sequence))
            yield

    @contextmanager
    def _backward_of(self, name: str, sequence: int, weights: int = 0) -> Iterator[None]:
        """A node of autograd, then its weights' gradient, if it has any."""
        writer = self.writer
        with writer.slice(operator(f"autograd::engine::evaluate_function: {name}"), sequence):
            with writer.slice(operator(name), sequence):
                writer.pair(sequence)
                yield
        if weights:
            with writer.slice(operator("torch::autograd::AccumulateGrad", (weights,))):
                with writer.slice(operator("aten::detach", (weights,))):
                    pass
            self.gradient(weights)

    def _transposed(self, shape: Shape) -> None:
        with self.writer.slice(operator("aten::t", shape)):
            with self.writer.slice(operator("aten::transpose", shape, (), ())):
                with self.writer.slice(operator("aten::as_strided", shape, (), (), ())):
                    pass

    def _gemm(self, name: str, m: int, n: int, k: int) -> None:
        self.writer.launch(COMPUTE, labels.gemm(name, m, n, self.costs.spec.device.sms), self.costs.gemm_ns(m, n, k))

    def _moves(self, name: str, elements: int) -> None:
        self.writer.launch(COMPUTE, self._elementwise(name, elements), self.costs.memory_ns(elements))

    def _elementwise(self, name: str, elements: int) -> Label:
        return labels.elementwise(name, elements, self.costs.spec.device.sms)
