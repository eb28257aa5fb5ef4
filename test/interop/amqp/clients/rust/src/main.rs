//! lapin against a broker: `client AMQP_PORT`. Exit code 0 means that the scenario held.

use futures_lite::StreamExt;
use lapin::{
    BasicProperties, Confirmation, Connection, ConnectionProperties, ExchangeKind,
    options::*,
    types::{AMQPValue, FieldTable},
};
use std::time::{Duration, SystemTime};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port = std::env::args().nth(1).expect("usage: client AMQP_PORT");
    tokio::time::timeout(Duration::from_secs(40), work(&port)).await??;
    Ok(())
}

/// An exchange with a queue and its dead letters; confirms, a prefetch, a requeue, a reject.
async fn work(port: &str) -> Result<(), Box<dyn std::error::Error>> {
    let name = format!("lapin-{}", SystemTime::UNIX_EPOCH.elapsed()?.as_nanos());
    let dead = format!("{name}-dead");
    let uri = format!("amqp://guest:guest@127.0.0.1:{port}/%2f");
    let connection = Connection::connect(&uri, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    let durable = ExchangeDeclareOptions { durable: true, ..Default::default() };
    channel
        .exchange_declare(name.as_str().into(), ExchangeKind::Topic, durable, FieldTable::default())
        .await?;
    let durable = QueueDeclareOptions { durable: true, ..Default::default() };
    channel.queue_declare(dead.as_str().into(), durable, FieldTable::default()).await?;
    let mut arguments = FieldTable::default();
    arguments.insert("x-dead-letter-exchange".into(), AMQPValue::LongString("".into()));
    arguments.insert("x-dead-letter-routing-key".into(), AMQPValue::LongString(dead.as_str().into()));
    channel.queue_declare(name.as_str().into(), durable, arguments).await?;
    channel
        .queue_bind(
            name.as_str().into(),
            name.as_str().into(),
            "jobs.#".into(),
            QueueBindOptions::default(),
            FieldTable::default(),
        )
        .await?;
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    const COUNT: usize = 50;
    for at in 0..COUNT {
        let confirmation = channel
            .basic_publish(
                name.as_str().into(),
                "jobs.new".into(),
                BasicPublishOptions { mandatory: true, ..Default::default() },
                at.to_string().as_bytes(),
                BasicProperties::default().with_delivery_mode(2),
            )
            .await?
            .await?;
        assert!(matches!(confirmation, Confirmation::Ack(None)), "{confirmation:?}");
    }
    channel.basic_qos(10, BasicQosOptions::default()).await?;
    let mut consumer = channel
        .basic_consume(
            name.as_str().into(),
            "worker".into(),
            BasicConsumeOptions::default(),
            FieldTable::default(),
        )
        .await?;
    let mut again = 0;
    for _ in 0..COUNT + 1 {
        let delivery = consumer.next().await.expect("the consumer has ended")?;
        let body = std::str::from_utf8(&delivery.data)?;
        if delivery.redelivered {
            assert_eq!(body, "7");
            again += 1;
            delivery.acker.ack(BasicAckOptions::default()).await?;
        } else if body == "7" {
            delivery.acker.nack(BasicNackOptions { requeue: true, multiple: false }).await?;
        } else if body == "9" {
            delivery.acker.reject(BasicRejectOptions { requeue: false }).await?;
        } else {
            delivery.acker.ack(BasicAckOptions::default()).await?;
        }
    }
    assert_eq!(again, 1);
    let mut letters = channel
        .basic_consume(
            dead.as_str().into(),
            "letters".into(),
            BasicConsumeOptions { no_ack: true, ..Default::default() },
            FieldTable::default(),
        )
        .await?;
    let letter = letters.next().await.expect("no dead letter")?;
    assert_eq!(letter.data, b"9");
    connection.close(200, "bye".into()).await?;
    Ok(())
}
