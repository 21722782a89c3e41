from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import IntegrityError

from traceviewer.accounts.first import make_user


class Command(BaseCommand):
    help = "Make a user with a random password, which is printed once. Owners then add the user to their projects."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")

    def handle(self, *args: Any, name: str, **options: Any) -> None:
        try:
            user, password = make_user(name)
        except IntegrityError as error:
            raise CommandError(f"There is a user {name!r} already.") from error
        self.stdout.write(f"Name: {user.get_username()}  Password: {password} (shown this once)")
