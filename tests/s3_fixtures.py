"""A bucket of moto's S3, which enforces conditional writes, and whose objects whoever asks may read."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
import requests
from ecr_fixtures import ACCESS_KEY, REGION, SECRET_KEY
from moto.server import ThreadedMotoServer

AWS = {
    "AWS_ACCESS_KEY_ID": ACCESS_KEY,
    "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@dataclass(frozen=True)
class S3Server:
    """Its URL, for AWS_ENDPOINT_URL_S3, and a client that may do everything."""

    url: str
    client: Any

    def bucket(self, name: str) -> str:
        """A new bucket of that name, which may be read without credentials; its URL."""
        self.client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
        reading = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{name}/*"}
        self.client.put_bucket_policy(Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [reading]}))
        return f"{self.url}/{name}"

    def keys(self, bucket: str) -> dict[str, bytes]:
        """What lies in it, by key."""
        listed = self.client.list_objects_v2(Bucket=bucket).get("Contents", ())
        return {one["Key"]: self.get(bucket, one["Key"]) for one in listed}

    def get(self, bucket: str, key: str) -> bytes:
        """The bytes of an object."""
        data: bytes = self.client.get_object(Bucket=bucket, Key=key)["Body"].read()
        return data


@contextmanager
def running_s3() -> Iterator[S3Server]:
    """On a free port of this machine, in a thread of this process, whose servers before leave it nothing."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    requests.post(f"{url}/moto-api/reset", timeout=30).raise_for_status()
    client: Any = boto3.client(
        "s3", endpoint_url=url, region_name=REGION, aws_access_key_id=ACCESS_KEY, aws_secret_access_key=SECRET_KEY
    )
    try:
        yield S3Server(url, client)
    finally:
        server.stop()
