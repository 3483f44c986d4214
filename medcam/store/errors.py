"""What the store says where the database does not do as it is asked."""

from __future__ import annotations

from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from medcam.core.errors import MedcamError


class StoreError(MedcamError):
    """The database cannot be used."""

    default_code = "store"
    default_next_step = "Check its address, the disk and the permissions; what was committed is kept."


class ConflictError(StoreError):
    """Somebody else wrote the same row at the same time."""

    default_code = "store-conflict"
    default_next_step = "Try it again."


def store_error(error: SQLAlchemyError) -> StoreError:
    """What an error of SQLAlchemy means here."""
    # Its text would quote statements with their values.
    cause = getattr(error, "orig", None)
    if isinstance(error, IntegrityError):
        return ConflictError(f"the database refuses a row ({type(cause).__name__})")
    return StoreError(f"the database cannot be used ({type(cause or error).__name__})")
