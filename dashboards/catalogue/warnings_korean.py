"""Korean for the warnings of a film, which records hold in English: a pattern of the English, and the words for it.

Groups of the pattern stand in their order where the words have {0}, {1} and so on. A keyword of DICOM stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

_CHECK = "판독 전에 확인하십시오"
_WORDS: Sequence[tuple[str, str]] = (
    # The grey-scale pipeline.
    (
        r"(.+) would make pixels more than (\S+) times as long as wide: it is ignored",
        "{0}: 화소의 가로세로 비가 {1}배를 넘어 무시했습니다",
    ),
    (r"(.+) is not two positive numbers: it is ignored", "{0}: 양수 두 개가 아니어서 무시했습니다"),
    (
        r"the image is in colour and was turned to grey.*",
        "컬러 영상을 회색조로 바꾸었습니다. 표시가 들어 있는 화면 캡처일 수 있습니다",
    ),
    (r"(.+) is missing: one was derived from the content", "{0}: 값이 없어 파일 내용에서 만들었습니다"),
    (r"(.+) is not a valid UID", "{0}: 올바른 UID가 아닙니다"),
    (r"the image is raw \(for processing\).*", "처리용 원본(FOR PROCESSING) 영상으로, 판독용으로 만든 것이 아닙니다"),
    (r"the image has burned-in annotation", "영상에 글자가 새겨져 있습니다"),
    (r"the image has overlay graphics, which are not shown", "영상의 오버레이 그래픽은 표시하지 않습니다"),
    (
        r"Number of Frames is not positive: read as one frame",
        "Number of Frames가 양수가 아니어서 한 프레임으로 읽었습니다",
    ),
    (
        r"the pixel data are (\d+) bytes longer than one frame: the rest is ignored",
        "화소 데이터가 한 프레임보다 {0}바이트 길어 나머지를 무시했습니다",
    ),
    (
        r"Photometric Interpretation is missing: polarity is a guess",
        f"Photometric Interpretation이 없어 명암 방향을 추정했습니다. {_CHECK}",
    ),
    (r"(.+) is missing: read as (.+)", "{0}: 값이 없어 {1}(으)로 읽었습니다"),
    (r"the file offers (\d+) windows: the first one is shown", "파일에 윈도가 {0}개 있어 첫 번째로 표시합니다"),
    (r"Window Width is not valid: the window is ignored", "Window Width가 올바르지 않아 윈도를 무시했습니다"),
    (r"the file offers (\d+) VOI LUTs: the first one is shown", "파일에 VOI LUT이 {0}개 있어 첫 번째로 표시합니다"),
    (r"the VOI LUT is broken and is ignored", "VOI LUT이 손상되어 무시했습니다"),
    (
        r"a VOI LUT of (\d+) bits uses (\d+): shown as one of \d+",
        "{0}비트 VOI LUT이 {1}비트만 사용하여 {1}비트로 표시합니다",
    ),
    (r"VOI LUT Function is unknown: shown as LINEAR", "VOI LUT Function을 알 수 없어 LINEAR로 표시합니다"),
    (r"(.+) cannot be read and is ignored", "{0}: 읽을 수 없어 무시했습니다"),
    (r"(.+) is not a number and is ignored", "{0}: 숫자가 아니어서 무시했습니다"),
    (r"(.+) is not a whole number and is ignored", "{0}: 정수가 아니어서 무시했습니다"),
    (r"a lookup table is shorter than its descriptor says", "룩업 테이블이 기술된 길이보다 짧습니다"),
    (
        r"the transfer syntax does not match the pixel data.*",
        "전송 구문이 화소 데이터와 맞지 않아 데이터에서 코덱을 찾았습니다",
    ),
    (
        r"the transfer syntax names a codec, the pixel data are not compressed",
        "전송 구문은 압축을 가리키지만 화소 데이터는 압축되어 있지 않습니다",
    ),
    (
        r"every pixel has the padding value: no padding assumed",
        "모든 화소가 패딩 값이어서 패딩이 없는 것으로 보았습니다",
    ),
    (r"Rescale Slope is 0 and is ignored", "Rescale Slope가 0이어서 무시했습니다"),
    (
        r"Pixel Intensity Relationship Sign contradicts the polarity.*",
        "Pixel Intensity Relationship Sign이 영상의 명암 방향과 다릅니다. 폐가 어둡게 보이는지 확인하십시오",
    ),
    (
        r"the JPEG scan header is wrong \(spectral selection\).*",
        "JPEG 스캔 헤더가 잘못되어(spectral selection) 가능한 유일한 값으로 읽었습니다",
    ),
    (
        r"decoded by GDCM \(SimpleITK\).*",
        "GDCM(SimpleITK)으로 복호화했습니다. 이 전송 구문의 pydicom 플러그인이 없습니다",
    ),
    # Whether the model is made for the film.
    (
        r"(.+): the file's attributes do not say that this is a frontal chest film",
        "파일의 속성으로는 흉부 정면 영상인지 알 수 없습니다 ({0})",
    ),
    (
        r"(.+), by the file's own attributes: the model is made for frontal chest films",
        "모델은 흉부 정면 영상용인데 파일의 속성은 다릅니다 ({0})",
    ),
    (
        r"the model has no out-of-distribution gate.*",
        "이 모델에는 분포 외 검사가 없어 학습 영상과 비슷한지 알 수 없습니다",
    ),
    # Its maps.
    (r"no ledger of evidence: the logit is (.+)", "근거 장부가 없습니다. 로짓은 {0}입니다"),
    (
        r"maps by (.+?) \((.+?)\) of the (\S+) layer: no ledger of evidence.*",
        "{2} 층의 {0} 지도({1})입니다. 로짓으로 더해지는 것은 클래스 활성화 지도뿐이어서 근거 장부가 없고, "
        "영역은 논문의 규칙만 따르며, 색은 영상마다 따로 맞춥니다",
    ),
    (
        r"(.+) asks no finding: the map is the same for all of them",
        "{0}: 소견을 구분하지 않아 모든 소견의 지도가 같습니다",
    ),
    (
        r"(.+) is a control that is known to be bad: never read it as an explanation",
        "{0}: 잘못된 것으로 알려진 대조군이므로 설명으로 읽지 마십시오",
    ),
    (r"engine: (.+?) is not used: (.+)", "엔진 {0}은(는) 사용하지 않았습니다: {1}"),
    (
        r"made from an array: denser is taken to be brighter; view, spacing and sides are not known",
        "배열에서 만든 영상입니다. 조밀한 곳을 밝게 보았으며 촬영 방향, 화소 간격, 좌우는 알 수 없습니다",
    ),
)
_PATTERNS = tuple((re.compile(english, re.DOTALL), korean) for english, korean in _WORDS)


@lru_cache(maxsize=256)
def korean_warning(warning: str) -> str | None:
    """The Korean words of a warning; None where there are none, and then the English stands."""
    for pattern, words in _PATTERNS:
        found = pattern.fullmatch(warning)
        if found:
            return words.format(*found.groups())
    return None
