"""Filters of the pages that the server renders: `traceviewer.wording`."""

from django import template

from traceviewer import wording

register = template.Library()
for found in (wording.duration, wording.count, wording.percent, wording.moment, wording.visible):
    register.filter(found.__name__, found)
