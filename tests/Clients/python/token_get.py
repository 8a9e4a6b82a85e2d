"""Asks for a token with the environment's credentials and prints nothing but the failure."""

import sys

from azure.core.exceptions import ClientAuthenticationError
from azure.identity import EnvironmentCredential

try:
    EnvironmentCredential().get_token("https://management.azure.com/.default")
except (ClientAuthenticationError, ValueError) as error:
    sys.exit(str(error))
