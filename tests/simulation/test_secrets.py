"""Secrets are masked in the text of a trace, nothing else is, and JSON stays JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from simulation.args import ArgsStore
from simulation.formats import read_trace
from simulation.formats.content import Content
from simulation.formats.masking import masked_table
from simulation.formats.secret_rules import LEFT_OUT, LIBRARY, rules
from simulation.formats.secrets import AHEAD_BYTES, CARRIED_BYTES, Masked, find_windows, mask, masked_text
from simulation.formats.window import WINDOW_BYTES
from simulation.run import Run
from tests.simulation.stored import leaks
from tests.simulation.test_samples import FILES
from tests.simulation.traces import event, read, write

LETTERS = "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7" * 20
HEX = "0123456789abcdef" * 8


def as_text(document: Any) -> np.ndarray:
    return np.frombuffer(json.dumps(document).encode(), np.uint8)


def masked(document: Any) -> Any:
    """The document as it reads after masking; the text must have kept its length."""
    text = as_text(document)
    result = mask(text)
    assert len(result.text) == len(text)
    return json.loads(result.text.tobytes())


def stars(count: int) -> str:
    return "*" * count


VALUE = LETTERS[:24]
NAMED = [
    {"HF_HUB_TOKEN": VALUE}, {"env": {"MY_SECRET": VALUE}}, {"DB_PASSWORD": "p w"}, {"KEY": VALUE},
    {"API_KEYS": [VALUE, VALUE]}, {"apiKey": VALUE}, {"client_secret": VALUE}, {"X": f"WANDB_API_KEY={VALUE} python"},
    {"x": f"--api-key={VALUE}"}, {"x": ["--password", VALUE]}, {"x": f"run --hf-token {VALUE} --steps 5"},
    {"x": json.dumps({"access_token": VALUE})}, {"x": json.dumps({"y": json.dumps({"SECRET_KEY": VALUE})})},
    {"x": str({"passwd": VALUE})}, {"x": f"password: {VALUE}\nuser: me"}, {"secret": 'quo"te\\ and \n more'},
    {"x": f"Server=db;Password={VALUE};User=me"}, {"GITHUB_PAT": VALUE}, {"AWS_ACCESS_KEY_ID": VALUE},
]  # fmt: skip


@pytest.mark.parametrize("document", NAMED, ids=json.dumps)
def test_it_masks_what_a_name_says_is_secret(document: Any) -> None:
    shown = json.dumps(masked(document))
    assert VALUE not in shown and "quo" not in shown and "p w" not in shown
    assert "***" in shown
    assert [key for key in re.findall(r"\w+", json.dumps(document)) if key in ("steps", "user", "Server", "env")] == [
        key for key in re.findall(r"\w+", shown) if key in ("steps", "user", "Server", "env")
    ]


FORMATS = {
    "Hugging Face token": "hf_" + LETTERS[:34],
    "GitHub token": "ghp_" + LETTERS[:36],
    "API key": "sk-" + LETTERS[:40],
    "Google API key": "AIza" + LETTERS[:35],
    "Google OAuth token": "ya29." + LETTERS[:40],
    "Databricks token": "dapi" + HEX[:32],
    "Docker token": "dckr_pat_" + LETTERS[:27],
    "Replicate token": "r8_" + LETTERS[:37],
    "Vault token": "hvs." + LETTERS[:40],
    "npm token": "npm_" + LETTERS[:36],
    "JSON web token": "eyJ" + ".".join([LETTERS[:20], LETTERS[:30], LETTERS[:20]]),
    "Artifactory token": "AKC" + LETTERS[:20],
    "AWS access key": "AKIA" + LETTERS[:16].upper(),
    "Azure storage key": "AccountKey=" + LETTERS[:88],
    "Cloudant key": "cloudant_key=" + HEX[:64],
    "Discord bot token": f"discord {'M' + LETTERS[:23]}.{LETTERS[:6]}.{LETTERS[:27]}",
    "GitLab token": "glpat-" + LETTERS[:20],
    "IBM Cloud key": "ibm_cloud_pass = " + LETTERS[:44],
    "Mailchimp key": HEX[:32] + "-us12",
    "PyPI token": "pypi-AgEIcHlwaS5vcmc" + LETTERS[:80],
    "SendGrid key": f"SG.{LETTERS[:22]}.{LETTERS[:43]}",
    "Slack token": "xoxb-123456789012-" + HEX[:24],
    "SoftLayer key": "softlayer_pass=" + HEX[:64],
    "Square secret": "sq0csp-" + LETTERS[:43],
    "Stripe key": "sk_live_" + LETTERS[:24],
    "Telegram bot token": f"telegram 123456789:{LETTERS[:35]}",
    "Twilio key": "twilio SK" + HEX[:32],
    "password in an address": f"postgres://alice:{VALUE}@db:5432/prod",
    "authorization header": f"Authorization: Basic {VALUE}",
    "private key": f"-----BEGIN RSA PRIVATE KEY-----\n{VALUE}\n{VALUE}\n-----END RSA PRIVATE KEY-----",
}


@pytest.mark.parametrize("kind", FORMATS)
def test_it_knows_the_form_of_tokens(kind: str) -> None:
    text = as_text({"anything": f"a\n{FORMATS[kind]} b"})
    result = mask(text)
    assert any(place.startswith(f"{kind} in anything, byte ") for place in result.places), result.places
    shown = json.loads(result.text.tobytes())["anything"]
    assert not any(run in shown for run in (LETTERS[:14], LETTERS[:14].upper(), HEX[:20]))


def test_every_rule_has_an_example() -> None:
    kinds = {rule.kind for rule in rules()} - {"value of a name that says secret", "IBM storage key"}
    assert kinds == set(FORMATS)


def test_it_uses_or_leaves_out_every_detector_of_the_library() -> None:
    from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class

    detectors = {detector.__name__ for detector in get_mapping_from_secret_type_to_class().values()}
    assert detectors == set(LIBRARY) | set(LEFT_OUT)


HARMLESS = [
    {"TOKENIZERS_PARALLELISM": "false", "PWD": "/home/me", "OLDPWD": "/", "num_tokens": "512", "MAX_TOKENS": "4096"},
    {"name": "aten::embedding_token_key", "x": "--tokenizer gpt2 --max-tokens 12 --key-dim 64"},
    {"name": "void foo::secret_key::bar<int>(float*)", "token": "hello", "key": "value_states", "password": None},
    {"x": "torch/auth_token.py(33): forward", "url": "https://example.org/a?b=c", "time": "12:30:45", "secret": ""},
    {"x": "MASTER_ADDR=10.0.0.1 WORLD_SIZE=8 NCCL_DEBUG=INFO", "commit": HEX[:40], "PATH": "/usr/bin:/bin"},
    {"x": "_ZN5flash11token_mergeILi128EEEvPK6__half", "password": "****", "task": "mask-me-softly-and-again-and-on"},
]  # fmt: skip


@pytest.mark.parametrize("document", HARMLESS)
def test_it_leaves_what_is_no_secret(document: Any) -> None:
    assert masked(document) == document


def test_it_tells_kind_key_and_byte_and_never_the_secret() -> None:
    text = as_text({"env": {"HF_TOKEN": "hf_" + LETTERS[:34], "A_SECRET": VALUE}, "again": {"HF_TOKEN": "hf_" + VALUE}})
    result = mask(text)
    assert result.count == 3
    assert result.places == (
        f"Hugging Face token in HF_TOKEN, byte {text.tobytes().index(b'hf_')}",
        f"value of a name that says secret in A_SECRET, byte {text.tobytes().rindex(VALUE.encode(), 0, 120)}",
    )
    assert mask(text, base=1000).places[0].endswith(f"byte {1000 + text.tobytes().index(b'hf_')}")


def test_it_reports_what_it_masked(tmp_path: Path) -> None:
    table = read(tmp_path, event(args={"header": f"Authorization: Bearer {VALUE}"}), event(f"password={VALUE}"))
    assert table.quality.count("secrets_masked") == 2
    assert [place.split(", byte")[0] for place in table.quality.which("secrets_masked")] == [
        "authorization header in header", "value of a name that says secret in name",
    ]  # fmt: skip
    assert table.name_of(1) == f"password={stars(len(VALUE))}"
    assert json.loads(table.args[0]) == {"header": f"Authorization: Bearer {stars(len(VALUE))}"}


def test_it_writes_into_the_text_only_where_it_may() -> None:
    text = as_text({"password": VALUE})
    assert mask(text).text is not text and VALUE.encode() in text.tobytes()
    own = text.copy()
    assert mask(own).text is own and VALUE.encode() not in own.tobytes()
    clean = as_text({"name": VALUE})
    assert mask(clean).text is clean


def test_it_finds_secrets_far_inside_a_long_string() -> None:
    secrets = "".join(f" n={number} password={LETTERS[number : number + 20]}" for number in range(5))
    filler = "x" * (AHEAD_BYTES - 50)
    shown = masked({"log": "password=" + filler + secrets + filler + secrets})["log"]
    assert not any(LETTERS[number : number + 20] in shown for number in range(5))


def test_it_masks_binary_text_without_end() -> None:
    assert mask(np.frombuffer(b"\x00\xff\xfe" * 40_000 + b"hf_" + b"a" * 34, np.uint8)).count == 1
    assert mask(np.empty(0, np.uint8)).count == 0


PIECES = st.sampled_from(
    ['"', "\\", "\n", " ", ":", "=", "--", "{", "[", ",", "password", "token", "HF_TOKEN", "api-key", "://", "@", "hf_",
     "secret", "Authorization: Bearer ", LETTERS[:30], "\u00e9", "-----BEGIN PRIVATE KEY-----", "'", "sk-", "\u0001"]
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=12).map("".join)
DOCUMENTS = st.recursive(
    TEXTS | st.integers() | st.none(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
)


def values(pairs: list[tuple[str, Any]]) -> list[Any]:
    """Of an object, also those of keys that masking made the same."""
    return [value for _, value in pairs]


def shape(document: Any) -> Any:
    """The document without its texts."""
    if isinstance(document, dict):
        return [shape(value) for value in document.values()]
    if isinstance(document, list):
        return [shape(value) for value in document]
    return "" if isinstance(document, str) else document


@given(DOCUMENTS)
def test_it_keeps_json_as_it_is_built(document: Any) -> None:
    text = as_text(document)
    result = mask(text)
    assert len(result.text) == len(text)
    kept = (result.text == text) | (result.text == ord("*"))
    assert kept.all()
    assert shape(json.loads(result.text.tobytes(), object_pairs_hook=values)) == shape(document)


HIDES_A_NAME = {
    "": {
        "Authorization: Bearer -----BEGIN PRIVATE KEY-----": "-----BEGIN PRIVATE KEY-----password",
        '"': "",
        "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7aB3": None,
    }
}
"""The window of the first key masks `password`, by which the next one, cut off at 0.6875, knows what is a value."""


AT_A_COLON = {"-- password -----BEGIN PRIVATE KEY-----": "word", "x": ["y"]}
"""Cut behind the first colon, the first string is all that its window can be."""


@example(HIDES_A_NAME, 0.6875)
@example(AT_A_COLON, 0.6875)
@given(DOCUMENTS, st.floats(0, 1))
def test_it_masks_the_same_in_windows(document: Any, share: float) -> None:
    text = as_text(document).copy()
    whole = mask(text.copy())
    mask(text[: int(share * len(text))], last=False)
    mask(text)
    assert (text[whole.text == ord("*")] == ord("*")).all()
    assert shape(json.loads(text.tobytes(), object_pairs_hook=values)) == shape(document)


@pytest.mark.parametrize("document", NAMED, ids=json.dumps)
def test_it_finds_nothing_again(document: Any) -> None:
    text = as_text([document, *FORMATS.values()]).copy()
    assert mask(text).count > len(FORMATS)
    assert mask(text).count == 0


def test_it_leaves_what_is_cut_off_until_it_is_whole() -> None:
    text = as_text([{"HF_TOKEN": VALUE}, "hf_" + VALUE]).copy()
    for cut in range(len(text)):
        part = text[:cut].copy()
        mask(part, last=False)
        shown = part.tobytes().replace(b"*", b"")
        assert shown in (text[:cut].tobytes(), text[:cut].tobytes().replace(VALUE.encode(), b"", 1))


STRING = rb'"(?:[^"\\]|\\.)*"'
VALUE_BEHIND = re.compile(rb"\s*[:,]\s*" + STRING + rb'|\s*:\s*\[(?:[^"\[\]{]|' + STRING + rb")*[\[\]{]", re.S)


def oracle(text: bytes) -> Iterator[tuple[int, int, int]]:
    """(begin, end, anchor) of each anchor in the strings of short JSON, found string by string."""
    folded = bytes(byte | 0x20 for byte in text)
    string = re.compile(rb'"(?:[^"\\]|\\.)*"', re.S)
    spans = [match.span() for match in string.finditer(text)]
    for number, anchor in enumerate(anchor for rule in rules() for anchor in rule.anchors):
        word = re.escape(bytes(byte | 0x20 for byte in anchor))
        for at in (match.start() for match in re.finditer(b"(?=" + word + b")", folded)):
            begin, end = next((span for span in spans if span[0] <= at < span[1]), (-1, -1))
            value = VALUE_BEHIND.match(text, end)
            if begin >= 0:
                yield begin, value.end() if value else end, number


@given(DOCUMENTS)
def test_it_looks_at_every_string_with_an_anchor(document: Any) -> None:
    text = as_text(document)
    found = {line for line in zip(*(column.tolist() for column in find_windows(text)), strict=True)}
    assert set(oracle(text.tobytes())) <= found


def whole(path: Path) -> np.ndarray:
    """The text of a file."""
    with Content(path) as content:
        return np.frombuffer(b"".join(content.chunks()), np.uint8)


@pytest.mark.parametrize("name", FILES)
def test_it_masks_nothing_in_traces_without_secrets(samples: Path, name: str) -> None:
    assert mask(whole(samples / f"{name}.json.gz")).places == ()


def planted(samples: Path) -> list[str]:
    """Texts that the file with secrets has and its original has not, those of harmless keys left out."""
    with_secrets = json.loads(whole(samples / "secrets_bert-small.json.gz").tobytes())
    original = json.loads(whole(samples / "tracelens/h100/bert-small.json.gz").tobytes())
    known = set(strings(original))
    new = [
        text for text in strings(with_secrets) if text not in known and text not in {"/usr/bin", "python", "train.py"}
    ]
    parts = [re.split(r"Bearer |--api-key=|postgres://alice:|@db.internal:5432/prod", text) for text in new]
    return [max(part, key=len) for part in parts]


def strings(document: Any) -> Iterator[str]:
    if isinstance(document, str):
        yield document
    elif isinstance(document, dict | list):
        for value in document.values() if isinstance(document, dict) else document:
            yield from strings(value)


def test_it_stores_no_planted_secret(samples: Path, tmp_path: Path) -> None:
    source = samples / "secrets_bert-small.json.gz"
    secrets = planted(samples)
    assert len(secrets) == 7
    table = read_trace(source)
    assert table.quality.count("secrets_masked") == 7
    Run.of([table]).save(tmp_path / "run")
    assert leaks(tmp_path, secrets) == []
    assert leaks(write(tmp_path / "control.json", [event(secrets[0])]).parent, secrets) == [
        ("control.json", secrets[0])
    ]


def test_the_search_for_leaks_looks_into_packed_buffers(tmp_path: Path) -> None:
    trace = read(tmp_path, *(event("op", at, args={"note": f"unmistakable {at}"}) for at in range(2000)))
    (tmp_path / "trace.json").unlink()
    trace.args.save(tmp_path / "args.arrow")
    assert leaks(tmp_path, ["unmistakable 1999"]) == [("args.arrow", "unmistakable 1999")]
    assert b"unmistakable 1999" not in (tmp_path / "args.arrow").read_bytes()


def test_it_masks_the_table_of_a_binary_file(tmp_path: Path) -> None:
    plain = read(tmp_path, event("--password"), event("hf_" + VALUE), event(args={"Collective name": "sk-" + VALUE}))
    names = ("--password", 'a quo"te', f"hf_{VALUE}")
    secret = masked_table(
        replace(
            plain,
            info=replace(plain.info, metadata={"env": {"HF_TOKEN": VALUE}, "schema": "1.0"}),
            names=names,
            args=ArgsStore(pa.array([b"", json.dumps({"MY_SECRET": VALUE}).encode(), b"{}"], pa.large_binary())),
        )
    )
    assert secret.info.metadata == {"env": {"HF_TOKEN": stars(24)}, "schema": "1.0"}
    assert secret.names == (*names[:2], stars(27))
    assert [secret.args[at] for at in range(3)] == [b"", json.dumps({"MY_SECRET": stars(24)}).encode(), b"{}"]
    assert "value of a name that says secret in HF_TOKEN" in secret.quality.which("secrets_masked")


@given(DOCUMENTS, st.lists(st.floats(0, 1), max_size=5), st.sampled_from([64, 200, 4096]))
def test_it_masks_the_same_in_chunks(document: Any, shares: list[float], carried: int) -> None:
    text, found = as_text(document), list[Masked]()
    cuts = [0, *sorted(int(share * len(text)) for share in shares), len(text)]
    chunks = [text[begin:end].tobytes() for begin, end in pairwise(cuts)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("simulation.formats.secrets.CARRIED_BYTES", carried)
        parts = list(masked_text(chunks, found))
    whole = mask(text.copy())
    result = np.concatenate(parts)
    assert len(result) == len(text)
    if carried >= len(text):
        assert (result[whole.text == ord("*")] == ord("*")).all()
    assert shape(json.loads(result.tobytes(), object_pairs_hook=values)) == shape(document)


@pytest.mark.parametrize("before", [1, 2000, CARRIED_BYTES - 10, CARRIED_BYTES + 10, 2 * CARRIED_BYTES])
def test_it_masks_what_the_border_of_a_chunk_divides(before: int) -> None:
    long = json.dumps({"MY_SECRET": VALUE, "list_of_secrets": [VALUE] * 3000, "a": "hf_" + VALUE * 100}).encode()
    text = b"[" + b" " * CARRIED_BYTES * 2 + long + b"]"
    whole = mask(np.frombuffer(text, np.uint8).copy())
    for begin in range(len(text) - len(long), len(text), 4999):
        found: list[Masked] = []
        cut = max(begin - before, 1)
        result = np.concatenate(list(masked_text([text[:cut], text[cut:begin], text[begin:]], found)))
        assert (result == whole.text).all()
        assert sum(part.count for part in found) == whole.count


@pytest.mark.parametrize("inside", [1, 12, 30, 45, 60])
def test_it_masks_what_the_border_of_a_window_divides(tmp_path: Path, inside: int) -> None:
    entry = json.dumps(event(f"password={VALUE} hf_{LETTERS[:34]}", args={"MY_TOKEN": VALUE}))
    secret_at = entry.index("password=")
    filler = json.dumps(event("x" * 900))
    head = '{"traceEvents": ['
    count, rest = divmod(WINDOW_BYTES - inside - secret_at - len(head), len(filler) + 1)
    padded = json.dumps(event("x" * (900 + rest)))
    path = tmp_path / "trace.json"
    path.write_text(head + ",".join([padded, *[filler] * (count - 1), entry, filler]) + "]}")
    assert path.read_text()[WINDOW_BYTES - inside :].startswith("password=")
    table = read_trace(path)
    assert table.quality.count("secrets_masked") == 3
    assert {name for name in table.names if "x" not in name} == {f"password={stars(24)} {stars(37)}"}
    assert json.loads(table.args[count]) == {"MY_TOKEN": stars(24)}


@pytest.mark.parametrize(
    "unit", ['["api_key",', '{"api_key":["', '"a_key","', '"a_key":', "secret=", "[", '\\"_key', "://"]
)
def test_it_looks_at_no_text_too_often(unit: str) -> None:
    text = np.frombuffer((unit * 40_000).encode(), np.uint8)
    begin, end, _ = find_windows(text)
    assert (end - begin).sum() <= 5 * len(text)
