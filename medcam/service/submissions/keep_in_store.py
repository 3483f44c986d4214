"""Moves the films of a submission into the store, for readers to read: nothing is computed again."""

from __future__ import annotations

from medcam.core.explanation import Explanation
from medcam.service.audit.events import note
from medcam.service.explanations.explanation_json import explanation_from_dict
from medcam.service.studies.keep import FilmToKeep, Keeper
from medcam.service.studies.opened import OpenedStore
from medcam.service.submissions.box import SubmissionBox
from medcam.service.submissions.submission import Submission


def keep_in_store(opened: OpenedStore, box: SubmissionBox, submission: Submission) -> list[str]:
    """Keeps all explained films of a submission in a store, as `medcam annotate --store` would have.

    Args:
        opened: The store.
        box: Where the submission lies.
        submission: It stays there until it is let go of.

    Returns:
        Ids of the studies that the films belong to.

    Raises:
        InputError: A film was let go of meanwhile, or another film of its UID is in the store (code `duplicate-uid`).
        StoreError: The database cannot be used. What was kept until then stays; doing it again completes it.
    """
    films, inputs = box.films(submission), box.folder_of(submission.id).inputs
    keeper = Keeper.of(opened, films.card())
    kept = []
    for held in films.all():
        explanation: Explanation = explanation_from_dict(held.explanation)
        data = films.source(held, inputs)
        film = FilmToKeep(held.study, held.film, films.pixels(held.film.sha256), path=None, data=data)
        keeper.keep(film, explanation, held.request)
        kept.append(held)
    studies = sorted({held.study.id for held in kept})
    body = {"submission": submission.id, "films": [held.film.id for held in kept], "studies": studies}
    note(opened, "submission-kept", submission.owner, body)
    return studies
