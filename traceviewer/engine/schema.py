"""The shapes of the engine's answers, for the published schema; docs/protocol.md says what they mean."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers


def interval(**kwargs: Any) -> serializers.ListField:
    """[begin_ns, end_ns], since the run's base_ns."""
    return serializers.ListField(child=serializers.IntegerField(), min_length=2, max_length=2, **kwargs)


class ClockSerializer(serializers.Serializer[Any]):
    offset_ns = serializers.IntegerField(help_text="the trace's clock less that of the first that can be compared")
    uncertainty_ns = serializers.IntegerField()


class TraceSerializer(serializers.Serializer[Any]):
    index = serializers.IntegerField()
    rank = serializers.IntegerField(allow_null=True)
    label = serializers.CharField()
    clock = ClockSerializer(allow_null=True)


class TrackSerializer(serializers.Serializer[Any]):
    trace = serializers.IntegerField()
    index = serializers.IntegerField(help_text="of the track within its trace's table")
    kind = serializers.CharField(help_text="thread, stream, counter, async or marker")
    group = serializers.CharField()
    name = serializers.CharField()
    lanes = serializers.IntegerField()
    events = serializers.IntegerField()
    begin_ns = serializers.IntegerField()
    end_ns = serializers.IntegerField()


class StepSerializer(serializers.Serializer[Any]):
    trace = serializers.IntegerField()
    name = serializers.CharField()
    begin_ns = serializers.IntegerField()
    end_ns = serializers.IntegerField()


class OverviewSerializer(serializers.Serializer[Any]):
    level = serializers.IntegerField()
    tracks = serializers.ListField(child=serializers.ListField(child=serializers.IntegerField()))


class TimelineSerializer(serializers.Serializer[Any]):
    run = serializers.UUIDField()
    kind = serializers.CharField()
    version = serializers.CharField()
    clock = serializers.ChoiceField(choices=["recorded", "aligned"])
    base_ns = serializers.CharField()
    placed = serializers.CharField()
    placing = serializers.ListField(
        child=serializers.CharField(), help_text="which dependencies placed nodes wait for; empty if all is recorded"
    )
    span = interval()
    view = interval()
    traces = TraceSerializer(many=True)
    tracks = TrackSerializer(many=True)
    steps = StepSerializer(many=True)
    overview = OverviewSerializer()


class NamesSerializer(serializers.Serializer[Any]):
    names = serializers.DictField(child=serializers.CharField())


class ParentSerializer(serializers.Serializer[Any]):
    row = serializers.IntegerField()
    name = serializers.CharField()


class ReferenceSerializer(serializers.Serializer[Any]):
    row = serializers.IntegerField()
    track = serializers.IntegerField()
    name = serializers.CharField()
    start_ns = serializers.IntegerField()


class MeasuredSerializer(serializers.Serializer[Any]):
    start_ns = serializers.IntegerField()
    dur_ns = serializers.IntegerField()


class EventSerializer(serializers.Serializer[Any]):
    run = serializers.UUIDField()
    trace = serializers.IntegerField()
    row = serializers.IntegerField()
    name = serializers.CharField()
    name_code = serializers.IntegerField(help_text="as tiles carry it")
    category = serializers.CharField()
    spellings = serializers.ListField(child=serializers.CharField())
    track = serializers.IntegerField()
    start_ns = serializers.IntegerField()
    dur_ns = serializers.IntegerField()
    self_ns = serializers.IntegerField()
    depth = serializers.IntegerField()
    step = serializers.CharField(allow_null=True)
    source_index = serializers.IntegerField()
    correlation = serializers.CharField()
    module = serializers.ListField(child=serializers.CharField())
    args = serializers.ListField(child=serializers.ListField(child=serializers.CharField()))
    end_args = serializers.ListField(child=serializers.ListField(child=serializers.CharField()))
    parents = ParentSerializer(many=True)
    launch = ReferenceSerializer(allow_null=True)
    launched = ReferenceSerializer(many=True)
    measured = MeasuredSerializer(allow_null=True)
    slack_ns = serializers.IntegerField(allow_null=True, help_text="how much longer it may last, of a predicted run")


class PlaceSerializer(serializers.Serializer[Any]):
    trace = serializers.IntegerField()
    row = serializers.IntegerField()


class AlikeSerializer(serializers.Serializer[Any]):
    count = serializers.IntegerField()
    total_ns = serializers.IntegerField()
    median_ns = serializers.IntegerField()
    p95_ns = serializers.IntegerField()
    max_ns = serializers.IntegerField()
    number = serializers.IntegerField(help_text="the event's place among them, by start; the first is 1")
    previous = PlaceSerializer(allow_null=True)
    next = PlaceSerializer(allow_null=True)
    longest = PlaceSerializer()
