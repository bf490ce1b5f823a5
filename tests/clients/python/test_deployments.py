"""DeploymentApi: not served; every call is refused as v1.1 refuses."""

from engine import NOWHERE, ClientTest
from smooch import DeploymentActivatePhoneNumber, DeploymentApi, DeploymentConfirmCode, DeploymentCreate


class Deployments(ClientTest):
    def test_deployments_are_not_served(self):
        api = DeploymentApi()
        activation = DeploymentActivatePhoneNumber(
            verified_name_certificate="certificate", phone_number="+14165550142", method="sms"
        )
        calls = {
            "create": lambda: api.create_deployment(DeploymentCreate(hosting="smooch")),
            "list": lambda: api.list_deployments(),
            "get": lambda: api.get_deployment(NOWHERE),
            "activate": lambda: api.activate_phone_number(NOWHERE, activation),
            "confirm": lambda: api.confirm_code(NOWHERE, DeploymentConfirmCode(code="123456")),
            "delete": lambda: api.delete_deployment(NOWHERE),
        }
        for call, ask in calls.items():
            with self.subTest(call), self.refused((404, 405)):
                ask()
