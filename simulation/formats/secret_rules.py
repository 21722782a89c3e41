"""What looks like a secret in a trace, and by which words it is noticed.

A rule is tried only where one of its `anchors` stands in the text (any case), so reading pays for the rules in
proportion to what looks suspicious. `find` gets a window of raw JSON around the anchor - a string, and the one behind
it - and yields the spans to mask. Every quantifier is bounded or cannot backtrack: a hostile file costs no more than
a long one.

Formats of vendors' tokens are those of detect-secrets (https://github.com/Yelp/detect-secrets, Apache-2.0), read from
the installed package. What it lacks is here, after the vendors' pages and gitleaks'
config (https://github.com/gitleaks/gitleaks, MIT); names that say secret are detect-secrets' DENYLIST and the
environment variables of AI jobs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

Span = tuple[int, int]
Find = Callable[[bytes], Iterator[Span]]


@dataclass(frozen=True)
class Rule:
    """How to find one kind of secret."""

    kind: str  # what the quality report calls it
    anchors: tuple[bytes, ...]  # at least three bytes each
    find: Find


_EDGE = rb"(?:(?<![A-Za-z0-9_])|(?<=\\[nrt]))"
"""Begin of a word, also behind a JSON escape."""

_VENDORS = {
    "Hugging Face token": ((b"hf_", b"api_org_"), rb"(?:hf|api_org)_[A-Za-z0-9]{20,200}"),
    "GitHub token": ((b"github_pat_",), rb"github_pat_[A-Za-z0-9_]{22,255}"),
    "API key": ((b"sk-", b"gsk_", b"nvapi-", b"xai-"), rb"(?:sk-|gsk_|nvapi-|xai-)[A-Za-z0-9_-]{20,400}"),
    "Google API key": ((b"aiza",), rb"AIza[0-9A-Za-z_-]{35}"),
    "Google OAuth token": ((b"ya29.", b"gocspx-"), rb"(?:ya29\.|GOCSPX-)[0-9A-Za-z_-]{20,400}"),
    "Databricks token": ((b"dapi",), rb"dapi[0-9a-f]{32}(?:-\d)?"),
    "Docker token": ((b"dckr_",), rb"dckr_(?:pat|oat)_[A-Za-z0-9_-]{20,100}"),
    "Replicate token": ((b"r8_",), rb"r8_[A-Za-z0-9]{37,40}"),
    "Vault token": ((b"hvs.", b"hvb."), rb"hv[sb]\.[A-Za-z0-9_-]{24,300}"),
    "npm token": ((b"npm_",), rb"npm_[A-Za-z0-9]{36}"),
    "JSON web token": ((b"eyj",), rb"eyJ[A-Za-z0-9_-]{6,4000}\.[A-Za-z0-9_-]{6,4000}(?:\.[A-Za-z0-9_-]{0,4000})?"),
}
"""Kind -> (anchors, format) of tokens that begin with a sign of their vendor."""

LIBRARY: dict[str, tuple[str, tuple[bytes, ...]]] = {
    "ArtifactoryDetector": ("Artifactory token", (b"akc",)),
    "AWSKeyDetector": ("AWS access key", (b"akia", b"asia", b"abia", b"acca", b"a3t")),
    "AzureStorageKeyDetector": ("Azure storage key", (b"accountkey=",)),
    "CloudantDetector": ("Cloudant key", (b"cloudant",)),
    "DiscordBotTokenDetector": ("Discord bot token", (b"discord",)),
    "GitHubTokenDetector": ("GitHub token", (b"ghp_", b"gho_", b"ghu_", b"ghs_", b"ghr_")),
    "GitLabTokenDetector": ("GitLab token", (
        b"glpat-", b"gldt-", b"glft-", b"glsoat-", b"glrt-", b"gr1348941", b"glcbt-", b"glimt-", b"glptt-",
        b"glagent-", b"gloas-",
    )),
    "IbmCloudIamDetector": ("IBM Cloud key", (b"ibm", b"cloud_iam", b"cloud-iam")),
    "IbmCosHmacDetector": ("IBM storage key", (b"cos_hmac", b"cos-hmac", b"ibm")),
    "MailchimpDetector": ("Mailchimp key", tuple(b"-us%d" % digit for digit in range(1, 10))),
    "PypiTokenDetector": ("PyPI token", (b"pypi-age",)),
    "SendGridDetector": ("SendGrid key", (b"sg.",)),
    "SlackDetector": ("Slack token", (b"xoxa-", b"xoxb-", b"xoxp-", b"xoxo-", b"xoxs-", b"xoxr-", b"hooks.slack")),
    "SoftlayerDetector": ("SoftLayer key", (b"softlayer",)),
    "SquareOAuthDetector": ("Square secret", (b"sq0csp-",)),
    "StripeDetector": ("Stripe key", (b"rk_live_", b"sk_live_")),
    "TelegramBotTokenDetector": ("Telegram bot token", (b"telegram",)),
    "TwilioKeyDetector": ("Twilio key", (b"twilio",)),
}  # fmt: skip
"""Detector of detect-secrets -> (kind, anchors) of its formats."""

LEFT_OUT: dict[str, str] = {
    "BasicAuthDetector": "own rule, which leaves the user's name",
    "JwtTokenDetector": "own rule, which takes the signature too",
    "KeywordDetector": "own rule, for JSON, environments and command lines",
    "NpmDetector": "names that say secret, and the npm token",
    "OpenAIDetector": "part of the API key's own rule",
    "PrivateKeyDetector": "own rule, which takes the key's body too",
    "Base64HighEntropyString": "hashes and mangled names are as random",
    "HexHighEntropyString": "addresses and ids are as random",
    "IPPublicDetector": "no secret",
}
"""Detector of detect-secrets -> why it is not used."""

_STRONG = (
    rb"passw(?:or)?d|passphrase|contrase(?:na|\xc3\xb1a)|(?<=[_-])pwd|secret|credential|authtoken"
    rb"|(?:api|access|account|auth|client|consumer|database|db|encryption|license|master|priv|private|service|session"
    rb"|signing|ssh|storage|subscription|wandb|webhook)[_-]?key(?![a-z])|(?:database|db|key)[_-]?pass(?![a-z])"
    rb"|(?:access|api|app|auth|bearer|bot|deploy|github|gitlab|hf|hub|id|identity|login|oauth|personal|refresh|sas"
    rb"|security|service|session)[_-]?token(?![a-hj-z])(?!i)"
)
"""Parts of names, in any case, that say: my value is a secret."""

_UPPER = rb"(?<![A-Za-z0-9])(?-i:(?:TOKEN|KEY|PASS|PAT|SECRET|PASSWORD|PASSWD|CREDENTIAL)S?)(?![A-Za-z0-9])"
"""Words of environment variables that say so. PWD is not one of them: it is the working folder."""

_NAMED = re.compile(
    rb"(?:" + _STRONG + rb"|" + _UPPER + rb")[\w.-]{0,40}(?:\\{0,8}[\"'])?\s{0,4}(?::(?!:)|=(?!=))>?\s{0,4}", re.I
)
_FLAG = re.compile(
    rb"(?:" + _STRONG + rb"|(?<=[-_])(?:token|key|pat)(?![\w-]))[\w-]{0,40}(?:\"\s{0,4},\s{0,4}(?=\")|\s{1,4}(?!-))",
    re.I,
)
_VALUE = re.compile(
    rb"\"((?:[^\"\\]|\\.)+)|\\{1,7}\"([^\"\\]+)|\\{0,8}'([^'\"\\]+)|([^\s\"'\\,;&|(){}\[\]<>]+)", re.S
)  # fmt: skip
_STRING = re.compile(rb"\"((?:[^\"\\]|\\.)*)\"", re.S)
_HARMLESS = re.compile(rb"(?:true|false|none|null|nil|yes|no|on|off|-?\d{1,6}|\*+)?", re.I)
_BETWEEN = re.compile(rb"(?<!\\)[^\"\\\s]+")
_BEFORE = re.compile(rb"-{1,2}[\w-]{0,40}$")

_AUTHORIZATION = re.compile(
    rb"(?:authorization|x-api-key|set-cookie|cookie)(?:\\{0,8}[\"'])?\s{0,4}[:=,]\s{0,4}(?:\\{0,8}[\"'])?"
    rb"(?:(?:bearer|basic|token|digest|apikey|negotiate)\s{1,4})?([^\"'\\]+)",
    re.I,
)
_BEARER = re.compile(rb"bearer\s{1,4}([A-Za-z0-9._~+/=-]{16,4000})", re.I)
_ADDRESS = re.compile(
    rb"://(?:[^\s/:@\"'?#\\]{0,200}:([^\s/@\"'\\]{1,400})|([A-Za-z0-9_-]{20,400}))@"
    rb"|[?&](?:sig|signature|token|key|x-amz-signature)=([^\s&\"'\\#]{8,400})",
    re.I,
)
_PRIVATE_KEY = re.compile(
    rb"(?:BEGIN[A-Z0-9 ]{0,40} PRIVATE KEY[A-Z ]{0,10}-{0,5}|PuTTY-User-Key-File-\d)"
    rb"((?:[^\"\\-]|\\.|-(?!----END))+)",
    re.S,
)


@cache
def rules() -> tuple[Rule, ...]:
    """All rules; where two name the same bytes, the report calls them by the earlier one."""
    return (
        Rule("private key", (b"private key", b"putty-user-key"), partial(_groups, _PRIVATE_KEY)),
        *(
            Rule(kind, anchors, partial(_groups, re.compile(_EDGE + b"(" + form + b")")))
            for kind, (anchors, form) in _VENDORS.items()
        ),
        *(Rule(kind, anchors, partial(_of_library, name)) for name, (kind, anchors) in LIBRARY.items()),
        Rule("password in an address", (b"://", b"sig=", b"signature=", b"token=", b"?key=", b"&key="),
             partial(_groups, _ADDRESS)),
        Rule("authorization header", (b"authorization", b"x-api-key", b"cookie"), partial(_groups, _AUTHORIZATION)),
        Rule("authorization header", (b"bearer ",), partial(_groups, _BEARER)),
        Rule("value of a name that says secret", _named_anchors(), _named),
    )  # fmt: skip


def _named_anchors() -> tuple[bytes, ...]:
    words = ("password", "passwd", "passphrase", "contrase", "_pwd", "-pwd", "secret", "credential", "token", "_key",
             "-key", '"key', "apikey", "accesskey", "accountkey", "authkey", "clientkey", "privatekey", "privkey",
             "servicekey", "storagekey", "dbkey", "dbpass", "_pass", "-pass", "keypass", "_pat", "-pat")  # fmt: skip
    return tuple(word.encode() for word in words)


def _groups(pattern: re.Pattern[bytes], window: bytes) -> Iterator[Span]:
    """Spans of the groups that matched."""
    for match in pattern.finditer(window):
        yield from (match.span(group) for group in range(1, (match.lastindex or 0) + 1) if match[group])


def _named(window: bytes) -> Iterator[Span]:
    """Values of names that say secret: of JSON keys, assignments and command-line flags."""
    for pattern, is_flag in ((_NAMED, False), (_FLAG, True)):
        at = 0
        while match := pattern.search(window, at):
            at = match.end()
            if is_flag and not _BEFORE.search(window, max(match.start() - 42, 0), match.start()):
                continue
            for span in _values(window, match.end()):
                yield span
                at = span[1]  # a name within a value costs nothing more


def _values(window: bytes, at: int) -> Iterator[Span]:
    """The value that begins here, or all strings of a list."""
    if window[at : at + 1] == b"[":
        end = window.find(b"]", at)
        matches: Iterator[re.Match[bytes] | None] = _STRING.finditer(window, at, end if end > 0 else len(window))
    else:
        matches = iter((_VALUE.match(window, at),))
    for match in matches:
        if match and match.lastindex and not _HARMLESS.fullmatch(match[match.lastindex]):
            yield match.span(match.lastindex)


def _of_library(detector: str, window: bytes) -> Iterator[Span]:
    """Matches of a detector of detect-secrets; of one that reaches over quotes, its longest part between them."""
    window = re.sub(rb"\\[nrt]", b"  ", window)
    for pattern in _library()[detector]:
        for match in pattern.finditer(window):
            parts = [part.span() for part in _BETWEEN.finditer(window, *match.span())]
            yield max(parts, key=lambda part: part[1] - part[0], default=(0, 0))


@cache
def _library() -> dict[str, list[re.Pattern[bytes]]]:
    """Detector -> its formats, over bytes. Imported when first needed: most traces never do."""
    from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class

    classes: list[Any] = list(get_mapping_from_secret_type_to_class().values())
    detectors = {detector.__name__: detector for detector in classes}
    return {name: [_bounded(form) for form in detectors[name].denylist] for name in LIBRARY}


def _bounded(pattern: re.Pattern[str]) -> re.Pattern[bytes]:
    """The same pattern over bytes, its open repetitions closed at 64, so that matching costs linear time."""

    def closed(match: re.Match[str]) -> str:
        return {"*": "{0,64}", "+": "{1,64}"}.get(match[0], match[0])

    source = re.sub(r"\\.|\[(?:\\.|[^\]\\])*\]|[*+]", closed, pattern.pattern)
    return re.compile(source.encode(), pattern.flags & ~re.UNICODE)
