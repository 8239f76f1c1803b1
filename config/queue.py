"""The queue in PostgreSQL as Celery's broker, over connections like those of the database."""

from django.conf import settings
from kombu.transport import pgmq
from pgmq import PGMQueue
from psycopg_pool import ConnectionPool


class Transport(pgmq.Transport):
    """Kombu's transport, which by itself would leave out everything of a connection string but
    host, database and user (TLS with it), and prepare statements that no pooler keeps."""

    def _create_pgmq_client(self) -> PGMQueue:
        options = settings.CELERY_BROKER_TRANSPORT_OPTIONS
        self._pool = ConnectionPool(
            options["conn_string"],
            kwargs={"prepare_threshold": None},
            min_size=1,
            max_size=options["pool_size"],
            timeout=options["pool_timeout"],
            open=True,
        )
        return PGMQueue(
            conn_string=options["conn_string"],
            vt=options["visibility_timeout"],
            init_extension=False,
            pool=self._pool,
        )

    def close_connection(self, connection: object) -> None:
        """Close the connection and the pool that is ours."""
        super().close_connection(connection)
        self._pool.close()
