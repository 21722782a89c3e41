"""A storage whose files have no path on this machine, as S3's have none."""

import os

from django.core.files.storage import InMemoryStorage


class RemoteStorage(InMemoryStorage):
    def path(self, name: str) -> str:
        raise NotImplementedError("this storage has no local paths")

    def _relative_path(self, name: str) -> str:
        return os.path.relpath(super().path(name), self.location)
