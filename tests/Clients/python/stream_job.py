"""Streams a job as a notebook would, and says how it ended: stream_job.py JOB."""

import os
import sys

from azure.ai.ml import MLClient
from azure.identity import DefaultAzureCredential

client = MLClient(DefaultAzureCredential(), os.environ["AZURE_SUBSCRIPTION_ID"], os.environ["ZAFFRE_RESOURCE_GROUP"], os.environ["ZAFFRE_WORKSPACE"])
try:
    client.jobs.stream(sys.argv[1])
except BaseException as error:
    print(f"ended: {type(error).__name__}: {error}", file=sys.stderr)
    sys.exit(3)
