//! The digest by mail.

use aws_sdk_ses::Client;
use aws_sdk_ses::error::BuildError;
use aws_sdk_ses::types::{Body, Content, Destination, Message};
use pipeline::ports::{CallError, Failure, Mail, Mailer};

use crate::call::Call;
use crate::gate::Gate;

/// From whom to whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addresses {
    /// The sender, an identity that SES has verified.
    pub from: String,
    /// The recipients, one at least.
    pub to: Vec<String>,
}

/// Amazon SES.
#[derive(Debug, Clone)]
pub struct SesMailer {
    client: Client,
    gate: Gate,
    addresses: Option<Addresses>,
}

impl SesMailer {
    pub(crate) const fn new(client: Client, gate: Gate, addresses: Option<Addresses>) -> Self {
        Self { client, gate, addresses }
    }
}

impl Mailer for SesMailer {
    async fn send(&self, mail: &Mail) -> Result<(), CallError> {
        let Some(addresses) = &self.addresses else { return Ok(()) };
        let call = Call::SendEmail;
        let message = message(mail)
            .map_err(|error| call.error(Failure::Other, "InvalidMail", error.to_string()))?;
        let to = Destination::builder().set_to_addresses(Some(addresses.to.clone())).build();
        let request =
            self.client.send_email().source(&addresses.from).destination(to).message(message);
        self.gate.send(call, request.send()).await.map(drop)
    }
}

fn message(mail: &Mail) -> Result<Message, BuildError> {
    let part = |text: &str| Content::builder().charset("UTF-8").data(text).build();
    let body = Body::builder().text(part(&mail.text)?).html(part(&mail.html)?).build();
    Ok(Message::builder().subject(part(&mail.subject)?).body(body).build())
}
