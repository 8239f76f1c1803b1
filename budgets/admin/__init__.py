"""Admin pages of budgets."""

from budgets.admin.alerts import AlertAdmin
from budgets.admin.budgets import BudgetAdmin
from budgets.admin.channels import ChannelAdmin
from budgets.admin.decisions import DecisionAdmin
from budgets.admin.notices import NoticeAdmin
from budgets.admin.reservations import ReservationAdmin

__all__ = [
    "AlertAdmin",
    "BudgetAdmin",
    "ChannelAdmin",
    "DecisionAdmin",
    "NoticeAdmin",
    "ReservationAdmin",
]
