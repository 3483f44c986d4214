"""What medcam remembers between runs, in a database: the jobs. The only package that knows SQLAlchemy."""

from medcam.store.engine import Store, StoreError, open_store, sqlite_url
from medcam.store.jobs import Job, JobQueue, JobState

__all__ = ["Job", "JobQueue", "JobState", "Store", "StoreError", "open_store", "sqlite_url"]
