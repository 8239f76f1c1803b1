"""Template filters for budgets."""

from django import template

from budgets.links import budget_url, events_url

register = template.Library()
register.filter("budget_url", budget_url)
register.filter("budget_events_url", events_url)
