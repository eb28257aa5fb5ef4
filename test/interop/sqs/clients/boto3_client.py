"""boto3 against the server: boto3_client.py PORT SCENARIO PROTOCOL. Exits with 0 if all is as it should be."""

import sys
import uuid

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

port, scenario, protocol = sys.argv[1:]
arguments = dict(
    endpoint_url=f"http://127.0.0.1:{port}",
    region_name="eu-west-1",
    aws_access_key_id="123456789012",
    aws_secret_access_key="any",
    config=Config(retries={"total_max_attempts": 1}),
)
sqs = boto3.client("sqs", **arguments)
assert sqs.meta.service_model.metadata["protocol"] == protocol, sqs.meta.service_model.metadata


def name(suffix=""):
    return f"orders-{uuid.uuid4().hex[:12]}{suffix}"


def work():
    url = sqs.create_queue(QueueName=name(), Attributes={"VisibilityTimeout": "5"}, tags={"team": "a"})["QueueUrl"]
    assert url.startswith(f"http://127.0.0.1:{port}/123456789012/"), url
    assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"team": "a"}
    attributes = {
        "colour": {"DataType": "String", "StringValue": "red"},
        "picture": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
    }
    sent = sqs.send_message(QueueUrl=url, MessageBody="hello ✓", MessageAttributes=attributes)
    (message,) = sqs.receive_message(
        QueueUrl=url, MessageAttributeNames=["All"], AttributeNames=["All"], WaitTimeSeconds=5
    )["Messages"]
    assert message["Body"] == "hello ✓", message
    assert message["MessageId"] == sent["MessageId"]
    assert message["MessageAttributes"] == attributes, message
    assert message["MD5OfMessageAttributes"] == sent["MD5OfMessageAttributes"]
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)
    (again,) = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5)["Messages"]
    sqs.delete_message(QueueUrl=url, ReceiptHandle=again["ReceiptHandle"])
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
    sqs.delete_queue(QueueUrl=url)


def errors():
    try:
        sqs.get_queue_url(QueueName=name())
        raise AssertionError("found")
    except sqs.exceptions.QueueDoesNotExist as error:
        assert error.response["Error"]["Code"] == "AWS.SimpleQueueService.NonExistentQueue", error.response
    url = sqs.create_queue(QueueName=name())["QueueUrl"]
    try:
        sqs.send_message(QueueUrl=url, MessageBody="a", DelaySeconds=901)
        raise AssertionError("sent")
    except ClientError as error:
        assert error.response["Error"]["Code"] == "InvalidParameterValue", error.response


def resource():
    """The object interface, with a FIFO queue and batches."""
    queue = boto3.resource("sqs", **arguments).create_queue(
        QueueName=name(".fifo"), Attributes={"FifoQueue": "true", "ContentBasedDeduplication": "true"}
    )
    entries = [{"Id": str(at), "MessageBody": str(at), "MessageGroupId": "g"} for at in range(5)]
    result = queue.send_messages(Entries=entries)
    assert len(result["Successful"]) == 5, result
    messages = queue.receive_messages(MaxNumberOfMessages=10)
    assert [message.body for message in messages] == ["0", "1", "2", "3", "4"]
    for message in messages:
        message.delete()
    queue.reload()
    assert queue.attributes["ApproximateNumberOfMessages"] == "0", queue.attributes


globals()[scenario]()
