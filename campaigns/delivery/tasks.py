"""Build export packages in a worker."""

import logging
import tempfile
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import InterfaceError, OperationalError

from campaigns.delivery import services
from campaigns.delivery.models import Export
from campaigns.delivery.package import build_package
from campaigns.delivery.states import ExportState
from genengine.core import clock
from jobs.execution import leases

log = logging.getLogger(__name__)


def build_export(export_id: UUID) -> None:
    """Build, check and store one package under a lease."""
    owner = leases.new_owner()
    export = services.claim_export(export_id=export_id, owner=owner, now=clock.now())
    if export is None:
        return

    def wanted() -> bool:
        return Export.objects.filter(pk=export_id, state=ExportState.BUILDING).exists()

    work = Path(settings.GE_WORK_DIR)
    work.mkdir(parents=True, exist_ok=True)
    with (
        leases.heartbeat(Export, export_id, owner, wanted=wanted),
        tempfile.TemporaryDirectory(prefix="export-", dir=work) as folder,
    ):
        try:
            package, manifest = build_package(export, Path(folder))
            services.finish_export(
                export_id=export_id, owner=owner, package=package, manifest=manifest, now=clock.now()
            )
        except leases.LeaseLost:
            return
        except (OperationalError, InterfaceError):
            raise
        except Exception as problem:
            log.warning("building an export failed", extra={"export": str(export_id)}, exc_info=True)
            services.export_failed(export_id=export_id, owner=owner, cause=str(problem)[:300], now=clock.now())
