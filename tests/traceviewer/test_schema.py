"""GET schema/: the REST interface describes itself, without guesses."""

from io import StringIO
from pathlib import Path

from django.core.management import call_command


def test_the_schema_is_valid_and_has_no_warnings(tmp_path: Path) -> None:
    call_command("spectacular", validate=True, fail_on_warn=True, file=str(tmp_path / "schema.yml"), stderr=StringIO())
    assert "/api/v1/runs/{run}/tiles/{level}/{index}/:" in (tmp_path / "schema.yml").read_text()
