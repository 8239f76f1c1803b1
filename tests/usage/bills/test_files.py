import json
from datetime import date
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.usage.bills.provider import (
    NOON,
    YESTERDAY,
    a_source,
    anthropic_day,
    cost,
    page,
    used,
)
from usage.bills.files import BillFile, FileResult, import_files
from usage.bills.storing import Stored
from usage.bills.values import BillFault
from usage.models import BillLine, BillSource
from usage.selectors.bills import BillCell, bill_cells

pytestmark = pytest.mark.django_db
TODAY = NOON.date()
OCTOBER = date(2026, 10, 1)
ANTHROPIC_COST = """\
usage_date_utc,model,workspace,api_key,usage_type,context_window,token_type,cost_usd,list_price_usd,cost_type,inference_geo,speed
2026-11-03,Claude Opus 4.6,Default,key,message,≤ 200k,input_no_cache,1.50,1.50,token,global,
2026-11-03,Claude Opus 4.6,Default,other,message,≤ 200k,input_no_cache,0.25,0.25,token,global,
2026-11-03,Claude Opus 4.6,Shop,key,batch,≤ 200k,input_cache_write_1h,0.50,0.50,token,global,
2026-11-03,Claude 3.5 Sonnet 2024-10-22,Default,key,message,,output,2.00,2.00,token,global,
2026-11-03,,Default,key,,,,"1,000.10",,web_search,,
"""
ANTHROPIC_USAGE = """\
usage_date_utc,model_version,api_key,workspace,usage_type,context_window,usage_input_tokens_no_cache,usage_input_tokens_cache_write_5m,usage_input_tokens_cache_write_1h,usage_input_tokens_cache_read,usage_output_tokens,web_search_count,inference_geo,speed
2026-11-03,claude-opus-4-6,key,Default,standard,≤ 200k,100,20,3,4000,50,2,,
"""
OPENAI_COST = """\
start_time\tend_time\tstart_time_iso\tend_time_iso\tamount_value\tamount_currency\tline_item\tproject_id\torganization_id
1793664000\t1793750400\tx\ty\t0.5617712500000000\tusd\tgpt-4o-2024-08-06, input\tproj_1\torg
1793577600\t1793664000\tx\ty\t\t\t\t\t
"""
OPENAI_USAGE = """\
start_time,end_time,start_time_iso,end_time_iso,project_id,num_model_requests,user_id,api_key_id,model,batch,service_tier,input_tokens,output_tokens,input_cached_tokens
1793664000,1793750400,x,y,proj_1,10.0,u,k,gpt-4o-2024-08-06,TRUE,default,59200.0,10646.0,5760.0
1793577600,1793664000,x,y,,,,,,,,,,
"""
OPENROUTER = """\
Date,Slug,Usage,BYOK Usage,Requests,Prompt Tokens,Completion Tokens,Reasoning Tokens
"2026-11-03 00:00:00","anthropic/claude-opus-4.7","430.07","0","4115","70965665","3009973","12"
"""
OWN = """\
day,project,project_name,model,meter,amount,currency,input_tokens,output_tokens
2026-11-03,p1,Shop,gemini-2.5-pro,input_tokens,1.25,eur,,
2026-11-03,p1,Shop,gemini-2.5-pro,,,,1000,20
2026-11-03,,,,,9.99,USD,,
"""


def told(source: BillSource, *texts: str | bytes) -> FileResult:
    files = [
        BillFile(f"f{n}", text if isinstance(text, bytes) else text.encode())
        for n, text in enumerate(texts)
    ]
    return import_files(source, files, NOON)


def cells(source: BillSource) -> dict[tuple[str, str], BillCell]:
    found = bill_cells(source.pk, OCTOBER, TODAY)
    return {(cell.external_id, cell.model): cell for cell in found}


def body(*parts: dict[str, Any]) -> str:
    return page(*parts).body.decode()


def test_exports_of_anthropics_console_are_read_with_the_ids_of_their_models() -> None:
    source = a_source()
    told(source, ANTHROPIC_COST, "\ufeff" + ANTHROPIC_USAGE)
    found = cells(source)
    assert {place: cell.amounts for place, cell in found.items()} == {
        ("", "claude-opus-4-6"): {"input_tokens": Decimal("1.75")},
        ("Shop", "claude-opus-4-6"): {"cache_write_1h_tokens": Decimal("0.5")},
        ("", "claude-3-5-sonnet-20241022"): {"output_tokens": Decimal(2)},
        ("", ""): {"": Decimal("1000.1")},
    }
    assert found["", ""].descriptions == ["web_search"]
    assert found["", "claude-opus-4-6"].quantities == {
        "input_tokens": 4123, "cache_read_tokens": 4000, "cache_write_tokens": 23,
        "cache_write_1h_tokens": 3, "output_tokens": 50, "web_searches": 2,
    }  # fmt: skip


def test_exports_of_openai_are_read_with_tabs_or_commas_and_with_days_without_use() -> None:
    source = a_source(BillSource.Kind.OPENAI)
    result = told(source, OPENAI_COST, OPENAI_USAGE)
    assert result.stored.changed == {YESTERDAY, date(2026, 11, 2)}
    ((place, cell),) = cells(source).items()
    assert place == ("proj_1", "gpt-4o-2024-08-06")
    assert cell.amounts == {"input_tokens": Decimal("0.56177125")}
    assert cell.quantities == {
        "input_tokens": 59200, "cache_read_tokens": 5760, "output_tokens": 10646, "requests": 10,
    }  # fmt: skip
    assert BillLine.objects.get(amount=None).tier == "batch"


def test_a_file_of_any_provider_and_our_own_format_fit_a_source_of_files() -> None:
    source = a_source(BillSource.Kind.FILE)
    told(source, OPENROUTER)
    (cell,) = cells(source).values()
    assert (cell.total, cell.quantities["reasoning_tokens"]) == (Decimal("430.07"), 12)
    told(source, OWN.replace("Shop", "Sh\0op").replace("\n", "\r"))
    found = cells(source)
    gemini = found["p1", "gemini-2.5-pro"]
    assert (gemini.currency, gemini.amounts) == ("EUR", {"input_tokens": Decimal("1.25")})
    assert gemini.quantities == {"input_tokens": 1000, "output_tokens": 20}
    assert found["", ""].total == Decimal("9.99")
    assert source.bill_projects.get(external_id="p1").external_name == "Shop"


def test_saved_answers_are_read_one_by_one_as_lines_or_as_a_list_and_again_change_nothing() -> None:
    source = a_source()
    bill = body(anthropic_day(YESTERDAY, cost("12.3456789012345")))
    usage = body(anthropic_day(YESTERDAY, used()))
    first = told(source, bill, usage)
    assert first.stored.lines == 2
    assert BillLine.objects.get(amount__isnull=False).amount == Decimal("0.1234567890")
    kept = set(BillLine.objects.values_list("pk", flat=True))
    for again in ((f"{bill}\n{usage}",), (f"[{usage}, {bill}]",)):
        result = told(source, *again)
        assert result.stored == Stored(same=frozenset((YESTERDAY,)))
    assert set(BillLine.objects.values_list("pk", flat=True)) == kept


def test_days_that_are_not_over_are_left_out_and_files_without_lines_named() -> None:
    source = a_source()
    both = body(anthropic_day(YESTERDAY, cost("1")), anthropic_day(TODAY, cost("2")))
    result = told(source, both, body(anthropic_day(YESTERDAY)))
    assert result == FileResult(
        Stored(frozenset((YESTERDAY,)), lines=1), frozenset((TODAY,)), ("f1",)
    )
    assert BillLine.objects.count() == 1


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (OPENAI_COST, "It is no export of Anthropic that is known by its columns."),
        (
            body({"start_time": 1, "results": [{"object": "organization.costs.result"}]}),
            "It is no report of Anthropic that is known.",
        ),
        (ANTHROPIC_COST.replace("2.00,2.00", "much,2.00"), "line 5: 'much' is not a number."),
        (ANTHROPIC_COST.replace("2.00,2.00", "NaN,2.00"), "line 5: 'NaN' is not a number."),
        (ANTHROPIC_USAGE.replace(",100,", ",1.5,"), "line 2: '1.5' is not a count."),
        (ANTHROPIC_COST.replace("2.00,2.00", '"0,05",2.00'), "line 5: '0,05' is not a number."),
        (ANTHROPIC_USAGE.replace(",100,", ",1e999999,"), "line 2: '1e999999' is not a number."),
        (ANTHROPIC_USAGE.replace(",50,2", ",-5,2"), "line 2: It holds a count that cannot be one"),
        (ANTHROPIC_COST.replace("2026-11-03", "3 Nov"), "line 2: '3 Nov' is not a day."),
        (ANTHROPIC_COST + "2026-11-03,x\n", "line 7: it has too few columns."),
        ('{"data": [', "It is not JSON: Input data was truncated."),
        ('{"data": ' + "[" * 50_000, "It is not JSON: maximum recursion depth"),
        ('{"data": 5}', "It holds no page of a report."),
        ("", "It is no export of Anthropic"),
        (b"\xff\xfe\x00", "It is neither JSON nor a table in UTF-8."),
        ("x" * 200_000, "line 1: field larger than field limit"),
        (body(anthropic_day(YESTERDAY, cost("1e9999999"))), "It holds an amount that cannot be"),
        (body(anthropic_day(YESTERDAY, cost("1e30"))), "It holds an amount that cannot be one"),
        (body(anthropic_day(YESTERDAY, cost("1", currency="$"))), "It holds a currency that is"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_whole(text: str | bytes, fault: str) -> None:
    good = body(anthropic_day(YESTERDAY, cost("1")))
    with pytest.raises(BillFault, match="f1: ") as refused:
        told(a_source(), good, text)
    assert str(refused.value).removeprefix("f1: ").startswith(fault)
    assert not BillLine.objects.exists()


def test_the_command_stores_files_of_a_bill_by_its_name(tmp_path: Path) -> None:
    a_source()
    a_source(name="Twice")
    a_source(name="Twice", organization="globex")
    file = tmp_path / "cost.json"
    file.write_text(json.dumps({"data": [anthropic_day(OCTOBER, cost("150"))]}))
    out = StringIO()
    call_command("import", "bill", "--source", "The bill", str(file), stdout=out)
    assert out.getvalue() == "1 day with 1 line stored.\n"
    call_command("import", "bill", "--source", "Twice", "--organization", "globex", str(file))
    with pytest.raises(CommandError, match="add --organization"):
        call_command("import", "bill", "--source", "Twice", str(file))
    with pytest.raises(CommandError, match="there is no provider bill 'None such'"):
        call_command("import", "bill", "--source", "None such", str(file))
    file.write_text("?")
    with pytest.raises(CommandError, match="no export of Anthropic"):
        call_command("import", "bill", "--source", "The bill", str(file))
