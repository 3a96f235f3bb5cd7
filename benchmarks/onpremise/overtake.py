"""Another process that replicates partners to S/4HANA under the name of the hub: its messages are newer than the hub's."""

import base64
import time
import urllib.request
import uuid
from datetime import UTC, datetime

from benchmarks.home import S4_SECRET, S4_USER

PATH = "/sap/bc/srt/scs_ext/sap/businesspartnersuitebulkreplic?sap-client=100"
AHEAD_S = 1.0  # how far its order lies ahead of the clock: the hub's next message is newer again
MESSAGE = """\
<?xml version="1.0" encoding="utf-8"?>
<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/" xmlns:mdg="http://sap.com/xi/SAPGlobal20/Global">
<soap:Body><mdg:BusinessPartnerSUITEBulkReplicateRequest>
<MessageHeader><ID>{bulk}</ID><CreationDateTime>{now}</CreationDateTime></MessageHeader>
<BusinessPartnerSUITEReplicateRequestMessage>
<MessageHeader><ID>{single}</ID><CreationDateTime>{now}</CreationDateTime>
<SenderBusinessSystemID>L2CHUB</SenderBusinessSystemID></MessageHeader>
<BusinessPartner changeOrdinalNumberValue="{order}" actionCode="04">
<ReceiverInternalID>{number}</ReceiverInternalID>
</BusinessPartner>
</BusinessPartnerSUITEReplicateRequestMessage>
</mdg:BusinessPartnerSUITEBulkReplicateRequest></soap:Body></soap:Envelope>
"""


def overtake(url: str, number: str) -> None:
    """Send a newer message about that partner, in which nothing is different."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    order = int((time.time() + AHEAD_S) * 1000)
    names = {"bulk": uuid.uuid4().hex.upper(), "single": uuid.uuid4().hex.upper()}
    body = MESSAGE.format(**names, now=now, order=order, number=number.rjust(10, "0"))
    login = base64.b64encode(f"{S4_USER}:{S4_SECRET}".encode()).decode()
    headers = {"Content-Type": "text/xml; charset=utf-8", "Authorization": f"Basic {login}"}
    request = urllib.request.Request(url + PATH, data=body.encode(), headers=headers)
    with urllib.request.urlopen(request, timeout=30):
        pass
