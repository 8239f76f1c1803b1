from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_network
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from psycopg.conninfo import conninfo_to_dict

from config import env
from config.embedded import EmbeddedServer, data_folder, embedded_wanted


def test_a_database_url_becomes_django_settings() -> None:
    found = env.database("postgresql://ann:p%40ss@db.example:6432/ledger?sslmode=require")
    assert (found["HOST"], found["PORT"], found["NAME"]) == ("db.example", "6432", "ledger")
    assert (found["USER"], found["PASSWORD"]) == ("ann", "p@ss")
    assert found["OPTIONS"] == {"sslmode": "require", "prepare_threshold": None}


def test_a_unix_socket_url_keeps_its_folder() -> None:
    assert env.database("postgresql:///ledger?host=/run/pg")["HOST"] == "/run/pg"


def test_connections_work_behind_a_transaction_pooler() -> None:
    found = env.database("postgresql://h/d")
    assert found["DISABLE_SERVER_SIDE_CURSORS"] is True
    assert found["OPTIONS"]["prepare_threshold"] is None


def test_a_url_of_another_database_is_refused() -> None:
    with pytest.raises(ImproperlyConfigured, match="not a PostgreSQL URL"):
        env.database("mysql://h/d")


def test_without_a_url_the_embedded_server_is_used(tmp_path: Path) -> None:
    found = env.databases({"DATABASE_URL": ""}, tmp_path)
    assert found["default"]["HOST"] == str(EmbeddedServer(tmp_path).socket_folder)
    assert set(found) == {"default"}


def test_a_replica_is_an_alias_of_its_own(tmp_path: Path) -> None:
    environ = {"DATABASE_URL": "postgresql://a/d", "DATABASE_REPLICA_URL": "postgresql://b/d"}
    found = env.databases(environ, tmp_path)
    assert (found["default"]["HOST"], found["replica"]["HOST"]) == ("a", "b")
    assert found["replica"]["OPTIONS"]["connect_timeout"] == "2"


def test_the_queue_uses_the_same_database() -> None:
    options = env.broker_options(
        "pgmq://", env.database("postgresql://ann:pw@db:6432/ledger?sslmode=verify-full")
    )
    assert conninfo_to_dict(options["conn_string"]) == {
        "host": "db",
        "port": "6432",
        "dbname": "ledger",
        "user": "ann",
        "password": "pw",
        "sslmode": "verify-full",
    }
    assert options["init_extension"] is False


def test_another_broker_gets_no_database() -> None:
    options = env.broker_options("redis://r", env.database("postgresql://db/ledger"))
    assert "conn_string" not in options


def test_rabbitmq_confirms_what_it_has_taken() -> None:
    options = env.broker_options("amqp://r//", env.database("postgresql://db/ledger"))
    assert options == {"confirm_publish": True}


def test_a_given_secret_key_is_used(tmp_path: Path) -> None:
    assert env.secret_key({"SECRET_KEY": "given"}, tmp_path, debug=False) == "given"
    assert list(tmp_path.iterdir()) == []


def test_a_configured_database_needs_a_secret_key_outside_debug(tmp_path: Path) -> None:
    environ = {"DATABASE_URL": "postgresql://h/d"}
    with pytest.raises(ImproperlyConfigured, match="SECRET_KEY"):
        env.secret_key(environ, tmp_path, debug=False)
    assert env.secret_key(environ, tmp_path, debug=True)


def test_processes_that_start_at_once_agree_on_one_private_secret_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: env.secret_key({}, tmp_path, debug=False), range(40)))
    assert len(keys) == 1
    assert len(keys.pop()) >= 50
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]
    assert (tmp_path / "secret_key").stat().st_mode & 0o777 == 0o600


def test_the_data_folder_is_absolute_and_defaults_to_var() -> None:
    assert data_folder({}) == Path.cwd() / "var"
    assert data_folder({"TALLYMAN_DATA": "/srv/x"}) == Path("/srv/x")


def test_an_empty_database_url_means_embedded() -> None:
    assert embedded_wanted({"DATABASE_URL": ""})
    assert not embedded_wanted({"DATABASE_URL": "postgresql://h/d"})


def test_a_misspelt_time_zone_or_currency_stops_the_start() -> None:
    assert (env.time_zone("Asia/Kathmandu"), env.currency("EUR")) == ("Asia/Kathmandu", "EUR")
    for name in ("Mars/Olympus", "../etc/passwd", ""):
        with pytest.raises(ImproperlyConfigured, match="TALLYMAN_TIME_ZONE"):
            env.time_zone(name)
    for code in ("usd", "EURO", "", "€€€"):
        with pytest.raises(ImproperlyConfigured, match="TALLYMAN_CURRENCY"):
            env.currency(code)


def test_where_messages_may_go_and_link_to_is_checked_at_the_start() -> None:
    assert env.public_url("https://tally.example.org/costs/") == "https://tally.example.org/costs"
    for text in (
        "tally.example.org",
        "https://",
        "javascript:alert(1)",
        "https://a@b/",
        "http://a/?b",
    ):
        with pytest.raises(ImproperlyConfigured, match="TALLYMAN_PUBLIC_URL"):
            env.public_url(text)
    assert env.networks(["10.1.0.0/16", " fd00::/8"]) == (
        ip_network("10.1.0.0/16"), ip_network("fd00::/8"),
    )  # fmt: skip
    for text in ("10.1.0.1/16", "everything", ""):
        with pytest.raises(ImproperlyConfigured, match="TALLYMAN_ALLOWED_NETWORKS"):
            env.networks([text])
    assert env.address_starts(["https://hooks.slack.com"]) == ("https://hooks.slack.com/",)


def test_a_key_is_sent_by_https_or_to_this_machine_and_allowed_networks_only() -> None:
    allowed = env.networks(["10.1.0.0/16"])
    for text in (
        "https://api.example.org/", "http://127.0.0.1:9", "http://localhost:9", "http://[::1]:9",
        "http://10.1.2.3/proxy",
    ):  # fmt: skip
        assert env.service_url("X_URL", text, allowed) == text.rstrip("/")
    for text in (
        "http://api.example.org", "http://10.2.2.3", "ftp://127.0.0.1", "https://", "", "http://[",
        "https://user:pw@api.example.org", "https://api.example.org/?a=1", "api.example.org",
    ):  # fmt: skip
        with pytest.raises(ImproperlyConfigured, match="X_URL"):
            env.service_url("X_URL", text, allowed)
