"""English: the page Explore."""

from __future__ import annotations

from collections.abc import Mapping

EXPLORE: Mapping[str, str] = {
    "page.explore": "Explore",
    "explore.hand-in": "Hand in films of your own",
    "explore.promise": "A worker explains them. Nobody else sees them, no store has them unless you keep them, and "
    "they are let go of after {hours} hours.",
    "explore.drop": "DICOM files, ZIP or tar archives",
    "explore.model": "Model",
    "explore.explain": "Explain",
    "explore.earlier": "Handed in earlier",
    "explore.one": "{when} UTC, {files} files, {model}",
    "explore.waiting": "Waiting for a worker. Where none runs, `medcam work` starts one.",
    "explore.error-again": "The last try failed; it is tried again.",
    "explore.working": "{done} of {total} files",
    "explore.passed-over": "{refused} refused, {skipped} passed over",
    "explore.table.file": "File",
    "explore.table.code": "Code",
    "explore.table.reason": "Reason",
    "explore.table.next": "What to do",
    "explore.no-films": "None of the files is a frontal chest film that can be explained.",
    "explore.keep": "Keep in the store",
    "explore.keep-help": "The films and what the model said join the worklist, for all who may read there.",
    "explore.discard": "Let go of them now",
    "explore.close": "Hand in others",
    "explore.kept": "Kept: {studies} studies.",
    "explore.review": "Review this study",
}
