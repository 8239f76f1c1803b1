"""`GET /summary/` and `GET /organizations/{slug}/summary/`."""

from typing import Any

from django.http import HttpResponse
from rest_framework.exceptions import NotFound
from rest_framework.request import Request

from usage.api.parameters import ParameterReader
from usage.api.reads import ReadView, json_answer, read_frame, read_organizations
from usage.api.rendering.summaries import (
    breakdown_as_json,
    frame_as_json,
    organization_as_json,
    summary_as_json,
)
from usage.api.schema.summaries import ORGANIZATION_SUMMARY, SUMMARY
from usage.selectors.access import viewer_of
from usage.selectors.filters import ORGANIZATION
from usage.selectors.frames import Frame
from usage.selectors.named import find_organization
from usage.selectors.summaries import read_breakdown, read_summary


class LimitsView(ReadView):
    """A summary that shows which limits hold."""

    def effective_limits(self, frame: Frame) -> list[dict[str, Any]]:
        """The limits in force on what the frame is about."""
        return []


class SummaryView(LimitsView):
    """Everything the caller may see at a glance.

    Cards of today, this week (from Monday) and this month, each beside the whole period before;
    30 days, 12 weeks and 12 months, ascending and without a gap; and this month's leaders. Top
    users and models are those of calls that the organization pays for, unless `billing_scope`
    says otherwise. Days begin at midnight of `timezone`.
    """

    @SUMMARY
    def get(self, request: Request) -> HttpResponse:
        """Answer for the organizations named, by default all."""
        reader = ParameterReader(request.GET)
        frame = read_frame(reader, viewer_of(request.user), read_organizations(reader))
        reader.finish()
        summary = read_summary(frame)
        return json_answer(
            {
                **frame_as_json(frame, summary.cards),
                **summary_as_json(summary),
                "effective_limits": self.effective_limits(frame),
            }
        )


class OrganizationSummaryView(LimitsView):
    """One organization at a glance: the summary, and this month's projects and people.

    At most 100 of either, the dearest first; usage that names none is a row with null among the
    projects and left out of the people.
    """

    @ORGANIZATION_SUMMARY
    def get(self, request: Request, slug: str) -> HttpResponse:
        """Answer for the organization, 404 if the caller sees none of this slug."""
        viewer = viewer_of(request.user)
        organization = find_organization(viewer, slug)
        if organization is None:
            raise NotFound(f"There is no organization {slug!r}.")
        reader = ParameterReader(request.GET)
        frame = read_frame(reader, viewer, {ORGANIZATION: [organization.slug]})
        reader.finish()
        summary = read_summary(frame)
        return json_answer(
            {
                "organization": organization_as_json(organization),
                **frame_as_json(frame, summary.cards),
                **summary_as_json(summary),
                **breakdown_as_json(read_breakdown(frame)),
                "effective_limits": self.effective_limits(frame),
            }
        )
