"""What a person can set, type or read has its line in docs/."""

import re
from pathlib import Path

from typer.main import get_command

from simulation.quality import MESSAGES
from traceviewer.cli import app

ROOT = Path(__file__).resolve().parent.parent


def page(name: str) -> str:
    return (ROOT / name).read_text()


def test_every_setting_is_explained() -> None:
    sources = "".join(path.read_text() for path in (ROOT / "traceviewer").glob("*.py"))
    named = set(re.findall(r"environ\S*?[\[(]\s*\"([A-Z_]+)\"|(?:words|flag)\(\"([A-Z_]+)\"", sources))
    settings = {first or second for first, second in named} - {"DJANGO_SETTINGS_MODULE"}
    assert settings, "no setting found: the pattern is wrong"
    table = page("docs/operations.md")
    assert [name for name in sorted(settings) if f"| `{name}` |" not in table] == []


def test_every_quality_code_is_explained() -> None:
    formats = page("docs/formats.md")
    assert [code for code in MESSAGES if f"`{code}`" not in formats] == []


def test_every_command_is_explained() -> None:
    commands = [name for name, command in get_command(app).commands.items() if not command.hidden]  # type: ignore[attr-defined]
    pages = page("README.md") + page("docs/operations.md")
    assert [name for name in commands if f"traceviewer {name}" not in pages] == []
