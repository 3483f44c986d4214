"""Korean: the page Explore."""

from __future__ import annotations

from collections.abc import Mapping

EXPLORE: Mapping[str, str] = {
    "page.explore": "탐색",
    "explore.hand-in": "내 영상 올리기",
    "explore.promise": "작업자 프로세스가 설명을 만듭니다. 다른 사람은 볼 수 없고, 보관을 선택하지 않으면 저장소에 "
    "남지 않으며, {hours}시간 뒤에 지워집니다.",
    "explore.drop": "DICOM 파일, ZIP 또는 tar 묶음",
    "explore.model": "모델",
    "explore.explain": "설명 만들기",
    "explore.earlier": "앞서 올린 것",
    "explore.one": "{when} UTC, 파일 {files}개, {model}",
    "explore.waiting": "작업자를 기다리는 중입니다. 없으면 `medcam work`로 시작하십시오.",
    "explore.error-again": "지난 시도가 실패해 다시 시도합니다.",
    "explore.working": "파일 {total}개 중 {done}개",
    "explore.passed-over": "거부 {refused}개, 제외 {skipped}개",
    "explore.table.file": "파일",
    "explore.table.code": "코드",
    "explore.table.reason": "이유",
    "explore.table.next": "할 일",
    "explore.no-films": "설명할 수 있는 정면 흉부 영상이 없습니다.",
    "explore.keep": "저장소에 보관",
    "explore.keep-help": "영상과 모델의 설명이 판독 목록에 들어가, 그곳을 읽을 수 있는 모두에게 보입니다.",
    "explore.discard": "지금 지우기",
    "explore.close": "다른 영상 올리기",
    "explore.kept": "보관했습니다: 검사 {studies}건.",
    "explore.review": "이 검사 판독하기",
}
