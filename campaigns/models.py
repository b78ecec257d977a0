"""Models of campaigns, by feature."""

from campaigns.briefs.models import BrandKit, Brief, BriefAsset, BriefVersion, Campaign
from campaigns.delivery.models import Export
from campaigns.planning.models import PlannerAsk, PlanRevision
from campaigns.review.models import Approval

__all__ = [
    "Approval",
    "BrandKit",
    "Brief",
    "BriefAsset",
    "BriefVersion",
    "Campaign",
    "Export",
    "PlanRevision",
    "PlannerAsk",
]
