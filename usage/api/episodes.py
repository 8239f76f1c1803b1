"""`GET /sessions/` and `/runs/`, and one session or run by its id."""

from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.http import HttpResponse
from django.urls import reverse
from rest_framework.exceptions import NotFound
from rest_framework.request import Request

from usage.api.parameters import MAX_PAGE, ParameterReader, default_start, page_link
from usage.api.reads import ReadView, json_answer
from usage.api.rendering.episodes import (
    detail_as_json,
    episode_as_json,
    events_path,
)
from usage.api.schema.episodes import RUN, RUNS, SESSION, SESSIONS
from usage.reports.status_line import status_line
from usage.selectors.access import Viewer, report_zone, viewer_of
from usage.selectors.currency import ledger_currency
from usage.selectors.episode_details import read_detail
from usage.selectors.episode_lists import FILTERS, ORDERS, EpisodeQuery, list_episodes
from usage.selectors.episodes import Episode, EpisodeKind, find_episode
from usage.selectors.filters import ORGANIZATION

PAGE = 100


class EpisodesView(ReadView):
    """Episodes whose first call lies between `from` and `to`, in pages.

    Without `to` they end with today, without `from` they start 30 days earlier.
    """

    kind: EpisodeKind

    def answer(self, request: Request) -> HttpResponse:
        """A page as JSON."""
        query = self.read(ParameterReader(request.GET), viewer_of(request.user))
        page = list_episodes(query)
        return json_answer(
            {
                "from": query.start,
                "to": query.end,
                "timezone": query.time_zone,
                "currency": ledger_currency(),
                "results": [episode_as_json(episode) for episode in page.episodes],
                "next": page_link(request, page.next_cursor),
                "previous": page_link(request, page.previous_cursor),
            }
        )

    def read(self, reader: ParameterReader, viewer: Viewer) -> EpisodeQuery:
        """What is asked. Raises ValidationError."""
        filters = {name: values for name in FILTERS if (values := reader.many(name))}
        zone = reader.zone(lambda: report_zone(viewer, filters.get(ORGANIZATION)))
        end = reader.bound("to") or datetime.now(ZoneInfo(zone)).date() + timedelta(days=1)
        query = EpisodeQuery(
            viewer=viewer,
            kind=self.kind,
            start=reader.bound("from") or default_start(end),
            end=end,
            time_zone=zone,
            filters=filters,
            order_by=reader.choice("order_by", ORDERS, ORDERS[0]),
            limit=reader.number("limit", PAGE, MAX_PAGE),
            cursor=reader.one("cursor"),
        )
        reader.finish()
        return query


class SessionsView(EpisodesView):
    """Sessions whose first call lies between `from` and `to`, newest first unless `order_by` says.

    Without `to` they end with today, without `from` they start 30 days earlier. Project and
    subject are those of the latest call, the model is the one most was spent on; sums hold the
    whole length, also beyond `to`. What was stored a moment ago may be missing.
    """

    kind = EpisodeKind.SESSION

    @SESSIONS
    def get(self, request: Request) -> HttpResponse:
        """List a page of sessions."""
        return self.answer(request)


class RunsView(EpisodesView):
    """Runs whose first call lies between `from` and `to`, newest first unless `order_by` says.

    Without `to` they end with today, without `from` they start 30 days earlier. Project and
    subject are those of the latest call, the model is the one most was spent on; sums hold the
    whole length, also beyond `to`. What was stored a moment ago may be missing.
    """

    kind = EpisodeKind.RUN

    @RUNS
    def get(self, request: Request) -> HttpResponse:
        """List a page of runs."""
        return self.answer(request)


class EpisodeView(ReadView):
    """One session or run: 404 if the caller sees none of this id."""

    kind: EpisodeKind

    def find(self, viewer: Viewer, episode_id: str, organization: str) -> Episode:
        """The episode meant. Raises NotFound and QuestionError."""
        episode = find_episode(viewer, self.kind, episode_id, organization or None)
        if episode is None:
            raise NotFound(f"There is no {self.kind} {episode_id!r}.")
        return episode

    def show(
        self, request: Request, viewer: Viewer, episode: Episode, currency: str
    ) -> HttpResponse:
        """The episode as JSON."""
        detail = detail_as_json(read_detail(viewer, episode, currency))
        events = f"{reverse('events')}?{events_path(episode)}"
        return json_answer({**detail, "events": request.build_absolute_uri(events)})


class SessionView(EpisodeView):
    """One conversation: its sums, averages, shares and models, and where its events are.

    With `format=line` one line of text for a prompt or status line, in the ledger's currency.
    Averages per minute are null for a single call. Where several organizations have a session
    of this id, `organization` says which.
    """

    kind = EpisodeKind.SESSION

    @SESSION
    def get(self, request: Request, session_id: str) -> HttpResponse:
        """Answer for the session."""
        viewer, reader = viewer_of(request.user), ParameterReader(request.GET)
        organization, currency = reader.one(ORGANIZATION), reader.one("currency")
        as_line = reader.choice("format", ("json", "line"), "json") == "line"
        reader.finish()
        episode = self.find(viewer, session_id, organization)
        if as_line:
            line = status_line(episode, self.budget_left(viewer, episode))
            return HttpResponse(f"{line}\n", content_type="text/plain; charset=utf-8")
        return self.show(request, viewer, episode, currency)

    def budget_left(self, viewer: Viewer, episode: Episode) -> Decimal | None:
        """How many percent are left of the budget of a session that leaves least, if of any."""
        return None


class RunView(EpisodeView):
    """One pipeline run: its sums, averages, shares and models, and where its events are.

    Averages per minute are null for a single call. Where several organizations have a run of
    this id, `organization` says which.
    """

    kind = EpisodeKind.RUN

    @RUN
    def get(self, request: Request, run_id: str) -> HttpResponse:
        """Answer for the run."""
        viewer, reader = viewer_of(request.user), ParameterReader(request.GET)
        organization, currency = reader.one(ORGANIZATION), reader.one("currency")
        reader.finish()
        episode = self.find(viewer, run_id, organization)
        return self.show(request, viewer, episode, currency)
