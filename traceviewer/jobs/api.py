"""REST: a job, its events (the twin of the websocket's Watch), and its cancellation."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from traceviewer.accounts.visibility import get_editable, get_visible
from traceviewer.jobs.models import Job, JobEvent

MAX_EVENTS = 1000


class JobSerializer(serializers.ModelSerializer[Job]):
    run = serializers.CharField(read_only=True)

    class Meta:
        model = Job
        fields = ["id", "kind", "state", "stage", "done", "total", "number", "error", "run", "created_at", "ended_at"]
        read_only_fields = fields


class JobEventSerializer(serializers.ModelSerializer[JobEvent]):
    job = serializers.CharField(source="job_id")
    run = serializers.CharField(source="job.run")

    class Meta:
        model = JobEvent
        fields = ["job", "number", "state", "stage", "done", "total", "message", "run"]


class OneJob(generics.RetrieveAPIView[Job]):
    serializer_class = JobSerializer

    def get_object(self) -> Job:
        return get_visible(Job.objects, self.request.user, pk=self.kwargs["job"])


@extend_schema(parameters=[OpenApiParameter("after", int, description="number of the last event that you saw")])
class Events(generics.ListAPIView[JobEvent]):
    """At most 1,000 at a time; ask again with the last number."""

    queryset = JobEvent.objects.none()  # says the model to the schema
    serializer_class = JobEventSerializer
    pagination_class = None

    def get_queryset(self) -> Any:
        job = get_visible(Job.objects, self.request.user, pk=self.kwargs["job"])
        after = serializers.IntegerField(min_value=0, max_value=2**31 - 1).run_validation(
            self.request.query_params.get("after", 0)
        )
        return job.events.filter(number__gt=after).select_related("job")[:MAX_EVENTS]


class Cancel(APIView):
    @extend_schema(request=None, responses=JobSerializer)
    def post(self, request: Request, job: Any) -> Response:
        """Cancel it if it has not ended; either way, the job as it is now."""
        found = get_editable(Job.objects, request.user, pk=job)
        found.cancel()
        found.refresh_from_db()
        return Response(JobSerializer(found).data)
