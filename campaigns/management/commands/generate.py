"""`manage.py generate BRIEF.yaml --out DIR`: the main job without a browser."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser


class Command(BaseCommand):
    help = "Make the ad of a brief file: plan, clips, masters, captions, thumbnails, package and report."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("brief", type=Path, help="brief file, as in examples/briefs")
        parser.add_argument("--out", type=Path, required=True, help="folder for the results")
        parser.add_argument("--json", action="store_true", help="print the report as JSON on standard output")
        parser.add_argument("--workspace", default="aurora", help="workspace by slug; made (simulated) if missing")
        parser.add_argument("--no-approve", action="store_true", help="leave approval and package to a person")
        parser.add_argument("--timeout", type=float, default=1800, help="seconds to wait for the job")
        parser.add_argument("--state-dir", help="folder of this installation's state (as GE_STATE_DIR)")

    def handle(self, *args: Any, **options: Any) -> None:
        from campaigns.cli.progress import ProgressBar
        from campaigns.cli.run import Order, generate
        from campaigns.cli.stack import running_stack

        if not options["brief"].is_file():
            raise CommandError(f"there is no brief file {options['brief']}; examples are in examples/briefs")
        order = Order(
            brief=options["brief"].resolve(),
            out=options["out"].resolve(),
            workspace=options["workspace"],
            approve=not options["no_approve"],
            timeout_s=options["timeout"],
        )
        try:
            with running_stack():
                report = generate(order, bar=ProgressBar(), say=self.stderr.write)
        except CommandError:
            raise
        except Exception as problem:
            if options["traceback"]:
                raise
            raise CommandError(f"{type(problem).__name__}: {problem}") from problem
        self._print(report, order, as_json=options["json"])

    def _print(self, report: dict[str, Any], order: Any, *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(report, indent=2, ensure_ascii=False))
            return
        for master in report["masters"]:
            quality = master["quality"] or {}
            self.stdout.write(f"{order.out / master['video']}  {quality.get('verdict')} {quality.get('score')}")
        if report["package"]:
            self.stdout.write(str(order.out / report["package"]))
        for reason in report["package_reasons"]:
            self.stderr.write(reason)
        self.stdout.write(f"{report['spend']['display']} spent, {report['seconds']} s")
