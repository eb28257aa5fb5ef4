"""boto3 as a client of a server that verifies signatures: SQS, SNS and presigned URLs.

Usage: boto3_signed.py PORT ACCESS_KEY SECRET_KEY
"""

import json
import sys
import urllib.error
import urllib.request
import uuid

import boto3
from botocore.exceptions import ClientError

port, key, secret = sys.argv[1:4]
name = "signed-" + uuid.uuid4().hex


def client(service, secret_key=secret):
    return boto3.client(
        service,
        endpoint_url=f"http://127.0.0.1:{port}",
        region_name="eu-west-1",
        aws_access_key_id=key,
        aws_secret_access_key=secret_key,
    )


sqs, sns = client("sqs"), client("sns")

# A queue that subscribes to a topic, with a filter.
url = sqs.create_queue(QueueName=name)["QueueUrl"]
arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
topic = sns.create_topic(Name=name, Tags=[{"Key": "team", "Value": "x"}])["TopicArn"]
subscription = sns.subscribe(
    TopicArn=topic,
    Protocol="sqs",
    Endpoint=arn,
    Attributes={"FilterPolicy": json.dumps({"colour": [{"prefix": "r"}]})},
    ReturnSubscriptionArn=True,
)["SubscriptionArn"]
for colour in ["red", "blue"]:
    sns.publish(
        TopicArn=topic,
        Subject="News",
        Message=f"a {colour} one, é & <b> \"q\"\r\n",
        MessageAttributes={"colour": {"DataType": "String", "StringValue": colour}},
    )
messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
bodies = [json.loads(message["Body"]) for message in messages]
assert [body["Message"] for body in bodies] == ["a red one, é & <b> \"q\"\r\n"], bodies
assert bodies[0]["Subject"] == "News" and bodies[0]["TopicArn"] == topic, bodies
assert sns.list_tags_for_resource(ResourceArn=topic)["Tags"] == [{"Key": "team", "Value": "x"}]
pages = sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
assert [one["SubscriptionArn"] for page in pages for one in page["Subscriptions"]] == [subscription]
batch = sns.publish_batch(
    TopicArn=topic,
    PublishBatchRequestEntries=[{"Id": "a", "Message": "1"}, {"Id": "b", "Message": "2"}],
)
assert [one["Id"] for one in batch["Successful"]] == ["a", "b"], batch

# A topic that is not there.
try:
    sns.publish(TopicArn=topic + "-gone", Message="m")
    raise AssertionError("a topic that is not there was found")
except sns.exceptions.NotFoundException:
    pass

# A wrong secret.
for service, operation in [("sqs", "list_queues"), ("sns", "list_topics")]:
    try:
        getattr(client(service, "guess"), operation)()
        raise AssertionError("a wrong secret was accepted")
    except ClientError as error:
        code = error.response["Error"]["Code"]
        assert code in ["SignatureDoesNotMatch", "InvalidSignatureException"], code
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 403, error.response

# A presigned URL, which carries its signature in the query.
presigned = sns.generate_presigned_url("list_topics", ExpiresIn=60, HttpMethod="GET")
with urllib.request.urlopen(presigned) as answer:
    assert topic in answer.read().decode()
try:
    urllib.request.urlopen(presigned.replace("ListTopics", "ListSubscriptions"))
    raise AssertionError("a changed URL was accepted")
except urllib.error.HTTPError as error:
    assert error.code == 403 and b"SignatureDoesNotMatch" in error.read()

sns.unsubscribe(SubscriptionArn=subscription)
sns.delete_topic(TopicArn=topic)
sqs.delete_queue(QueueUrl=url)
