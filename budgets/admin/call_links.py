"""Columns that decisions and reservations share: whose call it was."""

from django.contrib import admin

from budgets.models import Decision, Reservation
from usage.admin.page_links import page_link


class CallLinks:
    """Columns of a list of calls that lead to the pages of whoever they were made for."""

    @admin.display(description="project")
    def project_page(self, call: Decision | Reservation) -> str:
        """The project's page."""
        project = call.project
        return page_link("project", call.organization, project.slug if project else None)

    @admin.display(description="person")
    def subject_page(self, call: Decision | Reservation) -> str:
        """The person's page."""
        subject = call.subject
        return page_link("subject", call.organization, subject.key if subject else None)
