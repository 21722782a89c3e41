"""Colours: a role from what an event is, a shade from its name."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation.communication import BY_NAME
from simulation.lod import Palette, Role, colours
from simulation.lod.colours import SHADES, normalized, shade_of, speaks


def role_of(name: str, category: str) -> Role:
    palette = Palette.of([name], [category])
    return Role(int(palette.colours(np.array([0]), np.array([0]))[0]) // SHADES)


@pytest.mark.parametrize(
    ("category", "name", "role"),
    [
        ("kernel", "ampere_sgemm_128x64_tn", Role.COMPUTE),
        ("kernel", "ncclDevKernel_AllReduce_Sum_f32_RING_LL(ncclDevKernelArgsStorage<4096ul>)", Role.COMMUNICATION),
        ("kernel", "ncclKernel_SendRecv_RING_SIMPLE_Sum_int8_t(ncclWorkElem)", Role.COMMUNICATION),
        ("kernel", "void rcclGenericKernel<1, false>(ncclDevKernelArgsStorage<4096ul>)", Role.COMMUNICATION),
        ("kernel", "void deep_ep::internode::dispatch<false, 8>(int4*)", Role.COMMUNICATION),
        ("kernel", "void at::native::reduce_kernel<512, 1>", Role.COMPUTE),
        ("gpu_memcpy", "Memcpy HtoD (Pageable -> Device)", Role.COPY),
        ("gpu_memset", "Memset (Device)", Role.COPY),
        ("cpu_op", "aten::addmm", Role.HOST_OP),
        ("cpu_op", "torch::distributed::reducer::mul_out", Role.HOST_OP),
        ("cpu_op", "record_param_comms", Role.COMMUNICATION),
        ("cpu_op", "c10d::allreduce_", Role.COMMUNICATION),
        ("cpu_op", "gloo:all_reduce", Role.COMMUNICATION),
        ("user_annotation", "nccl:all_reduce", Role.COMMUNICATION),
        ("gpu_user_annotation", "nccl:broadcast", Role.COMMUNICATION),
        ("user_annotation", "ProfilerStep#7", Role.OTHER),
        ("user_annotation", "an igloo", Role.OTHER),
        ("gpu_user_annotation", "forward", Role.OTHER),
        ("python_function", "train.py(30): step", Role.HOST_OP),
        ("python_function", "nccl.py(3): version", Role.HOST_OP),
        ("cuda_runtime", "cudaLaunchKernel", Role.RUNTIME_CALL),
        ("cuda_driver", "cuLaunchKernelEx", Role.RUNTIME_CALL),
        ("cuda_sync", "Stream Sync", Role.OTHER),
        ("overhead", "CUPTI overhead", Role.OTHER),
        ("Trace", "PyTorch Profiler (0)", Role.OTHER),
        ("never seen before", "nccl", Role.OTHER),
        ("", "", Role.OTHER),
    ],
)
def test_the_role_follows_category_and_name(category: str, name: str, role: Role) -> None:
    assert role_of(name, category) == role


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ProfilerStep#7", "ProfilerStep#1204"),
        ("void gemm<float, Tile<4, 8>>(float*)", "void gemm<half, Tile<16, Tile<1, 2>>>(float*)"),
        ("<built-in method mm of object at 0x7f3a10bd>", "<built-in method mm of object at 0x55aAfe>"),
        ("module.py(1501): _call_impl", "module.py(1739): _call_impl"),
    ],
)
def test_calls_of_the_same_thing_share_a_shade(one: str, other: str) -> None:
    assert shade_of(one) == shade_of(other)
    assert one != other


def test_names_keep_what_tells_them_apart() -> None:
    assert normalized("Memcpy HtoD (Pageable -> Device)") == "Memcpy HtoD (Pageable -> Device)"
    assert normalized("<listcomp>") == "<listcomp>"
    assert normalized("operator<<") == "operator<<"


def test_the_shade_is_the_same_in_every_process() -> None:
    names = ["aten::mm", "aten::addmm", "aten::relu", "aten::copy_", "cudaLaunchKernel", "void gemm<1>()", ""]
    assert [shade_of(name) for name in names] == [1, 1, 2, 1, 1, 3, 0]


@given(st.lists(st.text(max_size=12)), st.lists(st.sampled_from(["kernel", "cpu_op", "Trace", "x"])), st.data())
def test_a_colour_depends_on_name_and_category_alone(
    names: list[str], categories: list[str], data: st.DataObject
) -> None:
    if not names or not categories:
        return
    name, category = data.draw(st.integers(0, len(names) - 1)), data.draw(st.integers(0, len(categories) - 1))
    colour = Palette.of(names, categories).colours(np.array([name]), np.array([category]))
    alone = Palette.of([names[name]], [categories[category]]).colours(np.array([0]), np.array([0]))
    assert colour == alone and colour.dtype == np.uint8 and colour < 24


def test_a_hostile_name_costs_little() -> None:
    assert shade_of("<" * 1_000_000 + ">" * 1_000_000) in range(SHADES)
    assert shade_of("\ud800 lone surrogate") in range(SHADES)


@given(
    st.lists(
        st.one_of(
            st.sampled_from(
                ["nccl", "NCCL", "rccl", "oneccl", "msccl", "gloo", "nvshmem", "c10d::", "deep_ep", "::ep::"]
            ),
            st.sampled_from(["record_param_comms", "ccl", "accl", "_", " ", "::", "K", "multimem_all", "ep::"]),
            st.text(max_size=3),
        )
    ).map("".join)
)
def test_the_quick_look_finds_whatever_the_pattern_finds(name: str) -> None:
    assert speaks(name) == any(pattern.search(name) is not None for pattern in (colours._ON_HOST, BY_NAME))
