"""`dandelion service campaigns rest rpc relay project process`, or `migrate`."""

from kernel.host.main import main
from services.campaigns.settings import CampaignsSettings
from services.campaigns.wiring import SERVICE

main(SERVICE, CampaignsSettings)
