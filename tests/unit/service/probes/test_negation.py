"""What reports say of a phrase, in the wording of radiologists."""

from __future__ import annotations

import pytest

from medcam.core.errors import UsageError
from medcam.service.probes.negation import Phrase, Said, said_of

YES, DOUBT, NO, NOTHING = Said.AFFIRMED, Said.DOUBTED, Said.NEGATED, Said.NOTHING
ANGLE, EFFUSION, HEART = "blunted costophrenic angle", "pleural effusion", "enlarged heart"
PNEUMOTHORAX, OPACITY, NODULE, TUBE = "pneumothorax", "lower lobe opacity", "lung nodule", "endotracheal tube"

SENTENCES = [
    (ANGLE, "The left costophrenic angle is blunted.", YES),
    (ANGLE, "There is blunting of the right costophrenic angle.", YES),
    (ANGLE, "Blunted costophrenic angles bilaterally.", YES),
    (ANGLE, "Mild blunting of both costophrenic angles, unchanged.", YES),
    (ANGLE, "No blunting of the costophrenic angles.", NO),
    (ANGLE, "The costophrenic angles are not blunted.", NO),
    (ANGLE, "The costophrenic angles are sharp.", NOTHING),
    (ANGLE, "Costophrenic angles are sharp without blunting.", NO),
    (ANGLE, "Possible blunting of the left costophrenic angle.", DOUBT),
    (ANGLE, "Blunting of the costophrenic angle may represent scarring.", YES),
    (EFFUSION, "Small left pleural effusion.", YES),
    (EFFUSION, "There are bilateral pleural effusions.", YES),
    (EFFUSION, "Pleural effusion on the right has increased.", YES),
    (EFFUSION, "No significant change in the left pleural effusion.", YES),
    (EFFUSION, "The right pleural effusion is not significantly changed.", YES),
    (EFFUSION, "No pleural effusion or pneumothorax.", NO),
    (EFFUSION, "No focal consolidation, pleural effusion or pneumothorax.", NO),
    (EFFUSION, "There is no evidence of a pleural effusion.", NO),
    (EFFUSION, "No consolidation, edema or pleural effusion is seen.", NO),
    (EFFUSION, "Lungs are clear without pleural effusion.", NO),
    (EFFUSION, "Pleural effusion is not seen.", NO),
    (EFFUSION, "The pleural effusion has resolved.", NO),
    (EFFUSION, "Interval resolution of the pleural effusion.", NO),
    (EFFUSION, "A pleural effusion cannot be excluded.", DOUBT),
    (EFFUSION, "Opacity at the base, atelectasis versus pleural effusion.", DOUBT),
    (EFFUSION, "Findings suggest a small pleural effusion.", DOUBT),
    (EFFUSION, "Indication: pleural effusion. Findings: The lungs are clear.", NOTHING),
    (EFFUSION, "History: known pleural effusion.\nFindings: Persistent pleural effusion.", YES),
    (EFFUSION, "Comparison: prior film with pleural effusion.\nImpression: No pleural effusion.", NO),
    (EFFUSION, "The pleura is thickened. No pericardial effusion.", NOTHING),
    (EFFUSION, "Pleural fluid on the left.", NOTHING),
    (HEART, "The heart is enlarged.", YES),
    (HEART, "Heart is mildly enlarged, lungs are clear.", YES),
    (HEART, "Enlargement of the heart.", YES),
    (HEART, "No effusion, but the heart is enlarged.", YES),
    (HEART, "There is no effusion and the heart is enlarged.", YES),
    (HEART, "No effusion is seen, the heart is enlarged.", YES),
    (HEART, "Clear lungs, the heart is enlarged.", YES),
    (HEART, "The heart is not enlarged.", NO),
    (HEART, "The heart is normal in size.", NOTHING),
    (HEART, "The heart is normal and the aorta is enlarged.", NOTHING),
    (HEART, "Heart size is normal. The hila are enlarged.", NOTHING),
    (PNEUMOTHORAX, "Large right pneumothorax with collapse of the lung.", YES),
    (PNEUMOTHORAX, "Apical pneumothorax, 2.5 cm in depth.", YES),
    (PNEUMOTHORAX, "No pneumothorax after removal of the chest tube.", NO),
    (PNEUMOTHORAX, "Pneumothorax is no longer visible.", NO),
    (PNEUMOTHORAX, "Negative for pneumothorax.", NO),
    (PNEUMOTHORAX, "Chest tube in place without definite pneumothorax.", NO),
    (PNEUMOTHORAX, "Neither effusion nor pneumothorax is present.", NO),
    (PNEUMOTHORAX, "Rule out pneumothorax.", DOUBT),
    (PNEUMOTHORAX, "Status post pneumothorax.", NOTHING),
    (PNEUMOTHORAX, "A skin fold should not be mistaken; no effusion. Small pneumothorax persists.", YES),
    (OPACITY, "Opacities in the left lower lobe.", YES),
    (OPACITY, "Left lower lobe airspace opacity has worsened.", YES),
    (OPACITY, "Opacity in the upper lobe, lower lobes are clear.", NOTHING),
    (OPACITY, "No lower lobe opacity.", NO),
    (OPACITY, "Lower lobe opacity is likely atelectasis.", YES),
    (NODULE, "A 9 mm nodule projects over the right lung.", YES),
    (NODULE, "Multiple lung nodules.", YES),
    (NODULE, "The lungs are free of nodules.", NO),
    (NODULE, "Nodules are absent from the lungs.", NO),
    (EFFUSION, "Pleural effusion: none.", NO),
    (EFFUSION, "Pleural effusion or pneumothorax: no", NO),
    (EFFUSION, "The pleural effusion has not resolved.", YES),
    (EFFUSION, "The left pleural effusion has cleared, the right pleural effusion persists.", YES),
    (EFFUSION, "No pleural effusion on the right but a moderate pleural effusion on the left.", YES),
    (EFFUSION, "No pneumothorax\nSmall pleural effusion", YES),
    (EFFUSION, "No pneumothorax or\npleural effusion.", NO),
    (EFFUSION, "1. Cardiomegaly\n2. No pleural effusion", NO),
    (PNEUMOTHORAX, "Previously noted pneumothorax is smaller.", YES),
    (PNEUMOTHORAX, "Previously noted pneumothorax has resolved.", NO),
    (PNEUMOTHORAX, "No new pneumothorax.", NO),
    (PNEUMOTHORAX, "There is no appreciable change in the small pneumothorax.", YES),
    (OPACITY, "Opacity in the lower lobe not present on the prior film.", YES),
    (OPACITY, "Lower lobe opacity, not previously seen.", YES),
    (NODULE, "No suspicious lung nodule.", NO),
    (NODULE, "Density suspicious for a lung nodule.", DOUBT),
    ("calcified granuloma", "Calcified granulomata, no suspicious nodule.", YES),
    ("tortuous aorta", "Tortuosity of the aorta.", YES),
    ("chest tube", "Right chest tube remains in place, no pneumothorax.", YES),
    ("compression deformity", "Kyphosis is noted with no compression deformity.", NO),
    ("elevated hemidiaphragm", "The right hemidiaphragm is chronically elevated.", YES),
    ("hilar lymphadenopathy", "No mediastinal or hilar lymphadenopathy.", NO),
    ("vascular congestion", "Heart is not enlarged. There is vascular congestion.", YES),
    (EFFUSION, "A pleural effusion is possible.", DOUBT),
    (EFFUSION, "Pleural effusion may be present on the left.", DOUBT),
    (EFFUSION, "Pleural effusion versus thickening.", DOUBT),
    (EFFUSION, "Pleural effusion with possible underlying consolidation.", YES),
    (EFFUSION, "There is a pleural effusion which may be loculated.", YES),
    ("cavitary lesion", "Cavitary lesion in the upper lobe, concerning for tuberculosis.", YES),
    ("tuberculosis", "Cavitary lesion in the upper lobe, concerning for tuberculosis.", DOUBT),
    ("calcified granuloma", "Calcified granulomas on the left.", YES),
    ("widened mediastinum", "Mediastinal widening is present.", YES),
    ("widened mediastinum", "The mediastinum is not widened.", NO),
    ("tracheal deviation", "The trachea is midline without deviation.", NO),
    (TUBE, "Endotracheal tube ends 4 cm above the carina.", YES),
    (TUBE, "The endotracheal tube has been removed.", NO),
    (TUBE, "Interval removal of the endotracheal tube.", NO),
    (TUBE, "The nasogastric tube ends in the stomach.", NOTHING),
]


@pytest.mark.parametrize(("phrase", "report", "said"), SENTENCES, ids=lambda value: str(value)[:60])
def test_what_a_sentence_says(phrase: str, report: str, said: Said) -> None:
    assert said_of(Phrase(phrase), report) == said


def test_one_affirming_sentence_outweighs_others() -> None:
    report = "No pleural effusion on the right. Possible scarring. Small left pleural effusion."
    assert said_of(Phrase(EFFUSION), report) == YES
    assert said_of(Phrase(EFFUSION), "No pleural effusion. A small pleural effusion is possible.") == DOUBT


def test_words_are_found_in_any_form_and_order_but_not_far_apart() -> None:
    phrase = Phrase("calcified granuloma")
    assert said_of(phrase, "Granuloma with calcification.") == YES
    far = "Calcified aorta with tortuous course along the whole of the spine next to a granuloma."
    assert said_of(phrase, far) == NOTHING


def test_a_phrase_without_words_is_refused() -> None:
    with pytest.raises(UsageError) as error:
        Phrase("of the")
    assert error.value.code == "probe-phrase"


def test_long_reports_take_no_long_time() -> None:
    report = ("No " + "the lungs are clear and " * 4000 + ", ") * 2
    assert said_of(Phrase(ANGLE), report) == NOTHING
