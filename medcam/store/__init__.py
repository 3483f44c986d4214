"""What medcam remembers: studies, reviews, jobs, the audit trail. The only package that knows SQLAlchemy."""

from medcam.store.answers import AnswerStore, GivenAnswer, SaidFinding
from medcam.store.engine import Store, open_store, sqlite_url
from medcam.store.errors import StoreError
from medcam.store.fair_claims import FairClaims
from medcam.store.film_records import KeptExplanation, KeptFinding, KeptModel, KeptRadiograph, pack_content
from medcam.store.films import FilmStore
from medcam.store.job_records import Job, JobState
from medcam.store.jobs import JobQueue
from medcam.store.noted import explanations_now, reviews_now
from medcam.store.readers import ReaderStore
from medcam.store.reviews import KeptReview, Reading, ReviewStore
from medcam.store.tokens import TokenStore
from medcam.store.trail import (
    GENESIS,
    AuditDraft,
    AuditEvent,
    AuditTrail,
    audit_events,
    audit_head,
    find_events,
    signed_message,
)
from medcam.store.worklist import Worklist

__all__ = [
    "GENESIS",
    "AnswerStore",
    "AuditDraft",
    "AuditEvent",
    "AuditTrail",
    "FairClaims",
    "FilmStore",
    "GivenAnswer",
    "Job",
    "JobQueue",
    "JobState",
    "KeptExplanation",
    "KeptFinding",
    "KeptModel",
    "KeptRadiograph",
    "KeptReview",
    "ReaderStore",
    "Reading",
    "ReviewStore",
    "SaidFinding",
    "Store",
    "StoreError",
    "TokenStore",
    "Worklist",
    "audit_events",
    "audit_head",
    "explanations_now",
    "find_events",
    "open_store",
    "pack_content",
    "reviews_now",
    "signed_message",
    "sqlite_url",
]
