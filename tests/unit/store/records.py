"""Studies, films and explanations with numbers for names."""

from __future__ import annotations

from medcam.core.study import Study
from medcam.store import KeptExplanation, KeptFinding, KeptModel, KeptRadiograph, pack_content

CARD = KeptModel("c" * 64, "tiny", "1", "w" * 64, "{}")


def study(number: int, **values: str) -> Study:
    return Study(id=f"{number:016x}", uid=f"1.2.{number}", **values)


def film(number: int, study_number: int = 0, **values: object) -> KeptRadiograph:
    given = {"sha256": f"{number:064x}", "source": f"/films/{number}.dcm", "view": "PA", "display": {"rows": 4}}
    fields = {**given, "attributes": {"PatientSex": "F"}, **values}
    return KeptRadiograph(id=f"{number:016x}", study_id=f"{study_number:016x}", uid=f"1.3.{number}", **fields)


def explanation(request: str, *findings: KeptFinding, rank: float = 0.0, created: float = 5.0) -> KeptExplanation:
    return KeptExplanation(
        request=request,
        card_sha256=CARD.card_sha256,
        model="tiny",
        version="1",
        weights_sha256="w" * 64,
        method="cam",
        flagged=False,
        rank=rank,
        findings=findings,
        packed=pack_content(f"{request} of {created}".encode()),
        created=created,
    )
