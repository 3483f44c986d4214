"""`medcam evaluate`: is the model right, and right for the right reason?"""

from __future__ import annotations

import typer

from medcam.cli.evaluate_cohort import anatomy, units
from medcam.cli.evaluate_errors import errors
from medcam.cli.evaluate_faithfulness import faithfulness
from medcam.cli.evaluate_localisation import localisation
from medcam.cli.evaluate_record import drift, performance
from medcam.cli.evaluate_sanity import sanity
from medcam.cli.evaluate_shortcuts import shortcuts

app = typer.Typer(help="Measure a model on films whose truth is known.", no_args_is_help=True)
app.command()(localisation)
app.command()(anatomy)
app.command()(units)
app.command()(errors)
app.command()(shortcuts)
app.command()(performance)
app.command()(drift)
app.command()(faithfulness)
app.command()(sanity)
