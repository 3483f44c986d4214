"""The command as a whole."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable

from .conftest import Ended

ORDER = ["demo", "annotate", "review", "models", "train", "phantom", "evaluate", "deidentify", "doctor"]


def test_help_lists_the_commands_in_the_order_of_a_days_work(medcam: Callable[..., Ended]) -> None:
    ended = medcam("--help")
    listed = [name for name in re.findall(r"^│ (\w+)  ", ended.out, flags=re.MULTILINE) if name in ORDER]
    assert ended.code == 0
    assert listed == ORDER
    assert "Not a medical device" in ended.out


def test_help_loads_no_heavy_library() -> None:
    script = (
        "import sys; sys.argv = ['medcam', '--help']\n"
        "from medcam.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'monai', 'streamlit', 'SimpleITK', 'pydicom', 'scipy', 'cv2'} & set(sys.modules)\n"
        "heavy |= {'sqlalchemy', 'alembic', 'cryptography'} & set(sys.modules)\n"
        "sys.exit(', '.join(sorted(heavy)) or 0)"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr


def test_an_unknown_command_and_option_are_wrong_calls(medcam: Callable[..., Ended]) -> None:
    assert medcam("dance").code == 2
    assert medcam("annotate", "--no-such-option").code == 2
    assert medcam().code == 2
