"""The package's names load when they are used, and only the reading is paid for by those who read."""

from __future__ import annotations

import subprocess
import sys

import medcam.dicom


def test_every_public_name_has_a_home() -> None:
    homes = [name for names in medcam.dicom._HOMES.values() for name in names]
    assert sorted(homes) == sorted(medcam.dicom.__all__)
    for name in medcam.dicom.__all__:
        assert getattr(medcam.dicom, name) is not None


def test_reading_loads_no_writer() -> None:
    heavy = "{'highdicom', 'SimpleITK', 'torch', 'monai', 'scipy', 'pynetdicom', 'sqlalchemy'}"
    program = f"import sys, medcam.dicom.sandbox.template; print(*sorted({heavy} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.split() == []
