"""The iris example through the Azure ML Python SDK v2, unmodified. Run it with: zaffre exec -- /usr/bin/python3 sdk.py"""

import os
import tempfile
import uuid

from azure.ai.ml import Input, MLClient, Output, command
from azure.ai.ml.entities import (
    CodeConfiguration,
    Environment,
    ManagedOnlineDeployment,
    ManagedOnlineEndpoint,
    Model,
)
from azure.identity import DefaultAzureCredential

HERE = os.path.dirname(os.path.abspath(__file__))
IMAGE = "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04"


def local(*parts: str) -> str:
    return os.path.join(HERE, *parts)


ml = MLClient(
    DefaultAzureCredential(),
    os.environ["AZURE_SUBSCRIPTION_ID"],
    os.environ["ZAFFRE_RESOURCE_GROUP"],
    os.environ["ZAFFRE_WORKSPACE"],
)
environment = Environment(image=IMAGE, conda_file=local("conda.yml"))

job = ml.jobs.create_or_update(
    command(
        code=local("src"),
        command="python train.py --data ${{inputs.iris}} --C ${{inputs.C}} --model ${{outputs.model}}",
        inputs={"iris": Input(type="uri_file", path=local("data", "iris.csv")), "C": 0.8},
        outputs={"model": Output(type="uri_folder")},
        environment=environment,
        compute="cpu-cluster",
        experiment_name="iris",
        display_name="iris-from-the-sdk",
    )
)
ml.jobs.stream(job.name)
print("status:", ml.jobs.get(job.name).status)

with tempfile.TemporaryDirectory() as folder:
    ml.jobs.download(job.name, download_path=folder, output_name="model")
    print("downloaded:", sorted(name for _, _, names in os.walk(folder) for name in names))

model = ml.models.create_or_update(Model(name="iris-sdk", path=f"azureml://jobs/{job.name}/outputs/model", type="custom_model"))
print("model:", model.name, model.version)

name = "iris-sdk-" + uuid.uuid4().hex[:8]
ml.online_endpoints.begin_create_or_update(ManagedOnlineEndpoint(name=name, auth_mode="key")).result()
try:
    ml.online_deployments.begin_create_or_update(
        ManagedOnlineDeployment(
            name="blue",
            endpoint_name=name,
            model=model,
            environment=environment,
            code_configuration=CodeConfiguration(code=local("score"), scoring_script="score.py"),
            instance_type="Standard_DS3_v2",
            instance_count=1,
        )
    ).result()
    endpoint = ml.online_endpoints.get(name)
    endpoint.traffic = {"blue": 100}
    ml.online_endpoints.begin_create_or_update(endpoint).result()
    print("prediction:", ml.online_endpoints.invoke(endpoint_name=name, request_file=local("request.json")))
finally:
    ml.online_endpoints.begin_delete(name=name).result()
