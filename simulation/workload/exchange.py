"""Collectives and point-to-point transfers in a program, as c10d issues them: on a stream of their own each."""

from __future__ import annotations

from dataclasses import dataclass

from simulation.workload import labels
from simulation.workload.costs import Costs
from simulation.workload.labels import Channel
from simulation.workload.layout import Place
from simulation.workload.program import Writer
from simulation.workload.spec import ELEMENT_BYTES

COMPUTE = 0
STREAMS = {
    Channel.TENSOR: 1,
    Channel.DATA: 2,
    Channel.FORWARD_IN: 3,
    Channel.FORWARD_OUT: 4,
    Channel.BACKWARD_IN: 5,
    Channel.BACKWARD_OUT: 6,
}
STREAM_IDS = (7, 20, 24, 28, 32, 36, 40)
"""What the streams are called in the files."""

ALL_REDUCE = ("c10d::allreduce_", "nccl:all_reduce", "allreduce", "ncclDevKernel_AllReduce_Sum_bf16_RING_LL")
SEND = ("c10d::send", "nccl:send", "send", "ncclDevKernel_SendRecv")
RECEIVE = ("c10d::recv_", "nccl:recv", "recv", "ncclDevKernel_SendRecv")
KERNEL_ARGUMENT = "(ncclDevKernelArgsStorage<4096ul>)"


@dataclass(frozen=True)
class Exchanges:
    """The exchanges of the ranks of one stage; `place` is the first of them and stands for all."""

    writer: Writer
    costs: Costs
    place: Place

    def begin(self, channel: Channel, elements: int) -> None:
        """Enqueue it: it starts when what is on the compute stream by now has ended, and compute goes on beside it."""
        operator, note, collective, kernel = self._names(channel)
        writer, stream, sms = self.writer, STREAMS[channel], self.costs.spec.device.sms
        with (
            writer.slice(labels.operator(operator, (elements,))),
            writer.slice(labels.told_collective(collective, elements, channel), meeting=writer.meeting(channel)),
            writer.slice(labels.annotation(note)),
        ):
            writer.order(COMPUTE, stream)
            label = labels.collective_kernel(kernel + KERNEL_ARGUMENT, collective, elements, channel, sms)
            writer.launch(stream, label, self._takes_ns(channel, elements), labels.LAUNCH_COLLECTIVE)

    def await_(self, channel: Channel) -> None:
        """Compute enqueued from here on waits for what the channel has by now."""
        self.writer.order(STREAMS[channel], COMPUTE)

    def tensor_parallel(self, elements: int) -> None:
        """All-reduce at once, where there is anyone to reduce with."""
        if self.costs.spec.tp > 1:
            self.begin(Channel.TENSOR, elements)
            self.await_(Channel.TENSOR)

    def _takes_ns(self, channel: Channel, elements: int) -> int:
        ranks = self.place.groups[channel.group].ranks
        if channel in (Channel.TENSOR, Channel.DATA):
            return self.costs.all_reduce_ns(elements * ELEMENT_BYTES, ranks)
        ahead = channel in (Channel.FORWARD_OUT, Channel.BACKWARD_IN)
        pair = (self.place.rank, ranks[self.place.stage + (1 if ahead else -1)])
        return self.costs.send_ns(elements * ELEMENT_BYTES, pair)

    def _names(self, channel: Channel) -> tuple[str, str, str, str]:
        if channel in (Channel.TENSOR, Channel.DATA):
            return ALL_REDUCE
        return SEND if channel in (Channel.FORWARD_OUT, Channel.BACKWARD_OUT) else RECEIVE
