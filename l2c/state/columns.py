"""Column types both databases share."""

from sqlalchemy import Dialect, LargeBinary


class Bytes(LargeBinary):
    """Bytes as the drivers take and give them, without a wrapper per value."""

    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> None:
        """Nothing to do: bytes go in as they are."""

    def result_processor(self, dialect: Dialect, coltype: object) -> None:
        """Nothing to do: bytes come out as they are."""
